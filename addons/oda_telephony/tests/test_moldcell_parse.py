# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from datetime import datetime, timezone
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase, tagged

from ..drivers import moldcell
from ..drivers.events import KINDS, STATUSES
from ..drivers.moldcell import Malformed, envelope, parse_body, to_event

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
NOW = datetime(2026, 11, 21, 18, tzinfo=timezone.utc)
EVENT = {
    "cmd": "event",
    "type": "INCOMING",
    "callid": "c-1",
    "phone": "37369123456",
    "user": "ana",
    "direction": "in",
    "crm_token": "T",
}
HISTORY = {
    "cmd": "history",
    "type": "in",
    "status": "Success",
    "callid": "c-1",
    "phone": "37369123456",
    "user": "ana@tenant.pbx.example",
    "start": "20261121T120000Z",
    "duration": "124",
    "wait": "9",
    "link": "https://tenant.pbx.example/r/1.mp3",
    "crm_token": "T",
}
# Examples are derived from the test alone: the same ones on every machine.
quick = settings(max_examples=400, deadline=None, database=None, derandomize=True)

any_text = st.text(max_size=40)
names = st.sampled_from(
    ["cmd", "type", "callid", "phone", "user", "start", "duration", "wait", "link"]
    + ["status", "direction", "second_callid", "rating", "diversion", "group", "ext"]
)
values = st.one_of(
    any_text,
    st.sampled_from(["event", "history", "contact", "rating", "INCOMING", "ACCEPTED"]),
    st.sampled_from(["-1", "1e9", "99999999", "19700101T000000Z", "0001-01-01 00:00"]),
    st.sampled_from(["2026-02-30 10:00:00", "2026-11-21T12:00:00+99:99", "5", "in"]),
)


def form(fields):
    return parse_body(FORM, urlencode(fields).encode())


@tagged("post_install", "-at_install")
class TestMoldcellBody(BaseCase):
    def test_both_encodings_whatever_the_content_type(self):
        for content_type in (FORM, JSON, "text/plain", "", None, "a/b; charset=nope"):
            self.assertEqual(parse_body(content_type, urlencode(EVENT).encode()), EVENT)
            self.assertEqual(
                parse_body(content_type, json.dumps(EVENT).encode()), EVENT
            )

    def test_json_figures_stay_as_written(self):
        fields = parse_body(
            JSON, b'{"phone": 37369123456, "duration": 12.0, "z": true}'
        )
        self.assertEqual(
            fields, {"phone": "37369123456", "duration": "12.0", "z": "true"}
        )
        self.assertEqual(parse_body(JSON, b'{"a": null, "b": "1"}'), {"b": "1"})
        huge = b'{"n": ' + b"9" * 4000 + b"}"
        self.assertEqual(len(parse_body(JSON, huge)["n"]), 4000)

    def test_refused_in_words(self):
        deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        for content_type, body, words in (
            (FORM, b"", "empty"),
            (FORM, b" \r\n", "empty"),
            (FORM, b"hello", "neither"),
            (JSON, b"hello", "not JSON"),
            (JSON, b'{"a": ', "not JSON"),
            (JSON, b"[1, 2]", "not an object"),
            (JSON, b"{}", "no fields"),
            (JSON, b'{"a": [1]}', "plain value"),
            (JSON, b'{"a": {}}', "plain value"),
            (JSON, b'{"a": NaN}', "NaN"),
            (JSON, b'{"a": -Infinity}', "NaN"),
            (JSON, deep, "nested"),
            (JSON, b'{"a": "1", "a": "2"}', "twice"),
            (FORM, b"crm_token=good&crm_token=bad", "twice"),
            (FORM, b"&".join(b"f%d=1" % i for i in range(10_000)), "too many"),
            (FORM, b"a=" + b"x" * 5000, "too long"),
            (FORM, b"x" * 300_000, "too large"),
            (FORM, b"=1", "no name"),
        ):
            with self.subTest(body=body[:40]), self.assertRaisesRegex(Malformed, words):
                parse_body(content_type, body)
        many = json.dumps({f"f{i}": "1" for i in range(10_000)}).encode()
        with self.assertRaisesRegex(Malformed, "too many"):
            parse_body(JSON, many)

    def test_twice_the_same_is_harmless(self):
        self.assertEqual(parse_body(FORM, b"a=1&a=1"), {"a": "1"})

    def test_broken_text_is_replaced_and_flagged(self):
        fields = parse_body(FORM, b"groupRealName=%D0%9F%FF&cmd=event")
        self.assertEqual(fields["groupRealName"], "П\ufffd")
        self.assertTrue(fields.notes)
        fields = parse_body(JSON, b'{"groupRealName": "a\\ud800b"}')
        fields["groupRealName"].encode()
        self.assertTrue(fields.notes)
        self.assertFalse(form(EVENT).notes)

    def test_controls_and_blanks(self):
        self.assertEqual(
            parse_body(FORM, b"user=+an%00a%0D%0A&groupRealName=a%0D%0Ab%0bc"),
            {"user": "ana", "groupRealName": "a b c"},
        )
        self.assertEqual(
            parse_body(JSON, b'{"user": "an\\u0000a\\n"}'), {"user": "ana"}
        )

    def test_charset(self):
        body = "groupRealName=" + "".join(f"%{b:02X}" for b in "Отдел".encode("cp1251"))
        got = parse_body(f"{FORM}; charset=windows-1251", body.encode())
        self.assertEqual(got["groupRealName"], "Отдел")
        for name in ("zip", "idna", "unicode_escape", "rot13", "nope"):
            got = parse_body(f"{FORM}; charset={name}", b"a=%C8%9B")
            self.assertEqual(got, {"a": "ț"})
            self.assertIn("unknown charset, read as UTF-8", got.notes)

    @quick
    @given(
        st.binary(max_size=300), st.sampled_from([FORM, JSON, None, "x;charset=ascii"])
    )
    def test_any_bytes(self, body, content_type):
        try:
            fields = parse_body(content_type, body)
        except Malformed:
            return
        for text in (*fields, *fields.values()):
            text.encode()
            self.assertNotIn("\x00", text)
            self.assertNotIn("\n", text)

    @quick
    @given(st.recursive(st.none() | st.booleans() | any_text, st.lists, max_leaves=5))
    def test_any_json(self, value):
        try:
            parse_body(JSON, json.dumps({"cmd": "event", "x": value}).encode())
        except Malformed:
            self.assertIsInstance(value, (list, str))


