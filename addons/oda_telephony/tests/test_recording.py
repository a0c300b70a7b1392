# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import io
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.oda_base.net.errors import NotThere, Refused, Temporary

from ..models import oda_recording_fetch
from ..models.oda_recording_fetch import GIVE_UP, LEASE, QUICK_TRIES, OdaRecording
from .common import TelephonyCase

LINK = "https://tenant.pbx.moldcell.md/records/1.mp3"
SOUND = b"\xff\xf3\x44\xc4" + bytes(range(256)) * 40


class _File:
    """What the downloader returns."""

    content_type, sha256, path = "audio/mpeg", "0" * 64, "/nonexistent"

    def __init__(self, content):
        self.file = io.BytesIO(content)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.file.close()


class TestRecording(TelephonyCase):
    def setUp(self):
        super().setUp()
        self.answer = SOUND
        self.asked = []
        case = self

        class Downloader:
            def fetch(self, url):
                case.asked.append(url)
                if isinstance(case.answer, Exception):
                    raise case.answer
                return _File(case.answer)

        model = type(self.env["oda.recording"])
        for name, double in (
            ("_downloader", lambda _model, _hosts, _max: Downloader()),
            ("_enqueue", lambda _model, _delay: None),
        ):
            patcher = patch.object(model, name, double)
            patcher.start()
            self.addCleanup(patcher.stop)
        patcher = patch(
            "odoo.addons.oda_telephony.models.oda_recording_fetch.audio.mp3_duration",
            return_value=61,
        )
        patcher.start()
        self.addCleanup(patcher.stop)

    def _one_transaction(self):
        """Let the fetch use this test's transaction instead of its own."""

        def here(_registry, uid, function, context=None, **_kwargs):
            return function(self.env(user=uid, context=context or {}))

        return patch(f"{oda_recording_fetch.__name__}.in_own_transaction", here)

    def _offered(self, link=LINK):
        call = self.answered_call(link=link)
        return call.recording_ids

    def _fetch(self, recording):
        recording.sudo().next_try_at = self.later(seconds=-1)
        self.env.flush_all()
        with self._one_transaction():
            recording.with_user(self.robot)._fetch()
        self.env.invalidate_all()

    def test_offered_once(self):
        recording = self._offered()
        self.push("history", link=LINK, duration="61")
        self.work()
        self.assertEqual(self.call_of().recording_ids, recording)
        self.assertEqual(recording.state, "pending")
        self.assertTrue(recording.next_try_at)

    def test_stored_with_its_proof(self):
        recording = self._offered()
        self._fetch(recording)
        self.assertEqual(recording.state, "stored")
        self.assertEqual((recording.size, recording.duration), (len(SOUND), 61))
        self.assertEqual(recording.mimetype, "audio/mpeg")
        self.assertTrue(recording.sudo().audio)
        self.assertEqual(recording.user_id, self.ana)
        self.assertEqual(self.told[-1][:2], ("t_ana", "result"))
        self._fetch(recording)
        self.assertEqual(self.asked, [LINK], "a stored one is not fetched again")

    def test_late_then_there(self):
        recording = self._offered()
        for answer in (
            NotThere("404", "missing"),
            NotThere("404", "missing"),
            Temporary("503", "status"),
        ):
            self.answer = answer
            self._fetch(recording)
            self.assertEqual(recording.state, "pending")
            self.assertTrue(recording.words)
        self.answer = SOUND
        self._fetch(recording)
        self.assertEqual(recording.state, "stored")
        self.assertEqual(recording.attempts, 4)

    def test_first_quick_then_hourly_then_given_up(self):
        recording = self._offered()
        self.answer = Temporary("down", "connection")
        for attempt in range(1, QUICK_TRIES + 2):
            self._fetch(recording)
            gap = (recording.next_try_at - self.later()).total_seconds()
            self.assertGreater(gap, 3000 if attempt >= QUICK_TRIES else 0)
            if attempt < QUICK_TRIES:
                self.assertLess(gap, 61)
        self.env.cr.execute(
            "UPDATE oda_recording SET create_date = create_date - %s WHERE id = %s",
            (GIVE_UP + timedelta(minutes=1), recording.id),
        )
        self.env.invalidate_all()
        self._fetch(recording)
        self.assertEqual(recording.state, "missing")

    def test_a_page_instead_of_sound_is_tried_again(self):
        recording = self._offered()
        self.answer = Refused("not audio", "content")
        self._fetch(recording)
        self.assertEqual(recording.state, "pending")
        self.assertIn("no sound", recording.words)

    def test_link_elsewhere_is_final_and_journalled(self):
        recording = self._offered()
        self.answer = Refused("not on the list", "host")
        self._fetch(recording)
        self.assertEqual(recording.state, "failed")
        event = self.env["oda.event"].search(
            [("code", "=", "recording.refused"), ("res_id", "=", recording.id)]
        )
        self.assertEqual(event.details, {"reason": "host"})

    def test_real_downloader_refuses_the_inside(self):
        """Without doubles: nothing inside may be reached through a push."""
        patch.stopall()
        for number, link in enumerate(
            (
                "http://169.254.169.254/latest/meta-data",
                "file:///etc/passwd",
                "https://127.0.0.1/x.mp3",
                "https://tenant.pbx.moldcell.md.evil.example/x.mp3",
                "https://evil.example/x.mp3#.pbx.moldcell.md",
                "gopher://tenant.pbx.moldcell.md/x",
                "https://user@tenant.pbx.moldcell.md/x",
            )
        ):
            with self.subTest(link=link):
                call = self.answered_call(callid=f"ssrf-{number}", link=link)
                recording = call.recording_ids
                if not recording:
                    # Not even a web address: left out when it was parsed.
                    self.assertTrue(link.split(":")[0] not in ("http", "https"))
                    continue
                recording.sudo().next_try_at = self.later(seconds=-1)
                self.env.flush_all()
                with (
                    self._one_transaction(),
                    patch.object(
                        type(recording), "_enqueue", lambda _model, _delay: None
                    ),
                ):
                    recording.with_user(self.robot)._fetch()
                self.env.invalidate_all()
                self.assertEqual(recording.state, "failed")
                self.assertFalse(recording.audio)

    def test_a_very_long_link_does_not_cost_the_call(self):
        link = LINK + "?sig=" + "x" * 3900
        recording = self._offered(link)
        self.assertEqual(self.call_of().outcome, "answered")
        self.assertEqual(recording.url, link)

    def test_what_is_allowed_is_the_accounts(self):
        recording = self._offered()
        asked = []

        def downloader(_model, hosts, max_bytes):
            asked.append((hosts, max_bytes))
            raise Temporary("down", "connection")

        self.account.recording_max_mb = 500
        with patch.object(type(recording), "_downloader", downloader):
            self._fetch(recording)
        self.assertEqual(asked, [(["*.pbx.moldcell.md"], 500 * 1024**2)])
        for size in (0, -1, 3000):
            with self.subTest(size=size), self.assertRaises(ValidationError):
                self.account.recording_max_mb = size

    def test_large_ones_have_time_but_less_than_the_lease(self):
        for size, seconds in ((25, 145), (500, 540)):
            downloader = OdaRecording._downloader(
                self.env["oda.recording"], ["x.example"], size * 1024**2
            )
            self.assertEqual(downloader._total, seconds)
            self.assertLess(downloader._total, LEASE.total_seconds())

    def test_hosts_are_names(self):
        for hosts in ("https://x.example", "a b"):
            with self.subTest(hosts=hosts), self.assertRaises(ValidationError):
                self.account.recording_hosts = hosts
        self.account.recording_hosts = "a.example, "
        self.assertEqual(self.account._recording_hosts(), ["a.example"])

    def test_link_is_nobodys_to_read(self):
        recording = self._offered()
        for user in (self.ana, self.boss):
            with self.subTest(user=user.login):
                self.assertNotIn("url", recording.with_user(user).fields_get())


