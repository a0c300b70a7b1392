# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import io
import os
import zipfile
from datetime import date, datetime
from pathlib import Path
from unittest.mock import patch

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models import oda_recording_archive_part_file as part_file
from ..models import oda_recording_archive_work as work
from .test_recording_sealed import SealedCase

ARCHIVE = "oda_base.group_supervisor,oda_telephony.group_recording_archive"


class ArchiveCase(SealedCase):
    def setUp(self):
        super().setUp()
        self.maker = new_test_user(self.env, "t_maker", groups=ARCHIVE)
        self.news = []
        case = self
        model = type(self.env["oda.recording.archive"])

        def bus_send(record, kind, message, /, *, subchannel=None):
            if kind == "oda_telephony.archive":
                case.news.append((record._name, message["state"], message["progress"]))

        for target, name, double in (
            (model, "_enqueue", lambda _self: None),
            (
                work,
                "in_own_transaction",
                lambda _registry, uid, function, context=None, **_kw: function(
                    self.env(user=uid, context=context or {})
                ),
            ),
            (type(self.env["res.users"]), "_bus_send", bus_send),
            (type(self.env["res.groups"]), "_bus_send", bus_send),
        ):
            patcher = patch.object(target, name, double)
            patcher.start()
            self.addCleanup(patcher.stop)

    def asked(self, user=None, **vals):
        today = date.today()
        vals = {"date_from": today, "date_to": today, **vals}
        archives = self.env["oda.recording.archive"].with_user(user or self.maker)
        archive = archives.create(vals)
        self.addCleanup(self._clean, archive.id)
        return archive

    def _clean(self, archive_id):
        work.shutil.rmtree(
            self.env["oda.recording.archive"].sudo().browse(archive_id)._folder(),
            ignore_errors=True,
        )

    def made(self, archive=None, **vals):
        archive = archive or self.asked(**vals)
        if archive.state == "draft":
            archive.action_start()
        self.env.flush_all()
        archive.sudo().with_user(self.robot)._work()
        self.env.invalidate_all()
        return archive

    def opened(self, archive, number=1):
        _path, file, _part = archive.sudo()._open_part(number)
        with file:
            return zipfile.ZipFile(io.BytesIO(file.read()))


