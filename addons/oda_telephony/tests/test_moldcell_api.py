# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from ..drivers import moldcell_api as api
from ..drivers.events import CallEvent
from ..drivers.faults import FAULTS, PbxFault, fault_of
from ..drivers.moldcell_history import find_dialled, history_csv, history_json

NOW = datetime(2026, 11, 21, 18, tzinfo=timezone.utc)
HOST = "demo.pbx.moldcell.md"
SAME = settings(derandomize=True, database=None, deadline=None, max_examples=150)


class TestRequests(BaseCase):
    """What is sent to the exchange."""

    def setUp(self):
        super().setUp()
        self.old = api.api_of("crm_api", HOST, " T ")
        self.new = api.api_of("v1", HOST, "T")

    def test_addresses(self):
        for given_, base in (
            (HOST, f"https://{HOST}/sys/crm_api.wcgp"),
            (f" {HOST}/ ", f"https://{HOST}/sys/crm_api.wcgp"),
            (f"https://{HOST}/own/path", f"https://{HOST}/own/path"),
            ("http://127.0.0.1:8070", "http://127.0.0.1:8070/sys/crm_api.wcgp"),
        ):
            self.assertEqual(api.base_url("crm_api", given_), base)
        for given_ in (
            "",
            None,
            "ftp://x",
            "https://u:p@x",
            "https://x:0",
            "https://x:99999",
            "https://",
            "x y",
            "https://[::1",
            "javascript:alert(1)",
            "//x",
        ):
            self.assertEqual(api.base_url("crm_api", given_), "", given_)
        self.assertEqual(api.base_url("v2", HOST), "")
        for address, token in (("", "T"), (HOST, ""), (HOST, None), ("a b", "T")):
            with self.assertRaises(PbxFault) as caught:
                api.api_of("crm_api", address, token)
            self.assertEqual(caught.exception.code, "no_address")

    def test_digits_only_are_dialled(self):
        request = self.old.dial("+37369123456", "ana")
        self.assertEqual(
            request.data,
            {"cmd": "makeCall", "token": "T", "phone": "37369123456", "user": "ana"},
        )
        self.assertFalse(request.harmless, "never sent twice")
        for phone in ("", None, "069 12", "12", "1" * 16, "+", "１２３４", "1;2", "a"):
            for one in (self.old, self.new):
                with self.assertRaises(PbxFault, msg=phone):
                    one.dial(phone, "ana")

    def test_the_newer_way(self):
        request = self.new.dial("37369123456", "ana", "37322200100")
        self.assertEqual(
            (request.method, request.url),
            ("POST", f"https://{HOST}/crmapi/v1/makecall"),
        )
        self.assertEqual(
            request.json, {"phone": "37369123456", "user": "ana", "clid": "37322200100"}
        )
        self.assertEqual(request.headers, {"X-API-KEY": "T"})
        self.assertNotIn("'T'", repr(request), "the key is in no log")
        self.assertIn("/users/a%2F..%2Fb/groups", self.new.groups("a/../b").url)
        for verb in (self.new.set_dnd, self.new.subscribe, self.new.get_dnd):
            with self.assertRaises(PbxFault) as caught:
                verb("ana", True)
            self.assertEqual(caught.exception.code, "unsupported")

    def test_switches(self):
        self.assertEqual(self.old.set_dnd("ana", True).data["state"], "true")
        self.assertEqual(self.old.set_dnd("ana", False).data["state"], "false")
        asked = self.old.subscribe("ana", "g_1", False).data
        self.assertEqual(
            (asked["cmd"], asked["group_id"], asked["status"]),
            ("subscribeOnCalls", "g_1", "off"),
        )
        with self.assertRaises(PbxFault):
            self.old.subscribe("ana", "", True)
        # The printed manual has another spelling, which the exchange refuses.
        self.assertEqual(
            self.old.subscription("ana", "g_1").data["cmd"], "subscriptionStatus"
        )

    def test_history_is_asked_in_utc(self):
        zone = timezone(timedelta(hours=2))
        since = datetime(2026, 11, 21, 2, tzinfo=zone)
        data = self.old.history(since, NOW).data
        self.assertEqual(
            (data["start"], data["end"]), ("20261121T000000Z", "20261121T180000Z")
        )


