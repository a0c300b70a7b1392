# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    @api.ondelete(at_uninstall=False)
    def _unlink_hide_card_groups(self):
        """Hide the groups of these flows only: without flows they are everybody's."""
        # sudo: who may remove a flow may not know what its card shows
        groups = self.env["oda.card.group"].sudo().with_context(active_test=False)
        orphans = groups.search([("team_ids", "in", self.ids)]).filtered(
            lambda group: not group.team_ids - self
        )
        orphans.active = False
