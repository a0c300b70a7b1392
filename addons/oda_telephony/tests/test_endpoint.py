# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
import random
import string
from unittest.mock import patch
from urllib.parse import urlencode

from odoo.tests import HttpCase, tagged

from odoo.addons.oda_base.controllers import inbound
from odoo.addons.oda_base.refusals import RefusalThrottle

from .common import SECRET, TelephonyCase

PATH = "/oda/in/moldcell/t"
FORM = "application/x-www-form-urlencoded"


@tagged("post_install", "-at_install")
class TestEndpoint(TelephonyCase, HttpCase):
    """Bad input at the door: a clear answer, nothing lost, never a 5xx."""

    def setUp(self):
        super().setUp()
        # Counted refusals outlive a test: they are in the memory of the server.
        patcher = patch.object(inbound, "_throttle", RefusalThrottle(window=0))
        patcher.start()
        self.addCleanup(patcher.stop)

    def post(self, body, content_type=FORM, path=PATH):
        if isinstance(body, dict):
            body = urlencode(body)
        if isinstance(body, str):
            body = body.encode()
        return self.url_open(path, data=body, headers={"Content-Type": content_type})

    def rows(self):
        return self.env["oda.inbound"].search([("account_id", "=", self.account.id)])

    def test_good_push_form_and_json(self):
        event = self.fields_of("event", type="INCOMING")
        answer = self.post(event)
        self.assertEqual((answer.status_code, answer.json()), (200, {}))
        answer = self.post(json.dumps(event), "application/json")
        self.assertEqual(answer.status_code, 200, "the same push in other clothes")
        self.assertEqual(len(self.rows()), 1)
        self.assertNotIn("Set-Cookie", answer.headers)
        body = self.rows()._raw_body()
        self.assertNotIn(SECRET.encode(), body, "the token is not kept")
        self.assertIn(b"37369555111", body)

    def test_wrong_token(self):
        for token in ("", "wrong", SECRET + " x", "ș", None):
            event = dict(self.fields_of("event", type="INCOMING"), crm_token=token)
            if token is None:
                event.pop("crm_token")
            with self.subTest(token=token):
                answer = self.post(event)
                self.assertEqual(answer.status_code, 401)
                self.assertEqual(answer.json(), {"error": "Invalid token"})
        self.assertFalse(self.rows())
        refusal = self.env["oda.refusal"].search(
            [("account_id", "=", self.account.id)], limit=1
        )
        self.assertEqual(refusal.reason, "unauthenticated")
        self.assertNotIn(SECRET, str(refusal.read()))

    def test_account_without_secret_accepts_nobody(self):
        # sudo-free: tests run as root; the column is closed to people
        self.account.secret_sealed = False
        self.env.flush_all()
        self.env.registry.clear_cache()
        event = dict(self.fields_of("event", type="INCOMING"), crm_token="")
        self.assertEqual(self.post(event).status_code, 401)

    def test_missing_callid(self):
        for cmd in ("event", "history", "contact"):
            with self.subTest(cmd=cmd):
                answer = self.post(self.fields_of(cmd, callid=None, type="INCOMING"))
                self.assertEqual(answer.status_code, 400)
                self.assertIn("callid", answer.json()["error"])
        self.assertFalse(self.rows())

    def test_unknown_command_is_kept(self):
        self.assertEqual(self.post(self.fields_of("weather")).status_code, 200)
        self.work()
        self.assertEqual(self.rows().state, "ignored")

    def test_a_megabyte_of_junk(self):
        junk = random.Random(7).randbytes(1_000_000)
        self.assertEqual(self.post(junk).status_code, 413)
        self.assertEqual(self.post(junk, "application/json").status_code, 413)
        self.assertFalse(self.rows())

    def test_odd_values_are_kept_and_worked(self):
        odd = {
            "letters": {"phone": "abcdef"},
            "anonymous": {"phone": "anonymous"},
            "extension": {"phone": "701"},
            "empty": {"phone": ""},
            "long": {"phone": "3" * 400},
            "script": {"phone": "<script>alert(1)</script>"},
            "nul": {"phone": "3736\0955511"},
        }
        for name, values in odd.items():
            with self.subTest(name=name):
                answer = self.post(
                    self.fields_of("event", type="INCOMING", callid=name, **values)
                )
                self.assertEqual(answer.status_code, 200)
        for name, start in (("1970", "19700101T000000Z"), ("far", "29990101T000000Z")):
            answer = self.post(self.fields_of("history", callid=name, start=start))
            self.assertEqual(answer.status_code, 200)
        self.work()
        self.assertEqual(set(self.rows().mapped("state")), {"done"})
        self.assertEqual(self.call_of("1970").started_at.year, self.later().year)
        self.assertEqual(
            self.rows().filtered(lambda row: row.order_key == "1970").note,
            "start is out of any reason, left out",
        )

    def test_broken_utf8_is_not_lost(self):
        body = urlencode(self.fields_of("event", type="INCOMING")).encode()
        answer = self.post(body + b"&groupRealName=Call%20\xff\xfe%C3%28")
        self.assertEqual(answer.status_code, 200)
        self.work()
        self.assertEqual(self.rows().state, "done")
        self.assertTrue(self.call_of().group_name)

    def test_contact_is_answered_and_leaves_no_row(self):
        answer = self.post(self.fields_of("contact"))
        self.assertEqual(answer.json(), {"contact_name": "Vasile Croitoru"})
        for phone in ("37379999999", "anonymous", "701", "", "abc"):
            with self.subTest(phone=phone):
                answer = self.post(self.fields_of("contact", phone=phone))
                self.assertEqual((answer.status_code, answer.json()), (200, {}))
        self.assertFalse(self.rows())

    def test_fuzz(self):
        """300 generated bodies over HTTP; 10 000 go through the driver below."""
        rng = random.Random(20261121)
        for _ in range(300):
            body, content_type = _generated(rng)
            answer = self.post(body, content_type)
            self.assertIn(answer.status_code, (200, 400, 401, 413), body[:200])
            answer.json()
        self.work()
        self.assertFalse(
            self.rows().filtered(
                lambda row: row.state != "done" and row.state != "ignored"
            )
        )

    def test_fuzz_driver_and_inbox(self):
        """10 000 bodies: refused in words, or worked; no other exception."""
        from odoo.addons.oda_base.connectors import Push, PushRefused

        rng = random.Random(7)
        driver, account = self.account._driver(), self.account._account()
        kept = refused = 0
        for _ in range(10_000):
            body, content_type = _generated(rng)
            push = Push("POST", {}, {}, content_type, body, "")
            try:
                driver.authenticate(push, account)
                envelope = driver.identify(push)
            except PushRefused as refusal:
                self.assertTrue(str(refusal))
                refused += 1
                continue
            self.assertLessEqual(len(envelope.event_key), 200)
            self.assertNotIn("\0", envelope.event_key + envelope.order_key)
            event = driver.parse(content_type, body)
            self.assertTrue(event.kind)
            kept += 1
            if kept % 20 == 0 and envelope.kind != "contact":
                self.env["oda.inbound"]._receive(account, push, envelope)
        self.assertGreater(kept, 2000)
        self.assertGreater(refused, 2000)
        self.work()
        left = self.rows().filtered(lambda row: row.state not in ("done", "ignored"))
        self.assertFalse(left, left.mapped("error"))