class TestAnswers(BaseCase):
    """What comes back, in all the shapes met and some never met."""

    def test_dial(self):
        for text, callid in (
            ("abc-01", "abc-01"),
            ('"abc"', "abc"),
            ('{"CallID":"a.b:c"}', "a.b:c"),
            ('{"call_id":"x"}', "x"),
            ('{"callid":"x","clid":"1"}', "x"),
            ('{"result":"ok"}', ""),
            ('{"callid":5}', ""),
            ("{broken", ""),
            ("", ""),
            (None, ""),
            ("two words", ""),
            ("<html>", ""),
        ):
            self.assertEqual(api.read_dial(text), callid, text)

    def test_accounts_of_both_ways(self):
        (one,) = api.read_accounts('[{"name": "Ana@demo", "realName": "Ana Rusu"}]')
        self.assertEqual((one.login, one.name), ("ana", "Ana Rusu"))
        (one,) = api.read_accounts('{"items": [{"login": "ana", "name": "Ana Rusu"}]}')
        self.assertEqual((one.login, one.name), ("ana", "Ana Rusu"))
        for empty in ("", "null", "[]", '{"items": null}'):
            self.assertEqual(api.read_accounts(empty), [])
        for text in ('{"error": "x"}', "<html>", '"text"', "5", "[" * 5000):
            with self.assertRaises(ValueError, msg=text[:20]):
                api.read_accounts(text)

    def test_switches(self):
        for text, state in (
            ('{"state": true}', True),
            ('{"state": "false"}', False),
            ('{"status": "on"}', True),
            ("off", False),
            ('{"state": 0}', False),
            ("", None),
            ('{"x": 1}', None),
            ("OK", None),
        ):
            self.assertIs(api.read_switch(text), state, text)

    def test_faults(self):
        for status, excerpt, code in (
            (301, "", "tenant"),
            (400, '{"error": "Invalid parameters: [user]"}', "parameters"),
            (400, '{"error": "Invalid token"}', "token"),
            (401, "", "token"),
            (404, "", "address"),
            (429, "", "trouble"),
            (502, "", "trouble"),
            (418, "", "answer"),
        ):
            self.assertEqual(api.fault_of_status(status, excerpt)[0], code)
        self.assertEqual(
            api.fault_of_status(400, "Invalid parameters: [user]")[1], "user"
        )
        for code in FAULTS:
            self.assertEqual(fault_of(PbxFault(code, "detail").words), code)
        self.assertEqual(fault_of("nothing of ours"), "")
        self.assertEqual(fault_of(None), "")

    @SAME
    @given(st.text())
    def test_nothing_but_value_error(self, text):
        api.read_dial(text)
        api.read_switch(text)
        history_csv(text, NOW)
        for reader in (api.read_accounts, api.read_groups, history_json):
            with suppress(ValueError):
                reader(text)

    _values = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=12),
        st.lists(st.none()),
    )

    @SAME
    @given(
        st.lists(
            st.dictionaries(
                st.sampled_from(
                    ["uid", "type", "client", "user", "start", "wait", "duration"]
                    + ["record", "status", "group", "name", "login", "realName", "id"]
                ),
                _values,
            ),
            max_size=4,
        )
    )
    def test_rows_of_any_values(self, rows):
        text = json.dumps(rows)
        for event in history_json(text, NOW):
            self.assertIsInstance(event, CallEvent)
            self.assertIn(event.kind, ("history", "ignored", "rating"))
        api.read_accounts(text)
        api.read_groups(text)


class TestHistory(BaseCase):
    """Rows of history, and the dialled call among them."""

    def test_marks(self):
        row = "c,in,37369123456,ana,3732,2026-11-21T16:00:00+02:00,5,60,,4\r\n"
        (record,) = history_csv(row, NOW)
        self.assertEqual((record.kind, record.duration), ("history", 65))
        self.assertIsNone(record.rating, "quality may be that of the line")
        row = {"uid": "c", "type": "in", "user": "ana", "client": "1234567"}
        (_record, mark) = history_json(json.dumps([row | {"rating": 4}]), NOW)
        self.assertEqual((mark.kind, mark.callid, mark.rating), ("rating", "c", 4))
        for odd in ("", "0", 6, "good", 4.5, True, None):
            found = history_json(json.dumps([row | {"rating": odd}]), NOW)
            self.assertEqual(len(found), 1, odd)

    def test_json_says_busy_where_csv_cannot(self):
        row = {"uid": "c", "type": "out", "user": "ana", "client": "1234567"}
        row |= {"start": "2026-11-21T14:00:00Z", "wait": 7}
        (event,) = history_json(json.dumps([row | {"status": "Busy"}]), NOW)
        self.assertEqual((event.status, event.duration), ("busy", None))
        self.assertEqual(event.at, NOW - timedelta(hours=4))
        for empty in ("null", "", "[]"):
            self.assertEqual(history_json(empty), [])

    def _event(self, **values):
        base = {"kind": "history", "callid": "c", "direction": "out", "user": "ana"}
        return CallEvent(**(base | {"phone": "37369123456", "at": NOW} | values))

    def test_the_dialled_call_is_found(self):
        span = (NOW - timedelta(minutes=5), NOW + timedelta(minutes=5))
        phones = {"37369123456"}
        late = self._event(callid="late", at=NOW + timedelta(minutes=2))
        events = [late, self._event()]
        self.assertEqual(find_dialled(events, "ana", phones, *span).callid, "c")
        for values in (
            {"user": "igor"},
            {"phone": "37369123457"},
            {"direction": "in"},
            {"at": None},
            {"at": NOW - timedelta(minutes=6)},
            {"kind": "rating"},
        ):
            found = find_dialled([self._event(**values)], "ana", phones, *span)
            self.assertIsNone(found, values)
