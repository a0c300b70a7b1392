# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from datetime import datetime, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase, tagged

from ..controllers.asterisk import contact_text
from ..drivers import ami, asterisk_cdr, asterisk_push
from ..drivers.asterisk_names import Habits, faults, split
from ..drivers.asterisk_presence import PresenceBook
from ..drivers.events import KINDS, CallEvent
from ..drivers.wire import Malformed, parse_body

# Examples are derived from the test alone: the same ones on every machine.
quick = settings(max_examples=300, deadline=None, database=None, derandomize=True)

STREAM = (
    b"Asterisk Call Manager/11.0.0\r\n"
    b"Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: Newchannel\r\nChannel: PJSIP/701-00000001\r\nUniqueid: 1.1\r\n\r\n"
    b"Event: VarSet\r\nVariable: X\r\nValue: a: b \xc8\x99\r\nValue: second\r\n\r\n"
)
SECRET = "a-secret-of-the-tests"


def read(pieces):
    reader = ami.Reader()
    return [message for piece in pieces for message in reader.feed(piece)]


@tagged("post_install", "-at_install")
class TestAmi(BaseCase):
    def test_messages(self):
        reader = ami.Reader()
        answer, event, varset = reader.feed(STREAM)
        self.assertEqual(reader.banner, "Asterisk Call Manager/11.0.0")
        self.assertEqual((answer.event, answer["ActionID"]), ("", "1"))
        self.assertEqual(event.event, "Newchannel")
        self.assertEqual(varset["Value"], "a: b ș", "the first of two counts")

    @quick
    @given(st.lists(st.integers(0, len(STREAM)), max_size=12))
    def test_however_it_is_cut(self, cuts):
        edges = [0, *sorted(cuts), len(STREAM)]
        pieces = [STREAM[a:b] for a, b in zip(edges, edges[1:], strict=False)]
        self.assertEqual(read(pieces), read([STREAM]))

    @quick
    @given(st.lists(st.binary(max_size=200), max_size=8))
    def test_garbage_neither_raises_nor_swallows_what_follows(self, pieces):
        good = b"\r\n\r\nEvent: FullyBooted\r\nUptime: 1\r\n\r\n"
        self.assertEqual(read([*pieces, good])[-1].event, "FullyBooted")

    def test_endless_lines_and_messages(self):
        reader = ami.Reader()
        for _part in range(100):
            self.assertEqual(reader.feed(b"x" * 10_000), [])
        self.assertLess(len(reader._rest), 2 * ami.MAX_LINE)
        many = b"".join(b"K%d: v\r\n" % number for number in range(5000))
        (message,) = reader.feed(b"\r\n" + many + b"\r\n")
        self.assertLessEqual(len(message), ami.MAX_FIELDS)

    def test_a_value_cannot_smuggle_an_action_in(self):
        self.assertEqual(
            ami.action("Login", Username="oda", Secret="s", Nothing=None),
            b"Action: Login\r\nUsername: oda\r\nSecret: s\r\n\r\n",
        )
        for bad in ("x\r\nAction: Originate", "x\ny", "x\0"):
            with self.assertRaises(ValueError):
                ami.action("Login", Secret=bad)


