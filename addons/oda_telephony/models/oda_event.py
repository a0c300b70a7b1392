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
            "callback.drop": self.env._("A call to return was dropped"),
            "callback.by_hand": self.env._(
                "A call to return was closed by hand, without a call"
            ),
            "route.create": self.env._("A routing rule was made"),
            "route.change": self.env._("A routing rule was changed"),
            "route.remove": self.env._("A routing rule was removed"),
            "pbx.newcomers_full": self.env._("The list of new PBX logins is full"),
        }
