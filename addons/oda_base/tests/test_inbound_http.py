# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import json
import logging
from unittest.mock import patch
from urllib.parse import quote

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oda_base.connectors import Envelope, Push, Unauthenticated
from odoo.addons.oda_base.controllers import inbound as door
from odoo.addons.oda_base.controllers import raw_dispatcher

from .common import SECRET, SIGNATURE, InboundCase, sign

DOOR = door.__name__


@tagged("-at_install", "post_install")
class TestAnswers(InboundCase):
    """What a provider hears, and that nothing else happens."""

    def assertRefused(self, response, status, reason, account=True):
        """Refused with `status`, without a row, counted once, in words."""
        self.assertEqual(response.status_code, status, response.text)
        self.assertTrue(response.json()["error"])
        self.assertFalse(self.rows(), "a refused push leaves no row")
        refusal = self.refusals()
        self.assertEqual(refusal.mapped("reason"), [reason])
        self.assertEqual(refusal.status, status)
        self.assertEqual(refusal.count, 1)
        self.assertEqual(refusal.account_id, self.account if account else self.none)
        self.assertEqual(refusal.remote_addr, "127.0.0.1")

    def setUp(self):
        super().setUp()
        self.none = self.env["oda.connector.account"]

    def test_200_keeps_the_push_as_it_came(self):
        body = b'{"id": "e-1", "order": "call-1",  "kind": "event:INCOMING"}'
        response = self.push(body)
        self.assertEqual((response.status_code, response.json()), (200, {}))
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        row = self.rows()
        self.assertRecordValues(
            row,
            [
                {
                    "state": "new",
                    "event_key": "e-1",
                    "order_key": "call-1",
                    "kind": "event:INCOMING",
                    "connector": "testwire",
                    "company_id": self.account.company_id.id,
                    "attempts": 0,
                    "content_type": "application/json",
                    "remote_addr": "127.0.0.1",
                }
            ],
        )
        self.assertEqual(row._raw_body(), body)
        self.assertEqual(row._raw_bodies(), {row.id: body})
        self.assertFalse(self.refusals())

    def test_a_duplicate_is_200_without_a_row(self):
        for _i in range(3):
            response = self.push({"id": "same"})
            self.assertEqual((response.status_code, response.json()), (200, {}))
        self.assertEqual(len(self.rows()), 1)

    def test_the_same_event_at_two_accounts_is_two_events(self):
        other = self.make_account(key="second")
        self.push({"id": "same"})
        self.push({"id": "same"}, path="/oda/in/testwire/second")
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(len(self.rows(other)), 1)

    def test_an_answer_the_caller_waits_for_leaves_no_row(self):
        response = self.push({"id": "q", "kind": "ask"})
        self.assertEqual(
            (response.status_code, response.json()),
            (200, {"name": "Ana", "account": "test-key"}),
        )
        self.assertFalse(self.rows())

    def test_400_not_readable(self):
        for body in (b"", b"{", b"\xff\xfe", b'{"id": ', b"null"):
            with mute_logger(DOOR):  # `null` is JSON, and trips this driver
                response = self.push(body)
            self.assertEqual(response.status_code, 400, body)
        self.assertFalse(self.rows())

    def test_400_in_words(self):
        self.assertRefused(self.push(b"<xml/>"), 400, "malformed")
        self.assertEqual(self.refusals().words, "this is not JSON")

    def test_400_nothing_tells_it_from_another(self):
        self.assertRefused(self.push({"kind": "x"}), 400, "malformed")

    def test_400_when_the_driver_stumbles(self):
        with self.assertLogs(DOOR, "WARNING") as logs:
            self.assertRefused(
                self.push({"id": "1", "kind": "stumble"}), 400, "malformed"
            )
        self.assertIn("Wire.identify raised KeyError", logs.output[0])
        self.assertNotIn(SECRET, "".join(logs.output))

    def test_401(self):
        good = {"id": "1"}
        for signature in (None, "", "0" * 64, "ф", sign(b"other", SECRET), SECRET):
            if signature == "ф":
                signature = signature.encode()
            response = self.push(good, X_Wire_Signature=signature)
            self.assertEqual(response.status_code, 401, signature)
        self.assertFalse(self.rows())

    def test_401_in_words(self):
        self.assertRefused(
            self.push({"id": "1"}, X_Wire_Signature=""), 401, "unauthenticated"
        )

    def test_401_a_driver_that_stumbles_admits_nobody(self):
        def authenticate(push, account):
            raise TypeError(f"cannot compare {account.secret}")

        with (
            patch.object(self.driver, "authenticate", authenticate),
            self.assertLogs(DOOR, "WARNING") as logs,
        ):
            self.assertRefused(self.push({"id": "1"}), 401, "unauthenticated")
        self.assertNotIn(SECRET, "".join(logs.output))

    def test_401_is_said_before_400(self):
        """A stranger learns nothing of what we can read."""
        response = self.push(b"not json", X_Wire_Signature="0" * 64)
        self.assertRefused(response, 401, "unauthenticated")

    def test_401_signed_for_another_account(self):
        self.make_account(key="second", secret="another-secret")
        response = self.push({"id": "1"}, path="/oda/in/testwire/second")
        self.assertEqual(response.status_code, 401)

    def test_403(self):
        self.assertRefused(self.push({"id": "1"}, X_Wire_Banned="1"), 403, "forbidden")

    def test_404(self):
        self.make_account(key="off", active=False)
        for path in (
            "testwire/nobody",
            "testwire/off",
            "nosuch/test-key",
            "testwire/Test-Key",
        ):
            response = self.push({"id": "1"}, path=f"/oda/in/{path}")
            self.assertEqual(response.status_code, 404, path)
            self.assertEqual(response.json(), {"error": "no such address"}, path)
        self.assertFalse(self.rows())
        self.assertEqual(set(self.refusals().mapped("reason")), {"unknown_account"})
        self.assertFalse(self.driver.seen, "no driver is asked")

    def test_404_odd_addresses(self):
        odd = (
            "\0",
            "a\0b",
            "ăîșț",
            "😀",
            "\u202e",
            "a b",
            "%",
            "'; DROP TABLE x--",
            "..",
            "x" * 3000,
            "\ufffe",
        )
        for text in odd:
            for path in (
                f"testwire/{quote(text, safe='')}",
                f"{quote(text, safe='')}/k",
            ):
                response = self.push({"id": "1"}, path=f"/oda/in/{path}")
                self.assertEqual(response.status_code, 404, path)
                self.assertNotIn("Traceback", response.text)
        self.assertFalse(self.rows())
        for refusal in self.refusals():
            self.assertLessEqual(len(refusal.connector), 100)

    def test_404_raw_bytes_that_are_no_utf8(self):
        raw = self.wire("POST /oda/in/testwire/%ff%fe%00 HTTP/1.1\nContent-Length: 0")
        self.assertRegex(raw.split(b"\r\n")[0], rb" 40[04] ")

    def test_405(self):
        for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD"):
            response = self.push({"id": "1"}, method=method)
            self.assertEqual(response.status_code, 405, method)
        for method in ("OPTIONS", "TRACE", "PROPFIND"):
            with mute_logger("odoo.http", "werkzeug"):
                response = self.push({"id": "1"}, method=method)
            self.assertIn(response.status_code, (404, 405), method)
        self.assertFalse(self.rows())
        self.assertFalse(self.driver.seen)

    def test_get_in_a_browser(self):
        response = self.url_open("/oda/in/testwire/test-key")
        self.assertRefused(response, 405, "method")
        self.assertEqual(response.json(), {"error": "send it with POST"})

    def test_get_where_the_provider_uses_it(self):
        with patch.object(type(self.driver), "methods", ("POST", "GET")):
            response = self.push({"id": "by-get"}, method="GET")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.driver.seen[-1].method, "GET")

    def test_413_announced(self):
        self.assertRefused(self.push(b"x" * 2049), 413, "too_large")
        self.assertFalse(self.driver.seen)

    def test_413_is_refused_before_it_is_sent(self):
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nContent-Length: 99999999999",
            close=False,
        )
        self.assertIn(b" 413 ", raw.split(b"\r\n")[0])
        self.assertFalse(self.rows())

    def test_413_chunked(self):
        """No length is announced; reading stops at the cap all the same."""
        chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nTransfer-Encoding: chunked",
            chunk * 3 + b"0\r\n\r\n",
        )
        self.assertIn(b" 413 ", raw.split(b"\r\n")[0])
        self.assertFalse(self.driver.seen, "nor is it taken for a shorter one")
        self.assertFalse(self.rows())

    def test_a_body_of_just_the_size_allowed(self):
        body = b'{"id": "full", "x": "%s"}' % (b"y" * 2048)
        body = body[: 2048 - 2] + b'"}'
        self.assertEqual(len(body), 2048)
        self.assertEqual(self.push(body).status_code, 200)
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nTransfer-Encoding: chunked\n"
            f"{SIGNATURE}: {sign(body)}",
            b"800\r\n" + body + b"\r\n0\r\n\r\n",
        )
        self.assertIn(b" 200 ", raw.split(b"\r\n")[0])
        self.assertEqual(len(self.rows()), 1)

    def test_400_cut_chunk(self):
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nTransfer-Encoding: chunked",
            b"400\r\n{}",
        )
        self.assertIn(b" 400 ", raw.split(b"\r\n")[0])
        self.assertFalse(self.driver.seen)

    def test_200_chunked(self):
        body = b'{"id": "chunked"}'
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nTransfer-Encoding: chunked\n"
            f"{SIGNATURE}: {sign(body)}",
            b"9\r\n" + body[:9] + b"\r\n8\r\n" + body[9:] + b"\r\n0\r\n\r\n",
        )
        self.assertIn(b" 200 ", raw.split(b"\r\n")[0])
        self.assertEqual(self.rows()._raw_body(), body)

    def test_400_cut_body(self):
        body = b'{"id": "cut"}'
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nContent-Length: 100\n"
            f"{SIGNATURE}: {sign(body)}",
            body,
        )
        self.assertIn(b" 400 ", raw.split(b"\r\n")[0])
        self.assertFalse(self.rows())
        self.assertEqual(self.refusals().reason, "malformed")

    def test_400_lying_length(self):
        for length in ("-5", "ten", "0x10"):
            with mute_logger("odoo.http", "werkzeug"):
                raw = self.wire(
                    "POST /oda/in/testwire/test-key HTTP/1.1\n"
                    f"Content-Length: {length}",
                    b"{}",
                )
            self.assertRegex(raw.split(b"\r\n")[0], rb" 4\d\d ", length)
        self.assertFalse(self.rows())

    def test_long_query_string(self):
        response = self.push({"id": "long"}, params={"q": "x" * 10_000})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(len(self.driver.seen[-1].query["q"]), 10_000)

    def test_odd_event_keys_are_kept_and_told_apart(self):
        keys = ("a\0", "a", "a\ud800", "k" * 500 + "1", "k" * 500 + "2", "ș👋", " ")
        for _again in range(2):
            for key in keys:
                response = self.push({"id": key, "order": key, "kind": key})
                self.assertEqual(response.status_code, 200, repr(key)[:20])
        self.assertEqual(len(self.rows()), len(keys))

    def test_odd_content_type_and_headers(self):
        body = b'{"id": "ct"}'
        raw = self.wire(
            "POST /oda/in/testwire/test-key HTTP/1.1\nContent-Length: 12\n"
            f"Content-Type: text/\xe9\x01{'y' * 500}\n{SIGNATURE}: {sign(body)}",
            body,
        )
        self.assertIn(b" 200 ", raw.split(b"\r\n")[0])
        self.assertLessEqual(len(self.rows().content_type), 128)

    def test_503_when_the_secret_does_not_open(self):
        """Our own fault: the provider is asked to come again."""
        self.env.cr.execute(
            "UPDATE oda_connector_account SET secret_sealed = 'x' WHERE id = %s",
            (self.account.id,),
        )
        self.make_account(key="second")
        with mute_logger("odoo.addons.oda_base.models.oda_connector_account"):
            response = self.push({"id": "1"})
        self.assertRefused(response, 503, "unavailable", account=False)
        self.assertEqual(response.headers["Retry-After"], "60")
        response = self.push({"id": "1"}, path="/oda/in/testwire/second")
        self.assertEqual(response.status_code, 200, "the others work on")

    def test_503_without_a_traceback(self):
        def receive(model, *args):
            raise RuntimeError(f"disk full near {SECRET}")

        with (
            patch.object(self.registry["oda.inbound"], "_receive", receive),
            mute_logger("odoo.http"),
        ):
            response = self.push({"id": "1"})
        self.assertEqual(response.status_code, 503)
        self.assertEqual(
            response.json(), {"error": "not available now, send it again later"}
        )
        self.assertTrue(response.headers["Retry-After"])


