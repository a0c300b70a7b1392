# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import contextlib
import json
import logging
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from psycopg2.extras import execute_values

from odoo import models

from odoo.addons.oda_base import sealing
from odoo.addons.oda_crm.spreadsheet import guard

from ..sound import names
from ..sound.archive_worker import MALLOC
from ..sound.sealed import SealedReader

_logger = logging.getLogger(__name__)

_WORKER = Path(__file__).parents[1] / "sound" / "archive_worker.py"
BEAT = 1.0  # seconds between two reports to people

_ITEMS = """
SELECT i.position, r.id, r.audio_key, r.mimetype, r.sha256, r.state, r.announced,
       r.duration, c.callid, c.started_at, c.direction,
       COALESCE(c.e164, c.phone), p.name, f.store_fname
  FROM oda_recording_archive_item i
  JOIN oda_recording r ON r.id = i.recording_id
  JOIN oda_call c ON c.id = r.call_id
  LEFT JOIN res_users u ON u.id = c.user_id
  LEFT JOIN res_partner p ON p.id = u.partner_id
  LEFT JOIN ir_attachment f ON f.res_model = 'oda.recording' AND f.res_id = r.id
        AND f.res_field = 'audio'
 WHERE i.archive_id = %s AND i.part = %s
 ORDER BY i.position
"""


class Cancelled(Exception):
    """Somebody asked to stop."""


class NoRoom(Exception):
    """The disk cannot hold it; the text says so to people."""


class Unusable(Exception):
    """There is nothing to do; the text says so to people."""


class PartFailed(Exception):
    """A part could not be written; the text says so to people."""


