# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaEvent(models.Model):
    _inherit = "oda.event"

    @api.model
    def _sentences(self):
        return {
            **super()._sentences(),
            "session.change": self.env._("Somebody else's session was changed"),
            "session.remove": self.env._("Somebody else's session was deleted"),
            "contact.unsubscribe": self.env._("A beneficiary wants no more messages"),
            "crm.rule.broken": self.env._("A stage rule lost its field and is off"),
            "crm.rule.override": self.env._("A stage rule was overridden"),
            "data.export": self.env._("Data were exported"),
            "data.import": self.env._("Data were imported"),
            "partner.merge": self.env._("Cards of beneficiaries were merged"),
            "programme.follow": self.env._("Following a programme began or ended"),
            "right.change": self.env._("A right was changed"),
            "tasks.handed_over": self.env._("Tasks were handed over to colleagues"),
        }