@tagged("post_install", "-at_install")
class TestMoldcellEnvelope(BaseCase):
    def test_token(self):
        self.assertTrue(moldcell.verify(EVENT, "T"))
        for expected in ("t", "T ț", "", "  ", None, False, 0):
            self.assertFalse(moldcell.verify(EVENT, expected))
        self.assertFalse(moldcell.verify({}, "T"))
        self.assertFalse(moldcell.verify({"crm_token": ""}, ""))
        self.assertTrue(moldcell.verify({"crm_token": "ключ"}, "ключ"))

    def test_same_push_same_key(self):
        key = envelope(EVENT, b"")
        self.assertEqual(key.order_key, "c-1")
        self.assertEqual(key.kind, "event")
        self.assertEqual(key, envelope(dict(reversed(EVENT.items())), b"x"))
        self.assertEqual(key, envelope({**EVENT, "user": "Ana@t.example"}))
        self.assertEqual(key, envelope({**EVENT, "crm_token": "other", "z-flag": "0"}))
        for change in (
            {"user": "igor"},
            {"type": "ACCEPTED"},
            {"callid": "c-2"},
            {"second_callid": "c-2"},
        ):
            self.assertNotEqual(key.event_key, envelope({**EVENT, **change}).event_key)
        # No separator to play with: parts cannot flow into each other.
        self.assertNotEqual(
            envelope({**EVENT, "callid": "a.b", "user": "c"}).event_key,
            envelope({**EVENT, "callid": "a", "user": "b.c"}).event_key,
        )

    def test_updated_history_is_a_new_push(self):
        key = envelope(HISTORY).event_key
        self.assertEqual(key, envelope({**HISTORY, "status": "success"}).event_key)
        self.assertEqual(key, envelope({**HISTORY, "z_flag": "0"}).event_key)
        self.assertNotEqual(key, envelope({**HISTORY, "duration": "125"}).event_key)
        self.assertNotEqual(key, envelope({**HISTORY, "link": ""}).event_key)

    def test_missing_and_unknown(self):
        for cmd in ("event", "history", "contact", "rating"):
            with self.assertRaisesRegex(Malformed, "callid"):
                envelope({"cmd": cmd, "phone": "1"})
        with self.assertRaisesRegex(Malformed, "cmd"):
            envelope({"callid": "1"})
        key = envelope({"cmd": "fax", "b": "1", "a": "2", "crm_token": "T"})
        self.assertEqual(key.kind, "unknown")
        self.assertEqual(key.order_key, key.event_key)
        self.assertEqual(key, envelope({"a": "2", "cmd": "fax", "b": "1"}))
        self.assertEqual(envelope({"cmd": "fax", "callid": "9"}).order_key, "9")

    def test_bounded(self):
        long = envelope({**EVENT, "callid": "x" * 4000, "type": "Y" * 4000})
        self.assertLessEqual(len(long.order_key), 96)
        self.assertLessEqual(len(long.event_key), 96)
        self.assertEqual(
            long.order_key, to_event({**EVENT, "callid": "x" * 4000}).callid
        )


