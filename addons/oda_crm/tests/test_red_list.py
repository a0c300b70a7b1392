# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The list of tests that were to be red before the CRM was written.

Methods bear the numbers of the list; what other tests show of it stands beside it
in docs/requirements.md. Numbers 9 and 10 are of addons that do not exist yet.
"""

import json
import threading
from unittest.mock import patch

from freezegun import freeze_time

from odoo import SUPERUSER_ID, Command, api, fields, http
from odoo.exceptions import UserError, ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, Form, HttpCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CrmCase
from .common_rules import RulesCase
from .test_event_seats import event_values


@tagged("post_install", "-at_install")
class TestRedListRules(RulesCase):
    """3: what a stage asks for; 4: what is kept when the flow changes."""

    def test_03_stage_and_fields_in_one_call(self):
        lead = self.case(self.consultant)
        lead.write(
            {"city": "Cahul", "contact_name": "I", "stage_id": self.stages[1].id}
        )
        self.assertEqual(lead.stage_id, self.stages[1])
        # a property and the stage that asks for it, as the form sends them
        lead.web_save(
            {
                "lead_properties": [{"name": "plan", "type": "text", "value": "Oven"}],
                "stage_id": self.stages[2].id,
            },
            {"stage_id": {}},
        )
        self.assertEqual(lead.stage_id, self.stages[2])

    def test_03_emptying_a_ruled_field_later_fails(self):
        lead = self.case(**self.ANSWERED)
        lead.stage_id = self.stages[1]
        Lead = self.env["crm.lead"].with_user(self.consultant)
        mine, other = Lead.browse(lead.id), self.case(self.consultant)
        for way, empty in (
            ("write", lambda: mine.write({"city": ""})),
            ("web_save", lambda: mine.web_save({"city": " "}, {})),
            ("several", lambda: (mine | other).write({"city": False})),
        ):
            with self.subTest(way=way), self.assertRaises(UserError):
                empty()
        self.assertEqual(lead.city, "Cahul")
        with self.assertRaises(UserError), Form(mine) as form:
            form.contact_name = False
        refused = Lead.with_user(self.head).load(
            ["id", "contact_name"], [[self._external_id(lead), ""]]
        )
        self.assertFalse(refused["ids"])
        self.assertEqual(lead.contact_name, "Ion")

    def _external_id(self, record):
        return record.export_data(["id"])["datas"][0][0]

    def test_03_zero_and_no_are_answers(self):
        self.flow.lead_properties_definition = [
            *self.flow.lead_properties_definition,
            {"name": "sells", "string": "Sells abroad", "type": "boolean"},
        ]
        self.rule(0, path="expected_revenue", sequence=3)
        self.rule(1, kind="property", path="jobs", sequence=4)
        self.rule(1, kind="property", path="sells", sequence=5)
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.expected_revenue = 0.0
        lead.stage_id = self.stages[1]
        lead.lead_properties = {"plan": "Oven", "jobs": 0, "sells": False}
        lead.stage_id = self.stages[2]
        self.assertEqual(lead.stage_id, self.stages[2])

    def test_03_empty_property_is_refused(self):
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.stage_id = self.stages[1]
        for nothing in (False, "", " \n", "\u200b"):
            with self.refused("Business plan"):
                lead.write(
                    {
                        "lead_properties": {"plan": nothing},
                        "stage_id": self.stages[2].id,
                    }
                )
        with self.refused("Business plan"):
            lead.web_save({"stage_id": self.stages[2].id}, {"stage_id": {}})

    def test_03_import_is_refused_with_the_row(self):
        leads = [self.case(name=f"Row {at}", contact_name="I") for at in range(3)]
        for lead in leads[:2]:
            lead.city = "Cahul"
        answer = (
            self.env["crm.lead"]
            .with_user(self.head)
            .load(
                ["id", "stage_id/.id"],
                [[self._external_id(lead), self.stages[1].id] for lead in leads],
            )
        )
        self.assertFalse(answer["ids"])
        message = answer["messages"][-1]
        self.assertEqual(message["rows"], {"from": 2, "to": 2})
        self.assertIn("City", message["message"])
        self.assertNotIn("Traceback", message["message"])
        self.assertEqual(
            {lead.stage_id for lead in leads}, {self.stages[0]}, "not half of it"
        )

    def test_04_changing_the_flow_keeps_old_answers_in_the_chatter(self):
        self.flow.lead_properties_definition = [
            {"name": "plan", "string": "Business plan", "type": "text"},
            {
                "name": "branch",
                "string": "Branch",
                "type": "selection",
                "selection": [["bread", "Bread"], ["wine", "Wine"]],
            },
        ]
        lead = self.case(
            self.consultant, lead_properties={"plan": "<b>Oven</b>", "branch": "bread"}
        )
        lead.team_id = self.env.ref("oda_crm.flow_ads")
        said = lead.message_ids[0].body
        self.assertIn("Business plan: &lt;b&gt;Oven&lt;/b&gt;", said)
        self.assertIn("Branch: Bread", said)
        lead.team_id = self.flow
        self.assertEqual(lead.lead_properties["plan"], "<b>Oven</b>")
        self.assertEqual(lead.lead_properties["branch"], "Bread")


@tagged("post_install", "-at_install")
class TestRedListPhone(CrmCase):
    def test_05_every_spelling_finds_the_one_card(self):
        """Wherever a number is asked: the exchange, the screen, a new card."""
        People = self.env["res.partner"]
        before = People.search_count([])
        for raw in (
            "069555111",
            "069 555 111",
            "+373 69 555 111",
            "0037369555111",
            "69 555 111",
            "(069) 555-111",
        ):
            with self.subTest(raw=raw):
                found, created = People.with_user(
                    self.connector
                )._oda_find_or_create_by_phone(raw)
                self.assertEqual((found.id, created), (self.partner.id, False))
                named = People.with_user(self.consultant).name_search(raw)
                self.assertEqual([row[0] for row in named], self.partner.ids)
                doubles = People.with_user(self.consultant).oda_find_duplicates(
                    {"phone": raw}
                )
                self.assertEqual([one["id"] for one in doubles], self.partner.ids)
        self.assertEqual(People.search_count([]), before)


@tagged("post_install", "-at_install")
class TestRedListWorkingTime(CrmCase):
    """6: asked on Friday at 17:00, on Monday nobody works, the clock changes between.

    The centre is open from 8:30 to 17:30, in Chișinău.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.resource_calendar_id = cls.env.ref("oda_base.calendar_centre")
        cls.env["oda.day"].search([]).active = False
        cls.env["oda.day"].create(
            [
                {"date": day, "country_code": "MD", "name": "Free Monday"}
                for day in ("2037-03-30", "2037-10-26")
            ]
        )
        cls.consultant.tz = "Europe/Chisinau"
        cls.flow = cls.env["crm.team"].create({"name": "Ads", "user_id": cls.lead.id})

    #: asked (UTC), an hour of work later, the next working morning, the day's end
    WEEKENDS = (
        # forward on 29 March: 17:00 is UTC+2, Tuesday 9:00 is UTC+3
        (
            "2037-03-27 15:00:00",
            "2037-03-31 06:00:00",
            "2037-03-31 05:30:00",
            "2037-03-31 14:30:00",
        ),
        # back on 25 October: 17:00 is UTC+3, Tuesday 9:00 is UTC+2
        (
            "2037-10-23 14:00:00",
            "2037-10-27 07:00:00",
            "2037-10-27 06:30:00",
            "2037-10-27 15:30:00",
        ),
    )

    def _case(self):
        return self.env["crm.lead"].create(
            {
                "name": "Bakery",
                "type": "opportunity",
                "user_id": self.consultant.id,
                "team_id": self.flow.id,
            }
        )

    def test_06_tasks_over_a_long_weekend(self):
        kind = self.env.ref("mail.mail_activity_data_call")
        kind.delay_count, kind.delay_unit = 1, "days"
        tasks = self.env["mail.activity"].with_user(self.consultant)
        for asked, hour, morning, closing in self.WEEKENDS:
            with self.subTest(asked=asked), freeze_time(asked):
                choices = tasks._oda_due_choices()
                self.assertEqual(str(choices["hour"]), hour)
                self.assertEqual(str(choices["morning"]), morning)
                self.assertNotIn("today", choices)
                first = self._case().activity_ids
                self.assertEqual(str(first.oda_due_at), hour)
                self.assertEqual(str(first.date_deadline), hour[:10])
                self.assertEqual(str(kind._get_date_deadline()), hour[:10])
                first.oda_due_at = False  # the day without a time
                self.assertEqual(str(first.oda_due_at), closing)

    def test_06_minutes_over_a_long_weekend(self):
        worktime = self.env["oda.worktime"]
        for asked, hour, _morning, closing in self.WEEKENDS:
            start, end = map(fields.Datetime.to_datetime, (asked, hour))
            self.assertEqual(worktime._working_minutes_between(start, end), 60)
            self.assertEqual(worktime._add_working_minutes(start, 60), end)
            # half an hour of Friday, all of Tuesday: 8 hours
            self.assertEqual(
                str(worktime._add_working_minutes(start, 30 + 8 * 60)), closing
            )

    def test_06_reminders_over_a_long_weekend(self):
        stale = self.env["oda.stale"]
        self.env["oda.stale.rule"].search([]).active = False
        self.env["oda.stale.rule"].create(
            {"team_id": self.flow.id, "hours": 1, "repeat_hours": 8, "climb_after": 1}
        )
        for asked, hour, _morning, _closing in self.WEEKENDS:
            case = self._case()
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s, date_last_stage_update = %s"
                " WHERE id = %s",
                (asked, asked, case.id),
            )
            self.env.invalidate_all()
            due = fields.Datetime.to_datetime(hour)
            stale._oda_sweep(fields.Datetime.subtract(due, seconds=1))
            self.assertFalse(case.oda_stale_level, asked)
            stale._oda_sweep(due)
            self.assertEqual(case.oda_stale_level, 1, asked)
            case.active = False