@tagged("post_install", "-at_install")
class TestNames(BaseCase):
    def test_whose_channel_it_is(self):
        habits = Habits(persons="PJSIP/7XX, Local/XXX@agents", trunks="PJSIP/md*")
        for name, login in (
            ("PJSIP/701-0000001a", "701"),
            ("Local/702@agents-00000001;1", "702"),
            ("Local/702@agents-00000001;2", None),
            ("PJSIP/801-0000001a", None),
            ("PJSIP/701x-0000001a", None),
            ("PJSIP/md-trunk-0000001a", None),
            ("", None),
        ):
            self.assertEqual(habits.login(name), login, name)
        self.assertTrue(habits.outside("PJSIP/md-trunk-0000001a"))
        self.assertTrue(habits.outside("DAHDI/1-1", "from-pstn"))
        self.assertFalse(habits.outside("DAHDI/1-1", "internal"))
        self.assertFalse(habits.outside("PJSIP/701-0000001a", "from-pstn"))
        self.assertEqual(split("SIP/a-b-0000001a"), ("SIP/a-b", ""))

    def test_patterns_that_could_never_match(self):
        self.assertFalse(faults("PJSIP/XXX, SIP/*\nLocal/X@a"))
        for bad in ("PJSIP/7 1", "a" * 81, "a*b*c*d*e", "/701", "PJSIP/"):
            self.assertEqual(faults(f"PJSIP/XXX, {bad}"), [bad])

    @quick
    @given(st.text(max_size=120), st.text(max_size=300))
    def test_any_pattern_and_any_name(self, pattern, name):
        habits = Habits(persons=pattern, trunks=pattern, contexts=pattern)
        login = habits.login(name)
        self.assertTrue(login is None or 0 < len(login) <= 64)
        habits.outside(name, name)

    def test_habits_of_another_version(self):
        self.assertEqual(
            Habits.of({"persons": "a", "new": "b", "trunks": 5}).persons, "a"
        )
        self.assertEqual(Habits.of(None), Habits())

    def test_only_files_that_ari_gives_out(self):
        habits = Habits(recordings="/var/spool/asterisk/recording/")
        folder = "/var/spool/asterisk/recording"
        self.assertEqual(habits.recording(f"{folder}/1.2;2.wav"), "1.2;2")
        self.assertEqual(habits.recording(f"{folder}/2026/1.wav"), "2026/1")
        for bad in ("/etc/passwd.wav", f"{folder}/../../x.wav", f"{folder}/.wav", ""):
            self.assertIsNone(habits.recording(bad))

    def test_presence(self):
        book = PresenceBook(Habits(persons="PJSIP/XXX"))

        def device(state, name="PJSIP/701"):
            fields = {"Event": "DeviceStateChange", "Device": name, "State": state}
            return book.feed(ami.Message(fields))

        def pause(value):
            fields = {"Event": "QueueMemberPause", "Interface": "PJSIP/701"}
            return book.feed(ami.Message(fields, Paused=value))

        self.assertEqual(device("NOT_INUSE"), [("701", "available")])
        self.assertEqual(device("NOT_INUSE"), [], "told once")
        self.assertEqual(device("RINGINUSE"), [("701", "busy")])
        self.assertEqual(pause("1"), [], "talking goes before a pause")
        self.assertEqual(device("NOT_INUSE"), [("701", "dnd")])
        self.assertEqual(pause("0"), [("701", "available")])
        self.assertEqual(device("UNAVAILABLE"), [("701", "offline")])
        self.assertEqual(device("STRANGE"), [("701", "unknown")])
        self.assertEqual(device("INUSE", "Queue:support"), [])


@tagged("post_install", "-at_install")
class TestPush(BaseCase):
    def test_there_and_back(self):
        event = CallEvent(
            kind="history",
            callid="1763.5",
            direction="in",
            phone="37369123456",
            user="701",
            group="g_support",
            group_name="support",
            did="37322200100",
            at=datetime(2026, 11, 21, 12, tzinfo=timezone.utc),
            status="answered",
            status_raw="ANSWERED",
            duration=65,
            wait=5,
            record_url="ari:stored/1763.5;2",
        )
        fields = asterisk_push.fields_of(event)
        raw = asterisk_push.body(fields, asterisk_push.key_of(fields), age=2.5)
        parsed = parse_body("application/json", raw)
        back = asterisk_push.to_event(parsed)
        self.assertEqual(back.age, 2.5)
        self.assertEqual(
            asterisk_push.fields_of(back), fields, "nothing is lost on the way"
        )
        envelope = asterisk_push.envelope(parsed)
        self.assertEqual((envelope.order_key, envelope.kind), ("1763.5", "history"))

    def test_the_key_is_what_it_says_not_how_late(self):
        fields = {"kind": "ended", "callid": "1", "user": "701"}
        one = asterisk_push.key_of(fields, "PJSIP/701-1")
        self.assertEqual(one, asterisk_push.key_of(dict(fields), "PJSIP/701-1"))
        self.assertNotEqual(one, asterisk_push.key_of(fields, "PJSIP/701-2"))

    def test_signature(self):
        raw, now = b'{"a": 1}', 1_800_000_000
        good = asterisk_push.signature(SECRET, raw, now)
        self.assertEqual(asterisk_push.verify(SECRET, good, raw, now + 60), "")
        for secret, header, body, at in (
            (SECRET, good, raw + b" ", now),
            (SECRET, good.replace("t=18", "t=17"), raw, now),
            (SECRET, good, raw, now + 3600),
            (SECRET, "", raw, now),
            (SECRET, None, raw, now),
            ("", asterisk_push.signature(" ", raw, now), raw, now),
            (None, good, raw, now),
            ("other", good, raw, now),
        ):
            self.assertTrue(asterisk_push.verify(secret, header, body, at))

    def test_the_dialplans_key_cannot_sign(self):
        token = asterisk_push.contact_token(SECRET)
        self.assertNotEqual(token, SECRET)
        self.assertEqual(asterisk_push.contact_token(""), "")
        header = asterisk_push.signature(token, b"{}", 5)
        self.assertTrue(asterisk_push.verify(SECRET, header, b"{}", 5))

    @quick
    @given(
        st.dictionaries(
            st.sampled_from(
                "key kind callid user phone at duration wait age recording status "
                "login presence direction did group second_callid".split()
            ),
            st.one_of(
                st.text(max_size=40),
                st.integers(),
                st.floats(allow_nan=False, allow_infinity=False),
                st.sampled_from(KINDS),
                st.none(),
                st.booleans(),
            ),
        )
    )
    def test_whatever_is_signed_is_refused_in_words_or_stored(self, values):
        try:
            fields = parse_body("application/json", json.dumps(values).encode())
            envelope = asterisk_push.envelope(fields)
        except Malformed as error:
            self.assertTrue(str(error))
            return
        event = asterisk_push.to_event(fields)
        self.assertIn(event.kind, KINDS)
        self.assertLessEqual(len(envelope.order_key), 255)
        self.assertGreaterEqual(event.age, 0)
        self.assertTrue(event.duration is None or event.duration >= 0)

    def test_what_a_dialplan_reads(self):
        self.assertEqual(contact_text("", None), "oda||")
        self.assertEqual(
            contact_text("Ion Popescu — SRL „Nord”", "701"),
            "oda|701|Ion Popescu — SRL Nord",
        )
        nasty = contact_text('a|b",${SHELL(rm)}\r\n;c', "7|01")
        self.assertEqual(nasty, "oda||a b SHELL(rm) c")
        self.assertEqual(nasty.count("|"), 2)
        self.assertLessEqual(len(contact_text("x" * 500, "ana")), 80)