def _generated(rng):
    """Return (body, content type): from nearly right to pure noise."""
    values = {
        "cmd": rng.choice(["event", "history", "contact", "rating", "x", ""]),
        "type": rng.choice(
            ["INCOMING", "ACCEPTED", "COMPLETED", "CANCELLED", "TRANSFERRED", "in", ""]
        ),
        "callid": rng.choice(["a", "b", "c", "", "z" * 300, "\0", "'; --"]),
        "second_callid": rng.choice(["a", "b", "", "q"]),
        "phone": rng.choice(["37369555111", "+373 79", "x", "", "١٢٣", "9" * 90]),
        "user": rng.choice(["ana", "igor@t", "pbx", "g_1", "", "‮"]),
        "status": rng.choice(["Success", "missed", "Busy", "?", ""]),
        "direction": rng.choice(["in", "out", "internal", ""]),
        "start": rng.choice(["20261121T120000Z", "0", "9999", "1970-01-01 00:00:00"]),
        "duration": rng.choice(["5", "-5", "1e9", "NaN", "", "5.5"]),
        "link": rng.choice(["", "http://x/y", "file:///x", "https://[::1"]),
        "crm_token": rng.choice([SECRET] * 5 + ["", "no"]),
    }
    for name in rng.sample(sorted(values), rng.randrange(4)):
        del values[name]
    if rng.random() < 0.4:
        body, content_type = json.dumps(values).encode(), "application/json"
    else:
        body, content_type = urlencode(values).encode(), FORM
    mangle = rng.random()
    if mangle < 0.15 and body:
        place = rng.randrange(len(body))
        body = body[:place] + rng.randbytes(rng.randrange(8)) + body[place + 3 :]
    elif mangle < 0.2:
        body = rng.randbytes(rng.randrange(500))
    elif mangle < 0.25:
        content_type = "".join(rng.choices(string.printable[:90], k=12))
    return body, content_type