@tagged("-at_install", "post_install")
class TestRawBytes(InboundCase):
    """The driver sees what was sent, whatever Odoo would make of it."""

    BODIES = {
        "application/x-www-form-urlencoded": b"id=f1&b=2&a=1&a=%20+%C8%99&empty=&;",
        "application/json": b'{ "id" : "\\u0041",\t"order":"1.0" , "n": 1.00 }\r\n',
        "text/json; charset=windows-1251": b'{"id": "7"}',
        "application/octet-stream": b'{"id": "8"}',
        "": b'{"id": "9"}',
    }

    def test_every_content_type(self):
        for content_type, body in self.BODIES.items():
            response = self.push(body, Content_Type=content_type)
            self.assertEqual(response.status_code, 200, content_type)
            self.assertEqual(self.driver.seen[-1].body, body)
            self.assertEqual(self.rows()[-1]._raw_body(), body)
        self.assertEqual(len(self.rows()), len(self.BODIES))

    def test_multipart_is_not_parsed(self):
        body = (
            b'--b\r\nContent-Disposition: form-data; name="id"; filename="x"\r\n\r\n'
            b"1\r\n--b--\r\n"
        )
        self.push(body, Content_Type="multipart/form-data; boundary=b")
        self.assertEqual(self.driver.seen[-1].body, body)

    def test_one_changed_byte_is_noticed(self):
        account = self.account._account()
        for content_type, body in self.BODIES.items():
            headers = {SIGNATURE: sign(body)}
            for at in range(len(body)):
                changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
                with self.assertRaises(Unauthenticated):
                    self.driver.authenticate(
                        Push("POST", {}, headers, content_type, changed), account
                    )
            response = self.push(
                body + b" ",
                Content_Type=content_type,
                X_Wire_Signature=headers[SIGNATURE],
            )
            self.assertEqual(response.status_code, 401, content_type)
        self.assertFalse(self.rows())

    def test_bytes_of_any_value_survive(self):
        body = bytes(range(256))
        with patch.object(
            type(self.driver),
            "identify",
            lambda driver, push: Envelope(f"len-{len(push.body)}"),
        ):
            self.assertEqual(self.push(body).status_code, 200)
        self.assertEqual(self.rows()._raw_body(), body)
        self.env.cr.execute(
            "SELECT body FROM oda_inbound WHERE id = %s", (self.rows().id,)
        )
        self.assertEqual(base64.b64decode(self.env.cr.fetchone()[0]), body)


