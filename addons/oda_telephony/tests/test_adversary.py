# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What goes wrong when somebody wants it to, or when two things meet."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from ..models.oda_pbx_user import NEWCOMERS_MAX
from .common import TelephonyCase


class TestMeeting(TelephonyCase):
    """Two ids that become one call, met by something else."""

    def _sessions(self):
        return self.env["oda.consultation.session"].search(
            [("partner_id", "=", self.partner.id)]
        )

    def test_a_call_merged_meanwhile_is_not_concluded_on_its_own(self):
        self.event("INCOMING", callid="c2", user="igor")
        self.event("ACCEPTED", callid="c2", user="igor")
        self.event("COMPLETED", callid="c2", user="igor")
        self.work()
        other = self.call_of("c2")
        other.with_user(self.igor).save_draft({"note": "de la igor"})
        # The cron has found it due; now, before its turn, it is merged.
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="c2")
        self.work()
        self.assertEqual(other.merged_into_id, self.call_of())
        before = self._sessions()
        other.with_user(self.robot)._decide(now=self.later(seconds=90))
        self.assertFalse(other.leg_ids, "all legs are those of the main call")
        self.assertEqual(self._sessions(), before)
        self.assertFalse(other.decide_at)

    def test_note_of_a_ring_outlives_the_merge_with_a_talk(self):
        self.event("INCOMING")
        self.work()
        self.call_of().with_user(self.ana).save_draft({"note": "sună a treia oară"})
        self.event("INCOMING", callid="c2")
        self.event("ACCEPTED", callid="c2")
        self.work()
        self.call_of("c2").with_user(self.ana).save_draft({"note": "vrea PARE"})
        self.event("TRANSFERRED", user="ana", second_callid="c2")
        self.work()
        call = self.call_of()
        self.assertEqual(self.call_of("c2").merged_into_id, call)
        self.assertIn("vrea PARE", call.content)
        self.assertIn("sună a treia oară", call.content)
        self.assertFalse(call.leg_ids.filtered("note"), "a session has it all")

    def test_merge_with_a_part_of_a_call_of_the_same_batch(self):
        """The other id leads to a call that this batch has already changed."""
        self.event("INCOMING", callid="a")
        self.event("ACCEPTED", callid="a")
        self.event("TRANSFERRED", callid="a", user="igor", second_callid="b")
        self.work()
        self.assertEqual(self.call_of("b").merged_into_id, self.call_of("a"))
        # one batch: igor picks up on `a`, and another id says that `b` is its part
        self.event("ACCEPTED", callid="a", user="igor")
        self.event("INCOMING", callid="c")
        self.event("TRANSFERRED", callid="c", user="igor", second_callid="b")
        self.work()
        main = self.call_of("c")
        for callid in ("a", "b"):
            self.assertEqual(self.call_of(callid).merged_into_id, main)
            self.assertFalse(self.call_of(callid).leg_ids)
        igor = main.leg_ids.filtered(lambda leg: leg.login == "igor")
        self.assertEqual(igor.state, "talking")
        self.assertEqual(len(self._sessions()), 2, "one a talker")

    def test_who_named_the_stranger_goes_on_typing_after_a_merge(self):
        for callid in ("call-1", "c2"):
            self.event("INCOMING", callid=callid, phone="37379123123")
            self.event("ACCEPTED", callid=callid, phone="37379123123")
        self.work()
        self.call_of("c2").with_user(self.ana).save_draft({"name": "Ana Po"})
        self.event("TRANSFERRED", user="ana", second_callid="c2", phone="37379123123")
        self.work()
        call = self.call_of().with_user(self.ana)
        card = call.save_draft({"name": "Ana Popa", "note": "salon"})
        self.assertEqual(card["partner"]["name"], "Ana Popa")

    def test_result_not_written_yet_survives_a_merge_with_a_closed_card(self):
        self.event("INCOMING")
        self.work()
        self.call_of().with_user(self.ana).dismiss()
        self.event("INCOMING", callid="c2")
        self.event("ACCEPTED", callid="c2")
        self.work()
        self.assertTrue(self.call_of("c2").with_user(self.ana).get_card())
        self.event("TRANSFERRED", user="ana", second_callid="c2")
        self.work()
        call = self.call_of().with_user(self.ana)
        self.assertTrue(call.get_card(), "the card that was open stays open")
        call.finish({"note": "vrea PARE"})

    def test_what_a_batch_was_about_to_do_is_done_after_a_merge(self):
        """Pushes of both ids and the word that they are one come in one batch."""
        url = "https://tenant.pbx.moldcell.md/b.mp3"
        self.event("INCOMING", callid="c2", user="igor")
        self.event("ACCEPTED", callid="c2", user="igor")
        self.push("history", callid="c2", user="igor", link=url)
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="c2")
        self.work()
        self.assertEqual(self.call_of().recording_ids.mapped("url"), [url])
        self.assertIn(self.igor.login, [row[0] for row in self.told])

    def test_a_merge_never_puts_a_talk_under_the_case_of_somebody_else(self):
        other = self.env["res.partner"].create(
            {"name": "Elena", "phone": "+37379555222"}
        )
        self.event("OUTGOING", direction="out")
        self.event("INCOMING", callid="c2", phone="37379555222", user="igor")
        self.event("ACCEPTED", callid="c2", phone="37379555222", user="igor")
        self.work()
        self.assertEqual(self.call_of("c2").lead_id.partner_id, other)
        self.event("ACCEPTED", direction="out")
        self.event("TRANSFERRED", direction="out", user="igor", second_callid="c2")
        self.work()
        self.assertEqual(self.call_of("c2").merged_into_id, self.call_of())
        for session in self.env["oda.consultation.session"].search(
            [("partner_id", "in", (self.partner | other).ids)]
        ):
            if session.lead_id:
                self.assertEqual(session.lead_id.partner_id, session.partner_id)
        call = self.call_of()
        self.assertEqual(call.partner_id, self.partner)
        self.assertNotEqual(call.lead_id.partner_id, other)

    def test_a_phone_named_by_a_record_alone_may_ring_yet(self):
        """The record of the other id names whom no push has named so far."""
        self.event("INCOMING")
        self.event("CANCELLED")
        self.event("TRANSFERRED", user="g_all", second_callid="c2")
        self.push("history", callid="c2", user="igor", status="missed")
        self.work()
        self.event("INCOMING", user="igor")
        self.work()
        rows = self.env["oda.inbound"].search([("account_id", "=", self.account.id)])
        self.assertEqual(set(rows.mapped("state")), {"done"}, rows.mapped("error"))

    def test_a_note_follows_from_one_phone_of_a_person_to_the_other(self):
        self.env["oda.pbx.user"].create(
            {"account_id": self.account.id, "login": "mob", "user_id": self.ana.id}
        )
        for login in ("ana", "mob"):
            self.event("INCOMING", user=login)
        self.work()
        call = self.call_of().with_user(self.ana)
        call.save_draft({"note": "sună a treia oară"})
        self.event("ACCEPTED", user="ana")
        self.event("CANCELLED", user="mob")
        self.work()
        card = call.get_card()
        self.assertEqual(card["session"]["content"], "sună a treia oară")
        call.finish({"note": "sună a treia oară; PARE"})
        self.assertEqual(self.call_of().content, "sună a treia oară; PARE")

    def test_a_transferred_call_counts_once_on_the_cards(self):
        self.event("INCOMING", callid="c2", user="igor")
        self.event("ACCEPTED", callid="c2", user="igor")
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        self.event("TRANSFERRED", user="igor", second_callid="c2")
        self.work()
        call = self.call_of()
        self.assertEqual(self.call_of("c2").merged_into_id, call)
        self.assertEqual(self.partner.oda_call_count, 1)
        self.assertEqual(self.partner.oda_call_ids, call)
        self.assertEqual(call.lead_id.oda_call_ids, call)

    def test_merged_consultations_keep_their_calls(self):
        calls = self.answered_call() | self.answered_call("call-2")
        second = self.env["crm.lead"].create(
            {"name": "x", "type": "opportunity", "partner_id": self.partner.id}
        )
        calls[1].lead_id = second
        kept = calls.lead_id.merge_opportunity()
        self.assertEqual(len(kept), 1)
        self.assertEqual([call.lead_id for call in calls], [kept, kept])
        self.assertEqual(calls.leg_ids.session_id.lead_id, kept)

    def test_choosing_the_same_person_twice_is_no_error(self):
        other = self.env["res.partner"].create(
            {"name": "Elena Croitoru", "phone": "+37369555111"}
        )
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        call = self.call_of().with_user(self.ana)
        call.save_draft({"partner_id": other.id})
        card = call.save_draft({"partner_id": other.id, "note": "despre credit"})
        self.assertEqual(card["session"]["content"], "despre credit")