class OdaRecordingArchive(models.Model):
    """Writing one part: what the process of its own is told, and what it says."""

    _inherit = "oda.recording.archive"

    def _make_part(self, number):
        """Write a part and put it in its place.

        :raise Cancelled, NoRoom, PartFailed: nothing of it is left then
        """
        path = self._part_path(number)
        folder = os.path.dirname(path)
        os.makedirs(folder, mode=0o750, exist_ok=True)
        self._clear_away(folder)
        half = f"{path}.{secrets.token_hex(4)}.tmp"
        plan, ids, copies = self._act("_part_plan", number, half)
        try:
            result = self._run_worker(plan, ids, number)
            os.replace(half, path)
        finally:
            for left in (half, *copies):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(left)
        self._act("_part_done", number, result["size"], result["sha256"])

    def _clear_away(self, folder):
        """Delete what a killed process was writing: we hold the archive's lock."""
        for entry in Path(folder).glob("*.tmp"):
            entry.unlink(missing_ok=True)

    # === THE PLAN ===#

    def _part_plan(self, number, out):
        """Return (bytes of the plan, positions in its order, copies to delete)."""
        self.env.cr.execute(_ITEMS, (self.id, number))
        rows = self.env.cr.fetchall()
        zone = self._zone(self.company_id)
        used, lines, copies = {"manifest.csv"}, [], []
        for row in rows:
            lines.append(self._plan_line(row, zone, used, out, copies))
        head = {
            "out": out,
            "key": self._file_key(),
            "manifest": "manifest.csv",
            "header": self._manifest_header(),
            "words": self._manifest_words(),
        }
        plan = "\n".join(json.dumps(one) for one in (head, *lines))
        return plan.encode(), [row[0] for row in rows], copies

    def _file_key(self):
        token = self.file_key
        return sealing.unseal(token, self._seal_name()) if token else None

    def _plan_line(self, row, zone, used, out, copies):
        (_position, recording_id, token, mimetype, sha256, state, announced) = row[:7]
        duration, callid, started_at, direction, phone, agent, fname = row[7:]
        utc = ZoneInfo("UTC")
        moment = started_at and started_at.replace(tzinfo=utc).astimezone(zone)
        name = names.unused(
            names.recording_name(moment, direction, phone, agent, callid, mimetype),
            used,
            recording_id,
        )
        recording = self.env["oda.recording"].browse(recording_id)
        path, key = None, None
        if state == "stored" and fname:
            # with "://" an addon keeps it elsewhere, see _open_attachment
            path = (
                self._copied(recording, out, copies)
                if "://" in fname
                else self.env["ir.attachment"]._full_path(fname)
            )
            if token and path:
                key = self._sound_key(recording, token)
        yes_no = self.env._("yes") if announced else self.env._("no")
        return {
            "path": path,
            "key": key,
            "name": name,
            "moment": moment and moment.replace(tzinfo=None).isoformat(),
            "sha256": sha256 or "",
            "row": [
                guard(cell)
                for cell in (
                    name,
                    callid,
                    f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "",
                    direction or "",
                    phone or "",
                    agent or "",
                    duration or 0,
                    yes_no,
                )
            ],
        }

    def _sound_key(self, recording, token):
        """Return the file's key as hex; a broken one makes the item damaged."""
        try:
            opened = sealing.unseal(token, recording._seal_name())
        except sealing.SealBroken:
            return "00" * 32  # opens nothing: the manifest will say damaged
        return base64.b64decode(opened).hex()

    def _copied(self, recording, out, copies):
        """Bring a sound that lies elsewhere to the disk; return its path or None.

        As it is stored: what is encrypted stays so.
        """
        content = recording._sound_attachment().raw
        if not content:
            return None
        path = f"{out}.{recording.id}.tmp"
        copies.append(path)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def _manifest_header(self):
        return [
            self.env._("File"),
            self.env._("Call id"),
            self.env._("Started"),
            self.env._("Direction"),
            self.env._("Number"),
            self.env._("Answered by"),
            self.env._("Seconds"),
            self.env._("Announced"),
            self.env._("Bytes"),
            "SHA-256",
            self.env._("Remark"),
        ]

    def _manifest_words(self):
        return {
            "missing": self.env._("Missing: removed meanwhile, or lost from the disk."),
            "damaged": self.env._("Damaged: it could not be read, so it is not in it."),
            "differs": self.env._("Not the bytes that the exchange sent."),
        }

    # === THE PROCESS ===#

    def _run_worker(self, plan, ids, number):
        """Run the process over a plan; return its `{size, sha256}`."""
        # In memory: it names keys, which must not lie on the disk.
        handle = os.memfd_create("oda-archive")
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(plan)
        del plan
        try:
            worker = subprocess.Popen(
                [sys.executable, str(_WORKER), f"/proc/self/fd/{handle}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(handle,),
                # nothing of the server's own environment: its keys may be named there
                env={"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **MALLOC},
            )
        finally:
            os.close(handle)
        last = {}
        try:
            told, results = time.monotonic(), []
            for line in worker.stdout:
                last = json.loads(line)
                if "items" not in last:
                    continue
                results += [(ids[at], state) for at, state, *_rest in last["items"]]
                if time.monotonic() - told >= BEAT:
                    self._act("_part_progress", number, results, last["bytes"])
                    told, results = time.monotonic(), []
            self._act("_part_progress", number, results, None)
        finally:
            if worker.poll() is None:
                worker.kill()
            worker.stdout.close()
            worker.wait()
        if "size" not in last:
            raise self._failed(last)
        return last

    def _failed(self, last):
        if last.get("error") == "full":
            return NoRoom(self.env._("The disk became full. Make room, then go on."))
        return PartFailed(
            self.env._(
                "The archive could not be written to the disk (%s). Go on to try "
                "again.",
                last.get("text") or last.get("error") or self.env._("it was ended"),
            )
        )

    def _part_progress(self, number, results, written):
        """Note what the process has done; raise `Cancelled` when asked to stop."""
        if results:
            execute_values(
                self.env.cr._obj,
                "UPDATE oda_recording_archive_item i SET state = v.state "
                "FROM (VALUES %s) v (position, state) "
                f"WHERE i.archive_id = {int(self.id)} AND i.part = {int(number)} "
                "AND i.position = v.position",
                results,
                page_size=1000,
            )
        if written is None:
            return
        if self.cancel_asked:
            raise Cancelled
        done = self.part_ids.filtered(lambda one: one.state == "done")
        self.write(
            {
                "done_bytes": min(sum(done.mapped("size")) + written, self.total_bytes),
                "done_count": sum(done.mapped("count")),
            }
        )
        self._tell()

    def _part_done(self, number, size, sha256):
        part = self.part_ids.filtered(lambda one: one.number == number)
        part.write({"state": "done", "size": size, "sha256": sha256})
        done = self.part_ids.filtered(lambda one: one.state == "done")
        self.write(
            {
                "done_bytes": min(sum(done.mapped("size")), self.total_bytes),
                "done_count": sum(done.mapped("count")),
            }
        )
        self._tell()

    # === TAKING IT ===#

    def _open_part(self, number):
        """Open a finished part, decrypted; return (path or None, file, part).

        No right is asked for here. `path` when the bytes on the disk are those
        to be sent.

        :raise OSError, SealError: it cannot be opened
        """
        part = self.part_ids.filtered(
            lambda one: one.number == number and one.state == "done"
        )
        if not part or self.state != "done":
            raise FileNotFoundError
        path = self._part_path(number)
        key = self._file_key()
        file = open(path, "rb")
        if not key:
            return path, file, part
        return None, SealedReader(file, bytes.fromhex(key)), part
