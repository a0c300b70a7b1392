# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from odoo.addons.oda_base.net import audio

from ..ari import AriDownloader, AriHosts

#: bytes; WAV at 8 kHz is ten times an MP3: 26 minutes for each 25 MB
MAX_BYTES = 120 * 1024 * 1024


class OdaRecording(models.Model):
    """Recordings of an Asterisk come through its ARI, under the account's password."""

    _inherit = "oda.recording"

    @api.model
    def _downloader(self, hosts, *limits):
        if not isinstance(hosts, AriHosts):
            return super()._downloader(hosts, *limits)
        most = max(limits[0], MAX_BYTES) if limits else MAX_BYTES
        return AriDownloader(hosts, max_bytes=most, accept=audio.accept_audio)

    def _not_now(self, reason):
        if reason == "empty":
            words = self.env._("Nothing was said: there is no sound in the recording.")
            self.write({"state": "missing", "words": words, "next_try_at": False})
            return None
        return super()._not_now(reason)
