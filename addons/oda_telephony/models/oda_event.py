# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaEvent(models.Model):
    _inherit = "oda.event"

    @api.model
    def _sentences(self):
        return {
            **super()._sentences(),
            "recording.listen": self.env._("A recording was listened to"),
            "recording.download": self.env._("A recording was downloaded"),
            "recording.delete": self.env._("A recording was removed"),
            "recording.retention": self.env._("Recordings were removed"),
            "recording.hold": self.env._("A recording is held"),
            "recording.release": self.env._("A recording is no longer held"),
            "recording.late": self.env._("Recordings did not come"),
            "recording.settings": self.env._("How recordings are kept was changed"),
            "recording.archive.ask": self.env._("An archive was asked for"),
            "recording.archive.done": self.env._("An archive was made"),
            "recording.archive.cancel": self.env._("An archive was cancelled"),
            "recording.archive.take": self.env._("An archive was downloaded"),
            "recording.archive.delete": self.env._(
                "The files of an archive were removed"
            ),
            "recording.refused": self.env._("A recording was refused"),
            "pbx.silence": self.env._(
                "The phone of a colleague was silenced or let ring again"
            ),
            "callback.drop": self.env._("A call to return was dropped"),
            "callback.by_hand": self.env._(
                "A call to return was closed by hand, without a call"
            ),
            "route.create": self.env._("A routing rule was made"),
            "route.change": self.env._("A routing rule was changed"),
            "route.remove": self.env._("A routing rule was removed"),
            "pbx.newcomers_full": self.env._("The list of new PBX logins is full"),
        }
