# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.oda_base.backoff import INBOUND_STEPS
from odoo.addons.oda_base.connectors import Driver
from odoo.addons.oda_base.models import oda_inbound

from .common import WireCase


def failing_on(*keys, error=ValueError):
    """A processor that raises whenever a row with one of `keys` is among its rows."""

    def process(model, rows):
        for row in rows:
            if row.event_key in keys:
                raise error(f"cannot work {row.event_key}")
        return [(row, "done", "") for row in rows]

    return process


@tagged("-at_install", "post_install")
class TestDrain(WireCase):
    def setUp(self):
        super().setUp()
        self.worked = []

    def remember(self, model, rows):
        self.worked.append(rows.mapped("event_key"))
        return [(row, "done", f"note {row.event_key}") for row in rows]

    def due(self, rows):
        """Let the time of the next try have come."""
        rows.write({"next_try_at": fields.Datetime.now() - timedelta(seconds=1)})

    def test_by_arrival_in_one_call(self):
        self.work_with(self.remember)
        rows = [self.receive(key) for key in ("z", "a", "m", "b")]
        self.assertEqual(self.drain(), "4 rows")
        self.assertEqual(self.worked, [["z", "a", "m", "b"]])
        for row in rows:
            self.assertRecordValues(
                row,
                [
                    {
                        "state": "done",
                        "note": f"note {row.event_key}",
                        "error": False,
                        "next_try_at": False,
                        "attempts": 0,
                    }
                ],
            )
            self.assertTrue(row.processed_at)
        self.assertEqual(self.drain(), "0 rows", "nothing is worked twice")

    def test_more_than_a_batch(self):
        self.work_with(self.remember)
        with patch.object(
            self.registry["oda.inbound"]._drain_batch, "__defaults__", (3, False)
        ):
            for number in range(8):
                self.receive(str(number))
            self.assertEqual(self.drain(), "8 rows")
        self.assertEqual(self.worked, [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]])

    def test_worked_as_the_connector_user_in_the_accounts_company(self):
        company = self.env["res.company"].create({"name": "Branch"})
        account = self.make_account(key="branch", company_id=company.id)
        self.receive("1", account=account)
        seen = []

        def process(model, rows):
            seen.append((model.env.user, model.env.su, model.env.company))
            self.assertEqual(rows._raw_body(), b"{}")
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        self.assertEqual(self.drain(account=account), "1 rows")
        user = self.env.ref("oda_base.user_connector")
        self.assertEqual(seen, [(user, False, company)])

    def test_out_of_time_hands_over_to_another_job(self):
        self.receive("1")
        with self.trap_wakes() as woken, patch.object(oda_inbound, "BUDGET", -1):
            self.assertEqual(self.drain(), "0 rows, more waiting")
            self.env.cr.postcommit.run()
        self.assertIn((self.account.id, "oda.inbound", "_drain"), woken)

    # === FAILURES ===#

    def test_one_bad_row_among_fifty(self):
        self.work_with(failing_on("17"))
        rows = {str(number): self.receive(str(number)) for number in range(50)}
        self.drain()
        bad = rows.pop("17")
        self.assertEqual({row.state for row in rows.values()}, {"done"})
        self.assertEqual((bad.state, bad.attempts), ("retry", 1))
        self.assertEqual(bad.error, "ValueError: cannot work 17")
        self.assertTrue(bad.next_try_at > fields.Datetime.now())
        self.drain()
        self.assertEqual(bad.attempts, 1, "not before its time")
        self.work_with(failing_on())
        self.due(bad)
        self.drain()
        self.assertEqual((bad.state, bad.error, bad.attempts), ("done", False, 1))

    def test_a_failed_row_leaves_no_half_effects(self):
        def process(model, rows):
            Partner = model.sudo()
            results = []
            for row in rows:
                Partner.create({"name": f"Half {row.event_key}"})
                if row.event_key == "bad":
                    raise ValueError("after the effect")
                results.append((row, "done", ""))
            return results

        self.work_with(process)
        for key in ("one", "bad", "two"):
            self.receive(key)
        self.drain()
        made = self.env["res.partner"].search([("name", "like", "Half ")])
        self.assertEqual(set(made.mapped("name")), {"Half one", "Half two"})

    def test_an_error_at_flush_is_the_rows_own(self):
        def process(model, rows):
            for row in rows:
                if row.event_key == "bad":
                    # Only the flush meets the constraint.
                    model.env["oda.claim"].sudo().create({"key": False})
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        good, bad = self.receive("good"), self.receive("bad")
        with self.assertLogs("odoo.sql_db", "ERROR"):
            self.drain()
        self.assertEqual((good.state, bad.state), ("done", "retry"))

    def test_a_retry_holds_back_its_own_order_only(self):
        self.work_with(failing_on("a1"))
        keys = (("a1", "A"), ("b1", "B"), ("a2", "A"), ("c1", ""), ("a3", "A"))
        rows = {key: self.receive(key, order=order) for key, order in keys}

        def states():
            return {key: row.state for key, row in rows.items()}

        self.drain()
        self.assertEqual(
            states(),
            {"a1": "retry", "b1": "done", "a2": "new", "c1": "done", "a3": "new"},
        )
        rows["a4"] = self.receive("a4", order="A")
        rows["b2"] = self.receive("b2", order="B")
        self.work_with(self.remember)
        self.drain()
        self.assertEqual(self.worked, [["b2"]])
        self.due(rows["a1"])
        self.drain()
        self.assertEqual(self.worked[1:], [["a1", "a2", "a3", "a4"]], "in order")
        self.assertEqual(set(states().values()), {"done"})

    def test_rows_without_an_order_do_not_wait_for_each_other(self):
        self.work_with(failing_on("1"))
        self.receive("1")
        second = self.receive("2")
        self.drain()
        self.assertEqual(second.state, "done")

    def test_another_account_does_not_wait(self):
        other = self.make_account(key="other")
        self.work_with(failing_on("1"))
        self.receive("1", order="A")
        row = self.receive("2", order="A", account=other)
        self.drain()
        self.assertEqual(row.state, "new", "a drain is of one account")
        self.drain(account=other)
        self.assertEqual(row.state, "done")

    def test_every_step_until_dead(self):
        self.work_with(failing_on("bad"))
        row, later = self.receive("bad", order="A"), self.receive("x", order="A")
        for number, step in enumerate(INBOUND_STEPS, 1):
            before = fields.Datetime.now()
            self.drain()
            self.assertEqual((row.state, row.attempts), ("retry", number))
            wait = (row.next_try_at - before).total_seconds()
            self.assertTrue(step <= wait <= step + 5, (step, wait))
            self.assertEqual(later.state, "new")
            self.due(row)
        self.drain()
        self.assertEqual((row.state, row.attempts), ("dead", len(INBOUND_STEPS) + 1))
        self.assertFalse(row.next_try_at)
        self.assertEqual(later.state, "done", "a dead one holds nobody up for ever")
        self.assertEqual((self.account.dead_count, self.account.waiting_count), (1, 0))

    def test_odd_errors_are_kept(self):
        def process(model, rows):
            raise ValueError("NUL \0 and \ud800 and " + "long " * 2000)

        self.work_with(process)
        row = self.receive("1")
        self.drain()
        self.assertEqual(row.state, "retry")
        self.assertLessEqual(len(row.error), 2000)

    def test_a_processor_that_forgets_a_row(self):
        """Nothing may be worked for ever, or be lost."""
        for answer in (
            lambda model, rows: [],
            lambda model, rows: [(rows[0], "done", "")] * 2,
            lambda model, rows: [(row, "new", "") for row in rows],
        ):
            self.work_with(answer)
            row = self.receive(f"forgotten-{id(answer)}")
            self.drain()
            self.assertEqual(row.state, "retry", row.error)

    def test_without_a_processor(self):
        class Deaf(Driver):
            name = "testdeaf"

        self.add_driver(Deaf())
        account = self.make_account(connector="testdeaf", key="deaf")
        row = self.receive("1", account=account)
        self.drain(account=account)
        self.assertEqual(row.state, "dead")
        self.assertTrue(row.note)

    # === PEOPLE ===#

    def test_replay(self):
        self.work_with(failing_on("bad"))
        row = self.receive("bad")
        self.drain()
        row.write({"state": "dead"})
        with self.trap_wakes() as woken:
            row.action_replay()
            self.assertFalse(woken, "not before the commit")
        self.assertEqual(woken, [(self.account.id, "oda.inbound", "_drain")])
        self.assertRecordValues(
            row,
            [{"state": "new", "attempts": 0, "error": False, "next_try_at": False}],
        )
        self.assertEqual(
            self.env["oda.event"].search([("code", "=", "inbound.replay")]).res_id,
            row.id,
        )
        self.work_with(self.remember)
        self.drain()
        self.assertEqual(row.state, "done")
        row.action_replay()
        self.drain()
        self.assertEqual(self.worked, [["bad"], ["bad"]], "also what was done")

    def test_discard(self):
        row, new = self.receive("1"), self.receive("2")
        row.write({"state": "dead"})
        with self.assertRaises(UserError):
            (row + new).action_discard()
        self.assertEqual(row.state, "dead", "all or none")
        row.action_discard()
        self.assertEqual(row.state, "discarded")
        self.work_with(self.remember)
        self.drain()
        self.assertEqual(self.worked, [["2"]])
        self.assertTrue(
            self.env["oda.event"].search_count([("code", "=", "inbound.discard")])
        )

    def test_content_is_shown_without_secrets(self):
        row = self.receive(
            "1", body=b'{"token": "very-hidden-9", "phone": "069123456"}'
        )
        self.assertNotIn("very-hidden-9", row.body_text)
        self.assertIn("token", row.body_text)
        self.assertIn(b"very-hidden-9", row._raw_body(), "kept as it came")
        binary = self.receive("2", body=b"\xff\x00\xfe" * 10)
        self.assertTrue(binary.body_text is not False)

    # === CRONS ===#

    def test_sweeper_wakes_due_accounts_only(self):
        accounts = {}
        for name in ("new", "later", "due", "blocked", "done", "dead", "empty"):
            accounts[name] = self.make_account(key=f"sweep-{name}")
            if name != "empty":
                self.receive("1", order="A", account=accounts[name])
        row = {
            name: self.env["oda.inbound"].search([("account_id", "=", account.id)])
            for name, account in accounts.items()
        }
        now = fields.Datetime.now()
        hour = timedelta(hours=1)
        row["later"].write({"state": "retry", "next_try_at": now + hour})
        row["due"].write({"state": "retry", "next_try_at": now - hour})
        row["blocked"].write({"state": "retry", "next_try_at": now + hour})
        self.receive("2", order="A", account=accounts["blocked"])
        row["done"].write({"state": "done"})
        row["dead"].write({"state": "dead"})
        self.env.flush_all()
        with self.trap_wakes() as woken:
            self.env["oda.inbound"]._cron_sweep()
            ours = {account.id: name for name, account in accounts.items()}
            self.assertEqual(
                sorted(ours[one] for one, _m, _n in woken if one in ours),
                ["due", "new"],
            )

    def test_finished_rows_go_after_the_retention(self):
        old = fields.Datetime.now() - timedelta(days=61)
        rows = {}
        for state in ("new", "retry", "done", "ignored", "dead", "discarded"):
            rows[state] = self.receive(f"old-{state}")
            rows[state].write({"state": state, "received_at": old})
        fresh = self.receive("fresh")
        fresh.write({"state": "done"})
        self.env.flush_all()
        self.env["oda.inbound"]._gc_inbound()
        left = {state for state, row in rows.items() if row.exists()}
        self.assertEqual(left, {"new", "retry", "dead"})
        self.assertTrue(fresh.exists())
        self.env["ir.config_parameter"].set_param("oda_base.inbound_retention_days", 1)
        fresh.write({"received_at": fields.Datetime.now() - timedelta(days=2)})
        self.env.flush_all()
        self.env["oda.inbound"]._gc_inbound()
        self.assertFalse(fresh.exists())


