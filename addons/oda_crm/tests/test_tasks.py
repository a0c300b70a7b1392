# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CrmCase

GOOD = "Called, will bring the extract"


class TasksCase(CrmCase):
    """`cls.case` is a consultation of `cls.consultant` with its first task."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.env["crm.team"].create(
            {"name": "Ads", "user_id": cls.lead.id, "use_opportunities": True}
        )
        cls.call_type = cls.env.ref("mail.mail_activity_data_call")
        cls.todo_type = cls.env.ref("mail.mail_activity_data_todo")
        cls.case = cls.open_case()
        cls.task = cls.case.activity_ids

    @classmethod
    def open_case(cls, **vals):
        return cls.env["crm.lead"].create(
            {
                "name": "Bakery",
                "type": "opportunity",
                "partner_id": cls.partner.id,
                "user_id": cls.consultant.id,
                "team_id": cls.flow.id,
                **vals,
            }
        )

    def plan(self, case=None, kind=None, **vals):
        case = case or self.case
        return self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": case.id,
                "activity_type_id": (kind or self.call_type).id,
                "user_id": self.consultant.id,
                **vals,
            }
        )

    def as_consultant(self, records):
        return records.with_user(self.consultant)


class TestWaysOut(TasksCase):
    """The seven ways to lose the last task."""

    def test_done_without_a_result_is_refused_and_with_one_asks(self):
        task = self.as_consultant(self.task)
        for nothing in (False, "", "  ", "...", "<p><br></p>", "ok", ["x"], 5):
            with self.subTest(nothing=nothing), self.assertRaises(UserError):
                task.action_feedback(feedback=nothing)
        for method in ("action_done", "action_done_schedule_next"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(task, method)()
        self.assertTrue(task.active)
        self.assertFalse(self.case.oda_next_step_missing)
        action = task.action_feedback_schedule_next(feedback=GOOD)
        self.assertEqual(action["tag"], "oda_crm.next_step")
        self.assertFalse(task.active)
        self.assertEqual((task.feedback, task.oda_outcome), (GOOD, "done"))
        self.assertTrue(self.case.oda_next_step_missing)

    def test_cancelling_needs_a_reason(self):
        task = self.as_consultant(self.task)
        for way in ("action_cancel", "unlink", "unlink_w_meeting"):
            with self.subTest(way=way), self.assertRaises(UserError):
                getattr(task, way)()
        with self.assertRaises(UserError):
            task.oda_cancel("  ")
        action = task.oda_cancel("They went to another centre")
        self.assertEqual(action["params"]["lead_ids"], self.case.ids)
        self.assertEqual(task.oda_outcome, "cancelled")
        self.assertEqual(task.feedback, "They went to another centre")
        self.assertTrue(self.case.oda_next_step_missing)
        self.assertIn("another centre", self.case.message_ids[0].body)

    def test_archiving_is_closing(self):
        task = self.as_consultant(self.task)
        with self.assertRaises(UserError):
            task.action_archive()
        with self.assertRaises(UserError):
            task.write({"active": False, "feedback": " . "})
        with self.assertRaises(UserError):
            task.with_context(oda_result="done", default_active=False).write(
                {"active": False}
            )
        task.write({"active": False, "feedback": GOOD})
        self.assertTrue(self.case.oda_next_step_missing)

    def test_archived_user_loses_nothing(self):
        self.consultant.action_archive()
        self.assertTrue(self.task.active)
        self.assertEqual(self.task.user_id, self.lead)
        self.assertEqual(self.case.user_id, self.consultant)
        self.assertFalse(self.case.oda_next_step_missing)

    def test_deleted_meeting_leaves_its_task(self):
        for who in (self.consultant, self.env.user):
            event = self.env["calendar.event"].create(
                {
                    "name": "Visit",
                    "start": "2030-05-06 09:00:00",
                    "stop": "2030-05-06 10:00:00",
                    "user_id": self.consultant.id,
                }
            )
            self.task.calendar_event_id = event
            event.with_user(who).unlink()
            self.assertTrue(self.task.exists().active)
            self.assertFalse(self.task.calendar_event_id)
        self.assertFalse(self.case.oda_next_step_missing)

    def test_vacuum_leaves_consultations_alone(self):
        self.task.date_deadline = "2015-01-05"
        free = self.env["mail.activity"].create(
            {"user_id": self.consultant.id, "date_deadline": "2015-01-05"}
        )
        self.env["mail.activity"]._gc_delete_old_overdue_activities()
        self.assertTrue(self.task.exists())
        self.assertFalse(free.exists())

    def test_unassigned_task_goes_to_who_is_responsible(self):
        self.as_consultant(self.task).user_id = False
        self.assertEqual(self.task.user_id, self.consultant)
        self.case.user_id = False
        self.as_consultant(self.task).user_id = False
        self.assertEqual(self.task.user_id, self.lead)

    def test_what_the_system_takes_away_it_repairs(self):
        self.task.unlink()
        first = self.case.activity_ids
        self.assertEqual(first.user_id, self.consultant)
        first.action_archive()
        self.assertEqual(first.oda_outcome, "system")
        second = self.case.activity_ids - first
        second.action_feedback()
        self.assertTrue(second.feedback)
        self.assertEqual(len(self.case.activity_ids), 1)
        self.assertFalse(self.case.oda_next_step_missing)

    def test_sql_cascade_is_found_at_night(self):
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM mail_activity WHERE id = %s", self.task.ids)
        self.env.invalidate_all()
        self.env["crm.lead"]._oda_flag_again()
        self.assertTrue(self.case.oda_next_step_missing)
        self.assertGreaterEqual(self.env["crm.lead"]._oda_repair_next_steps(), 1)
        self.assertEqual(self.case.activity_ids.user_id, self.consultant)
        self.assertFalse(self.case.oda_next_step_missing)

    def test_deleting_the_consultation_stays_possible(self):
        self.env["crm.lead"].browse(self.case.id).with_user(self.head).unlink()
        self.assertFalse(self.task.exists())

    def test_task_does_not_move_away_to_another_record(self):
        with self.assertRaises(UserError):
            self.as_consultant(self.task).write(
                {
                    "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                    "res_id": self.partner.id,
                }
            )
        with self.assertRaises(UserError):
            self.as_consultant(self.task).res_id = 999_999_999
        other = self.open_case()
        self.as_consultant(self.task).res_id = other.id
        self.assertTrue(self.case.oda_next_step_missing)
        self.assertFalse(other.oda_next_step_missing)

    def test_commands_on_the_consultation_are_no_way_out(self):
        case = self.as_consultant(self.case)
        for command in (
            Command.delete(self.task.id),
            Command.unlink(self.task.id),
            Command.clear(),
            Command.set([]),
            Command.update(self.task.id, {"active": False}),
        ):
            with (
                self.subTest(command=command),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                case.write({"activity_ids": [command]})
                self.env.flush_all()
            self.env.invalidate_all()
            self.assertTrue(self.task.exists().active)
            self.assertEqual(self.task.res_id, self.case.id)

    def test_a_type_that_needs_no_result(self):
        self.call_type.oda_result_required = False
        task = self.as_consultant(self.plan())
        task.action_done()
        self.assertFalse(task.active)
        self.as_consultant(self.plan()).unlink()
        self.assertFalse(self.case.oda_next_step_missing)

    def test_tasks_elsewhere_are_none_of_our_business(self):
        task = self.partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.consultant.id
        )
        self.as_consultant(task).action_done()
        self.assertFalse(task.active)


class TestResultOfTask(TasksCase):
    def test_last_result_again_is_refused(self):
        for result in (GOOD, "Something else now"):
            self.as_consultant(self.plan()).action_feedback(feedback=result)
        with self.assertRaises(UserError):
            self.as_consultant(self.plan()).action_feedback(
                feedback="something ELSE -- now."
            )
        # another type, another consultation: another matter
        self.as_consultant(self.plan(kind=self.todo_type)).action_feedback(
            feedback="Something else now"
        )
        self.as_consultant(self.plan(self.open_case())).action_feedback(
            feedback="Something else now"
        )

    def test_one_text_does_not_close_two(self):
        both = self.plan() | self.plan()
        with self.assertRaises(UserError):
            self.as_consultant(both).action_feedback(feedback=GOOD)
        self.assertEqual(both.mapped("active"), [True, True])

    def test_ten_thousand_characters_are_kept_whole(self):
        text = ("ă<b>î</b>& " * 910)[:10_000]
        task = self.as_consultant(self.plan())
        task.action_feedback(feedback=text)
        self.assertEqual(task.feedback, text)
        with self.assertRaises(UserError):
            self.as_consultant(self.plan()).action_feedback(feedback=text + "x")

    def test_html_is_escaped(self):
        text = "<script>alert(1)</script> came and <b>went</b>"
        self.as_consultant(self.plan()).action_feedback(feedback=text)
        self.as_consultant(self.plan()).oda_cancel("<img src=x onerror=y> and so on")
        bodies = "".join(self.case.message_ids.mapped("body"))
        self.assertNotIn("<script", bodies)
        self.assertNotIn("<img", bodies)
        self.assertIn("&lt;script&gt;", bodies)

    def test_result_is_searchable_and_stays(self):
        task = self.as_consultant(self.task)
        task.action_feedback(feedback=GOOD)
        tasks = task.with_context(active_test=False)
        self.assertIn(task, tasks.search([("feedback", "ilike", "extract")]))
        for vals in ({"feedback": ""}, {"feedback": "Another story altogether"}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                task.write(vals)
        with self.assertRaises(UserError):
            task.unlink()

    def test_closed_once(self):
        self.as_consultant(self.task).action_feedback(feedback=GOOD)
        with self.assertRaises(UserError):
            self.task.with_user(self.lead).action_feedback(feedback="Me, too, later")
        self.assertEqual(self.task.feedback, GOOD)

    def test_document_speaks_for_itself(self):
        kind = self.env.ref("mail.mail_activity_data_upload_document")
        task = self.as_consultant(self.plan(kind=kind))
        with self.assertRaises(UserError):
            task.action_feedback()
        paper = self.env["ir.attachment"].with_user(self.consultant)
        paper = paper.create({"name": "extract.pdf", "raw": b"x"})
        task.action_feedback(attachment_ids=paper.ids)
        self.assertEqual(task.feedback, "extract.pdf")

    def test_dialog_of_buttons(self):
        dialog = self.env["oda.task.result"].with_user(self.consultant)
        dialog = dialog.create({"task_ids": self.task.ids, "text": " "})
        with self.assertRaises(UserError):
            dialog.action_confirm()
        dialog.text = GOOD
        self.assertEqual(dialog.action_confirm()["tag"], "oda_crm.next_step")
        other = self.plan()
        dialog = dialog.create(
            {"task_ids": other.ids, "outcome": "cancelled", "text": "No need any more"}
        )
        dialog.action_confirm()
        self.assertEqual(other.oda_outcome, "cancelled")

    def test_nobody_writes_what_the_system_notes(self):
        for vals in ({"oda_outcome": "done"}, {"oda_done_at": "2020-01-01 00:00:00"}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.as_consultant(self.task).write(vals)
        with self.assertRaises(AccessError):
            self.as_consultant(self.env["mail.activity"]).with_context(
                default_oda_outcome="done"
            ).create({"user_id": self.consultant.id})
        with self.assertRaises(UserError):
            self.as_consultant(self.env["mail.activity"]).create(
                {
                    "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "res_id": self.case.id,
                    "activity_type_id": self.call_type.id,
                    "active": False,
                }
            )

    def test_strangers_close_nothing(self):
        portal = new_test_user(self.env, "test_citizen", groups="base.group_portal")
        for who in (portal, self.cashier):
            task = self.task.with_user(who)
            for act in (
                lambda task=task: task.action_feedback(feedback=GOOD),
                lambda task=task: task.oda_cancel("Because I say so"),
                lambda task=task: task.unlink(),
            ):
                with self.assertRaises(AccessError), mute_logger("odoo.models"):
                    act()
            orphans = self.env["crm.lead"].with_user(who)
            self.assertEqual(orphans.oda_my_orphans(self.case.ids)["leads"], [])
            with self.assertRaises(AccessError):
                self.case.with_user(who).oda_plan_next_step(self.call_type.id)

    def test_parts_close_first(self):
        part = self.plan(oda_parent_id=self.task.id, user_id=self.lead.id)
        task = self.as_consultant(self.task)
        for way in (
            lambda: task.action_feedback(feedback=GOOD),
            lambda: task.oda_cancel("Not needed any more"),
            lambda: task.write({"active": False, "feedback": GOOD}),
        ):
            with self.assertRaises(UserError):
                way()
        part.with_user(self.lead).action_feedback(feedback="The extract is here")
        task.action_feedback(feedback=GOOD)
        self.assertFalse(task.active)

    def test_no_circles(self):
        part = self.plan(oda_parent_id=self.task.id)
        with self.assertRaises(ValidationError):
            self.task.oda_parent_id = part
        with self.assertRaises(ValidationError):
            self.task.oda_parent_id = self.task
        other = self.open_case()
        with self.assertRaises(ValidationError):
            other.activity_ids.oda_parent_id = self.task


class TestNextStep(TasksCase):
    def test_first_task_in_working_time(self):
        with freeze_time("2026-05-15 13:30:00"):  # Friday 16:30 in Chișinău
            case = self.open_case()
        task = case.activity_ids
        self.assertEqual(task.user_id, self.consultant)
        calendar = self.env["oda.worktime"]._working_calendar()
        self.assertTrue(calendar.periods(task.date_deadline))
        due = self.env["oda.worktime"]._add_working_minutes(
            datetime(2026, 5, 15, 13, 30), 60
        )
        self.assertEqual(task.oda_due_at, due)
        self.assertTrue(task.automated)

    def test_who_gives_a_task_gets_no_second_one(self):
        case = self.as_consultant(self.env["crm.lead"]).create(
            {
                "name": "With a task",
                "type": "opportunity",
                "activity_ids": [
                    Command.create(
                        {
                            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                            "summary": "Mine",
                        }
                    )
                ],
            }
        )
        self.assertEqual(case.activity_ids.mapped("summary"), ["Mine"])

    def test_first_task_is_quiet(self):
        person = self.partner.copy()
        messages = self.env["mail.message"].search_count([])
        letters = self.env["mail.mail"].search_count([])
        case = (
            self.env["crm.lead"]
            .with_user(self.env.ref("oda_base.user_connector"))
            ._oda_find_or_open(person, user=self.consultant)
        )
        self.assertEqual(len(case.activity_ids), 1)
        self.assertFalse(case.message_partner_ids)
        self.assertEqual(self.env["mail.message"].search_count([]), messages)
        self.assertEqual(self.env["mail.mail"].search_count([]), letters)

    def test_first_task_costs_few_queries(self):
        self.open_case()
        self.env.flush_all()
        base = self._count(lambda: self.open_case(type="lead"))
        full = self._count(lambda: self.open_case())
        self.assertLessEqual(full - base, 8)

    def _count(self, act):
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        act()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_stage_move_costs_nothing(self):
        stage = self.env["crm.stage"].search([("is_won", "=", False)], limit=2)
        self.case.stage_id = stage[0]
        self.env.flush_all()
        self.env.invalidate_all()
        case = self.as_consultant(self.case)
        case.read(["stage_id", "name"])
        statements = []
        origin = type(self.env.cr).execute

        def spy(cursor, query, *args, **kwargs):
            statements.append(str(query))
            return origin(cursor, query, *args, **kwargs)

        self.patch(type(self.env.cr), "execute", spy)
        case.stage_id = stage[1]
        self.env.flush_all()
        ours = [one for one in statements if "oda_stage_plan" in one or "v.was" in one]
        self.assertLessEqual(len(ours), 1)

    def test_consultation_of_nobody(self):
        case = self.open_case(user_id=False)
        self.assertEqual(case.activity_ids.user_id, self.lead)
        case.user_id = self.consultant
        self.assertEqual(case.activity_ids.user_id, self.consultant)
        bare = self.env["crm.team"].create({"name": "Nobody leads"})
        case = self.open_case(user_id=False, team_id=bare.id)
        self.assertEqual(len(case.activity_ids), 1)
        self.assertFalse(case.activity_ids.user_id)
        case.user_id = self.consultant
        self.assertEqual(case.activity_ids.user_id, self.consultant)

    def test_business_waits_for_the_next_step(self):
        self.as_consultant(self.task).action_feedback(feedback=GOOD)
        case = self.as_consultant(self.case)
        stage = self.env["crm.stage"].search([("is_won", "=", False)], limit=2)
        for vals in (
            {"stage_id": (stage - self.case.stage_id)[0].id},
            {"user_id": self.lead.id},
            {"name": "Another name"},
            {"description": "text"},
        ):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                case.write(vals)
        with self.assertRaises(UserError):
            case.with_context(
                oda_no_new_followers=True, mail_activity_quick_update=True
            ).write({"name": "x"})
        for name in ("oda_next_step_missing", "oda_stale_level"):
            with self.assertRaises(AccessError):
                case.write({name: 0})
        case.oda_plan_next_step(self.call_type.id, "Call about the extract", "hour")
        case.write({"name": "Another name"})
        self.assertFalse(case.oda_next_step_missing)

    def test_next_step_may_come_in_the_same_write(self):
        self.as_consultant(self.task).action_feedback(feedback=GOOD)
        self.as_consultant(self.case).write(
            {
                "name": "Another name",
                "activity_ids": [
                    Command.create(
                        {
                            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                            "res_id": self.case.id,
                            "user_id": self.consultant.id,
                        }
                    )
                ],
            }
        )
        self.assertFalse(self.case.oda_next_step_missing)

    def test_closing_is_always_possible(self):
        self.as_consultant(self.task).action_feedback(feedback=GOOD)
        self.as_consultant(self.case).action_set_lost()
        self.assertFalse(self.case.oda_next_step_missing)
        action = self.as_consultant(self.case).action_restore()
        self.assertEqual(action["tag"], "oda_crm.next_step")
        self.assertTrue(self.case.oda_next_step_missing)
        self.as_consultant(self.case).action_set_won()
        self.assertFalse(self.case.oda_next_step_missing)

    def test_converted_lead_gets_its_first_task(self):
        case = self.as_consultant(self.open_case(type="lead"))
        self.assertFalse(case.activity_ids)
        case.convert_opportunity(self.partner)
        self.assertEqual(len(case.activity_ids), 1)

    def test_a_flag_that_lies_heals_itself(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET oda_next_step_missing = true WHERE id = %s",
            self.case.ids,
        )
        self.env.invalidate_all()
        orphans = self.as_consultant(self.env["crm.lead"]).oda_my_orphans()
        self.assertNotIn(self.case.id, [lead["id"] for lead in orphans["leads"]])
        self.as_consultant(self.case).name = "Goes"
        self.assertFalse(self.case.oda_next_step_missing)

    def test_my_orphans(self):
        leads = self.env["crm.lead"]
        self.as_consultant(self.task).action_feedback(feedback=GOOD)
        found = self.as_consultant(leads).oda_my_orphans()
        self.assertEqual([lead["id"] for lead in found["leads"]], self.case.ids)
        self.assertEqual(found["choices"][0]["key"], "hour")
        self.assertTrue(found["types"])
        # not the head's own, unless it was the head who took the last task away
        head = leads.with_user(self.head)
        self.assertEqual(head.oda_my_orphans()["leads"], [])
        self.assertEqual(len(head.oda_my_orphans(self.case.ids)["leads"]), 1)
        self.consultant.active = False
        self.assertEqual(len(leads.with_user(self.lead).oda_my_orphans()["leads"]), 1)
        self.assertEqual(leads.oda_my_orphans()["leads"], [])
        self.assertEqual(head.oda_my_orphans(["x", None, True])["leads"], [])

    def test_planning_refuses_in_words(self):
        case = self.as_consultant(self.case)
        kind = self.call_type.id
        elsewhere = self.env["mail.activity.type"].create(
            {"name": "Elsewhere", "res_model": "res.partner"}
        )
        portal = new_test_user(self.env, "test_citizen2", groups="base.group_portal")
        for args in (
            (0,), ("x",), (elsewhere.id,), (kind, "a", "not a time"), (kind, "a", [1]),
            (kind, "a", "2001-01-01 10:00:00"), (kind, "a", "hour", portal.id),
        ):  # fmt: skip
            with self.subTest(args=args), self.assertRaises(UserError):
                case.oda_plan_next_step(*args)

    def test_merging_keeps_tasks(self):
        other = self.open_case()
        tasks = self.case.activity_ids | other.activity_ids
        merged = (self.case | other).with_user(self.head).merge_opportunity()
        self.assertEqual(merged.activity_ids, tasks)
        self.assertFalse(merged.oda_next_step_missing)

    def test_card_shows_the_next_step(self):
        step = self.as_consultant(self.case).oda_next_step
        self.assertEqual(step["id"], self.task.id)
        self.assertEqual(step["user"], self.consultant.name)
        cases = self.case
        for _number in range(10):
            cases |= self.open_case()
        self.env.flush_all()
        self.env.invalidate_all()
        cases = self.as_consultant(cases)
        with self.assertQueryCount(14):
            cases.mapped("oda_next_step")


class TestDue(TasksCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.consultant.tz = "Europe/Chisinau"
        cls.env.company.resource_calendar_id.tz = "Europe/Chisinau"

    def test_the_day_follows_the_time_where_one_lives(self):
        self.task.oda_due_at = "2030-05-06 21:30:00"  # 00:30 on the 7th in Chișinău
        self.assertEqual(str(self.task.date_deadline), "2030-05-07")
        self.head.tz = "Europe/London"
        self.task.user_id = self.head
        self.assertEqual(str(self.task.date_deadline), "2030-05-06")

    def test_another_day_keeps_the_time(self):
        self.task.oda_due_at = "2030-03-29 13:00:00"  # 15:00, winter time
        self.task.date_deadline = "2030-04-01"  # summer time
        self.assertEqual(str(self.task.oda_due_at), "2030-04-01 12:00:00")

    def test_a_day_alone_means_its_end(self):
        task = self.plan(date_deadline="2030-05-06")
        end = (
            self.env["oda.worktime"]
            ._working_calendar()
            .periods(fields.Date.to_date("2030-05-06"))[-1][1]
        )
        self.assertEqual(task.oda_due_at, end.replace(tzinfo=None))
        task.oda_due_at = False
        self.assertEqual(task.oda_due_at, end.replace(tzinfo=None))

    def test_many_at_once(self):
        both = self.plan(oda_due_at="2030-05-06 07:00:00") | self.plan(
            oda_due_at="2030-05-08 12:00:00"
        )
        both.write({"date_deadline": "2030-05-10"})
        self.assertEqual(
            [str(due) for due in both.mapped("oda_due_at")],
            ["2030-05-10 07:00:00", "2030-05-10 12:00:00"],
        )

    def test_delays_are_working_days(self):
        self.call_type.delay_count = 2
        with freeze_time("2026-06-12 08:00:00"):  # a Friday
            day = self.call_type._get_date_deadline()
        self.assertEqual(str(day), "2026-06-16")
        self.call_type.delay_count = 0
        with freeze_time("2026-06-13 08:00:00"):
            day = self.call_type._get_date_deadline()
        self.assertEqual(str(day), "2026-06-15")

    def test_quick_choices(self):
        tasks = self.as_consultant(self.env["mail.activity"])
        with freeze_time("2026-06-12 07:00:00"):  # Friday 10:00
            choices = tasks._oda_due_choices()
        self.assertEqual(str(choices["today"]), "2026-06-12 12:00:00")
        self.assertEqual(choices["morning"].date().isoformat(), "2026-06-15")
        with freeze_time("2026-06-13 07:00:00"):
            self.assertNotIn("today", tasks._oda_due_choices())

    def test_moved_meeting_moves_the_time(self):
        event = self.env["calendar.event"].create(
            {
                "name": "Visit",
                "start": "2030-05-06 09:00:00",
                "stop": "2030-05-06 10:00:00",
                "user_id": self.consultant.id,
            }
        )
        self.task.calendar_event_id = event
        event.write({"start": "2030-05-07 11:00:00", "stop": "2030-05-07 12:00:00"})
        self.assertEqual(str(self.task.oda_due_at), "2030-05-07 11:00:00")
        self.assertEqual(str(event.start), "2030-05-07 11:00:00")

    def test_dialog_of_core_asks_for_the_time(self):
        wizard = (
            self.env["mail.activity.schedule"]
            .with_context(active_model="crm.lead", active_ids=self.case.ids)
            .with_user(self.consultant)
            .create(
                {
                    "activity_type_id": self.call_type.id,
                    "activity_user_id": self.consultant.id,
                    "oda_due_at": "2030-05-06 09:00:00",
                }
            )
        )
        wizard.action_schedule_activities()
        task = self.case.activity_ids - self.task
        self.assertEqual(str(task.oda_due_at), "2030-05-06 09:00:00")
        self.assertEqual(str(task.date_deadline), "2030-05-06")


class TestPlans(TasksCase):
    def test_entering_a_stage_starts_its_plan_once(self):
        stages = self.env["crm.stage"].search([("is_won", "=", False)], limit=2)
        self.case.stage_id = stages[0]
        plan = self.env["mail.activity.plan"].create(
            {
                "name": "Documents",
                "res_model": "crm.lead",
                "template_ids": [
                    Command.create(
                        {"activity_type_id": self.call_type.id, "summary": "Ask"}
                    ),
                    Command.create(
                        {
                            "activity_type_id": self.todo_type.id,
                            "summary": "Check",
                            "responsible_type": "other",
                            "responsible_id": self.head.id,
                        }
                    ),
                ],
            }
        )
        line = self.env["oda.stage.plan"].create(
            {"stage_id": stages[1].id, "team_id": self.flow.id, "plan_id": plan.id}
        )
        self.as_consultant(self.case).stage_id = stages[1]
        new = self.case.activity_ids - self.task
        self.assertEqual(
            {(task.summary, task.user_id) for task in new},
            {("Ask", self.consultant), ("Check", self.head)},
        )
        self.case.stage_id = stages[0]
        self.case.stage_id = stages[1]
        self.assertEqual(self.case.activity_ids, new | self.task)
        born = self.open_case(stage_id=stages[1].id)
        self.assertEqual(set(born.activity_ids.mapped("summary")), {"Ask", "Check"})
        elsewhere = self.env["crm.team"].create({"name": "Elsewhere"})
        other = self.open_case(stage_id=stages[1].id, team_id=elsewhere.id)
        self.assertEqual(len(other.activity_ids), 1)
        line.active = False
        self.assertEqual(len(self.open_case(stage_id=stages[1].id).activity_ids), 1)

    def test_only_heads_say_what_starts(self):
        plans = self.env["oda.stage.plan"]
        self.assertTrue(plans.with_user(self.head).has_access("create"))
        for role in ("consultant", "lead", "supervisor", "cashier"):
            self.assertFalse(plans.with_user(getattr(self, role)).has_access("write"))


@tagged("post_install", "-at_install")
class TestHandOver(TasksCase):
    def test_fifty_consultations_lose_nothing(self):
        gone = new_test_user(self.env, "gone", groups="oda_base.group_consultant")
        also = new_test_user(self.env, "also", groups="oda_base.group_consultant")
        cases = self.env["crm.lead"].create(
            [
                {
                    "name": f"Case {number}",
                    "type": "opportunity",
                    "user_id": (gone if number % 2 else also).id,
                    "team_id": self.flow.id,
                }
                for number in range(50)
            ]
        )
        free = self.env["mail.activity"].create({"user_id": gone.id, "summary": "Own"})
        person = self.partner.activity_schedule(
            "mail.mail_activity_data_todo", user_id=also.id
        )
        tasks = cases.activity_ids
        self.assertEqual(len(tasks), 50)
        (gone | also).action_archive()
        self.assertEqual(cases.activity_ids, tasks)
        self.assertEqual(tasks.user_id, self.lead)
        self.assertFalse(any(cases.mapped("oda_next_step_missing")))
        self.assertTrue((free | person).exists() == free | person)
        self.assertNotIn(free.user_id, gone | also)
        told = self.env["mail.message"].search(
            [
                ("partner_ids", "in", self.lead.partner_id.ids),
                ("subject", "like", "50"),
            ]
        )
        self.assertEqual(len(told), 1)
        self.assertIn("Case 49", told.body)

    def test_every_way_of_leaving(self):
        for number, leave in enumerate(
            (
                lambda user: user.action_archive(),
                lambda user: user.write({"active": False}),
                lambda user: user.unlink(),
            )
        ):
            user = new_test_user(
                self.env, f"leaver{number}", groups="oda_base.group_consultant"
            )
            case = self.open_case(user_id=user.id)
            task = case.activity_ids
            if number == 2:
                case.write({"user_id": self.consultant.id, "team_id": self.flow.id})
                task.user_id = user
            leave(user)
            self.assertEqual(task.exists().user_id, self.lead)

    def test_leader_leaves_too(self):
        (self.lead | self.consultant).action_archive()
        self.assertIn(
            self.task.user_id,
            self.head | self.env.ref("oda_base.group_head").all_user_ids,
        )
        self.assertTrue(self.task.user_id.active)

    def test_who_may_not_archive_moves_nothing(self):
        with self.assertRaises(AccessError):
            self.consultant.with_user(self.lead).action_archive()
        self.assertEqual(self.task.user_id, self.consultant)


class TestStale(TasksCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oda.stale.rule"].search([]).active = False
        cls.rule = cls.env["oda.stale.rule"].create(
            {
                "team_id": cls.flow.id,
                "hours": 8,
                "repeat_hours": 8,
                "climb_after": 1,
            }
        )
        heads = cls.env.ref("oda_base.group_head").user_ids
        heads.filtered(lambda user: user != cls.head).group_ids -= cls.env.ref(
            "oda_base.group_head"
        )

    def age(self, when, case=None):
        """The consultation was opened at ``when`` and nothing happened since."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s, date_last_stage_update = %s"
            " WHERE id = %s",
            (when, when, (case or self.case).id),
        )
        self.env.invalidate_all()

    def sweep(self, now):
        stale = self.env["oda.stale"]
        stale._oda_reset()
        return stale._oda_sweep(fields.Datetime.to_datetime(now))

    def inbox(self, user):
        return self.env["mail.message"].search_count(
            [
                ("partner_ids", "in", user.partner_id.ids),
                ("subject", "like", "stand still"),
            ]
        )

    def test_reminders_climb_and_repeat_in_working_time(self):
        self.env.company.resource_calendar_id.tz = "Europe/Chisinau"
        self.age("2026-06-05 07:00:00")  # Friday 10:00
        self.assertEqual(self.sweep("2026-06-07 12:00:00"), 0)  # Sunday
        self.assertEqual(self.sweep("2026-06-08 06:30:00"), 0)  # Monday 09:30
        self.assertEqual(self.sweep("2026-06-08 08:00:00"), 1)  # Monday 11:00
        self.assertEqual(self.case.oda_stale_level, 1)
        self.assertEqual(self.sweep("2026-06-08 09:00:00"), 0)
        self.assertEqual(self.sweep("2026-06-09 12:00:00"), 1)
        self.assertEqual(self.case.oda_stale_level, 2)
        self.assertEqual(self.sweep("2026-06-10 14:00:00"), 1)
        self.assertEqual(self.case.oda_stale_level, 3)
        self.assertEqual(
            [self.inbox(user) for user in (self.consultant, self.lead, self.head)],
            [3, 2, 1],
        )

    def test_redating_is_no_step_and_real_steps_are(self):
        steps = (
            lambda case: (
                case.activity_ids[0]
                .with_user(self.consultant)
                .action_feedback(feedback=GOOD)
            ),
            lambda case: self.env["oda.consultation.session"].create(
                {"partner_id": self.partner.id, "lead_id": case.id}
            ),
            lambda case: case.with_user(self.consultant).message_post(
                body="We wrote", subtype_xmlid="mail.mt_comment"
            ),
            lambda case: case.with_user(self.consultant).write(
                {
                    "stage_id": self.env["crm.stage"]
                    .search([("id", "!=", case.stage_id.id), ("is_won", "=", False)])[0]
                    .id
                }
            ),
        )
        for step in steps:
            case = self.open_case()
            self.age("2026-06-01 07:00:00", case)
            self.sweep("2026-06-08 08:00:00")
            self.assertTrue(case.oda_stale_level)
            case.activity_ids.date_deadline = "2030-01-07"
            case.with_user(self.consultant).message_post(body="A note to self")
            self.env["oda.stale"]._oda_reset()
            self.assertTrue(case.oda_stale_level)
            step(case)
            self.assertFalse(case.oda_stale_level)
            self.assertFalse(self.env["oda.stale"].search([("lead_id", "=", case.id)]))

    def test_steps_that_went_past_the_orm_count_as_well(self):
        self.age("2026-06-01 07:00:00")
        self.sweep("2026-06-08 08:00:00")
        self.env.cr.execute(
            "INSERT INTO oda_consultation_session (partner_id, lead_id, company_id,"
            " channel, direction, started_at, create_date) VALUES"
            " (%s, %s, %s, 'phone', 'in', %s, %s)",
            (self.partner.id, self.case.id, self.env.company.id)
            + ("2026-06-08 08:30:00",) * 2,
        )
        self.assertEqual(self.sweep("2026-06-08 09:00:00"), 0)
        self.assertFalse(self.case.oda_stale_level)

    def test_most_exact_rule_counts(self):
        self.env["oda.stale.rule"].create(
            {"team_id": self.flow.id, "stage_id": self.case.stage_id.id, "hours": 900}
        )
        self.age("2026-06-01 07:00:00")
        self.assertEqual(self.sweep("2026-06-08 08:00:00"), 0)
        other = self.open_case(team_id=self.env["crm.team"].create({"name": "x"}).id)
        self.age("2026-06-01 07:00:00", other)
        self.assertEqual(self.sweep("2026-06-08 08:00:00"), 0)  # no rule at all

    def test_closed_and_ruleless_are_forgotten(self):
        self.age("2026-06-01 07:00:00")
        self.sweep("2026-06-08 08:00:00")
        self.case.action_set_lost()
        self.env["oda.stale"]._oda_reset()
        self.assertFalse(self.case.oda_stale_level)
        other = self.open_case()
        self.age("2026-06-01 07:00:00", other)
        self.sweep("2026-06-08 08:00:00")
        self.rule.with_user(self.head).unlink()
        self.assertFalse(other.oda_stale_level)

    def test_nobody_writes_the_state(self):
        stale = self.env["oda.stale"]
        for role in ("consultant", "lead", "head", "admin"):
            mine = stale.with_user(getattr(self, role))
            self.assertFalse(mine.has_access("write") or mine.has_access("create"))
