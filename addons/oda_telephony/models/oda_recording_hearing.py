# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import fields, models

LISTENING = timedelta(minutes=10)  # jumps within it are the same listening


class OdaRecording(models.Model):
    """Who may hear a recording, who may take it away, and the trace of both."""

    _inherit = "oda.recording"

    def _may_hear(self):
        """True when the current user may hear it: their own talk, or it is their job.

        Administrators look after the rows and do not hear the calls.
        """
        self.ensure_one()
        user = self.env.user
        mine = self.env["oda.call.leg"].search_count(
            [
                ("call_id", "=", self.call_id.id),
                ("user_id", "=", user.id),
                ("state", "in", ("talking", "done")),
            ],
            limit=1,
        )
        return bool(self.has_access("read")) and (
            bool(mine)
            or self.user_id == user
            or user.has_group("oda_base.group_lead")
            or user.has_group("oda_base.group_supervisor")
        )

    def _may_download(self):
        """True when the current user may take the file: whoever may hear it, with
        the right to download beside it, which no role brings along."""
        return self._may_hear() and self.env.user.has_group(
            "oda_telephony.group_recording_download"
        )

    def _journal_listening(self):
        """Note that somebody hears it; the jumps of one listening are one event."""
        self._journal_once("recording.listen")

    def _journal_download(self):
        """Note that somebody takes the file; a resumed one is the same download."""
        self._journal_once("recording.download")

    def _journal_once(self, code):
        self.env.cr.execute(
            "SELECT 1 FROM oda_event WHERE res_model = %s AND res_id = %s "
            "AND user_id = %s AND code = %s AND at > %s LIMIT 1",
            (
                self._name,
                self.id,
                self.env.uid,
                code,
                fields.Datetime.now() - LISTENING,
            ),
        )
        if not self.env.cr.fetchone():
            self.env["oda.event"]._log(code, self)
