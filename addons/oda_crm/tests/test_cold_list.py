# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from odoo.addons.oda_crm.models import oda_cold_list as module

from .common import CrmCase
from .test_event_seats import event_values


class ColdCase(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = new_test_user(
            cls.env, "test_second_manager", groups="oda_base.group_consultant"
        )
        cls.people = cls.env["res.partner"].create(
            [
                {"name": f"Rece {n}", "city": "Recești", "phone": f"06911122{n}"}
                for n in range(7)
            ]
        )
        cls.segment = (
            cls.env["oda.segment"]
            .with_user(cls.lead)
            .create({"name": "Rece", "domain": "[('city', '=', 'Recești')]"})
        )
        cls.event = cls.env["event.event"].create(event_values(name="Export"))
        cls.team = cls.env["crm.team"].create({"name": "Cold flow"})
        cls.cold = cls.new_list()
        cls.people._oda_give_consent("calls")

    @classmethod
    def new_list(cls, **values):
        return (
            cls.env["oda.cold.list"]
            .with_user(cls.lead)
            .create(
                {
                    "name": "Invitations",
                    "segment_id": cls.segment.id,
                    "event_id": cls.event.id,
                    "team_id": cls.team.id,
                    "manager_ids": [Command.set((cls.consultant | cls.other).ids)],
                    **values,
                }
            )
        )

    def make(self, cold=None):
        cold = cold or self.cold
        cold.action_make()
        for _batch in range(20):
            if cold.state != "making":
                break
            cold._job_make()
        return cold.sudo().lead_ids

    def mine(self, user=None):
        return self.env["crm.lead"].with_user(user or self.consultant)

    def first(self, user=None):
        return self.mine(user)._oda_cold_next(self.cold)


class TestColdList(ColdCase):
    def test_one_consultation_a_person_shared_out_evenly(self):
        leads = self.make()
        self.assertEqual(leads.partner_id, self.people)
        self.assertEqual(len(leads), 7)
        by_user = leads.grouped("user_id")
        self.assertEqual(by_user.keys(), {self.consultant, self.other})
        self.assertEqual(sorted(map(len, by_user.values())), [3, 4])
        self.assertEqual(leads.team_id, self.team)
        self.assertEqual(self.cold.state, "calling")
        self.assertEqual(self.cold.progress, 100)
        self.assertEqual(set(leads.mapped("name")), {"Export"})

    def test_in_batches_that_go_on_after_a_crash(self):
        with patch.object(module, "BATCH", 3):
            self.cold.action_make()
            self.cold._job_make()
            self.assertEqual(self.cold.state, "making")
            self.assertEqual((self.cold.total, self.cold.looked_at), (7, 3))
            self.assertAlmostEqual(self.cold.progress, 100 * 3 / 7)
            with (
                patch.object(
                    type(self.cold), "_make_leads", side_effect=ZeroDivisionError
                ),
                self.assertRaises(ZeroDivisionError),
                self.env.cr.savepoint(),
            ):
                self.cold._job_make()
            self.cold._job_make()
            self.cold._job_make()
        self.assertEqual(self.cold.state, "calling")
        self.assertEqual(len(self.cold.sudo().lead_ids), 7)

    def test_a_repeated_job_makes_nothing_twice(self):
        self.make()
        self.cold._job_make()
        self.assertEqual(len(self.cold.sudo().lead_ids), 7)
        jobs = self.env["queue.job"].search([("model_name", "=", "oda.cold.list")])
        self.assertEqual(len(jobs.filtered(lambda j: j.records == self.cold)), 1)

    def test_cancelled_stops(self):
        with patch.object(module, "BATCH", 3):
            self.cold.action_make()
            self.cold._job_make()
            self.cold.action_cancel()
            self.cold._job_make()
            self.assertEqual(len(self.cold.sudo().lead_ids), 3)
            self.make()
        self.assertEqual(
            len(self.cold.sudo().lead_ids), 7, "made ready again: the rest"
        )

    def test_who_is_left_out(self):
        self.event.sudo()._oda_register(self.people[0], "test")
        self.people[1]._oda_unsubscribe("calls")
        self.people[2].phone = False
        self.make(self.new_list(name="another"))
        second = self.make()
        self.assertFalse(second, "all others are being called already")

    def test_left_out_for_their_own_reasons(self):
        self.event.sudo()._oda_register(self.people[0], "test")
        self.people[1]._oda_unsubscribe("calls")
        self.people[2].phone = False
        self.assertEqual(self.make().partner_id, self.people[3:])

    def test_nobody_is_forgotten_when_managers_change(self):
        leads = self.make()
        self.assertEqual(len(leads.activity_ids), 7, "the call is the next step")
        self.assertEqual(set(leads.activity_ids.mapped("summary")), {"Call: Export"})
        done = leads.filtered(lambda lead: lead.user_id == self.other)[0]
        done.with_user(self.other).action_oda_cold_refuse()
        task = leads[0].activity_schedule(
            "mail.mail_activity_data_call", user_id=leads[0].user_id.id
        )
        self.cold.manager_ids = [Command.set(self.head.ids)]
        self.cold.action_distribute()
        self.assertEqual((leads - done).user_id, self.head)
        self.assertEqual(done.user_id, self.other, "what is settled stays")
        if leads[0] != done:
            self.assertEqual(task.user_id, self.head)
        self.assertEqual((leads - done).partner_id.oda_adviser_id, self.head)

    def test_whoever_is_away_gets_nobody(self):
        resource = self.env["resource.resource"].create(
            {"name": "other", "user_id": self.other.id}
        )
        now = fields.Datetime.now()
        self.env["resource.calendar.leaves"].create(
            {
                "resource_id": resource.id,
                "date_from": now - timedelta(hours=1),
                "date_to": now + timedelta(hours=5),
            }
        )
        self.assertEqual(self.make().user_id, self.consultant)

    def test_what_is_missing_is_said(self):
        for values in (
            {"segment_id": False},
            {"team_id": False},
            {"manager_ids": [Command.clear()]},
        ):
            cold = self.new_list(**values)
            with self.assertRaises(UserError):
                cold.action_make()
            self.assertEqual(cold.state, "draft")
        portal = new_test_user(self.env, "cold_citizen", groups="base.group_portal")
        with self.assertRaises(ValidationError):
            self.cold.manager_ids = portal

    def test_rights(self):
        mine = self.cold.with_user(self.consultant)
        self.assertTrue(mine.has_access("read"))
        for verb in ("action_make", "action_cancel", "action_done"):
            with self.assertRaises(AccessError):
                getattr(mine, verb)()
        self.make()
        with self.assertRaises(AccessError):
            mine.action_distribute()
        lead = self.first()
        for values in (
            {"oda_cold_outcome": "registers"},
            {"oda_cold_list_id": self.new_list().id},
            {"oda_cold_attempts": 9},
        ):
            with self.assertRaises(AccessError):
                lead.write(values)
        with self.assertRaises(AccessError):
            self.mine().create({"name": "x", "oda_cold_list_id": self.cold.id})
        company = self.env["res.company"].create({"name": "Other centre"})
        self.cold.sudo().company_id = company
        self.assertFalse(mine.has_access("read"))

    def test_merged_people_keep_all_their_cases(self):
        leads = self.make()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(self.people[:2].ids, self.people[1])
        self.assertEqual(len(leads.exists()), 7)
        merged = leads.filtered(lambda lead: lead.partner_id == self.people[1])
        self.assertEqual(len(merged), 2)
        self.assertEqual(len(merged.filtered("oda_cold_list_id")), 1)


class TestColdCall(ColdCase):
    def setUp(self):
        super().setUp()
        self.leads = self.make()

    def assert_moved_on(self, action, lead):
        self.assertEqual(action["res_model"], "crm.lead")
        self.assertNotEqual(action["res_id"], lead.id)

    def last_session(self, lead):
        return self.env["oda.consultation.session"].search(
            [("lead_id", "=", lead.id)], limit=1
        )

    def test_next_is_my_own_and_due(self):
        action = self.cold.with_user(self.consultant).action_call_next()
        lead = self.env["crm.lead"].browse(action["res_id"])
        self.assertEqual(lead.user_id, self.consultant)
        self.assertEqual(lead, self.first())
        self.assertEqual(
            self.mine().action_oda_cold_next()["res_id"], lead.id, "of any list"
        )
        for lead in self.leads.filtered(lambda one: one.user_id == self.consultant):
            lead.sudo().oda_cold_due_at = fields.Datetime.now() + timedelta(hours=2)
        action = self.cold.with_user(self.consultant).action_call_next()
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("next call", action["params"]["message"])

    def test_register_in_one_click(self):
        lead = self.first()
        lead.oda_cold_note = "  Vine cu <b>soția</b>  "
        self.assert_moved_on(lead.action_oda_cold_register(), lead)
        registration = self.event.registration_ids
        self.assertEqual(registration.partner_id, lead.partner_id)
        self.assertEqual(registration.oda_lead_id, lead)
        self.assertEqual(registration.oda_source, "cold_call")
        self.assertEqual(lead.oda_cold_outcome, "registers")
        session = self.last_session(lead)
        self.assertIn("Export", session.content)
        self.assertIn("<b>soția</b>", session.content)
        self.assertEqual((session.user_id, session.channel), (self.consultant, "phone"))
        self.assertFalse(lead.oda_cold_note)
        self.assertTrue(lead.activity_ids, "did they come? the case goes on")
        self.assertEqual(lead.won_status, "pending")

    def test_a_full_event_changes_nothing(self):
        self.event.write({"seats_limited": True, "seats_max": 1})
        self.first().action_oda_cold_register()
        lead = self.first()
        lead.oda_cold_note = "vine"
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            lead.action_oda_cold_register()
        self.assertFalse(lead.oda_cold_outcome)
        self.assertEqual(lead.oda_cold_note, "vine")
        self.assertFalse(self.last_session(lead))

    def test_refuses_and_wrong_number_end_the_case(self):
        for verb, outcome in (
            ("action_oda_cold_refuse", "refuses"),
            ("action_oda_cold_wrong", "wrong_number"),
        ):
            lead = self.first()
            lead.activity_schedule(
                "mail.mail_activity_data_call", user_id=lead.user_id.id
            )
            getattr(lead, verb)()
            self.assertEqual(lead.oda_cold_outcome, outcome)
            self.assertEqual(lead.won_status, "lost")
            self.assertFalse(lead.activity_ids)
            self.assertTrue(self.last_session(lead))

    @freeze_time("2026-11-20 13:30:00")  # a Friday, 15:30 in Chișinău
    def test_no_answer_comes_again_in_working_time(self):
        self.env.company.resource_calendar_id.tz = "Europe/Chisinau"
        lead = self.first()
        lead.sudo().oda_cold_due_at = fields.Datetime.now() - timedelta(minutes=1)
        lead.action_oda_cold_no_answer()
        self.assertGreater(lead.oda_cold_due_at, fields.Datetime.now())
        self.assertEqual(lead.oda_cold_attempts, 1)
        lead.action_oda_cold_no_answer()
        self.assertGreaterEqual(
            lead.oda_cold_due_at, datetime(2026, 11, 23), "over the week-end"
        )
        self.assertEqual(len(lead.activity_ids), 1, "one call planned, not two")
        texts = self.env["oda.consultation.session"].search([("lead_id", "=", lead.id)])
        self.assertEqual(len(set(texts.mapped("content"))), 2, "no result repeated")
        for _call in range(3):
            self.assertFalse(lead.oda_cold_outcome)
            lead.action_oda_cold_no_answer()
        self.assertEqual(lead.oda_cold_outcome, "no_answer")
        self.assertEqual(lead.won_status, "lost")

    def test_call_back_at_the_time_they_said(self):
        lead = self.first()
        with self.assertRaises(UserError):
            lead.action_oda_cold_call_back()
        lead.oda_cold_callback_at = fields.Datetime.now() - timedelta(hours=1)
        with self.assertRaises(UserError):
            lead.action_oda_cold_call_back()
        due_at = fields.Datetime.now() + timedelta(days=2)
        lead.oda_cold_callback_at = due_at
        self.assert_moved_on(lead.action_oda_cold_call_back(), lead)
        self.assertEqual(lead.oda_cold_due_at, due_at)
        self.assertFalse(lead.oda_cold_callback_at)

    def test_later_is_not_now(self):
        lead = self.first()
        self.assert_moved_on(lead.action_oda_cold_skip(), lead)
        self.assertNotEqual(self.first(), lead)
        self.assertFalse(lead.oda_cold_attempts)

    def test_the_same_card_open_twice(self):
        lead = self.first()
        lead.action_oda_cold_refuse()
        with self.assertRaisesRegex(UserError, "settled already"):
            lead.action_oda_cold_register()
        self.assertFalse(self.event.registration_ids)

    def test_no_call_without_a_list_or_of_a_cancelled_one(self):
        lead = self.mine().create({"name": "x", "partner_id": self.people[0].id})
        with self.assertRaises(UserError):
            lead.action_oda_cold_register()
        self.cold.action_cancel()
        with self.assertRaises(UserError):
            self.first().action_oda_cold_refuse()

    def test_a_note_that_is_too_long(self):
        lead = self.first()
        lead.oda_cold_note = "ă" * 10_000
        lead.action_oda_cold_refuse()
        self.assertIn("ă" * 10_000, self.last_session(lead).content)
        lead = self.first()
        lead.oda_cold_note = "ă" * 10_001
        with self.assertRaises(UserError):
            lead.action_oda_cold_refuse()

    def test_numbers_on_the_list(self):
        self.first().action_oda_cold_register()
        self.first().action_oda_cold_refuse()
        self.cold.invalidate_recordset()
        cold = self.cold
        self.assertEqual(
            (cold.lead_count, cold.called_count, cold.registered_count), (7, 2, 1)
        )

    def test_strangers_are_refused(self):
        lead = self.first()
        for user in (self.cashier, self.supervisor):
            with self.assertRaises(AccessError):
                lead.with_user(user).action_oda_cold_register()
        portal = new_test_user(self.env, "call_citizen", groups="base.group_portal")
        with self.assertRaises(AccessError):
            self.mine(portal).action_oda_cold_next()
