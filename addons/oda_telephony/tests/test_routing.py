# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user

from odoo.addons.oda_telephony.models import oda_route_decision

from .common import TelephonyCase

KNOWN = "37369555111"


class RoutingCase(TelephonyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Whatever day the tests run on, it is no holiday.
        cls.env["oda.day"].search([]).active = False
        cls.rules = cls.env["oda.route.rule"]
        cls.ana.name, cls.igor.name = "t_ana", "t_igor"

    def only(self, *rules):
        """Let these rules, in their order, be all there are."""
        self.rules.search([]).active = False
        return self.rules.create(
            [dict(rule, sequence=place) for place, rule in enumerate(rules)]
        )

    def ask(self, phone=KNOWN, did=None, callid="call-1"):
        self.env.flush_all()
        return self.env["oda.call"]._answer_contact(
            self.account._account(), self.query(phone, did, callid)
        )

    def decision(self, callid="call-1"):
        return self.env["oda.route.decision"].search([("callid", "=", callid)])

    def talk(self, user, days=3, content="A întrebat de PARE 1+1", **values):
        return self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner.id,
                "user_id": user.id,
                "content": content,
                "started_at": self.later(days=-days),
                **values,
            }
        )

    def case(self, user, **values):
        return self.env["crm.lead"].create(
            {
                "name": "Extindere",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "user_id": user.id,
                **values,
            }
        )

    def away(self, user, hours=1):
        resource = self.env["resource.resource"].create(
            {"name": user.name, "user_id": user.id}
        )
        return self.env["resource.calendar.leaves"].create(
            {
                "name": "leave",
                "resource_id": resource.id,
                "date_from": self.later(hours=-hours),
                "date_to": self.later(hours=hours),
            }
        )


