# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The inbox with real commits, real cursors and real concurrency."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import requests
from psycopg2.errors import SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SIGNATURE, CommittedCase, sign

WAIT = 20  # seconds: a thread that takes longer has failed


@tagged("-at_install", "post_install")
class TestIntakeCommitted(CommittedCase):
    def put_jobs(self, state):
        with self.fresh() as env:
            env.cr.execute(
                "UPDATE queue_job SET state = %s WHERE identity_key = %s",
                (state, f"oda.inbound:{self.account_id}"),
            )

    def test_one_job_waits_and_another_once_it_started(self):
        for number in range(3):
            self.assertEqual(self.push({"id": str(number)}).status_code, 200)
        self.assertEqual(self.states(), ["new"] * 3)
        self.assertEqual(self.jobs(), ["pending"], "exactly one")
        self.put_jobs("started")
        self.push({"id": "0"})
        self.assertEqual(self.jobs(), ["started"], "a known push is no news")
        self.push({"id": "3"})
        self.push({"id": "4"})
        self.assertEqual(
            self.jobs(), ["started", "pending"], "it may have looked already"
        )

    def test_a_job_that_waits_too_long_is_spoken_of_again(self):
        """After a crash the runner sleeps beside jobs that died: nudge it."""
        self.push({"id": "1"})
        with self.fresh() as listener:
            connection = listener.cr._cnx
            listener.cr.execute("LISTEN queue_job")
            listener.cr.commit()  # pylint: disable=invalid-commit  # LISTEN now

            def heard():
                connection.poll()
                told = [notice.payload for notice in connection.notifies]
                connection.notifies.clear()
                return told

            self.push({"id": "2"})
            self.assertEqual(heard(), [], "a fresh job needs no reminder")
            with self.fresh() as env:
                env.cr.execute(
                    "UPDATE queue_job SET date_created = date_created - interval "
                    "'1 minute', date_enqueued = NULL WHERE identity_key = %s "
                    "RETURNING uuid",
                    (f"oda.inbound:{self.account_id}",),
                )
                uuid = env.cr.fetchone()[0]
            heard()
            self.push({"id": "3"})
            self.assertIn(uuid, heard())
            self.assertEqual(self.jobs(), ["pending"], "and no second one")

    def test_the_row_is_safe_before_anybody_is_woken(self):
        seen = []

        def wake(account, model_name, method):
            seen.append(self.states())

        with patch.object(self.registry["oda.connector.account"], "_wake", wake):
            self.push({"id": "1"})
        self.assertEqual(seen, [["new"]], "another connection sees it already")

    def test_the_sweeper_mends_a_lost_wake(self):
        Account = self.registry["oda.connector.account"]
        with patch.object(Account, "_wake", side_effect=RuntimeError):
            self.assertEqual(self.push({"id": "1"}).status_code, 200)
        self.assertEqual((self.states(), self.jobs()), (["new"], []))
        with self.fresh() as env:
            env["oda.inbound"]._cron_sweep()
        self.assertEqual(self.jobs(), ["pending"])

    def test_a_refusal_is_committed(self):
        self.push({"id": "1"}, X_Wire_Signature="0")
        with self.fresh() as env:
            self.assertEqual(
                env["oda.refusal"].search([("connector", "=", "testwire")]).count, 1
            )

    def _post(self, body):
        return requests.post(
            f"{self.base_url()}/oda/in/testwire/{self.key}",
            data=body,
            headers={SIGNATURE: sign(body), "Content-Type": "application/json"},
            timeout=WAIT,
        ).status_code

    def test_the_same_push_many_times_at_once(self):
        body = b'{"id": "same"}'
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(self._post, [body] * 24))
        self.assertEqual(set(statuses), {200})
        self.assertEqual(self.states(), ["new"])
        self.assertEqual(self.jobs(), ["pending"])

    def test_many_pushes_at_once(self):
        bodies = [b'{"id": "%d"}' % number for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(self._post, bodies))
        self.assertEqual(set(statuses), {200})
        self.assertEqual(len(self.states()), 40)
        self.assertGreaterEqual(self.jobs().count("pending"), 1)
        self.assertEqual(self.drain(), "40 rows")
        self.assertEqual(set(self.states()), {"done"})

    def test_a_conflict_is_looked_at_again(self):
        """ "Known already" is never said of a push that nobody has stored."""
        receive = self.registry["oda.inbound"]._receive
        failures = [SerializationFailure("someone else"), None]

        def once_in_conflict(model, *args):
            if error := failures.pop(0):
                raise error
            return receive(model, *args)

        with patch.object(self.registry["oda.inbound"], "_receive", once_in_conflict):
            self.assertEqual(self.push({"id": "1"}).status_code, 200)
        self.assertEqual(self.states(), ["new"])


