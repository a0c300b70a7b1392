# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
import threading
import time
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.oda_base.controllers import inbound
from odoo.addons.oda_base.refusals import RefusalThrottle

from ..ari import AriDownloader
from ..drivers import asterisk_push
from ..drivers.events import CallEvent
from .common import TelephonyCase

SECRET = "the-secret-of-an-asterisk"
PASSWORD = "a-password-of-ari"
PATH = "/oda/in/asterisk/a"
WAV = b"RIFF\x00\x10\x00\x00WAVEfmt \x10\x00\x00\x00" + bytes(4096)


class AsteriskCase(TelephonyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.env["oda.connector.account"].create(
            {
                "name": "test Asterisk",
                "connector": "asterisk",
                "key": "a",
                "secret": SECRET,
                "ari_secret": PASSWORD,
            }
        )
        cls.env["oda.pbx.user"].create(
            {"account_id": cls.account.id, "login": "701", "user_id": cls.ana.id}
        )

    def setUp(self):
        super().setUp()
        # Counted refusals outlive a test: they are in the memory of the server.
        patcher = patch.object(inbound, "_throttle", RefusalThrottle(window=0))
        patcher.start()
        self.addCleanup(patcher.stop)

    def raw(self, kind, age=0.0, name="", **values):
        """Bytes of a push of the listener."""
        base = {"callid": "1.1", "direction": "in", "phone": "37369555111"}
        event = CallEvent(**{"kind": kind, **base, **values})
        told = asterisk_push.fields_of(event)
        return asterisk_push.body(told, asterisk_push.key_of(told, name), age)

    def post(self, raw, path=PATH, secret=SECRET, at=0, signature=None):
        if signature is None:
            signature = asterisk_push.signature(secret, raw, time.time() + at)
        headers = {
            "Content-Type": "application/json",
            asterisk_push.HEADER: signature,
        }
        return self.url_open(path, data=raw, headers=headers)

    def rows(self):
        return self.env["oda.inbound"].search([("account_id", "=", self.account.id)])


@tagged("post_install", "-at_install")
class TestAsteriskEndpoint(AsteriskCase, HttpCase):
    def test_a_call_from_ring_to_history(self):
        for raw in (
            self.raw("ringing", user="701"),
            self.raw("answered", user="701"),
            self.raw("ended", user="701"),
            self.raw("ended"),
            self.raw(
                "history",
                user="701",
                status="answered",
                at=datetime.now(timezone.utc) - timedelta(seconds=70),
                duration=65,
                wait=5,
                record_url="ari:stored/1.1",
            ),
        ):
            answer = self.post(raw)
            self.assertEqual((answer.status_code, answer.json()), (200, {}))
            self.post(raw)
        self.assertEqual(len(self.rows()), 5, "what comes twice is kept once")
        self.work()
        call = self.call_of("1.1")
        self.assertEqual((call.outcome, call.user_id), ("answered", self.ana))
        self.assertEqual(call.partner_id, self.partner)
        self.assertEqual((call.duration, call.wait), (65, 5))
        self.assertEqual(call.recording_ids.url, "ari:stored/1.1")
        self.assertEqual(set(self.rows().mapped("state")), {"done"})

    def test_nobody_else_gets_in(self):
        raw = self.raw("ringing", user="701")
        for answer in (
            self.post(raw, secret="other"),
            self.post(raw, at=-3600),
            self.post(raw, signature=""),
            self.post(raw, signature="t=1,v1=00"),
            self.post(
                raw + b" ",
                signature=asterisk_push.signature(SECRET, raw, time.time()),
            ),
            self.post(raw, secret=asterisk_push.contact_token(SECRET)),
        ):
            self.assertEqual(answer.status_code, 401)
            self.assertNotIn(SECRET, answer.text)
        self.assertFalse(self.rows())
        self.assertEqual(self.post(raw, path="/oda/in/asterisk/x").status_code, 404)

    def test_signed_nonsense_is_refused_in_words(self):
        for raw in (b"[]", b"{}", b'{"key":"0"}', b"\xff", b"x" * 20_000):
            answer = self.post(raw)
            self.assertIn(answer.status_code, (400, 413), raw[:20])
            self.assertTrue(answer.json()["error"])
        self.assertFalse(self.rows())

    def test_late_news_are_about_their_own_time(self):
        """Odoo was away for an hour: the call was then, not now."""
        for kind in ("ringing", "leg_ended"):
            self.post(self.raw(kind, age=3600, user="701"))
        self.work()
        call = self.call_of("1.1")
        ago = fields.Datetime.now() - call.started_at
        self.assertAlmostEqual(ago.total_seconds(), 3600, delta=60)

    def test_html_and_long_texts_are_only_texts(self):
        nasty = "<script>alert(1)</script>" * 400
        raw = self.raw("ringing", user="701", group_name=nasty, did="<b>")
        self.assertEqual(self.post(raw).status_code, 400, "a field is too long")
        raw = self.raw("ringing", user="701", group_name=nasty[:100], phone="<b>")
        self.assertEqual(self.post(raw).status_code, 200)
        self.work()
        self.assertEqual(self.call_of("1.1").group_name, nasty[:100])

    def test_presence_goes_to_whom_it_is_about(self):
        told = []

        def note(_model, account, presences, at=None, of_calls=False):
            told.append((account, presences, at))

        model = type(self.env["oda.pbx.user"])
        with patch.object(model, "_set_presence", note, create=True):
            raw = asterisk_push.body(
                {"kind": "presence", "login": "701", "presence": "busy"}, "ab" * 16, 60
            )
            self.assertEqual(self.post(raw).status_code, 200)
            self.work()
        ((account, presences, at),) = told
        self.assertEqual((account, presences), (self.account, {"701": "busy"}))
        self.assertLess(at, fields.Datetime.now() - timedelta(seconds=50))
        self.assertEqual(self.rows().state, "done")

    # === THE DIALPLAN'S QUESTION ===#

    def ask(self, token=None, **values):
        token = asterisk_push.contact_token(SECRET) if token is None else token
        headers = {"Authorization": f"Bearer {token}"}
        return self.url_open(f"{PATH}/contact", data=values, headers=headers)

    def test_who_calls(self):
        self.partner.oda_adviser_id = self.ana
        answer = self.ask(number="+37369555111", did="37322200100")
        self.assertEqual(answer.text, "oda|701|Vasile Croitoru")
        self.assertIn("text/plain", answer.headers["Content-Type"])
        self.assertEqual(self.ask(number="37369000999").text, "oda||")
        self.assertEqual(self.ask(number="anonymous").text, "oda||")
        self.assertEqual(self.ask().text, "oda||")
        self.assertFalse(self.rows(), "a question leaves no row")

    def test_by_get_too(self):
        token = asterisk_push.contact_token(SECRET)
        answer = self.url_open(
            f"{PATH}/contact?number=37369555111",
            headers={"Authorization": f"Bearer {token}"},
        )
        self.assertEqual(answer.text, "oda||Vasile Croitoru")

    def test_strangers_learn_nothing(self):
        for token in ("", "x", SECRET, "ș".encode().decode("latin-1")):
            answer = self.ask(token, number="37369555111")
            self.assertEqual(answer.status_code, 401)
            self.assertNotIn("Croitoru", answer.text)
        answer = self.url_open("/oda/in/asterisk/x/contact")
        self.assertEqual(answer.status_code, 404)
        self.account.secret_sealed = False
        self.env.flush_all()
        self.env.registry.clear_cache()
        self.assertEqual(self.ask("", number="37369555111").status_code, 401)

    def test_a_megabyte_of_question(self):
        answer = self.ask(number="3" * 1_000_000)
        self.assertEqual(answer.status_code, 413)

    # === HOW THE LISTENER DOES ===#

    def tell(self, **facts):
        return self.post(json.dumps(facts).encode(), path=f"{PATH}/state")

    def test_state_is_seen_on_the_channel_and_in_health(self):
        self.assertEqual(self.account.listener_state, "never")
        self.account.ast_persons = "PJSIP/7XX"
        answer = self.tell(connected=True, heard=3.5, waiting=2, version="22.1")
        self.assertEqual(answer.json()["habits"]["persons"], "PJSIP/7XX")
        self.env.invalidate_all()
        self.assertEqual(self.account.listener_state, "connected")
        ago = fields.Datetime.now() - self.account.listener_heard_at
        self.assertLess(ago, timedelta(seconds=30))
        self.tell(connected=False, words="no way\0", heard=1e300, waiting="x")
        self.env.invalidate_all()
        self.assertEqual(self.account.listener_state, "apart")
        self.assertEqual(self.account.listener_words, "no way")
        listener = self.account.pbx_listener_ids
        self.assertEqual(len(listener), 1)
        listener.told_at = fields.Datetime.now() - timedelta(minutes=5)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.account.listener_state, "silent")
        self.post(self.raw("ringing", user="701"))
        self.env.invalidate_all()
        self.assertEqual(self.account.live_state, "trouble", "not 'works'")
        health = self.env["oda.health"]._facts()
        mine = [c for c in health["connectors"] if c["account"] == self.account.id]
        self.assertEqual(mine[0]["listener"]["state"], "silent")
        self.assertNotIn("listener", str(self.env["oda.health"]._facts_for_all()))

    def test_only_the_listener_tells(self):
        raw = b'{"connected": true}'
        for answer in (
            self.post(raw, path=f"{PATH}/state", secret="other"),
            self.post(raw, path=f"{PATH}/state", signature=""),
        ):
            self.assertEqual(answer.status_code, 401)
        for raw in (b"[]", b"nonsense", b"[" * 5000):
            answer = self.post(raw, path=f"{PATH}/state")
            self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.account.pbx_listener_ids)

    def test_rights(self):
        self.tell(connected=True)
        other = self.env["res.company"].create({"name": "elsewhere"})
        admin = new_test_user(self.env, "t_admin", groups="oda_base.group_admin")
        stranger = new_test_user(
            self.env,
            "t_else",
            groups="oda_base.group_admin",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        listener = self.account.pbx_listener_ids
        self.assertTrue(listener.with_user(admin).connected)
        with self.assertRaises(AccessError):
            listener.with_user(admin).connected = False
        for user in (stranger, self.ana):
            with self.assertRaises(AccessError):
                listener.with_user(user).read(["connected"])
        with self.assertRaises(AccessError):
            self.account.with_user(self.ana).action_contact_token()
        action = self.account.with_user(admin).action_contact_token()
        token = asterisk_push.contact_token(SECRET)
        self.assertEqual(action["params"]["message"], token)
        self.assertTrue(
            self.env["oda.event"].search([("code", "=", "connector.contact_token")])
        )
        seen = self.account.with_user(admin).read()[0]
        self.assertNotIn(PASSWORD, str(seen))
        self.assertNotIn("ari_secret_sealed", seen)

    def test_settings_are_checked(self):
        for vals in (
            {"ast_persons": "a*b*c*d*e"},
            {"ast_trunks": "with space"},
            {"ari_url": "ftp://x/ari"},
            {"ari_url": "http://10.0.0.5:8088/"},
            {"ari_url": "http://me:pw@10.0.0.5/ari"},
        ):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.account.write(vals)


class _Ari(BaseHTTPRequestHandler):
    def do_GET(self):
        self._do()

    def do_POST(self):
        self._do()

    def _do(self):
        length = int(self.headers.get("Content-Length") or 0)
        server, body = self.server, self.rfile.read(length)
        server.asked.append((self.command, self.path, body))
        user = b64encode(f"oda:{PASSWORD}".encode()).decode()
        good = self.headers.get("Authorization") == f"Basic {user}"
        status, answer = server.answer if good else (401, b"{}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_args):
        pass


@tagged("post_install", "-at_install")
class TestAri(AsteriskCase):
    def setUp(self):
        super().setUp()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Ari)
        self.server.asked, self.server.answer = [], (200, b"{}")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.account.ari_url = f"http://127.0.0.1:{self.server.server_port}/ari"
        self.driver = self.account._driver()

    def dial(self, **payload):
        payload = {"phone": "37369555111", "login": "701", "uuid": "u-1", **payload}
        message = {"uuid": "x", "verb": "dial", "payload": payload, "attempts": 1}
        return self.driver.send(self.account._account(), message)

    def ask(self):
        message = {"uuid": "u-1", "verb": "dial", "payload": {}, "attempts": 1}
        return self.driver.resolve(self.account._account(), message)

    def test_dial(self):
        delivery = self.dial()
        self.assertEqual((delivery.state, delivery.reference), ("done", "u-1"))
        method, path, body = self.server.asked[0]
        query = parse_qs(urlsplit(path).query)
        self.assertEqual((method, urlsplit(path).path), ("POST", "/ari/channels"))
        self.assertEqual(query["endpoint"], ["PJSIP/701"])
        self.assertEqual(query["extension"], ["37369555111"])
        self.assertEqual(query["channelId"], ["u-1"])
        self.assertEqual(json.loads(body), {"variables": {"ODA_DIAL": "37369555111"}})
        self.assertNotIn(PASSWORD, path)

    def test_never_dials_twice(self):
        self.server.answer = (409, b"{}")
        self.assertEqual(self.dial().state, "done", "it is there already")
        for answer, state in (
            ((500, b'{"error": "Allocation failed"}'), "failed"),
            ((503, b""), "failed"),
            ((400, b""), "failed"),
        ):
            self.server.answer = answer
            self.assertEqual(self.dial().state, state)
        self.server.answer = (200, b"{}")
        asked = len(self.server.asked)
        self.assertEqual(self.dial(before=time.time() - 1).state, "failed")
        self.assertEqual(len(self.server.asked), asked, "too late: nobody is rung")
        self.server.shutdown()
        self.server.server_close()
        self.assertEqual(self.dial().state, "failed", "nobody answers: not later")

    def test_what_became_of_it(self):
        self.assertEqual(self.ask().state, "done")
        self.server.answer = (404, b"{}")
        self.assertEqual(self.ask().state, "failed", "gone: not dialled again")
        self.server.answer = (503, b"{}")
        self.assertEqual(self.ask().state, "unknown")

    def test_nothing_but_a_number_and_a_login(self):
        for payload in (
            {"phone": "069&x"},
            {"phone": ""},
            {"phone": "*21"},
            {"login": "701/../x"},
            {"login": ""},
        ):
            self.assertEqual(self.dial(**payload).state, "failed", payload)
        self.account.ari_url = False
        self.assertEqual(self.dial().state, "failed")
        self.assertFalse(self.server.asked)

    def test_wrong_password_is_told_without_it(self):
        self.account.ari_secret = "another-password"
        delivery = self.dial()
        self.assertEqual(delivery.state, "failed")
        self.assertIn("password", delivery.words)
        self.assertNotIn("another", delivery.words)

    def recording(self, name="1.1;2"):
        call = self.env["oda.call"].create(
            {"account_id": self.account.id, "callid": name, "direction": "in"}
        )
        return self.env["oda.recording"].create(
            {
                "call_id": call.id,
                "url": f"ari:stored/{name}",
                "next_try_at": "2020-01-01",
            }
        )

    def fetch(self, recording):
        """Fetch as the job does, but within this test's transaction."""

        def here(_registry, _uid, function, **_options):
            return function(self.env)

        model = type(self.env["oda.recording"])
        target = f"{model._fetch.__module__}.in_own_transaction"
        with patch(target, here), patch.object(model, "_enqueue", lambda *_a: None):
            recording._fetch()

    def test_recording(self):
        self.server.answer = (200, WAV)
        recording = self.recording()
        self.fetch(recording)
        self.assertEqual((recording.state, recording.size), ("stored", len(WAV)))
        self.assertIn("wav", recording.mimetype)
        path = self.server.asked[0][1]
        self.assertEqual(path, "/ari/recordings/stored/1.1%3B2/file")

    def test_recording_without_sound(self):
        self.server.answer = (200, WAV[:44])
        recording = self.recording()
        self.fetch(recording)
        self.assertEqual(recording.state, "missing")
        self.assertIn("no sound", recording.words)

    def test_recording_later(self):
        self.server.answer = (404, b"{}")
        recording = self.recording()
        self.fetch(recording)
        self.assertEqual(recording.state, "pending")
        self.server.answer = (200, b"<html>" + bytes(100))
        recording.next_try_at = "2020-01-01"
        self.fetch(recording)
        self.assertEqual(recording.state, "pending", "a page is no sound")

    def test_a_push_cannot_choose_the_address(self):
        hosts = self.account._recording_hosts()
        for name in ("../../channels", "x?y=1", "//evil.example/x", "a/b"):
            self.server.answer = (404, b"")
            recording = self.recording(name)
            self.fetch(recording)
            path = self.server.asked[-1][1]
            self.assertTrue(path.startswith("/ari/recordings/stored/"), path)
            self.assertEqual(path.count("/"), 5, path)
        from odoo.addons.oda_base.net import Refused

        for url in ("http://127.0.0.1/x", "https://evil.example/x", "ari:x"):
            with self.assertRaises(Refused):
                AriDownloader(hosts).fetch(url)

    def test_a_copy_of_the_database_commands_nobody(self):
        from odoo.tools import file_open

        with file_open("oda_telephony/data/neutralize.sql") as file:
            self.env.flush_all()
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertFalse(self.account._account_options()["ari_url"])
        self.assertFalse(self.account.has_ari_secret)
