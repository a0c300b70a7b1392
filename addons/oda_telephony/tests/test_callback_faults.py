# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import random
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user

from .common_callback import STRANGER, CallbackCase


class TestCallbackFaults(CallbackCase):
    """What is owed is true whatever comes late, twice, wrong, or is changed behind."""

    def test_wrong_history_repaired(self):
        call = self.missed()
        row, task = self.row(), self.row().activity_id
        self.talked("m1", minutes=-5)
        self.assertEqual(call.outcome, "answered")
        self.assertEqual((row.state, row.drop_kind), ("dropped", "answered"))
        self.assertFalse(call.callback_id)
        self.assertFalse(task.active)
        self.assertIn("was answered", row.reason)
        self.assertEqual(row.missed_count, 0)

    def test_one_of_two_missed_was_answered(self):
        self.missed("m1", minutes=-9)
        self.missed("m2", minutes=-5)
        self.talked("m1", minutes=-9)
        row = self.row()
        self.assertEqual((row.state, row.missed_count), ("open", 1))
        self.assertEqual(row.first_missed_at, self.call_of("m2").started_at)

    def test_talk_heard_of_before_the_miss(self):
        talk = self.talked(type="out", minutes=-1)
        self.missed(minutes=-9)
        row = self.row()
        self.assertEqual((row.state, row.call_id), ("done", talk))
        self.assertFalse(row.activity_id, "nothing was left to do")
        self.assertEqual(row.minutes, 8)

    def test_talk_in_the_middle_splits_the_row(self):
        self.missed("m1", minutes=-9)
        self.missed("m2", minutes=-2)
        task = self.row().activity_id
        self.talked(minutes=-5)
        done, left = self.rows().sorted("state")
        self.assertEqual(
            (done.state, done.missed_ids.mapped("callid")), ("done", ["m1"])
        )
        self.assertEqual(
            (left.state, left.missed_ids.mapped("callid")), ("open", ["m2"])
        )
        self.assertTrue(task.active)
        self.assertEqual(left.activity_id, task)

    def test_the_talk_was_none_after_all(self):
        self.missed("m1")
        self.event("OUTGOING", callid="t1", direction="out")
        self.event("ACCEPTED", callid="t1", direction="out")
        self.event("COMPLETED", callid="t1", direction="out")
        self.work()
        talk = self.call_of("t1")
        talk._decide(self.later(minutes=5))
        row = self.row()
        self.assertEqual((row.state, row.call_id), ("done", talk))
        self.push("history", callid="t1", type="out", status="NotAvailable")
        self.work()
        self.assertNotEqual(talk.outcome, "answered")
        self.assertEqual(row.state, "open")
        self.assertFalse(row.call_id)
        self.assertTrue(row.activity_id.active, "and it is asked for again")
        self.assertEqual(row.attempts, 1)

    def test_any_order_ends_the_same(self):
        """The same calls in 12 orders, some told twice: the same debts."""
        calls = [
            ("missed", "x1", -50),
            ("attempt", "x2", -45),
            ("missed", "x3", -40),
            ("talked", "x4", -30),
            ("missed", "x5", -20),
            ("attempt", "x6", -10),
        ]
        rng = random.Random(11)
        seen = set()
        for turn in range(12):
            phone = f"373690011{turn:02}"
            order = calls + rng.sample(calls, 2)
            rng.shuffle(order)
            for kind, callid, minutes in order:
                values = {"callid": f"{turn}{callid}", "minutes": minutes}
                if kind == "missed":
                    self.missed(phone=phone, **values)
                elif kind == "talked":
                    self.talked(phone=phone, type="out", **values)
                else:
                    self.talked(
                        phone=phone, type="out", status="NotAvailable", **values
                    )
            rows = self.rows("+" + phone).filtered(
                lambda row: row.state in ("open", "done")
            )
            shape = tuple(
                sorted(
                    (
                        row.state,
                        row.missed_count,
                        row.attempts,
                        bool(row.activity_id.active),
                        tuple(c[-2:] for c in sorted(row.missed_ids.mapped("callid"))),
                    )
                    for row in rows
                )
            )
            seen.add(shape)
        self.assertEqual(
            seen,
            {(("done", 2, 1, False, ("x1", "x3")), ("open", 1, 1, True, ("x5",)))},
        )

    def test_transfer_makes_two_ids_one_call(self):
        self.missed("B")
        self.missed("A", minutes=-5)
        self.event("TRANSFERRED", callid="A", second_callid="B", user="igor")
        self.work()
        row = self.row()
        self.assertEqual(row.missed_ids.mapped("callid"), ["A"])
        self.assertEqual((row.state, row.missed_count), ("open", 1))

    # === CHANGED BEHIND THE ROWS ===#

    def test_holiday_edited_and_calendar_changed_later(self):
        self.shut()
        self.missed()
        row = self.row()
        self.assertEqual(row.due_at, self.morning() + timedelta(hours=1))
        day = {"date": self.morning().date(), "name": "x", "kind": "holiday"}
        days = self.env["oda.day"].with_context(active_test=False)
        known = days.search([("date", "=", day["date"]), ("country_code", "=", "MD")])
        known.write({**day, "active": True}) if known else days.create(day)
        self.callbacks._mend()
        self.assertEqual(row.due_at, self.morning() + timedelta(days=7, hours=1))
        self.assertEqual(row.activity_id.oda_due_at, row.due_at)
        self.assertEqual(row.tell_at, self.morning() + timedelta(days=7))
        self.open()
        self.callbacks._mend()
        self.assertLess(row.due_at, self.later(hours=2))
        self.assertLess(row.tell_at, self.later(minutes=1))

    def test_no_calendar_or_no_hours(self):
        self.hours()
        self.missed()
        self.assertEqual(
            self.row().due_at, self.row().first_missed_at + timedelta(minutes=30)
        )
        self.callbacks._tell_new()
        self.assertTrue(self.row().notified_at)
        self.env.company.resource_calendar_id = False
        self.missed("s1", STRANGER)
        self.assertFalse(self.row("+" + STRANGER).out_of_hours)

    def test_whoever_leaves_hands_over(self):
        self.partner.oda_adviser_id = self.ana
        self.missed()
        row = self.row()
        self.assertEqual(row.user_id, self.ana)
        self.ana.active = False
        self.assertTrue(row.activity_id.active)
        self.assertNotEqual(row.activity_id.user_id, self.ana)
        self.assertEqual(row.user_id, row.activity_id.user_id)

    def test_two_cards_become_one(self):
        twin = self.env["res.partner"].create(
            {"name": "Vasile C.", "phone": "069 555 222"}
        )
        self.missed("m1", minutes=-9)
        self.missed("m2", "37369555222", minutes=-5)
        first, second = self.row(), self.row("+37369555222")
        task = second.activity_id
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((twin | self.partner).ids, self.partner)
        self.env.invalidate_all()
        self.assertEqual(first.missed_count, 2)
        self.assertEqual(first.partner_id, self.partner)
        self.assertEqual((second.state, second.drop_kind), ("dropped", "joined"))
        self.assertFalse(task.exists().active)
        self.talked(phone="37369555222", type="out")
        self.assertEqual(first.state, "done", "any of their numbers")

    def test_two_consultations_become_one(self):
        values = {"type": "opportunity", "partner_id": self.partner.id}
        main, twin = self.env["crm.lead"].create(
            [
                {**values, "name": "A", "user_id": self.igor.id},
                {**values, "name": "B", "user_id": self.ana.id},
            ]
        )
        self.missed()
        row = self.row()
        row.lead_id = twin
        main._merge_dependences(twin)
        self.assertEqual(row.lead_id, main)

    def test_the_type_of_these_tasks_stays(self):
        kind = self.env.ref("oda_telephony.activity_type_callback")
        with self.assertRaises(UserError):
            kind.unlink()
        kind.active = False
        self.missed()
        self.assertEqual(self.row().activity_id.activity_type_id, kind)

    def test_task_that_vanished_is_planned_again(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Extindere",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "user_id": self.ana.id,
            }
        )
        self.missed()
        row = self.row()
        self.assertEqual(row.lead_id, lead)
        lead.action_set_lost()
        row.activity_id.unlink()
        self.env.invalidate_all()
        self.callbacks._mend()
        self.assertEqual(row.state, "open")
        self.assertTrue(row.activity_id.active)
        self.assertEqual(row.activity_id.res_model, "res.partner")

    def test_beneficiary_deleted(self):
        self.missed()
        row = self.row()
        self.env["oda.call"].search([]).partner_id = False
        self.partner.unlink()
        self.env.invalidate_all()
        self.callbacks._mend()
        self.assertTrue(row.activity_id.active)
        self.talked(type="out")
        self.assertEqual(row.state, "done")

    def test_robot_that_rings_on_and_on(self):
        self.missed("r0", STRANGER)
        row = self.row("+" + STRANGER)
        row.missed_count = 100
        with self.assertQueryCount(400):
            self.missed("r1", STRANGER, minutes=-1)
        self.assertEqual(row.missed_count, 101)
        self.assertEqual(self.call_of("r1").callback_id, row)

    def test_no_people_in_the_flow(self):
        self.env["crm.team.member"].search([]).unlink()
        self.missed(phone=STRANGER)
        self.assertEqual(self.row("+" + STRANGER).user_id, self.boss)

    def test_answered_calls_cost_little(self):
        """The usual call, owed to nobody: one claim and one question more."""
        calls = self.env["oda.call"]
        for number in range(10):
            calls |= self.talked(f"u{number}")
        calls.mapped("partner_id")
        self.env.flush_all()
        with self.assertQueryCount(4):
            self.callbacks._settle(calls)

    def test_user_without_the_right_company_is_not_on_duty(self):
        other = self.env["res.company"].create({"name": "Filiala"})
        far = new_test_user(
            self.env,
            "t_far",
            groups="oda_base.group_consultant",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.env["oda.line"].create(
            {"name": "L", "number": "022 100 100", "team_id": self.flow.id}
        )
        self.assertNotIn(far, self.env["oda.line"].search([])._people())
        self.missed(phone=STRANGER, diversion="37322100100")
        self.assertNotEqual(self.row("+" + STRANGER).user_id, far)

    def test_late_history_of_an_hour_of_outage(self):
        """The exchange was away: yesterday's calls come all at once, mixed up."""
        for number, minutes in enumerate((-1500, -1480, -1470)):
            self.push(
                "history",
                callid=f"h{number}",
                status="missed",
                user="pbx",
                wait="20",
                start=self.at(minutes),
            )
        self.push("history", callid="h9", type="out", start=self.at(-1475))
        self.work()
        done, left = self.rows().sorted("state")
        self.assertEqual((done.missed_count, done.state), (2, "done"))
        self.assertEqual((left.missed_count, left.state), (1, "open"))
        self.assertTrue(left.is_overdue)
        self.assertEqual(
            self.callbacks.search([("is_overdue", "=", True), ("id", "=", left.id)]),
            left,
        )
        self.assertLess(left.due_at, fields.Datetime.now())