@tagged("post_install", "-at_install")
class TestCdr(BaseCase):
    LINE = (
        '"c1","c1;2","PJSIP/trunk-0000000a","PJSIP/701-0000000b","37369123456",'
        '"37322200100","from-trunk","ANSWERED",1795305806.9,1795305808.0,1795305812.1'
    )

    def test_row(self):
        row = asterisk_cdr.row_of_line(self.LINE)
        self.assertTrue(row.answered)
        self.assertEqual((row.src, row.end), ("37369123456", 1795305812.1))
        record = asterisk_cdr.record_of([row], Habits())
        self.assertEqual(
            (record.direction, record.status, record.user, record.did),
            ("in", "answered", "701", "37322200100"),
        )

    def test_a_call_among_ourselves_is_nobodys_business(self):
        line = self.LINE.replace("PJSIP/trunk", "PJSIP/702").replace("from-trunk", "in")
        row = asterisk_cdr.row_of_line(line)
        self.assertIsNone(asterisk_cdr.record_of([row], Habits()))

    def test_asterisk_answering_is_nobody_answering(self):
        line = self.LINE.replace("PJSIP/701-0000000b", "")
        record = asterisk_cdr.record_of([asterisk_cdr.row_of_line(line)], Habits())
        self.assertEqual((record.status, record.user), ("missed", None))

    def test_outward(self):
        for raw, status in (
            ("ANSWERED", "answered"),
            ("BUSY", "busy"),
            ("NO ANSWER", "cancelled"),
            ("FAILED", "failed"),
            ("CONGESTION", "failed"),
        ):
            line = (
                f'"c","c","PJSIP/701-0000000b","PJSIP/trunk-0000000a","701",'
                f'"069123456","oda-dial","{raw}",1795305806.9,1795305808.0,1795305812.1'
            )
            record = asterisk_cdr.record_of([asterisk_cdr.row_of_line(line)], Habits())
            self.assertEqual((record.direction, record.status), ("out", status))
            self.assertEqual(record.user, "701")

    @quick
    @given(st.text(max_size=200))
    def test_any_line(self, line):
        row = asterisk_cdr.row_of_line(line)
        if row:
            asterisk_cdr.record_of([row], Habits())

    def test_a_cut_line_and_an_impossible_clock(self):
        self.assertIsNone(asterisk_cdr.row_of_line(self.LINE[:60]))
        self.assertIsNone(asterisk_cdr.row_of_line(self.LINE.replace("17953", "53")))
        self.assertIsNone(asterisk_cdr.row_of_line(""))
