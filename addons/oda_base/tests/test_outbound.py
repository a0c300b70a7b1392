# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.oda_base.backoff import OUTBOUND_STEPS
from odoo.addons.oda_base.connectors import Delivery
from odoo.addons.oda_base.models import oda_outbound
from odoo.addons.oda_base.models.oda_outbound import MAX_WAIT

from .. import connectors
from .common import SECRET, WireCase

OUTBOUND = oda_outbound.__name__


class OutboundCase(WireCase):
    def enqueue(self, payload=None, **options):
        return self.env["oda.outbound"]._enqueue(
            self.account, "send", payload or {"to": "x"}, **options
        )

    def send(self):
        return self.drain("oda.outbound")

    def script(self, *turns):
        self.driver.script[:] = turns

    def later(self, row, **delta):
        """Let the time of the next try have come."""
        self.env.cr.execute(
            "UPDATE oda_outbound SET next_try_at = %s WHERE id = %s",
            (fields.Datetime.now() - timedelta(**(delta or {"seconds": 1})), row.id),
        )
        row.invalidate_recordset()

    def calls(self):
        return len(self.driver.sent), len(self.driver.asked)


@tagged("-at_install", "post_install")
class TestOutbound(OutboundCase):
    """What becomes of a message for each thing the provider may say."""

    def test_done(self):
        row = self.enqueue({"to": "37369123456", "n": [1, {"a": None}]})
        self.assertEqual(row.state, "pending")
        self.assertEqual(self.calls(), (0, 0), "nothing leaves before the commit")
        self.assertEqual(self.send(), "1 messages")
        [(account, message)] = self.driver.sent
        self.assertEqual((account.id, account.secret), (self.account.id, SECRET))
        self.assertEqual(
            {k: message[k] for k in ("uuid", "verb", "payload", "attempts")},
            {
                "uuid": row.uuid,
                "verb": "send",
                "payload": {"to": "37369123456", "n": [1, {"a": None}]},
                "attempts": 1,
            },
        )
        self.assertRecordValues(
            row,
            [
                {
                    "state": "done",
                    "reference": "ref-1",
                    "attempts": 1,
                    "sending_since": False,
                    "next_try_at": False,
                }
            ],
        )
        self.assertTrue(row.finished_at)
        self.assertEqual(self.send(), "0 messages")
        self.assertEqual(self.calls(), (1, 0))

    def test_failed_is_for_ever(self):
        row = self.enqueue()
        self.script(Delivery("failed", words="no such number"))
        self.send()
        self.assertEqual((row.state, row.words), ("failed", "no such number"))
        self.assertTrue(row.finished_at)
        self.send()
        self.assertEqual(self.calls(), (1, 0))

    def test_later_is_sent_again_in_its_time(self):
        row = self.enqueue()
        self.script(Delivery("later", words="busy"))
        before = fields.Datetime.now()
        self.send()
        self.assertEqual((row.state, row.words), ("pending", "busy"))
        wait = (row.next_try_at - before).total_seconds()
        self.assertTrue(OUTBOUND_STEPS[0] <= wait <= OUTBOUND_STEPS[0] + 5, wait)
        self.send()
        self.assertEqual(self.calls(), (1, 0), "not before its time")
        self.later(row)
        self.send()
        self.assertEqual((row.state, row.attempts), ("done", 2))
        self.assertEqual(self.calls(), (2, 0))
        first, second = (message for _account, message in self.driver.sent)
        self.assertEqual(first["uuid"], second["uuid"])

    def test_the_providers_own_waiting_time(self):
        for named, expected in ((77, 77), (0.01, 1), (1e12, MAX_WAIT), (-5, 1)):
            row = self.enqueue()
            self.script(Delivery("later", retry_after=named))
            before = fields.Datetime.now()
            self.send()
            wait = (row.next_try_at - before).total_seconds()
            self.assertAlmostEqual(wait, expected, delta=3, msg=named)
            row.write({"state": "cancelled"})

    def test_later_until_the_last_step(self):
        row = self.enqueue()
        for number in range(1, len(OUTBOUND_STEPS) + 1):
            self.script(Delivery("later"))
            self.send()
            self.assertEqual((row.state, row.attempts), ("pending", number))
            self.later(row)
        self.script(Delivery("later", words="still busy"))
        self.send()
        self.assertEqual((row.state, row.words), ("failed", "still busy"))
        self.assertFalse(row.next_try_at)

    def test_unknown_is_asked_about_and_never_sent_again(self):
        row = self.enqueue()
        self.script(Delivery("unknown", words="timed out"))
        self.send()
        self.assertEqual((row.state, row.words), ("unknown", "timed out"))
        self.send()
        self.assertEqual(self.calls(), (1, 0), "not before its time")
        for _i in range(10):  # beyond the last step: for as long as it takes
            self.script(Delivery("unknown"))
            self.later(row)
            self.send()
            self.assertEqual(row.state, "unknown")
            self.assertTrue(row.next_try_at)
        self.later(row)
        self.script(Delivery("done", "found-it"))
        self.send()
        self.assertEqual((row.state, row.reference), ("done", "found-it"))
        self.assertEqual(self.calls(), (1, 11))

    def test_unknown_that_never_arrived_is_sent(self):
        row = self.enqueue()
        self.script(Delivery("unknown"))
        self.send()
        self.later(row)
        self.script(Delivery("later"), Delivery("done", "second"))
        self.send()
        self.assertEqual((row.state, self.calls()), ("pending", (1, 1)))
        self.later(row)
        self.send()
        self.assertEqual((row.state, self.calls()), ("done", (2, 1)))

    def test_unknown_that_the_provider_refused(self):
        row = self.enqueue()
        self.script(Delivery("unknown"))
        self.send()
        self.later(row)
        self.script(Delivery("failed", words="rejected"))
        self.send()
        self.assertEqual((row.state, self.calls()), ("failed", (1, 1)))

    def test_whatever_escapes_the_driver_is_unknown(self):
        for turn in (
            ValueError(f"bug near {SECRET}"),
            TimeoutError(),
            Delivery("sent?"),
            None,
            "done",
        ):
            row = self.enqueue()
            self.script(turn)
            with (
                self.subTest(turn=turn),
                self.assertLogs(OUTBOUND, logging.INFO) as logs,
            ):
                self.send()
            self.assertEqual(row.state, "unknown", turn)
            self.assertTrue(row.words)
            self.assertNotIn(SECRET, row.words + "".join(logs.output))
            self.assertNotIn("x'", "".join(logs.output), "nor what was to be sent")

    def test_an_error_while_asking_stays_unknown(self):
        row = self.enqueue()
        self.script(Delivery("unknown"), ValueError("bug"))
        self.send()
        self.later(row)
        self.send()
        self.assertEqual((row.state, self.calls()), ("unknown", (1, 1)))

    def test_one_that_fails_does_not_stop_the_next(self):
        rows = [self.enqueue({"n": n}) for n in range(4)]
        self.script(
            Delivery("failed"), ValueError("x"), Delivery("later"), Delivery("done")
        )
        self.assertEqual(self.send(), "4 messages")
        self.assertEqual(
            [row.state for row in rows], ["failed", "unknown", "pending", "done"]
        )
        self.assertEqual(
            [message["payload"]["n"] for _a, message in self.driver.sent], [0, 1, 2, 3]
        )

    def test_long_words(self):
        row = self.enqueue()
        self.script(Delivery("failed", words="w" * 5000))
        self.send()
        self.assertEqual(len(row.words), 500)

    # === CRONS AND ACCOUNTS ===#

    def test_sweeper_leaves_others_alone(self):
        rows = {
            state: self.enqueue()
            for state in ("done", "failed", "cancelled", "pending", "unknown")
        }
        soon = fields.Datetime.now() + timedelta(hours=1)
        for state, row in rows.items():
            row.write({"state": state, "next_try_at": soon})
        self.env.flush_all()
        with self.trap_wakes() as woken:
            self.env["oda.outbound"]._cron_sweep()
            self.assertNotIn(self.account.id, [one for one, _m, _n in woken])
            self.later(rows["unknown"])
            self.account.active = False
            self.env.flush_all()
            self.env["oda.outbound"]._cron_sweep()
            self.assertNotIn(self.account.id, [one for one, _m, _n in woken])

    def test_nothing_leaves_from_an_account_switched_off(self):
        row = self.enqueue()
        self.account.active = False
        self.assertEqual(self.send(), "nothing is sent for this account")
        self.assertEqual((row.state, self.calls()), ("pending", (0, 0)))

    def test_nothing_leaves_without_a_driver(self):
        row = self.enqueue()
        with patch.dict(connectors._drivers, clear=True):
            self.send()
        self.assertEqual(row.state, "pending")

    # === PACE ===#

    def test_the_drivers_rate_is_kept(self):
        for number in range(5):
            self.enqueue({"n": number})
        slept, now = [], [0.0]

        def sleep(seconds):
            slept.append(seconds)
            now[0] += seconds

        def pacer(count, seconds):
            return self.Pacer(count, seconds, clock=lambda: now[0], sleep=sleep)

        self.Pacer = oda_outbound.Pacer
        with (
            patch.object(oda_outbound, "Pacer", pacer),
            patch.object(type(self.driver), "rate", (2, 10.0)),
        ):
            self.send()
        self.assertEqual(slept, [10.0, 10.0])
        self.assertEqual(self.calls(), (5, 0))

    def test_out_of_time_hands_over_to_another_job(self):
        self.enqueue()
        with self.trap_wakes() as woken, patch.object(oda_outbound, "BUDGET", -1):
            self.assertEqual(self.send(), "0 messages, more waiting")
        self.assertEqual(set(woken), {(self.account.id, "oda.outbound", "_drain")})