class TestRouting(RoutingCase):
    """Whose phone rings, and the reason that the call keeps."""

    def test_default_rules_cost_one_statement(self):
        self.talk(self.ana)
        self.ask(callid="warm")
        statements = []
        execute = type(self.env.cr).execute

        def counted(cr, query, *args, **kwargs):
            statements.append(str(query))
            return execute(cr, query, *args, **kwargs)

        self.env.flush_all()
        account, query = self.account._account(), self.query(KNOWN)
        kept = patch.object(type(self.env["oda.route.decision"]), "_note")
        with kept as note, patch.object(type(self.env.cr), "execute", counted):
            answer = self.env["oda.call"]._answer_contact(account, query)
        self.assertEqual(answer, ("Vasile Croitoru", "ana"))
        self.assertEqual(len(statements), 1, statements)
        self.assertTrue(note.called)

    def test_last_talk_is_named_with_its_day(self):
        talk = self.talk(self.ana)
        self.assertEqual(self.ask()[1], "ana")
        words = self.decision().words
        self.assertIn("sent to t_ana", words)
        local = fields.Datetime.context_timestamp(talk, talk.started_at)
        self.assertIn(f"spoke with them on {local.day} ", words)

    def test_on_leave_the_owner_is_asked(self):
        self.case(self.igor)
        self.talk(self.ana)
        leave = self.away(self.ana)
        self.assertEqual(self.ask()[1], "igor")
        self.assertEqual(
            self.decision().words,
            "t_ana is on leave, sent to t_igor: has the open consultation",
        )
        leave.unlink()
        self.assertEqual(self.ask(callid="call-2")[1], "ana", "as soon as it is over")

    def test_holiday_names_nobody(self):
        self.talk(self.ana)
        today = fields.Date.context_today(self.rules.with_context(tz="Europe/Chisinau"))
        day = (
            self.env["oda.day"]
            .with_context(active_test=False)
            .search([("date", "=", today), ("country_code", "=", "MD")])
        )
        values = {"active": True, "kind": "holiday", "name": "Test"}
        day.write(values) if day else day.create({**values, "date": today})
        self.assertIsNone(self.ask()[1])
        self.assertIn("public holiday", self.decision().words)

    def presence(self, login, presence, **ago):
        """Let the exchange say so of a login; the columns come with its driver."""
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE oda_pbx_user ADD COLUMN IF NOT EXISTS presence varchar, "
            "ADD COLUMN IF NOT EXISTS presence_at timestamp"
        )
        self.env.cr.execute(
            "UPDATE oda_pbx_user SET presence = %s, presence_at = %s WHERE login = %s",
            (presence, self.later(**ago), login),
        )

    def test_presence_is_heeded(self):
        self.talk(self.igor, days=9)
        self.talk(self.ana)
        calls = self.env["oda.call"]
        with patch.object(type(calls), "_presence_known", lambda _self: True):
            self.presence("ana", "available")
            self.assertEqual(self.ask()[1], "ana")
            self.presence("ana", "dnd")
            self.assertEqual(self.ask(callid="two")[1], "igor", "who before her")
            words = self.decision("two").words
            self.assertIn("t_ana takes no calls now, sent to t_igor: spoke", words)
            self.presence("igor", "offline")
            self.assertIsNone(self.ask(callid="three")[1])
            self.presence("ana", "busy", hours=-1)
            self.assertIsNone(self.ask(callid="four")[1])
            self.presence("ana", "busy", hours=-3)
            self.assertEqual(self.ask(callid="five")[1], "ana", "a lost word")

    def test_open_questions_only(self):
        self.only({"kind": "last_speaker", "questions": True, "days": 30})
        talk = self.talk(self.ana)
        self.assertIsNone(self.ask()[1], "nothing was left open")
        lead = self.case(self.igor)
        self.assertTrue(lead.activity_ids, "an open consultation has a task")
        talk.lead_id = lead
        self.assertEqual(self.ask()[1], "ana")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE oda_consultation_session SET started_at = %s WHERE id = %s",
            (self.later(days=-40), talk.id),
        )
        self.assertIsNone(self.ask()[1], "too long ago")

    def test_an_advised_instrument_is_an_open_question(self):
        self.only({"kind": "last_speaker", "questions": True})
        talk = self.talk(self.ana)
        tick = self.env["oda.instrument"].create(
            {
                "name": "Credit",
                "kind": "tick",
                "group_id": self.env["oda.instrument.group"].search([], limit=1).id,
            }
        )
        talk._set_answers({str(tick.id): True})
        self.assertEqual(self.ask()[1], "ana")

    def test_dialled_number_department_in_turn(self):
        department = self.env["oda.department"].create({"name": "Granturi"})
        (self.ana | self.igor).oda_department_id = department
        self.env["oda.line"].create(
            {
                "name": "Granturi",
                "number": "022 100 100",
                "department_id": department.id,
            }
        )
        self.only({"kind": "members"})
        logins = {
            self.ask("37379999999", "37322100100", f"call-{number}")[1]
            for number in range(20)
        }
        self.assertEqual(logins, {"ana", "igor"}, "strangers too, in turn")
        self.assertIsNone(self.ask("37379999999", "37322999999", "other")[1])
        self.away(self.ana)
        logins = {
            self.ask("37379999999", "+37322100100", f"again-{number}")[1]
            for number in range(8)
        }
        self.assertEqual(logins, {"igor"})

    def test_shared_number_goes_to_who_is_on_duty(self):
        self.talk(self.ana)
        other = {"name": "Elena", "phone": "+37369555111"}
        other = self.env["res.partner"].create(other)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET write_date = %s WHERE id = %s",
            (self.later(hours=1), other.id),
        )
        name, login = self.ask()
        self.assertEqual((name, login), ("Elena + 1", None), "whose card is newer")
        self.assertIn("several people have this number", self.decision().words)
        self.only({"kind": "adviser"}, {"kind": "person", "user_id": self.igor.id})
        self.assertEqual(self.ask(callid="two")[1], "igor")

    def test_hidden_number_with_a_rule_and_without(self):
        self.assertEqual(self.ask("anonymous"), ("", None))
        self.only({"kind": "extension", "extension": "700"})
        self.assertEqual(self.ask("anonymous", callid="two"), ("", "700"))
        self.assertEqual(self.decision("two").words, "sent to 700")

    def test_language_of_the_beneficiary(self):
        # A rule of a language that is not installed any more meets nobody.
        self.only(
            {"kind": "person", "user_id": self.igor.id, "lang": "en_US"},
            {"kind": "person", "user_id": self.ana.id},
        )
        self.partner.lang = False
        self.assertEqual(self.ask()[1], "ana")
        self.partner.lang = "en_US"
        self.assertEqual(self.ask(callid="two")[1], "igor")

    def test_hours_of_the_house(self):
        self.only(
            {"kind": "person", "user_id": self.ana.id, "hours": "open"},
            {"kind": "person", "user_id": self.igor.id, "hours": "closed"},
        )
        calls, account = self.env["oda.call"], self.account._account()
        calendar = self.env.company.resource_calendar_id
        calendar.tz = "Europe/Chisinau"
        self.env.flush_all()
        for moment, login in (
            (datetime(2026, 11, 24, 10, 0), "ana"),
            (datetime(2026, 11, 24, 21, 0), "igor"),
        ):
            _people, found = calls._route(account, None, None, "x", moment)
            self.assertEqual(found.login, login)
        self.env.company.resource_calendar_id = False
        self.env.registry.clear_cache()
        _people, found = calls._route(account, None, None, "x", moment)
        self.assertIsNone(found.login, "no hours: neither open nor closed")

    def test_another_company_s_rules_and_people(self):
        other = self.env["res.company"].create({"name": "Filiala"})
        self.only({"kind": "person", "user_id": self.igor.id, "company_id": other.id})
        self.assertIsNone(self.ask()[1])
        self.partner.company_id = other
        self.assertEqual(self.ask(callid="two")[0], "")

    def test_decision_is_kept_and_told(self):
        self.talk(self.ana)
        self.ask()
        self.event("INCOMING")
        self.work()
        call = self.call_of()
        self.assertIn("sent to t_ana: spoke", call.routed)
        card = call.with_user(self.ana).get_card()
        self.assertIn("sent to you: spoke with them on", card["routed"])
        # What was decided stays, whatever changes afterwards.
        self.rules.search([]).unlink()
        self.talk(self.igor, days=0)
        call.invalidate_recordset()
        self.assertIn("sent to t_ana: spoke", call.routed)

    def test_asked_twice_the_last_answer_counts(self):
        self.talk(self.ana)
        self.ask()
        self.away(self.ana)
        self.ask()
        self.assertEqual(len(self.decision()), 1)
        self.assertFalse(self.decision().user_id)

    def test_written_after_the_answer(self):
        journal = oda_route_decision._journal
        module = "odoo.addons.oda_telephony.models.oda_route_decision"
        rows = []
        with (
            patch(f"{module}.modules.module.current_test", None),
            patch.object(journal, "put", lambda key, row: rows.append((key, row))),
        ):
            self.ask()
        self.assertFalse(self.decision(), "nothing is written while it rings")
        self.assertEqual(rows[0][0], self.env.cr.dbname)
        self.env["oda.route.decision"]._keep([rows[0][1]])
        self.assertTrue(self.decision())

    def test_lost_decision_is_made_up_and_says_so(self):
        self.talk(self.ana)
        self.ask(callid="earlier")
        self.answered_call()
        made = self.decision()
        self.assertTrue(made.reconstructed)
        self.assertIn("(reconstructed)", made.words)
        self.ask()
        self.assertFalse(self.decision().reconstructed, "the true one stands")

    def test_nothing_is_made_up_for_an_exchange_that_never_asks(self):
        self.answered_call()
        self.assertFalse(self.decision())

    def test_words_of_a_name_are_text(self):
        self.ana.name = "<b>Ana</b> %s {0}"
        self.talk(self.ana)
        self.ask()
        self.assertIn("<b>Ana</b> %s {0}", self.decision().words)