@tagged("-at_install", "post_install")
class TestWake(WireCase):
    """Exactly one job waits for an account that has rows."""

    def jobs(self, account=None, model="oda.inbound"):
        account = account or self.account
        return self.env["queue.job"].search(
            [("identity_key", "=", f"{model}:{account.id}")], order="id"
        )

    def test_one_while_one_waits(self):
        self.assertTrue(self.account._wake("oda.inbound", "_drain"))
        for _i in range(5):
            self.assertFalse(self.account._wake("oda.inbound", "_drain"))
        job = self.jobs()
        self.assertEqual(len(job), 1)
        self.assertEqual(job.user_id, self.env.ref("oda_base.user_connector"))
        self.assertEqual(job.channel, "root.oda_inbound.testwire")
        self.assertEqual((job.model_name, job.method_name), ("oda.inbound", "_drain"))
        self.assertEqual(job.args, [self.account.id])

    def test_another_once_it_started_or_ended(self):
        for number, state in enumerate(("started", "done", "failed", "cancelled"), 1):
            self.assertTrue(self.account._wake("oda.inbound", "_drain"), state)
            self.assertEqual(len(self.jobs()), number)
            self._put(self.jobs()[-1], state)
        for state in ("pending", "enqueued", "wait_dependencies"):
            self._put(self.jobs()[-1], state)
            self.assertFalse(self.account._wake("oda.inbound", "_drain"), state)

    def _put(self, job, state):
        self.env.cr.execute(
            "UPDATE queue_job SET state = %s WHERE id = %s", (state, job.id)
        )
        job.invalidate_recordset()

    def test_accounts_and_boxes_do_not_hide_each_other(self):
        other = self.make_account(key="other")
        self.assertTrue(self.account._wake("oda.inbound", "_drain"))
        self.assertTrue(other._wake("oda.inbound", "_drain"))
        self.assertTrue(self.account._wake("oda.outbound", "_drain"))
        job = self.jobs(model="oda.outbound")
        self.assertEqual(job.channel, "root.oda_outbound.testwire")
        self.assertEqual(len(self.jobs()) + len(self.jobs(other)), 2)
