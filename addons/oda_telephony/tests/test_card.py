# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common import TelephonyCase


class TestCard(TelephonyCase):
    def test_card_tells_who_spoke_last_and_what_was_asked(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Extindere",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "user_id": self.igor.id,
            }
        )
        self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner.id,
                "lead_id": lead.id,
                "user_id": self.igor.id,
                "channel": "phone",
                "content": "A întrebat de PARE 1+1",
                "started_at": self.later(days=-3),
                "ended_at": self.later(days=-3),
            }
        )
        self.event("INCOMING", user="igor")
        self.work()
        card = self.call_of().with_user(self.igor).get_card()
        self.assertEqual(card["partner"]["name"], "Vasile Croitoru")
        self.assertEqual(card["last"]["who"], self.igor.name)
        self.assertEqual(card["last"]["text"], "A întrebat de PARE 1+1")
        self.assertEqual(card["lead"]["name"], "Extindere")
        task = card["lead"]["next_task"]
        self.assertTrue(task["summary"], "an open consultation has its first task")
        self.assertTrue(card["routed"])
        self.assertEqual(card["state"], "ringing")

    def test_card_is_there_after_reload(self):
        self.event("INCOMING")
        self.work()
        Call = self.env["oda.call"]
        self.assertEqual(
            [card["id"] for card in Call.with_user(self.ana).get_live_calls()],
            self.call_of().ids,
        )
        self.assertFalse(Call.with_user(self.igor).get_live_calls())
        self.assertFalse(Call.with_user(self.boss).get_live_calls())

    def test_draft_survives_and_becomes_the_result(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        call = self.call_of().with_user(self.ana)
        call.save_draft({"note": "întreabă de"})
        self.event("COMPLETED")
        self.push("history")
        self.work()
        self.assertEqual(call.get_card()["state"], "result")
        self.assertEqual(call.get_card()["session"]["content"], "întreabă de")
        for empty in ("", "   ", None):
            with self.assertRaises(UserError):
                call.finish({"note": empty})
        self.assertTrue(call.finish({"note": "întreabă de 373; i s-a explicat"}))
        self.assertFalse(call.get_card())
        self.assertEqual(self.call_of().content, "întreabă de 373; i s-a explicat")

    def test_stranger_is_named_during_the_talk(self):
        self.event("INCOMING", phone="37379123123")
        self.event("ACCEPTED", phone="37379123123")
        self.work()
        call = self.call_of().with_user(self.ana)
        card = call.save_draft({"name": "Ana Popa", "company": "Florăria"})
        self.assertEqual(card["partner"]["name"], "Ana Popa")
        self.assertEqual(card["partner"]["company"], "Florăria")
        self.assertFalse(card["partner"]["is_new"])
        self.assertIn("Ana Popa", self.call_of().lead_id.name)
        card = call.save_draft({"name": "Ana Popa-Rusu"})
        self.assertEqual(card["partner"]["name"], "Ana Popa-Rusu", "still typing")

    def test_somebody_elses_call_is_not_mine_to_write(self):
        self.answered_call()
        call = self.call_of().with_user(self.igor)
        self.assertFalse(call.get_card())
        for act in (
            lambda: call.save_draft({"note": "x"}),
            lambda: call.finish({"note": "x"}),
            call.dismiss,
        ):
            with self.assertRaises(UserError):
                act()

    def test_whose_phone_only_rang_cannot_write(self):
        for login in ("ana", "igor"):
            self.event("INCOMING", user=login)
        self.event("ACCEPTED", user="ana")
        self.work()
        self.call_of().with_user(self.ana).save_draft({"note": "al meu"})
        other = self.call_of().with_user(self.igor)
        for act in (
            lambda: other.save_draft({"note": "x"}),
            lambda: other.save_draft({"name": "Alt Nume"}),
            lambda: other.finish({"note": "x"}),
        ):
            with self.assertRaises(UserError):
                act()
        self.assertEqual(self.call_of().content, "al meu")

    def test_a_known_person_is_not_renamed_from_the_card(self):
        self.event("INCOMING")
        self.work()
        with self.assertRaises(UserError):
            self.call_of().with_user(self.ana).save_draft({"name": "Alt Nume"})
        self.assertEqual(self.partner.name, "Vasile Croitoru")

    def test_a_note_while_it_rings_makes_no_talk(self):
        self.event("INCOMING")
        self.work()
        call = self.call_of()
        call.with_user(self.ana).save_draft({"note": "sună iar"})
        self.assertEqual(call.content, "sună iar")
        self.event("CANCELLED")
        self.push("history", status="missed", user="pbx")
        self.work()
        self.assertFalse(call.leg_ids.session_id)
        self.assertFalse(call.lead_id)
        self.assertEqual(call.content, "sună iar")

    def test_nonsense_over_rpc_is_refused_in_words(self):
        self.event("INCOMING")
        self.work()
        call = self.call_of().with_user(self.ana)
        for values in ({"note": {"a": 1}}, {"name": 7}, {"partner_id": "abc"}):
            with self.subTest(values=values), self.assertRaises(UserError):
                call.save_draft(values)
        self.assertTrue(call.save_draft({"note": "a\0b"}))

    def test_unwritten_result_outlives_many_missed_rings(self):
        call = self.answered_call()
        for number in range(25):
            self.event("INCOMING", callid=f"m{number}")
            self.event("CANCELLED", callid=f"m{number}")
        self.work()
        cards = self.env["oda.call"].with_user(self.ana).get_live_calls()
        self.assertIn(call.id, [card["id"] for card in cards])

    def test_card_keeps_to_its_company(self):
        company = self.env["res.company"].create({"name": "Alt centru"})
        self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner.id,
                "company_id": company.id,
                "content": "secret",
            }
        )
        self.env["crm.lead"].create(
            {
                "name": "al altora",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "company_id": company.id,
            }
        )
        self.event("INCOMING")
        self.work()
        card = self.call_of().with_user(self.ana).get_card()
        self.assertFalse(card["last"])
        self.assertFalse(card["lead"])

    def test_opening_needs_a_leg_or_the_right_to_read(self):
        call = self.answered_call()
        stranger = new_test_user(self.env, "t_cash", groups="oda_base.group_cashier")
        with self.assertRaises(AccessError):
            call.with_user(stranger).action_open_card()

    def test_dismissed_card_stays_away(self):
        call = self.answered_call().with_user(self.ana)
        self.assertEqual(call.get_card()["state"], "result")
        call.dismiss()
        self.assertFalse(call.get_card())
        self.assertFalse(self.env["oda.call"].with_user(self.ana).get_live_calls())

    def test_open_card_leads_to_the_consultation(self):
        call = self.answered_call()
        action = call.with_user(self.ana).action_open_card()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("crm.lead", call.lead_id.id)
        )

    def test_open_card_opens_the_consultation_that_it_shows(self):
        lead = self.env["crm.lead"].create(
            {"name": "Veche", "type": "opportunity", "partner_id": self.partner.id}
        )
        self.event("INCOMING")
        self.work()
        call = self.call_of()
        call.lead_id = False  # known person: linked only when somebody answers
        action = call.with_user(self.ana).action_open_card()
        self.assertEqual((action["res_model"], action["res_id"]), ("crm.lead", lead.id))

    def routed(self):
        return self.call_of().with_user(self.ana).get_card()["routed"]

    def test_reason_for_a_stranger_is_that_he_is_new(self):
        self.event("INCOMING", phone="37379123123")
        self.work()
        self.assertEqual(self.routed(), "new client")
        self.event("ACCEPTED", phone="37379123123")
        self.work()
        self.assertEqual(self.routed(), "new client")
        self.call_of().with_user(self.ana).save_draft({"name": "Ana Popa"})
        self.assertEqual(self.routed(), "new client", "still new to whoever types")

    def test_reason_owner_only_of_a_consultation_older_than_the_call(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "Extindere",
                "type": "opportunity",
                "partner_id": self.partner.id,
                "user_id": self.ana.id,
            }
        )
        self.event("INCOMING")
        self.work()

        def since(**delta):
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE crm_lead SET create_date = %s WHERE id = %s",
                (self.later(**delta), lead.id),
            )
            self.env.invalidate_all()
            return self.routed()

        self.assertIn("you own the open consultation", since(days=-1))
        self.assertEqual(since(minutes=1), "", "opened because this call was answered")

    def test_no_reason_for_a_call_that_we_make(self):
        self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner.id,
                "user_id": self.ana.id,
                "content": "A întrebat de PARE 1+1",
                "started_at": self.later(days=-3),
            }
        )
        self.event("OUTGOING", direction="out")
        self.work()
        self.assertEqual(self.routed(), "")

    def test_contact_answer(self):
        self.answered_call()
        answer = self.env["oda.call"]._answer_contact
        account = self.account._account()
        known = self.query("37369555111")
        self.assertEqual(answer(account, known), ("Vasile Croitoru", "ana"))
        self.assertEqual(answer(account, self.query("37379999999")), ("", None))
        self.partner.company_name = "Atelier SRL"
        self.env.flush_all()
        self.assertEqual(answer(account, known)[0], "Vasile Croitoru — Atelier SRL")
        self.ana.active = False
        self.env.flush_all()
        self.assertIsNone(answer(account, known)[1])

    def test_contact_answer_names_who_can_be_reached(self):
        """The adviser has no phone at this exchange: the one before them has."""
        self.answered_call()
        boss = new_test_user(self.env, "boss", groups="oda_base.group_supervisor")
        self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id, "user_id": boss.id}
        )
        self.assertEqual(self.partner.oda_adviser_id, boss)
        self.env.flush_all()
        _name, responsible = self.env["oda.call"]._answer_contact(
            self.account._account(), self.query("37369555111")
        )
        self.assertEqual(responsible, "ana")

    def test_contact_answer_for_a_shared_number_names_nobody_responsible(self):
        self.answered_call()
        self.env["res.partner"].create({"name": "Elena", "phone": "+37369555111"})
        self.env.flush_all()
        name, responsible = self.env["oda.call"]._answer_contact(
            self.account._account(), self.query("37369555111")
        )
        self.assertIn("+ 1", name)
        self.assertIsNone(responsible)
