# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a person may do to the boxes, what is kept how long, and by which index."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.backoff import OUTBOUND_STEPS
from odoo.addons.oda_base.connectors import Delivery, Envelope, Push
from odoo.addons.oda_base.models import (
    oda_inbound,
    oda_inbound_intake,
    oda_outbound,
    oda_refusal,
)

from .common import WireCase


@tagged("-at_install", "post_install")
class TestBoxes(WireCase):
    def setUp(self):
        super().setUp()
        self.admin = new_test_user(
            self.env, "boxes_admin", groups="oda_base.group_admin"
        )

    def enqueue(self, **options):
        return self.env["oda.outbound"]._enqueue(
            options.pop("account", self.account), "send", {"to": "x"}, **options
        )

    def events(self, code, record):
        return self.env["oda.event"].search_count(
            [("code", "=", code), ("res_id", "=", record.id)]
        )

    def later(self, row):
        row.write({"next_try_at": fields.Datetime.now() - timedelta(seconds=1)})

    # === A PERSON'S HAND ===#

    def test_a_message_can_only_be_cancelled(self):
        row = self.enqueue().with_user(self.admin)
        for vals in (
            {"state": "done"},
            {"state": "pending"},
            {"state": "cancelled", "attempts": 0},
            {"next_try_at": False},
            {"finished_at": False},
            {},
        ):
            with self.assertRaises(AccessError, msg=vals):
                row.write(vals)
        row.write({"state": "cancelled"})
        self.assertEqual(row.state, "cancelled")
        self.assertTrue(row.finished_at)
        self.assertEqual(self.events("outbound.cancel", row), 1)
        with self.assertRaises(UserError):
            row.write({"state": "cancelled"})

    def test_what_is_settled_is_never_sent_again(self):
        for state in ("done", "failed"):
            row = self.enqueue()
            row.write({"state": state})
            with self.assertRaises(UserError):
                row.with_user(self.admin).write({"state": "cancelled"})
            for back in ("pending", "sending", "unknown"):
                with self.assertRaises(UserError):
                    row.write({"state": back})
            row._conclude_here(Delivery("later"))
            row._conclude_here(Delivery("unknown"))
            self.assertEqual(row.state, state)

    def test_a_push_is_replayed_or_discarded_with_a_journal(self):
        row = self.receive("1").with_user(self.admin)
        for vals in ({"state": "dead"}, {"note": "x"}, {"next_try_at": False}):
            with self.assertRaises(AccessError, msg=vals):
                row.write(vals)
        row.sudo().write({"state": "dead"})
        row.action_discard()
        self.assertEqual(row.state, "discarded")
        row.action_replay()
        self.assertEqual(row.state, "new")
        self.assertEqual(self.events("inbound.discard", row), 1)
        self.assertEqual(self.events("inbound.replay", row), 1)

    # === THE OUTBOX ===#

    def test_asking_is_no_sending(self):
        row = self.enqueue()
        self.driver.script[:] = [Delivery("unknown")] * 4 + [Delivery("later")]
        waits = []
        for _turn in range(4):
            before = fields.Datetime.now()
            self.drain("oda.outbound")
            waits.append(round((row.next_try_at - before).total_seconds(), -1))
            self.later(row)
        self.assertEqual((row.attempts, row.asked), (1, 3))
        self.assertEqual(waits[1:], list(OUTBOUND_STEPS[:3]), "asked ever more seldom")
        self.drain("oda.outbound")  # it surely never arrived
        self.assertEqual((row.state, row.attempts), ("pending", 1))
        self.later(row)
        self.drain("oda.outbound")
        self.assertEqual((row.state, row.attempts, row.asked), ("done", 2, 0))
        asked = [message["attempts"] for _account, message in self.driver.asked]
        self.assertEqual(asked, [1, 1, 1, 1])

    def test_one_hook_wakes_for_all(self):
        other = self.make_account(key="other")
        with self.trap_wakes() as woken:
            for _i in range(3):
                self.enqueue()
                self.enqueue(account=other)
            self.env["oda.connector.account"]._wake_after_commit(
                [self.account.id], "oda.inbound", "_drain"
            )
            self.assertEqual(len(self.env.cr.postcommit), 1)
        self.assertEqual(
            woken,
            [
                (self.account.id, "oda.outbound", "_drain"),
                (other.id, "oda.outbound", "_drain"),
                (self.account.id, "oda.inbound", "_drain"),
            ],
        )

    def test_a_wake_after_the_hook_gets_its_own(self):
        cr = self.env.cr
        cr.postcommit.clear()
        calls = []
        Account = self.env["oda.connector.account"]
        with patch.object(
            self.registry["oda.connector.account"],
            "_wake_all",
            lambda model, registry, wakes: calls.append(wakes),
        ):
            Account._wake_after_commit([1], "oda.inbound", "_drain")
            cr.postcommit.add(
                lambda: Account._wake_after_commit([2], "oda.inbound", "_drain")
            )
            cr.postcommit.run()
        self.assertEqual(
            calls, [[(1, "oda.inbound", "_drain")], [(2, "oda.inbound", "_drain")]]
        )

    def test_a_secret_that_does_not_open_ends_the_job_in_words(self):
        row = self.enqueue()
        with patch.object(
            sealing, "unseal", side_effect=sealing.SealBroken("The key is gone.")
        ):
            said = self.drain("oda.outbound")
        self.assertEqual(said, "nothing is sent: The key is gone.")
        self.assertEqual((row.state, row.words), ("pending", "The key is gone."))
        self.assertEqual(self.drain("oda.outbound"), "1 messages")

    def test_a_key_is_one_accounts(self):
        other = self.make_account(key="other")
        row = self.enqueue(key="order-1")
        self.assertEqual(self.enqueue(key="order-1"), row)
        with self.assertRaisesRegex(UserError, "Another account"):
            self.enqueue(key="order-1", account=other)

    # === THE INBOX ===#

    def test_a_taken_key_is_looked_at_again_then_the_rows_own(self):
        tries = []

        def process(model, rows):
            tries.append(len(rows))
            if "bad" in rows.mapped("event_key"):
                raise UniqueViolation("taken")
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        good, bad = self.receive("good"), self.receive("bad")
        with mute_logger("odoo.sql_db"):
            self.drain()
        self.assertEqual((good.state, bad.state), ("done", "retry"))
        self.assertEqual(tries, [2] * oda_inbound.LOOKS + [1, 1])

    def test_a_key_may_come_again_after_its_time(self):
        def ring(at, key="ring"):
            with patch.object(oda_inbound_intake.time, "time", return_value=at):
                return self.env["oda.inbound"]._receive(
                    self.account._account(),
                    Push("POST", {}, {}, "", b"", ""),
                    Envelope(key, repeats=60),
                )

        self.assertTrue(ring(6000))
        self.assertFalse(ring(6059), "a redelivery")
        self.assertTrue(ring(6060), "a second ring")
        self.assertTrue(ring(6061, "other"))
        long = "k" * 300
        self.assertTrue(ring(6000, long))
        self.assertFalse(ring(6001, long))
        self.assertTrue(ring(6060, long))

    def test_links_to_recordings_are_not_shown(self):
        row = self.receive(
            "1", body=b"link=https%3A%2F%2Fpbx.example.md%2Frec%2FaB3.mp3&phone=1"
        )
        text = row.with_user(self.admin).body_text
        self.assertEqual(text, "link=https://pbx.example.md/***&phone=1")
        self.assertIn(b"aB3.mp3", row._raw_body(), "kept for the work")

    # === RETENTION ===#

    def test_the_vacuum_says_whether_more_is_left(self):
        old = fields.Datetime.now() - timedelta(days=400)
        pushes = sum((self.receive(str(n)) for n in range(5)), self.env["oda.inbound"])
        pushes.write({"state": "done", "received_at": old})
        other = self.receive("1", account=self.make_account(key="other"))
        other.write({"state": "ignored", "received_at": old})
        messages = sum((self.enqueue() for _n in range(3)), self.env["oda.outbound"])
        messages.write({"state": "done", "created_at": old})
        self.env["oda.refusal"].create(
            [{"at": old, "reason": "method", "count": 1}] * 3
        )
        self.env.flush_all()
        for model, module, method, number in (
            ("oda.inbound", oda_inbound, "_gc_inbound", 6),
            ("oda.outbound", oda_outbound, "_gc_outbound", 3),
            ("oda.refusal", oda_refusal, "_gc_refusals", 3),
        ):
            vacuum = getattr(self.env[model], method)
            with patch.object(module, "GC_LIMIT", 2):
                said = []
                while not said or said[-1][1]:
                    said.append(vacuum())
            self.assertEqual(sum(removed for removed, _more in said), number, model)
            self.assertTrue(said[0][1] and not said[-1][1], said)

    # === INDEXES ===#

    def test_the_screens_questions_have_an_index(self):
        self.env.cr.execute(
            """
            INSERT INTO oda_inbound (account_id, event_key, order_key, state,
                                     received_at, attempts)
            SELECT %s, 'bulk-' || n, CASE WHEN n %% 4 > 0 THEN 'call-' || n / 4
                   ELSE '' END, CASE WHEN n %% 5000 = 0 THEN 'dead' WHEN n %% 4000 = 0
                   THEN 'retry' WHEN n > 49990 THEN 'new' ELSE 'done' END,
                   now() - n * interval '1 minute', 0
              FROM generate_series(1, 50000) n
            """,
            (self.account.id,),
        )
        self.env.cr.execute("ANALYZE oda_inbound")
        Inbound = self.env["oda.inbound"]
        for domain, index in (
            ([("order_key", "=", "call-77")], "order_idx"),
            ([("event_key", "=", "bulk-77")], "event_uniq"),
            ([("state", "=", "dead")], "failed_idx"),
            ([("state", "in", ("new", "retry"))], "todo_idx"),
        ):
            plan = self._plan_of(Inbound._search(domain, order="id"))
            self.assertIn(f"oda_inbound_{index}", plan, domain)
        plan = self._plan(
            oda_inbound._CANDIDATES,
            {"account": self.account.id, "now": fields.Datetime.now(), "limit": 100},
        )
        self.assertIn("oda_inbound_todo_idx", plan)
        self.assertNotIn("Seq Scan on oda_inbound", plan)

    def _plan_of(self, query):
        select = query.select()
        return self._plan(select.code, tuple(select.params))

    def _plan(self, code, params):
        self.env.cr.execute(f"EXPLAIN {code}", params)
        return "\n".join(line for (line,) in self.env.cr.fetchall())
