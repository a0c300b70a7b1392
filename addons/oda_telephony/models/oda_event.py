# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaEvent(models.Model):
    _inherit = "oda.event"

    @api.model
    def _sentences(self):
        return {
            **super()._sentences(),
            "recording.listen": self.env._("A recording was listened to"),
            "recording.refused": self.env._("A recording was refused"),
            "pbx.newcomers_full": self.env._("The list of new PBX logins is full"),
        }
