# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The outbox with real commits: what a crash at any line leaves behind."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.oda_base.connectors import Delivery
from odoo.addons.oda_base.models.oda_outbound import STALE_AFTER

from .common import CommittedCase

WAIT = 20  # seconds: a thread that takes longer has failed


class Crash(BaseException):
    """The process ends here: nothing after this line runs."""


@tagged("-at_install", "post_install")
class TestCrash(CommittedCase):
    """`_claim` | driver | `_conclude`: dead in between, asked, never resent."""

    def enqueue(self, uid=None, **options):
        with self.fresh() as env:
            account = env["oda.connector.account"].browse(self.account_id)
            model = env["oda.outbound"]
            if uid:
                model, account = model.with_user(uid), account.with_user(uid).sudo()
            return model._enqueue(account, "send", {"to": "x"}, **options).id

    def send(self):
        return self.drain("oda.outbound")

    def state(self):
        [state] = self.states("oda.outbound")
        return state

    def calls(self):
        return len(self.driver.sent), len(self.driver.asked)

    def set(self, assignment, *args):
        with self.fresh() as env:
            # pylint: disable=sql-injection  # assignments below
            env.cr.execute(
                f"UPDATE oda_outbound SET {assignment} WHERE account_id = %s",
                (*args, self.account_id),
            )

    def age(self):
        seconds = STALE_AFTER.total_seconds() + 1
        self.set(f"sending_since = sending_since - interval '{seconds} seconds'")

    def due(self):
        self.set("next_try_at = now() AT TIME ZONE 'UTC' - interval '1 second'")

    @contextmanager
    def dies_in(self, method):
        Outbound = self.registry["oda.outbound"]
        with (
            patch.object(Outbound, method, side_effect=Crash),
            self.assertRaises(Crash),
        ):
            yield

    def test_dead_after_the_claim(self):
        self.enqueue()
        with self.dies_in("_attempt"):
            self.send()
        self.assertEqual((self.state(), self.calls()), ("sending", (0, 0)))
        self.age()
        # It cannot be known that nothing left: the provider says so.
        self.driver.script[:] = [Delivery("later")]
        self.send()
        self.assertEqual((self.state(), self.calls()), ("pending", (0, 1)))
        self.due()
        self.send()
        self.assertEqual((self.state(), self.calls()), ("done", (1, 1)))

    def test_dead_before_the_conclusion(self):
        self.enqueue()
        with self.dies_in("_conclude"):
            self.send()
        self.assertEqual((self.state(), self.calls()), ("sending", (1, 0)))
        self.assertEqual(self.send(), "0 messages")
        self.assertEqual(self.calls(), (1, 0), "another process may be at it")
        self.age()
        self.assertEqual(self.send(), "1 messages")
        self.assertEqual((self.state(), self.calls()), ("done", (1, 1)))

    def test_dead_in_the_driver(self):
        self.enqueue()
        self.driver.script[:] = [Crash()]
        with self.assertRaises(Crash):
            self.send()
        self.assertEqual(self.state(), "sending")
        for _i in range(3):
            self.age()
            self.due()
            self.driver.script[:] = [Delivery("unknown")]
            self.send()
            self.assertEqual(self.state(), "unknown")
        self.assertEqual(self.calls(), (1, 3), "asked each time, never sent again")

    def test_dead_while_concluding(self):
        self.enqueue()
        with self.dies_in("_conclude_here"):
            self.send()
        self.assertEqual((self.state(), self.calls()), ("sending", (1, 0)))
        self.age()
        self.send()
        self.assertEqual((self.state(), self.calls()), ("done", (1, 1)))

    def test_dead_while_asking(self):
        self.enqueue()
        self.driver.script[:] = [Delivery("unknown")]
        self.send()
        self.due()
        with self.dies_in("_conclude"):
            self.send()
        self.assertEqual((self.state(), self.calls()), ("unknown", (1, 1)))
        self.send()
        self.assertEqual(self.calls(), (1, 1), "left alone for a while")
        self.due()
        self.send()
        self.assertEqual((self.state(), self.calls()), ("done", (1, 2)))

    def test_the_sweeper_finds_what_a_crash_left(self):
        self.enqueue()
        self.forget_jobs()
        with self.dies_in("_conclude"):
            self.send()
        self.sweep()
        self.assertEqual(self.jobs("oda.outbound"), [], "still young")
        self.age()
        self.sweep()
        self.assertEqual(self.jobs("oda.outbound"), ["pending"])

    def sweep(self):
        with self.fresh() as env:
            env["oda.outbound"]._cron_sweep()

    def forget_jobs(self):
        with self.fresh() as env:
            env.cr.execute(
                "DELETE FROM queue_job WHERE identity_key = %s",
                (f"oda.outbound:{self.account_id}",),
            )

    def test_the_claim_is_committed_before_the_first_byte_leaves(self):
        self.enqueue()
        seen = []
        with patch.object(
            self.driver,
            "send",
            lambda account, message: seen.append(self.state()) or Delivery("done"),
        ):
            self.send()
        self.assertEqual(seen, ["sending"])

    def test_nothing_leaves_when_the_business_is_rolled_back(self):
        with self.assertRaises(Crash), self.fresh() as env:
            account = env["oda.connector.account"].browse(self.account_id)
            env["oda.outbound"]._enqueue(account, "send", {})
            raise Crash
        self.assertEqual(self.send(), "0 messages")
        self.assertEqual((self.calls(), self.jobs("oda.outbound")), ((0, 0), []))

    def test_one_job_is_woken_after_the_commit(self):
        self.enqueue()
        self.enqueue()
        self.assertEqual(self.jobs("oda.outbound"), ["pending"])

    def test_a_consultant_wakes_the_job_without_rights_to_it(self):
        with self.fresh() as env:
            uid = new_test_user(env, "oda_sender", "oda_base.group_consultant").id
        self.addCleanup(self._remove_user, uid)
        self.enqueue(uid=uid)
        self.assertEqual(self.jobs("oda.outbound"), ["pending"])

    def _remove_user(self, uid):
        self._clear()
        with self.fresh() as env:
            user = env["res.users"].browse(uid)
            partner = user.partner_id
            user.unlink()
            partner.unlink()

    def test_a_wake_that_fails_does_not_fail_the_business(self):
        Account = self.registry["oda.connector.account"]
        with patch.object(Account, "_wake", side_effect=RuntimeError):
            self.enqueue()
        self.assertEqual(self.state(), "pending")
        self.sweep()
        self.assertEqual(self.jobs("oda.outbound"), ["pending"])

    def test_two_drains_at_once_send_once(self):
        self.enqueue()
        inside, go_on = threading.Event(), threading.Event()

        def send(account, message):
            self.driver.sent.append((account, message))
            inside.set()
            go_on.wait(WAIT)
            return Delivery("done")

        with patch.object(self.driver, "send", send), ThreadPoolExecutor(2) as pool:
            first = pool.submit(self.send)
            self.assertTrue(inside.wait(WAIT))
            second = pool.submit(self.send)
            threading.Event().wait(0.3)
            go_on.set()
            said = {first.result(WAIT), second.result(WAIT)}
        self.assertEqual(said, {"1 messages", "0 messages"})
        self.assertEqual(self.calls(), (1, 0))

    def test_the_outcome_survives_a_conflict_with_a_person(self):
        """The record is being edited while it is told: told again, not lost."""
        with self.fresh() as env:
            partner_id = env["res.partner"].create({"name": "Contended"}).id
        self.addCleanup(self._remove_partner, partner_id)
        told = []

        def sent(record, row):
            record.read(["name"])
            told.append(row.state)
            if len(told) == 1:
                with self.fresh() as env:
                    env["res.partner"].browse(partner_id).ref = "by a person"
            record.sudo().function = f"told {len(told)}"

        self.startPatcher(
            patch.object(self.registry["res.partner"], "_oda_sent", sent, create=True)
        )
        with self.fresh() as env:
            account = env["oda.connector.account"].browse(self.account_id)
            partner = env["res.partner"].browse(partner_id)
            env["oda.outbound"]._enqueue(account, "send", {}, record=partner)
        with mute_logger("odoo.sql_db"):
            self.assertEqual(self.send(), "1 messages")
        self.assertEqual((self.state(), self.calls()), ("done", (1, 0)))
        with self.fresh() as env:
            partner = env["res.partner"].browse(partner_id)
            self.assertEqual((partner.ref, partner.function), ("by a person", "told 2"))

    def _remove_partner(self, partner_id):
        with self.fresh() as env:
            env["res.partner"].browse(partner_id).unlink()

    def test_a_conflict_that_does_not_end_is_asked_about_later(self):
        self.enqueue()
        Outbound = self.registry["oda.outbound"]
        with (
            patch.object(Outbound, "_conclude_here", side_effect=SerializationFailure),
            patch("time.sleep"),
            self.assertRaises(SerializationFailure),
        ):
            self.send()
        self.assertEqual((self.state(), self.calls()), ("sending", (1, 0)))
        self.age()
        self.send()
        self.assertEqual((self.state(), self.calls()), ("done", (1, 1)))