@tagged("post_install", "-at_install")
class TestArchive(ArchiveCase):
    def test_what_is_in_it(self):
        recordings = [self.recorded(number) for number in range(3)]
        archive = self.made()
        self.assertEqual((archive.state, archive.total_count), ("done", 3))
        self.assertEqual(archive.progress, 100)
        self.assertFalse(archive.words)
        found = self.opened(archive)
        self.assertIsNone(found.testzip())
        names = found.namelist()
        self.assertEqual(len(names), 4)
        self.assertRegex(
            names[0], r"^\d{4}-\d\d-\d\d_\d{4}_in_37369555111_t-ana[^_]*_rec-0\.mp3$"
        )
        self.assertEqual(
            hashlib.sha256(found.read(names[0])).hexdigest(), recordings[0].sha256
        )
        manifest = found.read("manifest.csv").decode("utf-8-sig")
        for recording in recordings:
            self.assertIn(recording.sha256, manifest)
        self.assertIn("'+37369555111", manifest, "no formula for a spreadsheet")
        part = archive.part_ids
        with archive.sudo()._open_part(1)[1] as file:
            content = file.read()
        self.assertEqual(part.sha256, hashlib.sha256(content).hexdigest())
        self.assertEqual(part.size, len(content))
        self.assertEqual(self.news[-1], ("res.users", "done", 100))
        self.assertEqual(
            self.events("recording.archive.ask", archive).user_id.id, self.maker.id
        )
        self.assertEqual(
            self.events("recording.archive.done", archive).details["count"], 3
        )

    def test_parts(self):
        self.env.company.oda_recording_archive_part_mb = 10
        for number in range(5):
            self.recorded(number, content=os.urandom(4 * 1024**2))
        self.recorded(9, content=os.urandom(25 * 1024**2))
        archive = self.made()
        self.assertEqual(archive.state, "done")
        self.assertEqual(archive.part_ids.mapped("number"), [1, 2, 3])
        names = [
            name
            for part in archive.part_ids
            for name in self.opened(archive, part.number).namelist()
            if name != "manifest.csv"
        ]
        self.assertEqual(len(set(names)), 6)
        self.assertEqual(sum(archive.part_ids.mapped("count")), 6)
        self.assertTrue(archive.part_ids[0].name.endswith("001-of-003.zip"))

    def test_a_recording_larger_than_two_parts_leaves_no_gap(self):
        self.env.company.oda_recording_archive_part_mb = 10
        self.recorded(1, content=os.urandom(24 * 1024**2))
        self.recorded(2)
        archive = self.made()
        self.assertEqual(archive.part_ids.mapped("number"), [1, 2])
        self.assertEqual(len(self.opened(archive, 2).namelist()), 2)

    def test_encrypted_company_encrypted_archive(self):
        self.env.company.oda_recording_encrypt = True
        recording = self.recorded(1)
        archive = self.made()
        with open(archive.sudo()._part_path(1), "rb") as file:
            self.assertNotIn(b"manifest.csv", file.read())
        found = self.opened(archive)
        self.assertEqual(
            hashlib.sha256(found.read(found.namelist()[0])).hexdigest(),
            recording.sha256,
        )
        self.assertFalse(os.listdir(archive.sudo()._folder())[1:], "nothing beside it")

    def test_filters(self):
        one, other = self.recorded(1), self.recorded(2)
        other.call_id.sudo().direction = "out"
        self.env.flush_all()
        for vals, expected in (
            ({"direction": "out"}, other),
            ({"direction": "in"}, one),
            ({"agent_ids": [(6, 0, self.igor.ids)]}, one.browse()),
            ({"agent_ids": [(6, 0, self.ana.ids)]}, one | other),
            ({"account_id": self.account.id}, one | other),
        ):
            with self.subTest(vals):
                found = self.env["oda.recording"].search(
                    self.asked(**vals).sudo()._recordings()
                )
                self.assertEqual(found, expected)

    def test_days_are_the_companys(self):
        """23:30 UTC on the 30th is the 1st in Chișinău."""
        recording = self.recorded(1)
        recording.call_id.started_at = datetime(2026, 4, 30, 22, 30)
        self.env.flush_all()
        for day, expected in ((date(2026, 5, 1), 1), (date(2026, 4, 30), 0)):
            archive = self.asked(date_from=day, date_to=day).sudo()
            with self.subTest(day):
                self.assertEqual(
                    self.env["oda.recording"].search_count(archive._recordings()),
                    expected,
                )

    def test_lost_and_removed_files_are_told(self):
        lost, removed, there = (self.recorded(number) for number in range(3))
        archive = self.asked()
        archive.action_start()
        archive.sudo()._plan()
        path = Path(self.path_of(lost))
        # Back at the end: the collection of files complains of one that is gone.
        self.addCleanup(path.write_bytes, path.read_bytes())
        path.unlink()
        removed._remove("age")
        self.env.flush_all()
        self.made(archive)
        self.assertEqual((archive.state, archive.left_out_count), ("done", 2))
        self.assertIn("2", archive.words)
        found = self.opened(archive)
        self.assertEqual(len(found.namelist()), 2)
        manifest = found.read("manifest.csv").decode()
        self.assertEqual(manifest.count("Missing"), 2)
        self.assertIn(there.sha256, manifest)

    def test_nothing_in_the_period(self):
        archive = self.made(date_from=date(2020, 1, 1), date_to=date(2020, 1, 2))
        self.assertEqual(archive.state, "stopped")
        self.assertIn("no recordings", archive.words)

    def test_disk_too_full_is_said_beforehand(self):
        self.recorded(1)
        usage = work.shutil.disk_usage("/")._replace(free=100 * 1024**2)
        with patch.object(work.shutil, "disk_usage", lambda _path: usage):
            archive = self.made()
        self.assertEqual(archive.state, "stopped")
        self.assertIn("100 MB are free", archive.words)
        archive.action_go_on()
        self.made(archive)
        self.assertEqual(archive.state, "done")

    def test_disk_full_in_the_middle_then_it_goes_on(self):
        self.env.company.oda_recording_archive_part_mb = 10
        for number in range(4):
            self.recorded(number, content=os.urandom(6 * 1024**2))
        archive = self.asked()
        archive.action_start()
        real, begun = part_file.OdaRecordingArchive._run_worker, []

        def full(records, plan, ids, number):
            begun.append(number)
            if number == 2 and begun.count(2) == 1:
                raise records._failed({"error": "full"})
            return real(records, plan, ids, number)

        with patch.object(part_file.OdaRecordingArchive, "_run_worker", full):
            self.made(archive)
            self.assertEqual(archive.state, "stopped")
            self.assertIn("disk became full", archive.words)
            archive.action_go_on()
            self.made(archive)
        self.assertEqual(archive.state, "done")
        self.assertEqual(begun, [1, 2, 2], "what was written is not written again")

    def test_a_part_that_never_ends_stops_it(self):
        self.recorded(1)
        archive = self.asked()
        archive.action_start()
        archive.sudo()._plan()
        archive.sudo().part_ids.attempts = work.TRIES
        self.made(archive)
        self.assertEqual(archive.state, "stopped")
        self.assertIn("never ended", archive.words)

    def test_the_process_dies(self):
        self.recorded(1)
        with patch.object(part_file, "_WORKER", "/nonexistent.py"):
            archive = self.made()
        self.assertEqual(archive.state, "stopped")
        self.assertFalse(os.listdir(archive.sudo()._folder()))

    def test_cancel_before_and_during(self):
        self.recorded(1)
        archive = self.asked()
        archive.action_cancel()
        self.assertEqual(archive.state, "cancelled")
        archive = self.asked()
        archive.action_start()
        archive.action_cancel()
        self.assertEqual(archive.state, "running")
        self.made(archive)
        self.assertEqual(archive.state, "cancelled")
        self.assertFalse(os.path.exists(archive.sudo()._folder()))
        self.assertEqual(len(self.events("recording.archive.cancel", archive)), 1)
        with self.assertRaises(UserError):
            archive.action_go_on()

    def test_cancel_while_a_part_is_written(self):
        self.recorded(1, content=os.urandom(30 * 1024**2))
        archive = self.asked()
        archive.action_start()

        def asked(records, number, results, written):
            raise part_file.Cancelled

        with patch.object(part_file.OdaRecordingArchive, "_part_progress", asked):
            self.made(archive)
        self.assertEqual(archive.state, "cancelled")
        self.assertFalse(os.path.exists(archive.sudo()._folder()))

    def test_missing_key_is_told(self):
        self.env.company.oda_recording_encrypt = True
        self.recorded(1)
        archive = self.asked()
        archive.action_start()
        self.keys.clear()
        self.made(archive)
        self.assertEqual(archive.state, "stopped")
        self.assertIn("key is missing", archive.words)

    def test_only_one_at_a_time(self):
        self.recorded(1)
        archive = self.asked()
        archive.action_start()
        with self.env.registry.cursor() as other:
            other.execute(
                "SELECT pg_advisory_xact_lock(hashtext('oda_recording_archive'), %s)",
                (archive.id,),
            )
            done = archive.sudo().with_user(self.robot)._work()
        self.assertEqual(done, "another job is at it")
        self.assertEqual(archive.state, "running")

    def test_few_statements_however_many_recordings(self):
        def count(archive):
            before = self.env.cr.sql_log_count
            archive.sudo()._plan()
            archive.sudo()._part_plan(1, "/nonexistent")
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self.recorded(1)
        archive = self.asked()
        archive.action_start()
        count(self.asked())
        few = count(archive)
        for number in range(2, 12):
            self.recorded(number)
        other = self.asked()
        other.action_start()
        self.assertLessEqual(count(other), few + 3)