@tagged("post_install", "-at_install")
class TestMoldcellEvent(BaseCase):
    def test_live(self):
        event = to_event(
            {
                **EVENT,
                "phone": "+373 69 123-456",
                "user": "Ana@Tenant.pbx.example",
                "diversion": "37322200100",
                "groupRealName": "Call centru",
                "ext": "701",
            }
        )
        self.assertEqual(event.kind, "ringing")
        self.assertEqual((event.phone, event.user), ("37369123456", "ana"))
        self.assertEqual((event.did, event.ext), ("37322200100", "701"))
        self.assertEqual((event.direction, event.group_name), ("in", "Call centru"))
        for kind, expected in moldcell.EVENT_KINDS.items():
            self.assertEqual(to_event({**EVENT, "type": kind.lower()}).kind, expected)

    def test_odd_numbers_are_kept(self):
        for phone, expected in (
            ("anonymous", "anonymous"),
            ("701", "701"),
            ("0037369123456", "0037369123456"),
            (" 37369123456", "37369123456"),
            ("sip:701@tenant", "701"),
            ("", ""),
        ):
            self.assertEqual(to_event({**EVENT, "phone": phone}).phone, expected)

    def test_ignored_with_a_reason(self):
        for change in (
            {"type": "HOLD"},
            {"direction": "internal"},
            {"cmd": "fax"},
            {"cmd": "contact"},
            {"cmd": "rating", "rating": "9"},
            {"callid": ""},
        ):
            event = to_event({**EVENT, **change})
            self.assertEqual(event.kind, "ignored")
            self.assertTrue(event.reason)

    def test_direction_is_implied(self):
        fields = {k: v for k, v in EVENT.items() if k != "direction"}
        self.assertEqual(to_event(fields).direction, "in")
        self.assertEqual(to_event({**fields, "type": "OUTGOING"}).direction, "out")
        self.assertIsNone(to_event({**fields, "type": "COMPLETED"}).direction)

    def test_history(self):
        event = to_event(HISTORY, NOW)
        self.assertEqual(
            (event.kind, event.status, event.direction), ("history", "answered", "in")
        )
        self.assertEqual((event.duration, event.wait, event.user), (124, 9, "ana"))
        self.assertEqual(event.at, datetime(2026, 11, 21, 12, tzinfo=timezone.utc))
        self.assertEqual(event.record_url, "https://tenant.pbx.example/r/1.mp3")
        self.assertFalse(event.notes)
        for raw, status in (
            ("missed", "missed"),
            ("Missed", "missed"),
            ("CANCEL", "cancelled"),
            ("NotAvailable", "failed"),
            ("notallowed", "failed"),
            ("NotFound", "failed"),
            ("Busy", "busy"),
            ("strange", None),
        ):
            event = to_event({**HISTORY, "status": raw}, NOW)
            self.assertEqual((event.status, event.status_raw), (status, raw))
            self.assertEqual(bool(event.notes), status is None)

    def test_start(self):
        noon = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
        for start in (
            "20261121T120000Z",
            "2026-11-21 12:00:00",
            " 2026-11-21  12:00:00 ",
            "2026-11-21T14:00:00+02:00",
            "2026-11-21T14:00:00 02:00",
            "2026-11-21T12:00:00.123Z",
            "2026-11-21T07:00:00-0500",
            "20261121T120000",
        ):
            fields = form({**HISTORY, "start": start})
            self.assertEqual(to_event(fields, NOW).at, noon, start)
        for start in (
            "19700101T000000Z",
            "20991231T000000Z",
            "20261399T000000Z",
            "0000000000",
            "0001-01-01 00:00:00",
            "0001-01-01T00:00:00+12:00",
            "2026-11-21T12:00:00+99:99",
            "yesterday",
            "٢٠٢٦١١٢١T120000Z",
        ):
            event = to_event({**HISTORY, "start": start}, NOW)
            self.assertIsNone(event.at, start)
            self.assertTrue(event.notes)

    def test_absurd_figures_are_left_out(self):
        for value in ("-5", "99999", "1e3", "NaN", "9" * 4000, "½"):
            event = to_event({**HISTORY, "duration": value, "wait": value}, NOW)
            self.assertEqual((event.duration, event.wait), (None, None))
            self.assertEqual(len(event.notes), 2)
        for link in ("file:///etc/passwd", "javascript:1", "//x", "r.mp3"):
            self.assertIsNone(to_event({**HISTORY, "link": link}, NOW).record_url)

    def test_rating_and_group(self):
        event = to_event({"cmd": "rating", "callid": "c", "rating": "4"})
        self.assertEqual((event.kind, event.rating), ("rating", 4))
        event = to_event({**HISTORY, "user": "g_1B@t", "status": "missed"}, NOW)
        self.assertEqual((event.user, event.group), ("g_1b", "g_1b"))

    @quick
    @given(st.dictionaries(names, values))
    def test_never_raises(self, fields):
        event = to_event(fields)
        self.assertIn(event.kind, KINDS)
        self.assertIn(event.status, (None, *STATUSES))
        self.assertEqual(bool(event.reason), event.kind == "ignored")
        moldcell.contact_query(fields)

    @quick
    @given(st.dictionaries(names, values, min_size=1))
    def test_order_of_fields_never_matters(self, fields):
        def seen(ordered):
            try:
                parsed = parse_body(FORM, urlencode(ordered).encode())
                return envelope(parsed), to_event(parsed, NOW)
            except Malformed as error:
                return str(error)

        self.assertEqual(seen(fields), seen(dict(reversed(fields.items()))))

    def test_contact(self):
        query = moldcell.contact_query({"phone": "+37369123456", "callid": "c"})
        self.assertEqual(
            (query.phone, query.callid, query.did), ("37369123456", "c", None)
        )
        answer = moldcell.contact_answer
        self.assertEqual(answer(), {})
        self.assertEqual(answer("", ""), {})
        self.assertEqual(answer(None, "pbx"), {})
        self.assertEqual(answer("Ion\nPopescu"), {"contact_name": "Ion Popescu"})
        self.assertEqual(
            answer("Ion", "ana"), {"contact_name": "Ion", "responsible": "ana"}
        )
        self.assertEqual(len(answer("x" * 200)["contact_name"]), 80)
        self.assertNotIn("responsible", answer("Ion", "an a\r\n"))

    def test_history_csv(self):
        text = (
            "UID,type,client,account,via,start,wait,duration,record\r\n"
            "u1,in,37369123456,ana@t,37322200100,2026-11-21T14:00:00+02:00,9,115,"
            "https://t.example/1.mp3,5\r\n"
            "u2,missed,37379000111,g_1b,37322200100,2026-11-21T14:10:00+02:00,30,0,\r\n"
            "u3,out,37369123456,ana,37322200101,2026-11-21T14:20:00+02:00,20,0,\r\n"
            '"u4",out,"37369123456",ana,37322200101,2026-11-21T14:30:00+02:00,5,60\r\n'
            "\r\nbroken,row\r\nu5,fax,1,2,3,4,5,6,7\r\n\x00"
        )
        events = moldcell.history_csv(text, NOW)
        self.assertEqual(
            [(e.callid, e.kind, e.status, e.duration) for e in events],
            [
                ("u1", "history", "answered", 124),
                ("u2", "history", "missed", 30),
                ("u3", "history", "cancelled", 20),
                ("u4", "history", "answered", 65),
                ("", "ignored", None, None),
                ("u5", "ignored", None, None),
            ],
        )
        self.assertEqual(events[0].at, datetime(2026, 11, 21, 12, tzinfo=timezone.utc))
        self.assertEqual(
            (events[0].did, events[2].telnum), ("37322200100", "37322200101")
        )
        self.assertEqual(moldcell.history_csv(""), [])

    @quick
    @given(st.text(alphabet='ab,"\n\r\x00;1', max_size=60))
    def test_history_csv_never_raises(self, text):
        moldcell.history_csv(text)
