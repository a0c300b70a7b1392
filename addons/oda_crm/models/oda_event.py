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
        }