@tagged("post_install", "-at_install")
class TestListening(TelephonyCase, HttpCase):
    def setUp(self):
        super().setUp()
        with patch.object(
            type(self.env["oda.recording"]), "_enqueue", lambda _model, _delay: None
        ):
            self.recording = self.answered_call(link=LINK).recording_ids
        self.recording._stored(SOUND, "audio/mpeg", "0" * 64, 61)
        self.env.flush_all()
        self.path = f"/oda/recording/{self.recording.id}"

    def _events(self):
        return self.env["oda.event"].search_count(
            [("code", "=", "recording.listen"), ("res_id", "=", self.recording.id)]
        )

    def test_own_call_plays_with_ranges(self):
        self.authenticate("t_ana", "t_ana")
        whole = self.url_open(self.path)
        self.assertEqual(whole.status_code, 200)
        self.assertEqual(whole.content, SOUND)
        self.assertEqual(whole.headers["Content-Type"], "audio/mpeg")
        self.assertIn("apel-", whole.headers["Content-Disposition"])
        self.assertEqual(self._events(), 1)
        part = self.url_open(self.path, headers={"Range": "bytes=100-199"})
        self.assertEqual(part.status_code, 206)
        self.assertEqual(part.content, SOUND[100:200])
        self.assertEqual(self._events(), 1, "a jump is not another listening")
        beyond = self.url_open(self.path, headers={"Range": "bytes=999999-"})
        self.assertEqual(beyond.status_code, 416)

    def test_supervisor_hears_all(self):
        self.authenticate("t_boss", "t_boss")
        self.assertEqual(self.url_open(self.path).status_code, 200)

    def test_others_get_the_same_nothing(self):
        self.authenticate("t_igor", "t_igor")
        self.assertEqual(self.url_open(self.path).status_code, 404)
        self.assertEqual(self.url_open("/oda/recording/99999999").status_code, 404)
        self.assertEqual(self._events(), 0)

    def test_stranger_is_sent_to_the_door(self):
        self.authenticate(None, None)
        answer = self.url_open(self.path, allow_redirects=False)
        self.assertIn(answer.status_code, (303, 302))
        content = self.url_open(
            f"/web/content/oda.recording/{self.recording.id}/audio",
            allow_redirects=False,
        )
        self.assertEqual(content.status_code, 404)

    def test_administrators_do_not_hear(self):
        new_test_user(self.env, "t_admin", groups="oda_base.group_admin")
        self.authenticate("t_admin", "t_admin")
        self.assertEqual(self.url_open(self.path).status_code, 404)

    def test_a_later_start_is_a_listening_too(self):
        self.authenticate("t_ana", "t_ana")
        self.url_open(self.path, headers={"Range": "bytes=1-"})
        self.assertEqual(self._events(), 1)

    def test_no_way_round_through_the_attachment(self):
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "oda.recording"), ("res_id", "=", self.recording.id)]
        )
        for person in ("t_igor", "t_ana", "t_boss"):
            self.authenticate(person, person)
            for path in (
                f"/web/content/{attachment.id}",
                f"/web/content/oda.recording/{self.recording.id}/audio",
                f"/web/content?model=oda.recording&id={self.recording.id}&field=audio",
            ):
                with self.subTest(person=person, path=path):
                    self.assertNotIn(SOUND[:200], self.url_open(path).content)
        with self.assertRaises(AccessError):
            self.recording.with_user(self.ana).read(["audio"])