@tagged("-at_install", "post_install")
class TestDrainCommitted(CommittedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.fresh() as env:
            cls.partner_id = env["res.partner"].create({"name": "Contended"}).id
        cls.addClassCleanup(cls._remove_partner)

    @classmethod
    def _remove_partner(cls):
        with cls.fresh() as env:
            env["res.partner"].browse(cls.partner_id).unlink()

    def store(self, *keys):
        for key in keys:
            self.assertEqual(self.push({"id": key}).status_code, 200)

    def test_a_conflict_with_a_person_repeats_the_batch_at_once(self):
        """Two real transactions write the same card; nobody is put off."""
        self.store("1", "2", "3")
        runs = []

        def process(model, rows):
            partner = model.sudo().browse(self.partner_id)
            partner.read(["comment"])  # our snapshot is taken
            runs.append(rows.mapped("event_key"))
            if len(runs) == 1:
                with self.fresh() as env:
                    env["res.partner"].browse(self.partner_id).ref = "by a person"
            partner.function = f"run {len(runs)}"
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        with mute_logger("odoo.sql_db"):
            self.assertEqual(self.drain(), "3 rows")
        self.assertEqual(runs, [["1", "2", "3"]] * 2)
        with self.fresh() as env:
            partner = env["res.partner"].browse(self.partner_id)
            self.assertEqual((partner.ref, partner.function), ("by a person", "run 2"))
            rows = env["oda.inbound"].search([("account_id", "=", self.account_id)])
            self.assertEqual(set(rows.mapped("state")), {"done"})
            self.assertEqual(set(rows.mapped("attempts")), {0}, "no fault of theirs")

    def test_a_conflict_that_does_not_end_leaves_the_rows(self):
        self.store("1")

        def process(model, rows):
            raise SerializationFailure("always")

        self.work_with(process)
        with patch("time.sleep"), self.assertRaises(SerializationFailure):
            self.drain()
        self.assertEqual(self.states(), ["new"], "the job is repeated, nothing lost")

    def test_what_is_done_stays_done_when_the_job_dies(self):
        self.store(*"abcdef")
        batch = self.registry["oda.inbound"]._drain_batch
        batches = []

        def process(model, rows):
            batches.append(len(rows))
            if len(batches) == 3:
                raise SystemExit  # not an Exception: the worker is killed
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        with patch.object(batch, "__defaults__", (2, False)):
            with self.assertRaises(SystemExit):
                self.drain()
            self.assertEqual(self.states(), ["done"] * 4 + ["new"] * 2)
            self.assertEqual(self.drain(), "2 rows")
        self.assertEqual(self.states(), ["done"] * 6)

    def test_one_drain_an_account_at_a_time(self):
        self.store("1")
        inside, go_on, order = threading.Event(), threading.Event(), []

        def process(model, rows):
            order.append(tuple(rows.mapped("event_key")))
            inside.set()
            go_on.wait(WAIT)
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(self.drain)
            self.assertTrue(inside.wait(WAIT))
            second = pool.submit(self.drain)
            with self.fresh() as env:
                for _i in range(200):
                    env.cr.execute(
                        "SELECT count(*) FROM pg_locks "
                        "WHERE locktype = 'advisory' AND NOT granted"
                    )
                    if env.cr.fetchone()[0]:
                        break
                    threading.Event().wait(0.05)
                else:
                    self.fail("the second drain does not wait")
            go_on.set()
            self.assertEqual(first.result(WAIT), "1 rows")
            self.assertEqual(second.result(WAIT), "0 rows")
        self.assertEqual(order, [("1",)], "never worked twice")

    def test_news_that_come_during_a_drain_are_worked(self):
        self.store("1")

        def process(model, rows):
            if rows.mapped("event_key") == ["1"]:
                self.store("2")
            return [(row, "done", "") for row in rows]

        self.work_with(process)
        self.assertEqual(self.drain(), "2 rows")

    def test_the_claim_of_a_number_lets_one_in(self):
        """`oda.claim`: the second of two at once fails, to be repeated."""
        number = "+37300000001"
        self.addCleanup(self._forget, number)
        with self.fresh() as env:
            env["oda.claim"]._claim(number)
        first, second = self.registry.cursor(), self.registry.cursor()
        try:
            for cr in (first, second):
                cr.execute("SELECT 1")  # both snapshots are taken
            env1, env2 = self.env(cr=first), self.env(cr=second)
            env1["oda.claim"]._claim(number)
            first.commit()
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                env2["oda.claim"]._claim(number)
        finally:
            first.close()
            second.close()

    def _forget(self, number):
        with self.fresh() as env:
            env.cr.execute("DELETE FROM oda_claim WHERE key = %s", (number,))