@tagged("post_install", "-at_install")
class TestArchiveRetention(ArchiveCase):
    def test_days_over(self):
        self.recorded(1)
        archive = self.made()
        self.assertEqual(self.env["oda.recording.archive"]._remove_over_age(), 0)
        archive.sudo().expires_at = self.later(minutes=-1)
        self.env.flush_all()
        self.assertEqual(self.env["oda.recording.archive"]._remove_over_age(), 1)
        self.env.invalidate_all()
        self.assertEqual(archive.state, "removed")
        self.assertEqual(archive.part_ids.state, "removed")
        self.assertTrue(archive.part_ids.sha256, "the proof stays")
        self.assertFalse(os.path.exists(archive.sudo()._folder()))
        self.assertTrue(self.events("recording.archive.delete", archive))

    def test_never_outlives_what_is_in_it(self):
        old = self.recorded(1, relativedelta(months=6, days=1))
        day = old.started_at.date()
        archive = self.made(date_from=day, date_to=day + relativedelta(days=1))
        held = self.made(date_from=day, date_to=day + relativedelta(days=1))
        self.assertEqual(archive.state, "done")
        old.with_user(self.boss)._hold("the court asked for it", False)
        self.env["oda.recording"]._remove_over_age()
        self.env["oda.recording.archive"]._remove_over_age()
        self.env.invalidate_all()
        self.assertEqual(held.state, "done", "what is held may stay")
        old.with_user(self.boss).action_release()
        self.env["oda.recording"]._cron_retention()
        self.env.invalidate_all()
        self.assertEqual((archive.state, held.state), ("removed", "removed"))
        self.assertEqual(old.state, "deleted")

    def test_stopped_ones_do_not_lie_about(self):
        self.recorded(1)
        archive = self.asked()
        archive.sudo().write({"state": "stopped"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE oda_recording_archive SET write_date = write_date - interval "
            "'15 days' WHERE id = %s",
            (archive.id,),
        )
        self.env["oda.recording.archive"]._remove_over_age()
        self.env.invalidate_all()
        self.assertEqual(archive.state, "removed")


@tagged("post_install", "-at_install")
class TestArchiveRights(ArchiveCase):
    def test_only_with_the_right(self):
        for user in (self.ana, self.boss, self.env.ref("base.user_admin")):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.asked(user)

    def test_what_the_system_writes_nobody_else_does(self):
        archive = self.asked()
        for vals in (
            {"state": "done"},
            {"automatic": True},
            {"user_id": self.ana.id},
            {"file_key": "x"},
            {"part_ids": [(0, 0, {"number": 1})]},
            {"total_bytes": 5},
        ):
            with self.subTest(vals), self.assertRaises(AccessError):
                archive.write(vals)
            with self.subTest(vals), self.assertRaises(AccessError):
                self.asked(**vals)
        archive.action_start()
        with self.assertRaises(UserError):
            archive.date_to = date(2030, 1, 1)
        with self.assertRaises(UserError):
            archive.unlink()
        with self.assertRaises(UserError):
            archive.action_start()

    def test_somebody_elses(self):
        self.recorded(1)
        archive = self.made()
        other = new_test_user(self.env, "t_second", groups=ARCHIVE)
        for method in ("action_cancel", "action_remove", "action_go_on", "read"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(archive.with_user(other), method)()
        self.assertFalse(archive.with_user(other).sudo(False).search([]))

    def test_one_hears_only_ones_own_in_it(self):
        mine, others = self.recorded(1), self.recorded(2)
        others.call_id.sudo().user_id = self.igor
        others.call_id.sudo().leg_ids.user_id = self.igor
        self.env.flush_all()
        self.ana.group_ids += self.env.ref("oda_telephony.group_recording_archive")
        archive = self.made(self.asked(self.ana))
        self.assertEqual(archive.total_count, 1)
        found = self.env["oda.recording.archive.item"].search(
            [("archive_id", "=", archive.id)]
        )
        self.assertEqual(found.recording_id, mine)

    def test_an_administrator_with_the_right_still_hears_nothing(self):
        self.recorded(1)
        admin = new_test_user(
            self.env,
            "t_adm",
            groups="oda_base.group_admin,oda_telephony.group_recording_archive",
        )
        archive = self.made(self.asked(admin))
        self.assertEqual(archive.state, "stopped")

    def test_right_taken_away_meanwhile(self):
        self.recorded(1)
        archive = self.asked()
        archive.action_start()
        self.maker.group_ids -= self.env.ref("oda_telephony.group_recording_archive")
        archive = self.made(archive.sudo())
        self.assertEqual(archive.state, "stopped")
        self.assertIn("right", archive.words)

    def test_another_company(self):
        self.recorded(1)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "t_other",
            groups=ARCHIVE,
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        archive = self.made(self.asked(stranger, company_id=other.id))
        self.assertEqual(archive.state, "stopped")
        with self.assertRaises(AccessError):
            self.asked(stranger, company_id=self.env.company.id)

    def test_bad_periods(self):
        for start, end in (
            (date(2026, 2, 1), date(2026, 1, 1)),
            (date(1990, 1, 1), date(2026, 1, 1)),
        ):
            with self.subTest(start=start), self.assertRaises(ValidationError):
                self.asked(date_from=start, date_to=end)


@tagged("post_install", "-at_install")
class TestMonthly(ArchiveCase):
    def setUp(self):
        super().setUp()
        self.recording = self.recorded(1)
        self.recording.call_id.started_at = datetime(2026, 7, 15, 9)
        self.env.flush_all()

    def _cron(self, moment):
        with freeze_time(moment):
            self.env["oda.recording.archive"]._cron_archives()
        return self.env["oda.recording.archive"].search(
            [("automatic", "=", True), ("company_id", "=", self.env.company.id)]
        )

    def test_first_working_day(self):
        self.assertFalse(self._cron("2026-08-01 10:00:00"), "a Saturday")
        self.assertFalse(self._cron("2026-08-02 10:00:00"), "a Sunday")
        archive = self._cron("2026-08-03 01:00:00")
        self.assertEqual(len(archive), 1)
        self.assertEqual(archive.date_from, date(2026, 7, 1))
        self.assertEqual(archive.date_to, date(2026, 7, 31))
        self.assertEqual(archive.state, "running")
        self.assertFalse(archive.user_id)
        self.assertEqual(self._cron("2026-08-03 02:00:00"), archive, "once")
        self.addCleanup(self._clean, archive.id)
        self.made(archive)
        self.assertEqual((archive.state, archive.total_count), ("done", 1))
        self.assertEqual(self.news[-1][:2], ("res.groups", "done"))
        self.assertTrue(archive.with_user(self.maker)._may_take())
        self.ana.group_ids += self.env.ref("oda_telephony.group_recording_archive")
        self.assertFalse(
            archive.with_user(self.ana)._may_take(), "hears only her own calls"
        )

    def test_the_server_was_away(self):
        self.assertTrue(self._cron("2026-08-20 10:00:00"))

    def test_nothing_recorded_nothing_made(self):
        self.assertFalse(self._cron("2026-05-05 10:00:00"))

    def test_switched_off(self):
        self.env.company.oda_recording_archive_monthly = False
        self.assertFalse(self._cron("2026-08-03 10:00:00"))

    def test_never_twice(self):
        archive = self._cron("2026-08-03 10:00:00")
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            archive.copy({"automatic": True, "date_from": archive.date_from})
            self.env.flush_all()

    def test_removed_by_a_person_is_not_made_again(self):
        archive = self._cron("2026-08-03 10:00:00")
        archive.sudo().state = "removed"
        self.assertEqual(self._cron("2026-08-04 10:00:00"), archive)
