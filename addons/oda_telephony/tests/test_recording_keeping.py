# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import os
from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ..models.oda_recording_retention import BATCH
from .common import TelephonyCase

LINK = "https://tenant.pbx.moldcell.md/records/%s.mp3"
SOUND = b"\xff\xf3\x44\xc4" + bytes(range(256)) * 40


class RecordingCase(TelephonyCase):
    """Calls with recordings, made without an exchange; jobs are not enqueued."""

    def setUp(self):
        super().setUp()
        model = type(self.env["oda.recording"])
        for name in ("_enqueue", "_enqueue_waveform", "_enqueue_sealing"):
            patcher = patch.object(model, name, lambda *_args, **_kw: None)
            patcher.start()
            self.addCleanup(patcher.stop)
        # what the sweep deletes, real transactions test: see test_kill9_archive
        patcher = patch.object(model, "_collect_files", lambda _model: None)
        patcher.start()
        self.addCleanup(patcher.stop)
        for module in ("retention", "seal"):
            patcher = patch(
                f"odoo.addons.oda_telephony.models.oda_recording_{module}"
                ".in_own_transaction",
                lambda _registry, uid, function, **_kw: function(self.env(user=uid)),
            )
            patcher.start()
            self.addCleanup(patcher.stop)

    def recorded(self, number=1, age=None, content=None, **vals):
        """Return a stored recording of a call that began `age` ago."""
        call = self.answered_call(callid=f"rec-{number}", link=LINK % number)
        if age:
            call.started_at = self.later() - age
        recording = call.recording_ids.sudo()
        content = SOUND + str(number).encode() if content is None else content
        recording._stored(
            content, "audio/mpeg", hashlib.sha256(content).hexdigest(), 61
        )
        if vals:
            recording.write(vals)
        self.env.flush_all()
        return recording

    def events(self, code, record=None):
        domain = [("code", "=", code)]
        if record is not None:
            domain += [("res_model", "=", record._name), ("res_id", "in", record.ids)]
        return self.env["oda.event"].search(domain)

    def path_of(self, recording):
        attachment = recording._sound_attachment()
        return attachment._full_path(attachment.store_fname)


@tagged("post_install", "-at_install")
class TestRetention(RecordingCase):
    OLD = relativedelta(months=6, days=1)

    def _sweep(self):
        removed = self.env["oda.recording"]._remove_over_age()
        self.env.invalidate_all()
        return removed

    def test_what_is_over_age_goes_the_rest_stays(self):
        old = self.recorded(1, self.OLD)
        young = self.recorded(2, relativedelta(months=5, days=25))
        digest = old.sha256
        self.assertEqual(self._sweep(), 1)
        self.assertEqual((old.state, young.state), ("deleted", "stored"))
        self.assertTrue(old.deleted_at)
        self.assertEqual(old.sha256, digest, "the proof stays")
        self.assertEqual(old.call_id.outcome, "answered", "the call stays")
        self.assertFalse(old._sound_attachment())
        self.assertTrue(young._sound_attachment())
        event = self.events("recording.delete", old)
        self.assertEqual(event.details["sha256"], digest)
        self.assertEqual(event.details["reason"], "age")
        self.assertEqual(self.events("recording.retention")[0].details["count"], 1)
        self.assertEqual(self._sweep(), 0)

    def test_months_of_the_exchange_before_those_of_the_company(self):
        recording = self.recorded(1, relativedelta(months=2, days=1))
        self.assertEqual(self._sweep(), 0)
        self.account.recording_months = 2
        self.assertEqual(
            recording.remove_on,
            recording.started_at.date() + relativedelta(months=2),
        )
        self.assertEqual(self._sweep(), 1)

    def test_company_says_longer(self):
        self.env.company.oda_recording_months = 12
        self.recorded(1, self.OLD)
        self.assertEqual(self._sweep(), 0)

    def test_a_shared_file_is_not_harmed(self):
        """The same bytes hang elsewhere too: only our reference goes."""
        old = self.recorded(1, self.OLD, content=SOUND)
        other = self.env["ir.attachment"].create({"name": "x", "raw": SOUND})
        path = self.path_of(old)
        self.assertEqual(path, other._full_path(other.store_fname))
        self._sweep()
        self.env["ir.attachment"]._gc_file_store_unsafe()
        self.assertTrue(os.path.exists(path))
        self.assertEqual(other.raw, SOUND)
        other.unlink()
        self.env["ir.attachment"]._gc_file_store_unsafe()
        self.assertFalse(os.path.exists(path), "now it is really gone")

    def test_batches(self):
        for number in range(3):
            self.recorded(number, self.OLD)
        self.assertGreater(BATCH, 100)
        with patch("odoo.addons.oda_telephony.models.oda_recording_retention.BATCH", 2):
            self.assertEqual(self._sweep(), 3)

    def test_removed_is_not_fetched_again(self):
        old = self.recorded(1, self.OLD)
        self._sweep()
        self.push("history", callid="rec-1", link=LINK % 1, duration="62")
        self.work()
        old.with_user(self.env.ref("base.user_admin")).action_fetch_now()
        self.assertEqual(old.state, "deleted")
        self.assertEqual(len(old.call_id.recording_ids), 1)

    def test_limits_are_said(self):
        for months in (0, 121, -1):
            with self.subTest(months=months), self.assertRaises(ValidationError):
                self.env.company.oda_recording_months = months
        with self.assertRaises(ValidationError):
            self.account.recording_months = -1
        self.env.company.oda_recording_months = 7
        event = self.events("recording.settings")[0]
        self.assertEqual(event.details["after"], {"oda_recording_months": 7})