@tagged("-at_install", "post_install")
class TestOutboundVerbs(OutboundCase):
    def test_the_same_key_is_the_same_message(self):
        row = self.enqueue(key="order-7:paid")
        self.assertEqual(self.enqueue(key="order-7:paid"), row)
        self.assertEqual(row.uuid, "order-7:paid")
        self.send()
        self.assertEqual(self.enqueue(key="order-7:paid"), row, "also when sent")
        self.send()
        self.assertEqual(self.calls(), (1, 0))
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            row.copy({"uuid": row.uuid})

    def test_messages_without_a_key_are_different(self):
        self.assertNotEqual(self.enqueue().uuid, self.enqueue().uuid)

    def test_anybodys_business_code_may_send(self):
        user = new_test_user(self.env, "oda_cons", groups="oda_base.group_consultant")
        with self.trap_wakes() as woken:
            row = self.env(user=user)["oda.outbound"]._enqueue(
                self.account.with_user(user).sudo(), "send", {}
            )
            self.assertFalse(woken, "not before the commit")
        self.assertEqual(woken, [(self.account.id, "oda.outbound", "_drain")])
        self.assertEqual(row.sudo().user_id, user)

    def test_the_record_is_told(self):
        partner = self.env["res.partner"].create({"name": "Told"})
        told = []

        def sent(record, row):
            told.append((record, row.state, row.reference, record.env.user))

        self.patch_sent(sent)
        row = self.enqueue(record=partner)
        self.assertEqual((row.res_model, row.res_id), ("res.partner", partner.id))
        self.script(Delivery("later"), Delivery("done", "r-9"))
        self.send()
        self.later(row)
        self.send()
        user = self.env.ref("oda_base.user_connector")
        self.assertEqual(
            told, [(partner, "pending", False, user), (partner, "done", "r-9", user)]
        )

    def patch_sent(self, function):
        self.startPatcher(
            patch.object(
                self.registry["res.partner"], "_oda_sent", function, create=True
            )
        )

    def test_a_record_that_does_not_take_the_news(self):
        """What was sent stays sent; a bug elsewhere cannot make us send again."""
        partner = self.env["res.partner"].create({"name": "Deaf"})

        def sent(record, row):
            record.sudo().name = "half"
            raise ValueError("bug")

        self.patch_sent(sent)
        row = self.enqueue(record=partner)
        with self.assertLogs(OUTBOUND, "ERROR") as logs:
            self.send()
        self.assertIn(row.uuid, logs.output[0])
        self.assertEqual((row.state, row.reference), ("done", "ref-1"))
        self.assertEqual(partner.name, "Deaf")

    def test_a_record_that_is_gone(self):
        partner = self.env["res.partner"].create({"name": "Gone"})
        row = self.enqueue(record=partner)
        partner.unlink()
        self.send()
        self.assertEqual(row.state, "done")

    def test_cancel(self):
        row = self.enqueue()
        row.action_cancel()
        self.assertEqual(row.state, "cancelled")
        self.send()
        self.assertEqual(self.calls(), (0, 0))
        self.assertTrue(
            self.env["oda.event"].search_count(
                [("code", "=", "outbound.cancel"), ("res_id", "=", row.id)]
            )
        )
        for state in ("sending", "done", "failed", "cancelled"):
            row.write({"state": state})
            with self.assertRaises(UserError):
                row.action_cancel()

    def test_cancelled_while_it_was_asked_about(self):
        for said, state in (
            ("later", "cancelled"),
            ("failed", "cancelled"),
            ("unknown", "cancelled"),
            ("done", "done"),
        ):
            row = self.enqueue()
            self.script(Delivery("unknown"))
            self.send()
            row.action_cancel()
            self.env.flush_all()
            row._conclude_here(Delivery(said))
            self.assertEqual(row.state, state, said)
            self.assertFalse(row.next_try_at if state == "done" else False)

    def test_ask_again_now(self):
        row = self.enqueue()
        self.script(Delivery("unknown"))
        self.send()
        with self.trap_wakes() as woken:
            row.action_ask_again()
        self.assertEqual(woken, [(self.account.id, "oda.outbound", "_drain")])
        self.send()
        self.assertEqual((row.state, self.calls()), ("done", (1, 1)))

    def test_an_account_with_messages_stays(self):
        self.enqueue()
        self.env.flush_all()
        with self.assertRaises(Exception), mute_logger("odoo.sql_db"):  # noqa: B017
            with self.env.cr.savepoint():
                self.account.unlink()

    def test_finished_rows_go_after_the_retention(self):
        old = fields.Datetime.now() - timedelta(days=181)
        rows = {}
        for state in ("pending", "sending", "unknown", "done", "failed", "cancelled"):
            rows[state] = self.enqueue()
            rows[state].write({"state": state, "created_at": old})
        fresh = self.enqueue()
        fresh.write({"state": "done"})
        self.env["oda.outbound"]._gc_outbound()
        left = {state for state, row in rows.items() if row.exists()}
        self.assertEqual(left, {"pending", "sending", "unknown"})
        self.assertTrue(fresh.exists())
