# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.oda_base.sealing import SealError
from odoo.addons.oda_base.transaction import in_own_transaction

from ..sound import waveform
from .oda_recording_sound import SoundGone

_logger = logging.getLogger(__name__)


class OdaRecording(models.Model):
    """How loud it is when: computed once, by a job, and drawn by the player."""

    _inherit = "oda.recording"

    # At most 1200 bytes as base64; False: not yet, or not to be had.
    waveform = fields.Char(readonly=True, prefetch=False)

    def _enqueue_waveform(self):
        for recording in self:
            recording.with_delay(
                priority=20,  # after what is still to be fetched
                identity_key=f"oda.recording.waveform:{recording.id}",
                description="Draw a recording",
                max_retries=1,
            )._draw()

    @api.model
    def _draw_missing(self):
        """Each night: draw what has no waveform yet (a lost job, a decoder that was
        not installed). For a week only: some sounds never have one."""
        # sudo: the system's own housekeeping, in all companies
        self.sudo().search(
            [
                ("state", "=", "stored"),
                ("waveform", "=", False),
                ("fetched_at", ">", fields.Datetime.now() - timedelta(days=7)),
            ],
            order="id desc",
            limit=500,
        ).with_user(self.env["oda.connector.account"]._jobs_user())._enqueue_waveform()

    def _draw(self):
        """Compute the waveform of one recording. Job entry point.

        No transaction is open while it is decoded, by a process of its own.
        """
        self.ensure_one()
        registry, uid, here = self.env.registry, self.env.uid, self.id

        def opened(env):
            recording = env["oda.recording"].browse(here).exists()
            if not recording or recording.state != "stored" or recording.waveform:
                return None
            return recording._open_sound()[0], recording.duration

        def keep(env):
            env["oda.recording"].browse(here).exists().waveform = drawn

        try:
            found = in_own_transaction(registry, uid, opened)
            if not found:
                return "nothing to do"
            with found[0] as file:
                drawn = base64.b64encode(waveform.measure(file, found[1])).decode()
        except (SoundGone, SealError, waveform.NoWaveform, OSError) as error:
            # A recording is heard without its picture too.
            _logger.info("recording %s is not drawn: %s", here, error)
            return f"not drawn: {type(error).__name__}"
        in_own_transaction(registry, uid, keep)
        return "done"

    def get_player(self):
        """Return what the player shows beside the sound, for whoever may hear it.

        :return: `{"waveform": base64 of at most 1200 bytes or "", "download": bool}`
        :raise AccessError: not this person's to hear
        """
        self.ensure_one()
        if not self.exists() or not self._may_hear():
            raise AccessError(self.env._("You may not listen to this recording."))
        return {"waveform": self.waveform or "", "download": self._may_download()}