class TestRoutingScreen(RoutingCase):
    """Rules are an administrator's; trying them calls nobody and writes nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(cls.env, "t_adm", groups="oda_base.group_admin")

    def test_try_it_rule_by_rule(self):
        self.case(self.igor)
        self.talk(self.ana)
        self.away(self.ana)
        trial = Form(self.env["oda.route.trial"].with_user(self.admin))
        trial.account_id = self.account
        trial.phone = "069 555 111"
        self.assertEqual(
            trial.result, "t_ana is on leave, sent to t_igor: has the open consultation"
        )
        self.assertEqual(trial.answer, "Vasile Croitoru")
        self.assertIn("t_ana is on leave", trial.way)
        trial.phone = "069 999 999"
        self.assertIn("new client", trial.result)
        trial.phone = "<script>alert(1)</script>" * 100
        self.assertNotIn("<script>", str(trial.way))
        self.assertFalse(self.env["oda.route.decision"].search([]))

    def test_who_may(self):
        consultant = self.rules.with_user(self.ana)
        self.assertTrue(consultant.search([]))
        for wrong in (
            lambda: consultant.create({"kind": "nobody"}),
            lambda: consultant.search([], limit=1).write({"active": False}),
            lambda: consultant.search([], limit=1).unlink(),
            lambda: self.env["oda.route.trial"].with_user(self.ana).create({}),
            lambda: (
                self.env["oda.line"]
                .with_user(self.ana)
                .create({"name": "x", "number": "1"})
            ),
            lambda: (
                self.env["oda.route.decision"]
                .with_user(self.admin)
                .create({"account_id": self.account.id, "callid": "x"})
            ),
        ):
            with self.assertRaises(AccessError):
                wrong()
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        for model in ("oda.route.rule", "oda.route.decision", "oda.line"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])

    def test_a_change_is_journalled_and_holds_at_once(self):
        self.talk(self.ana)
        self.assertEqual(self.ask()[1], "ana")
        rules = self.rules.with_user(self.admin)
        rules.search([]).write({"active": False})
        self.assertIsNone(self.ask(callid="two")[1])
        event = self.env["oda.event"].search([("code", "=", "route.change")], limit=1)
        self.assertEqual(event.user_id, self.admin)

    def test_rules_that_name_nobody_are_refused(self):
        for values in ({"kind": "person"}, {"kind": "extension", "extension": "  "}):
            with self.assertRaises(ValidationError):
                self.rules.create(values)

    def test_line_is_found_in_any_spelling(self):
        line = self.env["oda.line"].create({"name": "A", "number": "+373 22 100-100"})
        self.assertEqual(line.key, line._key("37322100100"))
        short = self.env["oda.line"].create({"name": "B", "number": "700"})
        self.assertEqual(short.key, "700")

    def test_other_company_is_not_seen(self):
        other = self.env["res.company"].create({"name": "Filiala"})
        self.env["oda.line"].create(
            {"name": "X", "number": "022 200 200", "company_id": other.id}
        )
        self.rules.create({"kind": "nobody", "company_id": other.id})
        admin = self.admin
        self.assertFalse(
            self.env["oda.line"].with_user(admin).search([("name", "=", "X")])
        )
        self.assertFalse(
            self.rules.with_user(admin).search([("company_id", "=", other.id)])
        )

    def test_a_thousand_calls_in_the_list_are_one_question(self):
        account = self.account
        calls = self.env["oda.call"].create(
            [
                {
                    "account_id": account.id,
                    "company_id": account.company_id.id,
                    "callid": f"many-{number}",
                    "direction": "in",
                }
                for number in range(30)
            ]
        )
        for call in calls:
            self.ask(callid=call.callid)
        self.env.invalidate_all()
        calls.mapped("direction")
        self.rules.search([]).mapped("kind")
        with self.assertQueryCount(3):
            calls.mapped("routed")

    def test_moment_of_a_past_day(self):
        self.assertTrue(self.rules._hours_at(self.env.company.id, datetime(2020, 1, 2)))
        self.assertLess(datetime(2020, 1, 2), fields.Datetime.now() - timedelta(days=1))