@tagged("post_install", "-at_install")
class TestRedListLastSeat(BaseCase):
    """7: two people press at the same time, one seat is left. Real transactions."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # the suite's main thread holds it; other threads would wait for the end
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            people = env["res.partner"].create(
                [{"name": f"Last seat {n}"} for n in range(4)]
            )
            event = env["event.event"].create(
                event_values(seats_limited=True, seats_max=3)
            )
            event._oda_register(people[:2], "test")
            self.event_id, self.partner_ids = event.id, people.ids
        self.addCleanup(self._cleanup)

    def _cleanup(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            event = env["event.event"].browse(self.event_id)
            event.registration_ids.unlink()
            event.unlink()
            env["res.partner"].browse(self.partner_ids).unlink()

    def _press(self, env, partner_id, ours):
        event = env["event.event"].browse(self.event_id)
        if ours:
            event._oda_register(env["res.partner"].browse(partner_id), "test")
        else:
            event.registration_ids.create(
                {"event_id": event.id, "partner_id": partner_id}
            )

    def test_07_two_ask_for_the_last_seat(self):
        for doors in ((True, True), (True, False), (False, False)):
            with self.subTest(doors=doors):
                self._two(doors)

    def _two(self, doors):
        both_looked, outcomes = threading.Barrier(2), []

        def work(partner_id, ours):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                event = env["event.event"].browse(self.event_id)
                seen = event.seats_available
                both_looked.wait(timeout=30)
                try:
                    self._press(env, partner_id, ours)
                    cr.commit()  # pylint: disable=invalid-commit
                    outcomes.append((seen, "seat"))
                except ValidationError as error:
                    cr.rollback()
                    outcomes.append((seen, "full"))
                    self.assertIn("seat", str(error))

        threads = [
            threading.Thread(target=work, args=pair)
            for pair in zip(self.partner_ids[2:], doors, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertEqual(sorted(outcomes), [(1, "full"), (1, "seat")])
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            event = env["event.event"].browse(self.event_id)
            self.assertEqual(event.seats_taken, 3)
            event.registration_ids.filtered(
                lambda seat: seat.partner_id.id in self.partner_ids[2:]
            ).unlink()


@tagged("post_install", "-at_install")
class TestRedListExport(HttpCase):
    """8: over the wire, as anybody with a browser's tools would try it."""

    MODELS = ("res.partner", "crm.lead", "oda.consultation.session", "oda.phone")

    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env, "wire_looker", groups="oda_base.group_consultant"
        )
        self.partner = self.env["res.partner"].create(
            {"name": "Vasile Croitoru", "phone": "069 555 111"}
        )
        self.case = self.env["crm.lead"].create(
            {
                "name": "Bakery",
                "type": "opportunity",
                "user_id": self.user.id,
                "partner_id": self.partner.id,
            }
        )
        session = self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id, "lead_id": self.case.id}
        )
        self.ids = {
            "res.partner": self.partner.ids,
            "crm.lead": self.case.ids,
            "oda.consultation.session": session.ids,
            "oda.phone": self.partner.oda_phone_ids.ids,
        }

    def _refusal(self, model, method, *args):
        """What the person reads when the call is refused; None when it is not."""
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/web/dataset/call_kw/{model}/{method}",
                json={
                    "jsonrpc": "2.0",
                    "method": "call",
                    "params": {
                        "model": model,
                        "method": method,
                        "args": args,
                        "kwargs": {},
                    },
                },
            )
        error = answer.json().get("error")
        if error:
            self.assertEqual(error["data"]["name"], "odoo.exceptions.AccessError")
        return error and error["data"]["message"]

    def test_08_export_by_rpc_without_the_right(self):
        # Odoo's own group does not open what the matrix keeps shut
        for own_group in (False, True):
            if own_group:
                self.user.group_ids = [
                    Command.link(self.env.ref("base.group_allow_export").id)
                ]
            self.authenticate("wire_looker", "wire_looker")
            for model in self.MODELS:
                field = "e164" if model == "oda.phone" else "display_name"
                with self.subTest(model=model, own_group=own_group):
                    said = self._refusal(model, "export_data", self.ids[model], [field])
                    self.assertRegex(said or "nothing", "export")
                    answer = self._download(model, field)
                    self.assertNotEqual(answer.status_code, 200)
                    self.assertNotIn("Vasile", answer.text)
                    self.assertNotIn("+37369555111", answer.text)

    def _download(self, model, field):
        data = {
            "model": model,
            "fields": [{"name": field, "label": "x", "type": "char"}],
            "ids": self.ids[model],
            "domain": [],
            "import_compat": True,
            "groupby": [],
        }
        with mute_logger("odoo.http", "odoo.addons.web.controllers.export"):
            return self.url_open(
                "/web/export/csv",
                data={
                    "data": json.dumps(data),
                    "csrf_token": http.Request.csrf_token(self),
                },
            )

    def test_08_import_by_rpc_without_the_right(self):
        self.authenticate("wire_looker", "wire_looker")
        rows = {
            "res.partner": (["name"], ["Slipped in"]),
            "crm.lead": (["name", "type"], ["Slipped in", "opportunity"]),
            "oda.consultation.session": (
                ["partner_id/.id", "content"],
                [str(self.partner.id), "Slipped in"],
            ),
            "oda.phone": (
                ["partner_id/.id", "raw"],
                [str(self.partner.id), "079 000 111"],
            ),
        }
        for model in self.MODELS:
            before = self.env[model].search_count([])
            with self.subTest(model=model):
                said = self._refusal(model, "load", rows[model][0], [rows[model][1]])
                self.assertRegex(said or "nothing", "import")
                self.assertEqual(self.env[model].search_count([]), before)