@tagged("post_install", "-at_install")
class TestHold(RecordingCase):
    OLD = TestRetention.OLD

    def _hold(self, recording, user, reason="Complaint no. 12 of May", until=False):
        wizard = self.env["oda.recording.hold"].with_user(user)
        wizard.create(
            {"recording_ids": recording.ids, "reason": reason, "until": until}
        ).action_apply()

    def _sweep(self):
        self.env["oda.recording"]._remove_over_age()
        self.env.invalidate_all()

    def test_held_stays_released_goes(self):
        recording = self.recorded(1, self.OLD)
        self._hold(recording, self.boss)
        self.assertTrue(recording.held)
        self.assertFalse(recording.remove_on)
        self.assertEqual(recording.hold_by_id, self.boss)
        self.assertEqual(
            self.env["oda.recording"].search([("held", "=", True)]), recording
        )
        self._sweep()
        self.assertEqual(recording.state, "stored")
        recording.with_user(self.boss).action_release()
        self.assertEqual(self.events("recording.release", recording).user_id, self.boss)
        self._sweep()
        self.assertEqual(recording.state, "deleted")
        self.assertEqual(len(self.events("recording.hold", recording)), 1)

    def test_until_a_day(self):
        recording = self.recorded(1, self.OLD)
        self._hold(recording, self.boss, until=self.later(days=1).date())
        self._sweep()
        self.assertEqual(recording.state, "stored")
        recording.hold_until = self.later(days=-1).date()
        self.assertFalse(recording.held)
        self._sweep()
        self.assertEqual(recording.state, "deleted")

    def test_a_reason_is_asked_for(self):
        recording = self.recorded(1)
        for reason in ("", "   short   "):
            with self.subTest(reason), self.assertRaises(UserError):
                self._hold(recording, self.boss, reason or " ")
        with self.assertRaises(UserError):
            self._hold(recording, self.boss, until=self.later(days=-2).date())
        self._hold(recording, self.boss, "x" * 10000)
        self.assertEqual(len(recording.hold_reason), 1000)

    def test_who_may(self):
        recording = self.recorded(1)
        for method in ("action_hold", "action_release"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(recording.with_user(self.ana), method)()
        with self.assertRaises(AccessError):
            self._hold(recording, self.ana)
        with self.assertRaises(AccessError):
            recording.with_user(self.boss).write({"hold_at": False})
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            recording.with_user(portal).action_release()

    def test_too_late(self):
        recording = self.recorded(1, self.OLD)
        self._sweep()
        with self.assertRaises(UserError):
            self._hold(recording, self.boss)

    def test_another_company(self):
        recording = self.recorded(1)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env,
            "t_other",
            groups="oda_base.group_supervisor",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        with self.assertRaises(AccessError):
            self._hold(recording, stranger)
        with self.assertRaises(AccessError):
            recording.with_user(stranger).get_player()


@tagged("post_install", "-at_install")
class TestLate(RecordingCase):
    def test_administrators_are_told_once(self):
        recording = self.answered_call(link=LINK % 1).recording_ids.sudo()
        young = self.answered_call(callid="b", link=LINK % 2).recording_ids.sudo()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE oda_recording SET create_date = create_date - %s WHERE id = %s",
            (timedelta(days=5, hours=1), recording.id),
        )
        self.env.invalidate_all()
        recording.words = "The exchange could not be reached."
        admin = new_test_user(self.env, "t_adm", groups="oda_base.group_admin")
        before = self.env["mail.notification"].search_count(
            [("res_partner_id", "=", admin.partner_id.id)]
        )
        self.env["oda.recording"]._warn_of_late()
        told = self.env["mail.notification"].search(
            [("res_partner_id", "=", admin.partner_id.id)], order="id desc", limit=1
        )
        self.assertTrue(told)
        self.assertIn("could not be reached", told.mail_message_id.body)
        self.assertTrue(recording.warned_at)
        self.assertFalse(young.warned_at)
        self.assertEqual(self.env["oda.recording"]._warn_of_late(), 0)
        self.assertEqual(
            self.env["mail.notification"].search_count(
                [("res_partner_id", "=", admin.partner_id.id)]
            ),
            before + 1,
        )