class TestDoors(TelephonyCase):
    """What a person with a login of the suite can reach by RPC."""

    def test_candidates_of_another_company_are_out_of_sight(self):
        company = self.env["res.company"].create({"name": "Alt centru"})
        hidden = self.env["res.partner"].create(
            {"name": "Al Altora", "phone": "+37369555111", "company_id": company.id}
        )
        self.env["res.partner"].create({"name": "Elena", "phone": "+37369555111"})
        self.event("INCOMING")
        self.work()
        forged = [self.env.company.id, company.id]
        call = self.call_of().with_user(self.ana)
        card = call.with_context(allowed_company_ids=forged).get_card()
        self.assertNotIn(hidden.id, [row["id"] for row in card["candidates"]])

    def test_nobody_ties_their_session_to_the_call_of_another(self):
        self.event("INCOMING")
        self.work()
        leg = self.call_of().leg_ids
        mallory = new_test_user(self.env, "t_mal", groups="oda_base.group_consultant")
        with self.assertRaises(AccessError):
            self.env["oda.consultation.session"].with_user(mallory).with_context(
                default_res_model="oda.call.leg", default_res_id=leg.id
            ).create({"partner_id": mallory.partner_id.id})
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(leg.session_id.user_id, self.ana)
        self.assertEqual(leg.session_id.partner_id, self.partner)

    def test_a_phone_in_another_company_shows_its_card_to_the_end(self):
        """A login may be somebody's who does not work for the account's company."""
        company = self.env["res.company"].create({"name": "Alt centru"})
        guest = new_test_user(
            self.env,
            "t_guest",
            groups="oda_base.group_consultant",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.env["oda.pbx.user"].create(
            {"account_id": self.account.id, "login": "guest", "user_id": guest.id}
        )
        self.event("INCOMING", user="guest")
        self.event("ACCEPTED", user="guest")
        self.event("COMPLETED", user="guest")
        self.push("history", user="guest", link="https://t.pbx.moldcell.md/g.mp3")
        self.work()
        calls = self.env["oda.call"].with_user(guest)
        calls = calls.with_context(allowed_company_ids=company.ids)
        cards = calls.get_live_calls()
        self.assertEqual([card["id"] for card in cards], self.call_of().ids)
        self.assertFalse(cards[0]["recording"]["url"], "heard in one's own company")
        self.assertTrue(calls.browse(cards[0]["id"]).finish({"note": "PARE"}))

    def test_odd_values_are_refused_in_words_or_mended(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        call = self.call_of().with_user(self.ana)
        card = call.save_draft({"note": "o jumătate de emoji \ud83d, atât"})
        self.assertIn("o jumătate de emoji", card["session"]["content"])
        for act in (call.save_draft, call.finish):
            for values in (None, "note", ["note"], 7):
                with self.subTest(values=values), self.assertRaises(UserError):
                    act(values)
        self.assertTrue(call.get_card())

    def test_logins_without_a_person_have_a_limit(self):
        limit = NEWCOMERS_MAX
        for number in range(limit + 20):
            self.event("INCOMING", callid=f"x{number}", user=f"u{number}")
        self.work()
        newcomers = self.account.pbx_user_ids.filtered(lambda one: not one.user_id)
        self.assertEqual(len(newcomers), limit)
        self.assertTrue(self.account.pbx_newcomers_full)
        full = [("code", "=", "pbx.newcomers_full"), ("res_id", "=", self.account.id)]
        self.assertEqual(self.env["oda.event"].search_count(full), 1, "told once")
        # The calls are worked as ever, and those with a person ring.
        self.assertTrue(self.call_of(f"x{limit + 19}").leg_ids)
        self.told.clear()
        self.event("INCOMING", callid="y", user="ana")
        self.work()
        self.assertEqual([row[0] for row in self.told], ["t_ana"])
        newcomers[:5].unlink()
        self.assertFalse(self.account.pbx_newcomers_full)
        self.event("INCOMING", callid="z", user="another")
        self.work()
        self.assertIn("another", self.account.pbx_user_ids.mapped("login"))
