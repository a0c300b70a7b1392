# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
import time

from odoo import api, models

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.transaction import in_own_transaction

from .oda_recording_sound import SoundGone

_logger = logging.getLogger(__name__)

SLICE = 60  # seconds of one job; a worker is not held longer
BATCH = 500  # keys sealed anew in a transaction


class OdaRecording(models.Model):
    """Encrypting what was stored before, and following the server's key."""

    _inherit = "oda.recording"

    @api.model
    def _enqueue_sealing(self, company, after=0):
        user = self.env["oda.connector.account"]._jobs_user()
        self.with_user(user).with_delay(
            priority=30,
            identity_key=f"oda.recording.seal:{company.id}:{after}",
            description="Encrypt the recordings of a company",
            max_retries=0,
        )._seal_old(company.id, after)

    @api.model
    def _seal_old(self, company_id, after=0):
        """Encrypt what lies in the clear, from a row on. Job entry point.

        A slice at a time, a transaction for each file: killed anywhere, every
        file is what its row says, and the next job goes on.
        """
        registry, uid = self.env.registry, self.env.uid
        until = time.monotonic() + SLICE
        count = 0
        while time.monotonic() < until:
            after, sealed = in_own_transaction(
                registry,
                uid,
                lambda env, after=after: env["oda.recording"]._seal_next(
                    company_id, after
                ),
            )
            count += sealed
            if after is None:
                self._collect_files()
                return f"{count} sealed, all done"
        self._enqueue_sealing(self.env["res.company"].browse(company_id), after)
        self._collect_files()
        return f"{count} sealed, more to do"

    @api.model
    def _seal_next(self, company_id, after):
        """Encrypt the next file; return (its row or None, 1 when it was sealed)."""
        # sudo: the sound is closed to the ORM, also for this job
        company = self.env["res.company"].sudo().browse(company_id)
        if not company.exists() or not company.oda_recording_encrypt:
            return None, 0
        self.flush_model()
        self.env.cr.execute(
            "SELECT id FROM oda_recording WHERE company_id = %s AND id > %s "
            "AND state = 'stored' AND audio_key IS NULL ORDER BY id LIMIT 1 "
            "FOR UPDATE",
            (company_id, after),
        )
        found = self.env.cr.fetchone()
        if not found:
            return None, 0
        recording = self.sudo().browse(found)  # sudo: as above
        try:
            with recording._open_sound()[0] as source:
                recording.audio_key = recording._keep_sound(source, seal=True)
        except (SoundGone, OSError) as error:
            _logger.warning("recording %s is not sealed: %s", recording.id, error)
            return recording.id, 0
        return recording.id, 1

    @api.model
    def _reseal_old_keys(self):
        """Seal the files' keys with the server's first key; return how many.

        The files themselves stay as they are, so a roll-over takes seconds.
        """
        try:
            first = sealing.seal("", "oda.recording:probe").rpartition(".")[0]
        except sealing.SealingKeyMissing:
            return 0
        registry, uid = self.env.registry, self.env.uid
        total, after = 0, 0
        while after is not None:
            after, count = in_own_transaction(
                registry,
                uid,
                lambda env, after=after: env["oda.recording"]._reseal_batch(
                    first, after
                ),
            )
            total += count
        return total

    @api.model
    def _reseal_batch(self, first, after):
        """Seal a batch anew; return (last row or None, how many)."""
        self.flush_model()
        self.env.cr.execute(
            "SELECT id FROM oda_recording WHERE id > %s AND audio_key IS NOT NULL "
            "AND NOT starts_with(audio_key, %s) ORDER BY id LIMIT %s FOR UPDATE",
            (after, first + ".", BATCH),
        )
        ids = [one for (one,) in self.env.cr.fetchall()]
        count = 0
        for recording in self.sudo().browse(ids):  # sudo: closed to the ORM
            try:
                recording.audio_key = sealing.reseal(
                    recording.audio_key, recording._seal_name()
                )
                count += 1
            except sealing.SealBroken as error:
                _logger.warning("recording %s: %s", recording.id, error)
        return (ids[-1] if ids else None), count
