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
            "pbx.silence": self.env._(
                "The phone of a colleague was silenced or let ring again"
            ),
            "connector.contact_token": self.env._("The dialplan's key was shown"),
            "pbx.newcomers_full": self.env._("The list of new PBX logins is full"),
        }