@tagged("-at_install", "post_install")
class TestDiscretion(InboundCase):
    """What is not said, not written and not remembered."""

    def test_secret_appears_nowhere(self):
        root = logging.getLogger()
        self.addCleanup(root.setLevel, root.level)
        answers = []
        with self.assertLogs(root, "DEBUG") as logs:
            root.setLevel("DEBUG")
            for headers in ({}, {"X_Wire_Signature": "0"}, {"X_Wire_Banned": "1"}):
                answers.append(self.push({"id": "1"}, **headers))
            answers.append(self.push(b"{"))
            answers.append(self.push({"id": "2", "kind": "stumble"}))
            answers.append(self.push({"id": "3"}, method="GET"))
        told = "\n".join(
            f"{one.status_code} {one.headers} {one.text}" for one in answers
        )
        self.assertNotIn(SECRET, told)
        self.assertNotIn(SECRET, "\n".join(logs.output))
        self.env.cr.execute("SELECT r::text FROM oda_refusal r")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))
        self.env.cr.execute("SELECT r::text FROM oda_inbound r")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))

    def test_refusals_hold_no_body(self):
        marker = "idnp-2000000000001"
        self.push(json.dumps({"x": marker}).encode(), X_Wire_Signature="0")
        self.push(f"{{{marker}".encode())
        self.env.cr.execute("SELECT r::text FROM oda_refusal r")
        self.assertNotIn(marker, str(self.env.cr.fetchall()))

    def test_no_session(self):
        for body, headers in (
            ({"id": "1"}, {}),
            ({"id": "1"}, {"X_Wire_Signature": "0"}),
            ({"id": "1"}, {"Cookie": "session_id=" + "a" * 84}),
        ):
            response = self.push(body, **headers)
            self.assertNotIn("Set-Cookie", response.headers)

    def test_a_persons_session_changes_nothing(self):
        self.authenticate("admin", "admin")
        self.assertEqual(self.push({"id": "s"}).status_code, 200)
        self.assertEqual(self.push({"id": "t"}, X_Wire_Signature="0").status_code, 401)

    def test_a_refusal_is_counted_once_a_window(self):
        for _i in range(20):
            self.push({"id": "1"}, X_Wire_Signature="0")
        self.assertEqual(self.refusals().mapped("count"), [1])
        key = (self.account.id, "testwire", "unauthenticated")
        at, held = door._throttle._seen[key]
        self.assertEqual(held, 19)
        door._throttle._seen[key] = (at - 11, held)  # the window is over
        self.push({"id": "1"}, X_Wire_Signature="0")
        self.assertEqual(self.refusals().mapped("count"), [1, 20])

    def test_invented_addresses_do_not_fill_the_disk(self):
        for number in range(15):
            self.push({"id": "1"}, path=f"/oda/in/invented{number}/x")
            self.push({"id": "1"}, path=f"/oda/in/testwire/invented{number}")
        self.assertEqual(len(self.refusals()), 2)

    def test_the_hot_path_is_one_statement(self):
        """One insert, and whatever Odoo itself asks at each request."""
        self.push({"id": "warm"})
        queries = []
        execute = type(self.env.cr).execute

        def spy(cursor, query, *args, **kwargs):
            queries.append(str(query))
            return execute(cursor, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", spy):
            self.push({"id": "hot"})
        ours = [query for query in queries if "oda_" in query]
        self.assertEqual(len(ours), 1, queries)
        self.assertIn("INSERT INTO oda_inbound", ours[0])
        self.assertLessEqual(len(queries), 3, queries)


@tagged("-at_install", "post_install")
class TestWakes(InboundCase):
    def test_woken_after_the_commit_and_only_by_news(self):
        with self.trap_wakes() as woken:
            self.push({"id": "1"})
            wake = (self.account.id, "oda.inbound", "_drain")
            self.assertEqual(woken, [wake])
            self.push({"id": "1"})
            self.push({"id": "2"}, X_Wire_Signature="0")
            self.push({"id": "q", "kind": "ask"})
            self.assertEqual(woken, [wake], "known, refused and answered wake nobody")
            self.push({"id": "2"})
        self.assertEqual(woken, [wake, wake])

    def test_a_wake_that_fails_does_not_fail_the_push(self):
        with (
            self.trap_wakes(),
            patch.object(
                self.registry["oda.connector.account"],
                "_wake",
                side_effect=RuntimeError,
            ),
        ):
            self.assertEqual(self.push({"id": "1"}).status_code, 200)
        self.assertEqual(self.rows().state, "new", "the sweeper will find it")

    def test_dispatcher_answers_json_for_any_error(self):
        handler = raw_dispatcher.RawDispatcher(None)
        for error, status in ((RuntimeError("x"), 503), (KeyError("x"), 503)):
            response = handler.handle_error(error)
            self.assertEqual(response.status_code, status)
            self.assertNotIn("x", json.loads(response.data)["error"].split())
