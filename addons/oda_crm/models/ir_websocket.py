# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re

from odoo import models

#: what a browser asks to hear of; several at once when several forms are open
CHANNEL = re.compile(r"oda\.consultation\.session_([1-9]\d{0,9})")
MOST = 50


class IrWebsocket(models.AbstractModel):
    """A form of a session hears when its text is changed elsewhere."""

    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Listening to a session is for whoever may read it, asked each time."""
        matches = [
            (one, CHANNEL.fullmatch(one)) for one in channels if isinstance(one, str)
        ]
        asked = {int(match[1]) for _one, match in matches if match}
        channels = [
            one for one in channels if not (isinstance(one, str) and CHANNEL.match(one))
        ]
        sessions = self.env["oda.consultation.session"]
        ids = [one for one in sorted(asked) if one < 2**31][:MOST]
        if ids and sessions.has_access("read"):
            channels.extend(sessions.search([("id", "in", ids)]))
        return super()._build_bus_channel_list(channels)
