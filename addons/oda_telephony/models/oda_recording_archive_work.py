# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
import os
import shutil
import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.transaction import in_own_transaction

from ..sound.sealed import new_key
from .oda_recording_archive_part_file import Cancelled, NoRoom, PartFailed, Unusable

_logger = logging.getLogger(__name__)

SLICE = 60  # seconds after which the next part is another job's
TRIES = 5  # times that a part is begun before somebody must look
FOLDER = "oda_archives"  # of the filestore; left out of backups
SPARE = 256 * 1024 * 1024  # bytes of the disk that an archive leaves free
ENTRY = 400  # bytes a recording takes beside its sound: names, manifest


class OdaRecordingArchive(models.Model):
    """Making an archive: a job a slice, a file a part, facts in between.

    A part is whole or not there: it is written beside its place, by a process of
    its own, and renamed when its bytes are on the disk. Killed at any line, the
    next job begins with the first part that is not done.
    """

    _inherit = "oda.recording.archive"

    def _enqueue(self):
        user = self.env["oda.connector.account"]._jobs_user()
        for archive in self:
            archive.with_user(user).with_delay(
                priority=30,
                identity_key=f"oda.recording.archive:{archive.id}",
                description="Make an archive of recordings",
                max_retries=0,
            )._work()

    def _act(self, method, *args):
        """Call a method of this archive in a transaction of its own."""
        here = self.id

        def act(env):
            # sudo: rows and files of archives are the system's
            archive = env["oda.recording.archive"].sudo().browse(here)
            return getattr(archive, method)(*args)

        context = {"lang": self._lang()}
        return in_own_transaction(self.env.registry, self.env.uid, act, context=context)

    def _lang(self):
        # sudo: the language of whoever reads the words
        mine = self.sudo()
        return mine.user_id.lang or mine.company_id.partner_id.lang or "en_US"

    # === THE JOB ===#

    def _work(self):
        """Make the archive, or as much of it as fits a slice. Job entry point."""
        self.ensure_one()
        until = time.monotonic() + SLICE
        with self.env.registry.cursor() as lock_cr:
            lock_cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtext('oda_recording_archive'), "
                "%s)",
                (self.id,),
            )
            if not lock_cr.fetchone()[0]:
                return "another job is at it"
            try:
                while time.monotonic() < until:
                    if not self._step():
                        return "done"
            except Cancelled:
                self._act("_stop", "cancelled")
                return "cancelled"
            except (NoRoom, Unusable, PartFailed) as error:
                self._act("_stop", "stopped", str(error))
                return "stopped"
            except sealing.SealError:
                self._act("_stop", "stopped", self._key_words())
                return "stopped"
        self._act("_enqueue_more")
        return "more to do"

    def _enqueue_more(self):
        self._enqueue()

    def _key_words(self):
        return self.env._(
            "Sound is encrypted, and the server's key is missing. Ask its operator."
        )

    def _step(self):
        """Do the next thing; return False when there is none."""
        todo = self._act("_next")
        if not todo:
            return False
        if todo == "plan":
            self._act("_plan")
        elif todo == "finish":
            self._act("_finish")
        else:
            self._make_part(todo)
        return True

    def _next(self):
        """Return None, `plan`, `finish`, or the number of the part to make."""
        if not self.exists() or self.state != "running":
            return None
        if self.cancel_asked:
            raise Cancelled
        if not self.part_ids:
            return "plan"
        part = self.part_ids.filtered(lambda one: one.state == "todo").sorted("number")
        if not part:
            return "finish"
        part = part[0]
        if part.attempts >= TRIES:
            raise PartFailed(
                self.env._(
                    "%(file)s was begun %(times)s times and never ended. Look at the "
                    "server's log, then go on.",
                    file=part.name,
                    times=TRIES,
                )
            )
        part.attempts += 1
        return part.number

    # === PLANNING ===#

    def _plan(self):
        """Write down what goes in and in which part; no row is read into memory."""
        self.env["oda.recording.archive.item"].search(
            [("archive_id", "=", self.id)]
        ).unlink()
        recordings = self.env["oda.recording"]
        if not self.automatic:
            if not self.with_user(self.user_id)._may_take():
                raise Unusable(
                    self.env._("Who asked for it has no right to archives any more.")
                )
            # their own rights, in this company only
            recordings = recordings.with_user(self.user_id).with_context(
                allowed_company_ids=[self.company_id.id]
            )
        query = recordings._search(self._recordings())
        part_bytes = self.company_id.oda_recording_archive_part_mb * 1024 * 1024
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO oda_recording_archive_item
                       (archive_id, recording_id, part, position, state)
                SELECT %(archive)s, id,
                       1 + div(upto - size, %(part)s)::int, place, 'todo'
                  FROM (SELECT r.id, COALESCE(r.size, 0) AS size,
                               row_number() OVER w AS place,
                               sum(COALESCE(r.size, 0)::bigint) OVER w AS upto
                          FROM oda_recording r WHERE r.id IN %(chosen)s
                        WINDOW w AS (ORDER BY r.started_at, r.id)) plan
                """,
                archive=self.id,
                part=part_bytes,
                chosen=query.subselect(),
            )
        )
        self.env.cr.execute(
            """
            SELECT i.part, count(*), sum(COALESCE(r.size, 0)::bigint)
              FROM oda_recording_archive_item i
              JOIN oda_recording r ON r.id = i.recording_id
             WHERE i.archive_id = %s GROUP BY i.part ORDER BY i.part
            """,
            (self.id,),
        )
        parts = self.env.cr.fetchall()
        if not parts:
            raise Unusable(self.env._("There are no recordings in this period."))
        count, size = sum(row[1] for row in parts), sum(int(row[2]) for row in parts)
        self._check_room(size + ENTRY * count)
        self.env["oda.recording.archive.part"].create(
            [
                {
                    "archive_id": self.id,
                    "number": number,
                    "count": held,
                    "name": self._part_name(number, len(parts)),
                }
                # numbered anew: a recording larger than a part leaves a gap
                for number, (_part, held, _size) in enumerate(parts, 1)
            ]
        )
        for number, (part, _held, _size) in enumerate(parts, 1):
            if number != part:
                self.env.cr.execute(
                    "UPDATE oda_recording_archive_item SET part = %s "
                    "WHERE archive_id = %s AND part = %s",
                    (number, self.id, part),
                )
        values = {"total_count": count, "total_bytes": size}
        if self.company_id.oda_recording_encrypt:
            values["file_key"] = sealing.seal(new_key().hex(), self._seal_name())
        self.write(values)

    def _seal_name(self):
        return f"oda.recording.archive:{self.id}:file"

    def _part_name(self, number, parts):
        days = f"{self.date_from:%Y-%m-%d}_{self.date_to:%Y-%m-%d}"
        return f"recordings_{days}_{self.id}_{number:03}-of-{parts:03}.zip"

    @api.model
    def _archive_root(self):
        return os.path.join(self.env["ir.attachment"]._filestore(), FOLDER)

    def _folder(self):
        return os.path.join(self._archive_root(), str(self.id))

    def _part_path(self, number):
        return os.path.join(self._folder(), f"{number:03}.zip")

    @api.model
    def _check_room(self, needed):
        """Refuse beforehand what the disk cannot hold.

        :raise NoRoom: in words, with both figures
        """
        root = self.env["ir.attachment"]._filestore()
        os.makedirs(root, exist_ok=True)
        free = shutil.disk_usage(root).free
        if free < needed + SPARE:
            raise NoRoom(
                self.env._(
                    "The disk is too full: the archive needs %(needed)s MB and "
                    "%(free)s MB are free. Make room, then go on.",
                    needed=(needed + SPARE) // 1024**2,
                    free=free // 1024**2,
                )
            )

    # === ENDING ===#

    def _finish(self):
        """All parts are there."""
        self.env.cr.execute(
            "SELECT count(*) FROM oda_recording_archive_item WHERE archive_id = %s "
            "AND state IN ('damaged', 'missing')",
            (self.id,),
        )
        (left_out,) = self.env.cr.fetchone()
        days = self.company_id.oda_recording_archive_days
        now = fields.Datetime.now()
        self.write(
            {
                "state": "done",
                "done_at": now,
                "expires_at": now + timedelta(days=days),
                "done_count": self.total_count,
                "done_bytes": self.total_bytes,
                "left_out_count": left_out,
                "words": self.env._(
                    "%s recordings could not be put in: the manifest says which.",
                    left_out,
                )
                if left_out
                else False,
            }
        )
        self._journal(
            "recording.archive.done",
            count=self.total_count,
            left_out=left_out,
            sha256=[part.sha256 for part in self.part_ids],
        )
        self._tell()

    def _stop(self, state, words=False):
        """Not made to the end. `cancelled` leaves no files, `stopped` may go on."""
        self.write({"state": state, "words": words, "cancel_asked": False})
        self.part_ids.attempts = 0
        if state == "cancelled":
            self._forget_files()
        self._tell()

    def _tell(self):
        """Let whoever looks at it see how far it is."""
        self.ensure_one()
        news = {"id": self.id, "state": self.state, "progress": self.progress}
        # sudo: nobody reads the user or the group for it
        who = (
            self.user_id.sudo()
            or self.env.ref("oda_telephony.group_recording_archive").sudo()
        )  # sudo: as above
        who._bus_send("oda_telephony.archive", news)

    def _forget_files(self):
        """Delete the files, and the rows of what was in them; the key with them.

        The files go first: should the transaction fail, the row says more than
        there is, and the next try ends it.
        """
        for archive in self:
            shutil.rmtree(archive._folder(), ignore_errors=True)
        self.part_ids.filtered(lambda part: part.state == "done").state = "removed"
        self.env.cr.execute(
            "DELETE FROM oda_recording_archive_item WHERE archive_id = ANY(%s)",
            (self.ids,),
        )
        self.env["oda.recording.archive.item"].invalidate_model()
        self.file_key = False

    def _remove(self, reason):
        for archive in self:
            archive._journal("recording.archive.delete", reason=reason)
        self._forget_files()
        self.state = "removed"

    @api.model
    def _remove_over_age(self):
        """Remove archives whose days are over, or that hold what had to go.

        An archive never outlives the retention of what is in it.
        """
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT a.id FROM oda_recording_archive a
             WHERE a.state = 'done' AND a.expires_at < %(now)s
             UNION
            SELECT a.id FROM oda_recording_archive a
              JOIN res_company c ON c.id = a.company_id
             WHERE a.state = 'stopped' AND a.write_date
                   < %(now)s - make_interval(days => c.oda_recording_archive_days)
             UNION
            SELECT i.archive_id FROM oda_recording_archive_item i
              JOIN oda_recording r ON r.id = i.recording_id AND r.state = 'deleted'
              JOIN oda_recording_archive a ON a.id = i.archive_id
             WHERE a.state IN ('done', 'stopped')
               AND i.state IN ('done', 'differs')
            """,
            {"now": fields.Datetime.now()},
        )
        ids = [one for (one,) in self.env.cr.fetchall()]
        for one in ids:
            self.browse(one)._act("_remove", "age")
        return len(ids)
