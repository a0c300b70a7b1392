# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tests.common import BaseCase
from odoo.tools import file_open

from .. import reconciling
from ..connector_moldcell import MoldcellConnector
from ..models import oda_call_reconcile
from .common import TelephonyCase
from .fake_pbx import HOST, FakePbx

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class TestSpans(BaseCase):
    """Which part of the history is asked for."""

    def test_begins_where_the_channel_began(self):
        since, until = reconciling.span_of(NOW, NOW - timedelta(hours=1), None)
        self.assertEqual(since, NOW - timedelta(hours=1))
        self.assertEqual(until, NOW + reconciling.SKEW)

    def test_goes_back_by_the_longest_call(self):
        done = NOW - timedelta(minutes=10)
        since, _until = reconciling.span_of(NOW, NOW - timedelta(days=300), done)
        self.assertEqual(since, done - reconciling.OVERLAP)

    def test_a_long_absence_has_an_end(self):
        old = NOW - timedelta(days=300)
        since, until = reconciling.span_of(NOW, old, old)
        self.assertEqual(since, NOW - reconciling.OLDEST)
        pages = reconciling.pages(since, until)
        self.assertEqual((pages[0][0], pages[-1][1]), (since, until))
        for (_a, end), (begin, _b) in zip(pages, pages[1:], strict=False):
            self.assertEqual(end, begin, "no gap between pages")

    def test_a_clock_that_went_backwards_asks_for_something(self):
        since, until = reconciling.span_of(NOW, NOW + timedelta(hours=9), None)
        self.assertLess(since, until)

    def test_pauses_grow_and_end(self):
        pauses = [reconciling.next_pause(count) for count in range(0, 50)]
        self.assertEqual(pauses, sorted(pauses))
        self.assertLessEqual(pauses[-1], timedelta(hours=1))


class ReconcileCase(TelephonyCase):
    def setUp(self):
        super().setUp()
        self.account.moldcell_address = HOST
        self.pbx = FakePbx().patch(self)
        # The channel is two days old.
        self.env.cr.execute(
            "UPDATE oda_connector_account SET create_date = %s WHERE id = %s",
            (self.later(days=-2), self.account.id),
        )
        self.account.invalidate_recordset(["create_date"])
        # The job's own cursors would not see this transaction.
        registry, env = self.registry, self.env

        def own(_registry, uid, function, tries=6, context=None):
            # Once more in the same transaction, as the user of the job.
            result = function(env(user=uid, context=context or {}))
            env.flush_all()
            return result

        patcher = patch.object(oda_call_reconcile, "in_own_transaction", own)
        patcher.start()
        self.addCleanup(patcher.stop)

        class Lock:
            def __enter__(self):
                return env.cr

            def __exit__(self, *args):
                return False

        patcher = patch.object(type(registry), "cursor", lambda *_a, **_k: Lock())
        patcher.start()
        self.addCleanup(patcher.stop)

    def reconcile(self, account=None):
        account = account or self.account
        words = self.env["oda.call"].with_user(self.robot)._reconcile(account.id)
        self.env.invalidate_all()
        return words

    def ago(self, minutes):
        return datetime.now(timezone.utc) - timedelta(minutes=minutes)

    def row(self, callid, kind="in", phone="37369555111", user="ana", **more):
        start = more.get("start") or self.ago(30)
        wait, talk = more.get("wait", 5), more.get("talk", 60)
        return (
            f"{callid},{kind},{phone},{user},37322200100,{start.isoformat()},"
            f"{wait},{talk},{more.get('link', '')}\r\n"
        )