@tagged("post_install", "-at_install")
class TestAnnounced(RecordingCase):
    def test_which_calls_are_announced(self):
        cases = (
            ("none", "in", "", False),
            ("in", "in", "", True),
            ("in", "in", "022 123 456, +373 22 999 999", False),
            ("in", "in", "022 999 999", True),
            ("in", "out", "", False),
            ("all", "out", "", True),
            ("all", "internal", "", False),
        )
        call = self.answered_call(diversion="37322123456")
        for said, direction, silent, expected in cases:
            with self.subTest(said=said, direction=direction, silent=silent):
                self.account.write(
                    {"recording_announced": said, "recording_silent_lines": silent}
                )
                call.sudo().write({"direction": direction, "did": "37322123456"})
                self.assertIs(self.account._announces_recording(call), expected)

    def test_only_what_was_announced_is_copied(self):
        self.account.recording_announced_only = True
        recording = self.answered_call(link=LINK % 1).recording_ids
        self.assertEqual(recording.state, "failed")
        self.assertIn("not told", recording.words)
        self.account.recording_announced = "in"
        recording = self.answered_call(callid="b", link=LINK % 2).recording_ids
        self.assertEqual(recording.state, "pending")
        self.assertTrue(recording.announced)

    def test_lines_are_numbers(self):
        with self.assertRaises(ValidationError):
            self.account.recording_silent_lines = "<b>x</b>"


@tagged("post_install", "-at_install")
class TestRecordingRights(RecordingCase):
    def test_player_and_download(self):
        recording = self.recorded(1)
        recording.waveform = "AP8="
        found = recording.with_user(self.ana).get_player()
        self.assertEqual(found, {"waveform": "AP8=", "download": False})
        self.ana.group_ids += self.env.ref("oda_telephony.group_recording_download")
        self.assertTrue(recording.with_user(self.ana).get_player()["download"])
        for login, groups in (
            ("t_portal", "base.group_portal"),
            ("t_admin", "oda_base.group_admin"),
            ("t_auditor", "oda_base.group_auditor"),
            (
                "t_taker",
                "oda_base.group_consultant,oda_telephony.group_recording_download",
            ),
        ):
            user = new_test_user(self.env, login, groups=groups)
            with self.subTest(login), self.assertRaises(AccessError):
                recording.with_user(user).get_player()

    def test_what_has_no_waveform_is_drawn_at_night(self):
        drawn, missing, old = (self.recorded(number) for number in range(3))
        drawn.waveform = "AP8="
        old.fetched_at = self.later(days=-8)
        found = []
        model = type(self.env["oda.recording"])
        with patch.object(
            model, "_enqueue_waveform", lambda rows: found.extend(rows.ids)
        ):
            self.env["oda.recording"]._draw_missing()
        self.assertIn(missing.id, found)
        self.assertFalse({drawn.id, old.id} & set(found))

    def test_no_role_brings_the_right_along(self):
        taking = self.env.ref("oda_telephony.group_recording_download")
        for role in (
            "consultant",
            "lead",
            "head",
            "supervisor",
            "admin",
            "auditor",
            "marketing",
        ):
            with self.subTest(role):
                group = self.env.ref(f"oda_base.group_{role}")
                self.assertNotIn(taking, group.all_implied_ids)

    def test_keys_are_nobodys_to_read(self):
        recording = self.recorded(1)
        for user in (self.ana, self.boss, self.env.ref("base.user_admin")):
            with self.subTest(user.login), self.assertRaises(AccessError):
                recording.with_user(user).read(["audio_key"])

    def test_settings_are_the_administrators(self):
        with self.assertRaises(AccessError):
            self.env["res.company"].with_user(self.boss).action_oda_recording_settings()
        with self.assertRaises(AccessError):
            self.env.company.with_user(self.boss).oda_recording_months = 60
