# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class OdaHealth(models.AbstractModel):
    _inherit = "oda.health"

    def _connectors(self):
        """Add how the process beside each exchange does, where there is one."""
        connectors = super()._connectors()
        # sudo: called for machines, without a person; a state and figures
        listeners = self.env["oda.pbx.listener"].sudo().search([])  # pylint: disable=no-search-all  # a handful
        known = {listener.account_id.id: listener for listener in listeners}
        for connector in connectors:
            listener = known.get(connector["account"])
            if connector["connector"] == "asterisk":
                connector["listener"] = {
                    "state": listener._state() if listener else "never",
                    "heard": listener
                    and listener.heard_at
                    and str(listener.heard_at)
                    or None,
                    "waiting": listener.waiting if listener else 0,
                    "refused": listener.refused if listener else 0,
                }
        return connectors