@tagged("post_install", "-at_install")
class TestReconcile(ReconcileCase):
    """What no push has told, the history does."""

    def test_a_call_of_which_nothing_came_is_found(self):
        self.pbx.answers["history"] = self.row("lost") + self.row(
            "missed", "missed", "37369000123", "g_1b2c@demo", talk=0
        )
        self.reconcile()
        call = self.call_of("lost")
        self.assertEqual(
            (call.state, call.outcome, call.user_id), ("ended", "answered", self.ana)
        )
        self.assertEqual(call.partner_id, self.partner)
        self.assertEqual(call.duration, 65)
        self.assertEqual(len(call.leg_ids.session_id), 1)
        self.assertTrue(call.leg_ids.session_id.ended_at)
        missed = self.call_of("missed")
        self.assertEqual(missed.outcome, "missed")
        self.assertTrue(missed.partner_id.oda_is_new, "a stranger is not lost either")
        self.assertTrue(missed.lead_id)
        self.assertEqual(self.account.reconcile_found, 2)
        self.assertEqual(self.account.reconcile_repaired, 0)
        self.assertFalse(self.told, "an old call opens no card on a screen")

    def test_a_call_that_never_ended_here_is_ended(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(self.call_of().state, "talking")
        self.pbx.answers["history"] = self.row(
            "call-1", link="https://demo.pbx.moldcell.md/r/1.mp3"
        )
        self.reconcile()
        call = self.call_of()
        self.assertEqual((call.state, call.outcome), ("ended", "answered"))
        self.assertEqual(len(call.recording_ids), 1)
        self.assertEqual(
            (self.account.reconcile_found, self.account.reconcile_repaired), (0, 1)
        )
        self.assertEqual(
            self.told[-1][1], "result", "whose card is open is told that it is over"
        )

    def test_what_is_known_is_neither_counted_nor_written(self):
        call = self.answered_call(
            duration="65", start=self.ago(30).strftime("%Y%m%dT%H%M%SZ")
        )
        self.pbx.answers["history"] = self.row("call-1")
        self.reconcile()
        self.env.flush_all()
        version = self.call_of().version
        self.reconcile()
        self.reconcile()
        self.assertEqual(self.call_of().version, version)
        self.assertEqual(
            (self.account.reconcile_found, self.account.reconcile_repaired), (0, 0)
        )
        self.assertEqual(call.outcome, "answered")

    def test_events_alone_said_missed_the_history_knows_better(self):
        self.event("INCOMING")
        self.event("CANCELLED")
        self.work()
        call = self.call_of()
        call.with_user(self.robot)._decide(self.later(minutes=30))
        self.assertEqual(call.outcome, "missed")
        self.pbx.answers["history"] = self.row("call-1", user="igor")
        self.reconcile()
        self.assertEqual((call.outcome, call.user_id), ("answered", self.igor))
        self.assertEqual(self.account.reconcile_repaired, 1)

    def test_a_call_of_this_moment_is_left_to_its_pushes(self):
        self.pbx.answers["history"] = self.row("now", start=self.ago(1.5))
        self.reconcile()
        self.assertFalse(self.call_of("now"))

    def test_asked_with_overlap_and_noted(self):
        self.reconcile()
        first = self.pbx.named("history")
        self.assertEqual(len(first), 9, "two days, six hours a page")
        self.assertTrue(self.account.reconciled_at)
        self.assertGreater(self.account.reconcile_next_at, self.later(minutes=9))
        self.pbx.asked.clear()
        self.reconcile()
        again = self.pbx.named("history")
        self.assertEqual(len(again), 2)
        self.assertLess(again[0]["start"], self.ago(5 * 60).strftime("%Y%m%dT%H%M%SZ"))
        self.assertEqual(again[0]["type"], "all")

    def test_full_pages_are_halved_until_they_fit(self):
        rows = [self.row(f"c{n}", start=self.ago(30 + n % 200)) for n in range(2500)]
        begun = {row.split(",")[0]: row.split(",")[5] for row in rows}

        def answer(data):
            since, until = (
                datetime.strptime(data[name], "%Y%m%dT%H%M%SZ").replace(
                    tzinfo=timezone.utc
                )
                for name in ("start", "end")
            )
            some = [
                row
                for row in rows
                if since <= datetime.fromisoformat(begun[row.split(",")[0]]) < until
            ]
            return "".join(some[-int(data["limit"]) :])

        self.pbx.answers["history"] = answer
        found = MoldcellConnector().history(
            self.account._account(), self.ago(360), self.ago(0)
        )
        self.assertEqual({event.callid for event in found}, set(begun))

    def test_an_hour_of_outage(self):
        self.reconcile()
        until = self.account.reconciled_until
        found = self.account.reconcile_found
        self.pbx.answers["history"] = 503
        for count in (1, 2, 3):
            self.assertIn("could not be reached", self.reconcile())
            self.assertEqual(self.account.reconcile_failures, count)
        self.assertEqual(self.account.reconciled_until, until)
        self.assertEqual(self.account.live_state, "trouble", "seen on the channel")
        self.assertGreater(self.account.reconcile_next_at, self.later(minutes=9))
        self.assertIn("could not be reached", self.account.reconcile_words)
        self.pbx.answers["history"] = self.row("during", start=self.ago(40))
        self.reconcile()
        self.assertTrue(self.call_of("during"))
        self.assertEqual(self.account.reconcile_failures, 0)
        self.assertNotEqual(self.account.live_state, "trouble")
        self.assertFalse(self.account.reconcile_words)
        self.assertEqual(self.account.reconcile_found, found + 1)

    def test_what_is_broken_off_goes_on_where_it_was(self):
        pages = []

        def answer(data):
            pages.append(data["start"])
            return self.pbx.silence() if len(pages) == 3 else ""

        self.pbx.answers["history"] = answer
        self.reconcile()
        done = self.account.reconciled_until
        self.assertTrue(done)
        self.assertEqual(len(pages), 3)
        self.reconcile()
        self.assertEqual(
            pages[3],
            (done - reconciling.OVERLAP).strftime("%Y%m%dT%H%M%SZ"),
        )

    def test_a_clock_that_is_wrong(self):
        for minutes, callid in ((-12, "ahead"), (45, "behind")):
            self.pbx.answers["history"] = self.row(
                callid, start=self.ago(minutes), talk=0, kind="missed"
            )
            with patch.object(
                oda_call_reconcile.reconciling, "is_settled", lambda *_args: True
            ):
                self.reconcile()
            self.assertEqual(self.call_of(callid).outcome, "missed")

    def test_two_accounts_on_one_number(self):
        other = self.env["oda.connector.account"].create(
            {
                "name": "second PBX",
                "connector": "moldcell",
                "key": "t2",
                "secret": "another-token",
                "moldcell_address": HOST,
            }
        )
        self.env.cr.execute(
            "UPDATE oda_connector_account SET create_date = %s WHERE id = %s",
            (self.later(days=-2), other.id),
        )
        other.invalidate_recordset(["create_date"])
        self.pbx.answers["history"] = self.row("same-id", phone="37369000321")
        self.reconcile()
        self.reconcile(other)
        calls = self.env["oda.call"].search([("callid", "=", "same-id")])
        self.assertEqual(calls.account_id, self.account | other)
        self.assertEqual(len(calls.partner_id), 1, "one card a caller")

    def test_answers_that_are_no_history(self):
        for answer in (
            "<html>please log in</html>",
            '{"error": "x"}',
            "null",
            "a,b\r\n,,,,,,,,\r\nx,sideways,1,2,3,4,5,6,7\r\n",
            "lost,in,37369555111,ana,1,not a date,x,y,javascript:alert(1)\r\n",
            "\0\0\ufeff\r\n\r\n",
            "i,internal,701,ana,702,2026-11-21T10:00:00Z,1,2,\r\n",
            "\r\n".join('"' * n for n in range(50)),
        ):
            with self.subTest(answer=answer[:20]):
                self.pbx.answers["history"] = answer
                self.reconcile()
        self.assertFalse(self.call_of("i"))
        self.assertFalse(self.call_of("lost").recording_ids)

    def test_wrong_token_is_said_where_the_administrator_looks(self):
        self.account.moldcell_token = "wrong"
        self.reconcile()
        self.assertIn("does not accept our token", self.account.reconcile_words)
        self.account.moldcell_token = "right-one"
        self.reconcile()
        self.assertFalse(self.account.reconcile_words)

    def test_a_lost_dialled_call_is_adopted_from_the_history(self):
        lead = self.env["crm.lead"].create(
            {"name": "Case", "partner_id": self.partner.id, "user_id": self.ana.id}
        )
        answer = (
            self.env["oda.call"]
            .with_user(self.ana)
            .oda_dial("069555111", "crm.lead", lead.id)
        )
        dial = self.env["oda.dial"].browse(answer["id"])
        dial.created_at = self.later(minutes=-31)
        self.pbx.answers["history"] = self.row("out-1", "out")
        self.reconcile()
        self.assertEqual(self.call_of("out-1").lead_id, lead)
        self.assertEqual(dial.call_id, self.call_of("out-1"))

    def test_rest_mode(self):
        self.account.moldcell_mode = "v1"
        path = f"https://{HOST}/crmapi/v1/history/json"
        self.pbx.answers[path] = "null"
        self.reconcile()
        self.assertFalse(self.account.reconcile_words)
        row = {"uid": "v-1", "type": "out", "status": "Busy", "user": "ana", "wait": 9}
        row["start"] = self.ago(20).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.pbx.answers[path] = json.dumps([row | {"client": "37369555111"}])
        self.reconcile()
        self.assertEqual(self.call_of("v-1").outcome, "busy")

    def test_who_may_and_where_it_runs(self):
        self.account.reconcile_next_at = self.later(minutes=5)
        self.env["oda.connector.account"]._cron_reconcile()
        jobs = self.env["queue.job"].search(
            [("identity_key", "=", f"oda.call:{self.account.id}")]
        )
        self.assertFalse(jobs, "not its time yet")
        self.account.reconcile_next_at = False
        self.env["oda.connector.account"]._cron_reconcile()
        jobs = self.env["queue.job"].search(
            [("identity_key", "=", f"oda.call:{self.account.id}")]
        )
        self.assertEqual(jobs.method_name, "_reconcile")
        for user in (self.ana, self.boss):
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_reconcile()
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_pbx_refresh()

    def test_an_account_without_an_address_is_left_alone(self):
        self.account.moldcell_address = False
        self.assertEqual(self.reconcile(), "nothing to compare with")
        self.assertFalse(self.pbx.asked)
        self.assertFalse(self.account.reconcile_next_at)

    def test_a_copy_of_the_database_commands_nobody(self):
        self.account.moldcell_token = "a-secret-token"
        self.env.flush_all()
        with file_open("oda_telephony/data/neutralize.sql") as statements:
            self.env.cr.execute(statements.read())
        self.account.invalidate_recordset()
        self.assertFalse(self.account.has_moldcell_token)
        self.assertFalse(self.account._pbx_can("dial"))

    def test_a_token_that_does_not_open_stops_commands_not_pushes(self):
        self.account.sudo().moldcell_token_sealed = "oda1.broken"
        logger = "odoo.addons.oda_telephony.models.oda_connector_account_moldcell"
        with self.assertLogs(logger, "ERROR"):
            plain = self.account._account()
        self.assertEqual(plain.options["address"], "")
        self.assertTrue(plain.secret, "what verifies pushes is there")
        with self.assertLogs(logger, "ERROR"):
            self.reconcile()
        self.assertIn("address and token", self.account.reconcile_words)

    def test_fields_of_the_job_are_not_for_hands(self):
        for name in ("reconciled_until", "reconcile_found", "reconcile_next_at"):
            self.assertTrue(self.account._fields[name].readonly)
        self.assertFalse(self.account.moldcell_token)
        self.account.moldcell_token = "a-secret-token"
        self.assertFalse(self.account.moldcell_token, "never shown again")
        self.assertNotIn("a-secret-token", str(self.account.sudo().read()))
        self.assertTrue(self.account.has_moldcell_token)
        self.assertEqual(self.account._account().options["token"], "a-secret-token")
        self.assertNotIn("a-secret-token", repr(self.account._account()))
        self.assertEqual(fields.Datetime.now().year, self.later().year)
