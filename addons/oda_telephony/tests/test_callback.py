# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common_callback import STRANGER, CallbackCase


class TestCallback(CallbackCase):
    """Whoever was not answered is called back: one row, one task, one result."""

    def case(self, user):
        return self.env["crm.lead"].create(
            {
                "name": "Extindere",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "user_id": user.id,
            }
        )

    def test_by_day_the_owner_has_a_task_at_once(self):
        lead = self.case(self.igor)
        call = self.missed()
        row = self.row()
        self.assertEqual(call.callback_id, row)
        self.assertEqual(row.state, "open")
        self.assertEqual((row.user_id, row.lead_id), (self.igor, lead))
        self.assertFalse(row.out_of_hours)
        self.assertEqual(row.due_at, call.started_at + timedelta(minutes=30))
        task = row.activity_id
        self.assertEqual((task.res_model, task.res_id), ("crm.lead", lead.id))
        self.assertEqual(task.user_id, self.igor)
        self.assertEqual(task.oda_due_at, row.due_at)
        self.assertIn("Vasile Croitoru", task.summary)
        self.assertLessEqual(row.tell_at, fields.Datetime.now())

    def test_at_night_the_target_begins_in_the_morning(self):
        self.shut()
        self.case(self.ana)
        self.missed()
        row = self.row()
        self.assertTrue(row.out_of_hours)
        self.assertEqual(row.due_at, self.morning() + timedelta(hours=1))
        self.assertEqual(row.tell_at, self.morning())
        self.callbacks._tell_new()
        self.assertFalse(row.notified_at, "nobody is woken")
        self.callbacks._tell_new(self.morning())
        self.assertEqual(row.notified_at, self.morning())

    def test_one_row_and_one_task_however_often_they_ring(self):
        for number in range(5):
            self.missed(f"m{number}", minutes=number - 10)
        self.missed("m0", minutes=-10)  # told again
        row = self.row()
        self.assertEqual(row.missed_count, 5)
        self.assertEqual(row.first_missed_at, self.call_of("m0").started_at)
        self.assertEqual(row.last_missed_at, self.call_of("m4").started_at)
        tasks = self.env["mail.activity"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.partner.id)]
        )
        self.assertEqual(tasks, row.activity_id)

    def test_a_stranger_too_and_with_one_task(self):
        self.event("INCOMING", phone=STRANGER, callid="s1")
        self.work()
        lead = self.call_of("s1").lead_id
        first = lead.activity_ids
        self.assertEqual(len(first), 1)
        self.missed("s1", STRANGER)
        row = self.row("+" + STRANGER)
        self.assertEqual(row.lead_id, lead)
        self.assertEqual(lead.activity_ids, first, "the first task asks the same")
        self.assertEqual(row.activity_id, first)
        self.assertIn(row.user_id, self.ana | self.igor)
        self.talked("s2", STRANGER, type="out")
        self.assertEqual(row.state, "done")
        self.assertFalse(first.active)
        self.assertEqual(first.oda_outcome, "done")
        self.assertTrue(lead.activity_ids, "an open consultation keeps a next step")

    def test_anonymous_is_kept_without_a_task(self):
        self.missed("a1", "anonymous")
        self.missed("a2", "anonymous")
        rows = self.callbacks.search([("drop_kind", "=", "nameless")])
        self.assertEqual(len(rows), 2)
        self.assertEqual(set(rows.mapped("state")), {"dropped"})
        self.assertFalse(rows.activity_id)
        self.talked("a1", "anonymous")
        self.assertEqual(sum(rows.mapped("missed_count")), 1, "it was answered")

    def test_a_colleague_s_short_number_waits_for_nobody(self):
        self.missed("a3", "701")
        self.assertFalse(self.callbacks.search([("phone", "=", "701")]))

    def test_our_call_ends_it_with_the_call_as_result(self):
        lead = self.case(self.ana)
        self.missed()
        row = self.row()
        task = row.activity_id
        talk = self.talked(type="out")
        self.assertEqual((row.state, row.call_id), ("done", talk))
        self.assertTrue(row.in_time)
        self.assertEqual(row.minutes, 4)
        self.assertFalse(task.active)
        self.assertEqual(task.oda_outcome, "done")
        self.assertIn("Called back: t_ana talked on", task.feedback)
        self.assertEqual(task.feedback, row.reason)
        self.assertTrue(lead.activity_ids, "the consultation has a next step again")

    def test_their_next_call_ends_it_too(self):
        self.missed()
        talk = self.talked()
        self.assertEqual(self.row().call_id, talk)
        self.assertIn("They called again", self.row().reason)

    def test_too_late_is_said(self):
        self.missed(minutes=-50)
        self.talked(type="out", minutes=-5)
        self.assertFalse(self.row().in_time)
        self.assertEqual(self.row().minutes, 45)

    def test_attempts_are_counted_and_the_task_stays(self):
        self.missed(minutes=-9)
        for number in range(2):
            self.talked(f"o{number}", type="out", status="NotAvailable", minutes=-8)
        row = self.row()
        self.assertEqual((row.state, row.attempts), ("open", 2))
        self.assertTrue(row.activity_id.active)

    def test_who_hung_up_at_once_is_not_called(self):
        self.missed(wait="2")
        self.assertFalse(self.rows())

    # === WHO ===#

    def test_owner_away_then_adviser_then_duty(self):
        self.case(self.igor)
        self.partner.oda_adviser_id = self.ana
        resource = self.env["resource.resource"]
        for user in (self.igor, self.ana):
            one = resource.create({"name": user.name, "user_id": user.id})
            self.env["resource.calendar.leaves"].create(
                {
                    "resource_id": one.id,
                    "date_from": self.later(hours=-1),
                    "date_to": self.later(days=9),
                }
            )
            self.missed(f"m{user.id}")
            self.rows().sudo().write({"state": "dropped"})
        self.assertEqual(self.rows()[0].user_id, self.ana, "the owner is away")
        self.assertIn(self.rows()[-1].user_id, self.ana | self.igor)

    def test_duty_is_shared_evenly(self):
        for number in range(6):
            self.missed(f"m{number}", f"3737900010{number}")
        users = self.callbacks.search([("state", "=", "open")]).mapped("user_id")
        self.assertEqual(users, self.ana | self.igor)
        for user in users:
            owed = self.callbacks.search_count(
                [("user_id", "=", user.id), ("state", "=", "open")]
            )
            self.assertEqual(owed, 3)

    def test_duty_of_the_dialled_number(self):
        department = self.env["oda.department"].create({"name": "Granturi"})
        petru = new_test_user(
            self.env, "t_petru", groups="oda_base.group_consultant", name="t_petru"
        )
        petru.oda_department_id = department
        line = self.env["oda.line"].create(
            {"name": "G", "number": "022 100 100", "department_id": department.id}
        )
        self.missed(phone=STRANGER, diversion="37322100100")
        row = self.row("+" + STRANGER)
        self.assertEqual((row.line_id, row.user_id), (line, petru))

    def test_shared_number_names_nobody(self):
        self.case(self.ana)
        self.env["res.partner"].create({"name": "Elena", "phone": "+37369555111"})
        self.missed()
        row = self.row()
        self.assertFalse(row.partner_id)
        self.assertIn(row.user_id, self.ana | self.igor)
        self.assertTrue(row.activity_id, "a task without a card")
        self.assertFalse(row.activity_id.res_model)
        self.talked(type="out")
        self.assertEqual(row.state, "done")

    # === TELLING ===#

    def letters(self):
        """Return a list that collects [(user, subject, body)] of messages."""
        messages = []

        def notify(thread, *, partner_ids, subject, body, **_values):
            users = self.env["res.users"].search([("partner_id", "in", partner_ids)])
            messages.append((users, subject, body))

        patcher = patch.object(type(self.env["mail.thread"]), "message_notify", notify)
        patcher.start()
        self.addCleanup(patcher.stop)
        return messages

    def test_one_message_a_person_once(self):
        self.partner.oda_adviser_id = self.ana
        self.missed()
        for number in range(3):
            self.missed(f"s{number}", f"3737900010{number}")
        self.callbacks.search([("state", "=", "open")]).write({"user_id": self.ana.id})
        told = self.letters()
        self.callbacks._tell_new()
        self.callbacks._tell_new()
        self.assertEqual(len(told), 1)
        users, subject, body = told[0]
        self.assertEqual(users, self.ana)
        self.assertIn("4", subject)
        self.assertIn("Vasile Croitoru", body)
        self.missed("m9")
        self.callbacks._tell_new()
        self.assertEqual(len(told), 1, "who rings again is no news")

    def test_reminders_climb_and_are_counted(self):
        self.case(self.ana)
        self.missed(minutes=-60)
        row = self.row()
        told = self.letters()
        now = fields.Datetime.now()
        self.callbacks._remind_late(now)
        self.assertEqual((row.reminders, row.last_reminded_at), (1, now))
        self.callbacks._remind_late(now)
        self.assertEqual(row.reminders, 1, "not before its time")
        for hour in (1, 2):
            self.callbacks._remind_late(now + timedelta(hours=hour))
        self.assertEqual(row.reminders, 3)
        self.assertEqual(
            [users for users, _subject, _body in told],
            [self.ana, self.ana, self.ana, self.boss],
        )

    def test_no_reminder_out_of_hours_nor_before_the_target(self):
        self.missed()
        row = self.row()
        self.callbacks._remind_late()
        self.assertFalse(row.reminders, "there is still time")
        self.shut()
        self.callbacks._remind_late(self.later(hours=3))
        self.assertFalse(row.reminders)

    def test_names_in_letters_are_text(self):
        self.partner.name = "<img src=x onerror=alert(1)>"
        self.missed()
        told = self.letters()
        self.callbacks._tell_new()
        self.assertNotIn("<img", told[0][2])

    # === BY HAND ===#

    def test_dropping_needs_a_reason_and_is_journalled(self):
        self.case(self.ana)
        self.missed()
        row = self.row().with_user(self.ana)
        for reason in ("", "  ", "...", None, False, 7, "x" * 20_000):
            with self.assertRaises(UserError):
                row.oda_drop(reason)
        row.oda_drop("A scris pe e-mail, nu mai e nevoie")
        self.assertEqual((row.state, row.drop_kind), ("dropped", "person"))
        self.assertFalse(row.activity_id.active)
        self.assertEqual(row.activity_id.oda_outcome, "cancelled")
        event = self.env["oda.event"].search([("code", "=", "callback.drop")])
        self.assertEqual((event.user_id, event.res_id), (self.ana, row.id))
        self.missed("m2", minutes=1)
        self.assertEqual(len(self.rows()), 2, "who rings again is owed again")
        self.missed("m3", minutes=-3)  # before it was dropped, heard of late
        self.assertEqual(row.missed_count, 2)

    def test_task_of_a_person_closes_with_a_result_only(self):
        self.missed()
        row = self.row()
        task = row.activity_id.with_user(row.user_id)
        self.assertEqual(task.res_model, "res.partner")
        for wrong in (
            lambda: task.action_feedback(feedback="  "),
            lambda: task.write({"active": False}),
            lambda: task.unlink(),
            lambda: task.action_cancel(),
            lambda: task.oda_cancel("x"),
        ):
            with self.assertRaises(UserError):
                wrong()
        self.assertEqual(row.state, "open")
        task.action_feedback(feedback="Am vorbit de pe mobil")
        self.assertEqual((row.state, row.by_hand), ("done", True))
        self.assertFalse(row.call_id)
        self.assertEqual(row.reason, "Am vorbit de pe mobil")
        self.assertTrue(
            self.env["oda.event"].search([("code", "=", "callback.by_hand")])
        )

    def test_cancelling_the_task_drops_the_row(self):
        self.case(self.ana)
        self.missed()
        row = self.row()
        row.activity_id.with_user(self.ana).oda_cancel("Numărul este greșit")
        self.assertEqual((row.state, row.drop_kind), ("dropped", "person"))
        self.missed("p1", "37379000222")
        loose = self.row("+37379000222")
        lead = loose.lead_id
        self.assertTrue(lead, "a stranger has a consultation")

    def test_moving_the_task_moves_no_target(self):
        self.missed()
        row = self.row()
        due_at = row.due_at
        row.activity_id.with_user(row.user_id).oda_due_at = self.later(days=3)
        self.callbacks._mend()
        self.assertEqual(row.due_at, due_at)
        self.assertGreater(row.activity_id.oda_due_at, self.later(days=2))

    def test_taking_over_moves_the_task(self):
        self.case(self.ana)
        self.missed()
        row = self.row()
        with self.assertRaises(AccessError):
            row.with_user(self.igor).oda_drop("nu mai trebuie deloc")
        row.with_user(self.igor).oda_take()
        self.assertEqual((row.user_id, row.activity_id.user_id), (self.igor,) * 2)
        row.activity_id.user_id = self.ana
        self.assertEqual(row.user_id, self.ana, "the row follows its task")

    # === RIGHTS ===#

    def test_nobody_writes_rows(self):
        self.missed()
        row = self.row()
        admin = new_test_user(self.env, "t_adm", groups="oda_base.group_admin")
        for user in (self.ana, self.boss, admin):
            rows = row.with_user(user)
            for wrong in (
                lambda rows=rows: rows.write({"state": "done", "in_time": True}),
                lambda rows=rows: rows.unlink(),
                lambda rows=rows: rows.create({"company_id": 1}),
            ):
                with self.assertRaises(AccessError):
                    wrong()
            self.assertFalse(rows.load(["id", "state"], [[str(row.id), "done"]])["ids"])
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        for verb in ("oda_take", "action_call", "action_drop"):
            with self.assertRaises(AccessError):
                getattr(row.with_user(portal), verb)()
        with self.assertRaises(AccessError):
            row.with_user(self.boss).oda_take()  # a supervisor calls nobody
        with self.assertRaises(AccessError):
            row.with_user(self.boss).oda_drop("nu mai trebuie deloc")

    def test_other_company_sees_nothing(self):
        self.missed()
        other = self.env["res.company"].create({"name": "Filiala"})
        user = new_test_user(
            self.env,
            "t_far",
            groups="oda_base.group_consultant",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        self.assertFalse(self.callbacks.with_user(user).search([]))
        with self.assertRaises(AccessError):
            self.row().with_user(user).oda_take()

    def test_context_opens_no_door(self):
        self.missed()
        row = self.row()
        keys = dict(install_mode=True, mail_activity_quick_update=True, su=True)
        task = row.activity_id.with_user(row.user_id).with_context(**keys)
        with self.assertRaises(UserError):
            task.unlink()
        with self.assertRaises(UserError):
            task.write({"active": False, "feedback": ""})

    def test_call_button(self):
        self.missed()
        action = self.row().with_user(self.ana)
        if not hasattr(self.env["oda.call"], "oda_dial"):
            self.assertEqual(action.action_call()["url"], "tel:+37369555111")
        opened = action.action_open_card()
        self.assertEqual(opened["res_model"], "res.partner")
