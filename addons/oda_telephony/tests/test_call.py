# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields
from odoo.exceptions import UserError

from .common import TelephonyCase


class TestCall(TelephonyCase):
    def test_known_caller_pops_and_gets_a_session(self):
        self.event("INCOMING")
        self.work()
        call = self.call_of()
        self.assertEqual(call.partner_id, self.partner)
        self.assertEqual(call.state, "ringing")
        self.assertEqual(self.told, [("t_ana", "ringing", call.id)])
        self.assertFalse(call.lead_id, "a known person's ring opens no case yet")
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(call.user_id, self.ana)
        self.assertEqual(call.lead_id.partner_id, self.partner)
        self.assertEqual(call.lead_id.user_id, self.ana)
        self.assertEqual(call.session_id.user_id, self.ana)
        self.assertFalse(call.session_id.ended_at)
        self.assertEqual(self.told[-1][:2], ("t_ana", "talking"))
        self.event("COMPLETED")
        self.push("history", duration="124", wait="9")
        self.work()
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(call.outcome_source, "history")
        self.assertEqual(call.duration, 124)
        self.assertTrue(call.session_id.ended_at)
        self.assertEqual(self.told[-1][:2], ("t_ana", "result"))

    def test_stranger_gets_card_and_consultation_at_once(self):
        self.event("INCOMING", phone="37379123123")
        self.work()
        call = self.call_of()
        self.assertTrue(call.partner_id.oda_is_new)
        self.assertTrue(call.lead_id)
        card = call.with_user(self.ana).get_card()
        self.assertTrue(card["partner"]["is_new"])
        self.assertEqual(card["partner"]["name"], "")
        self.event("INCOMING", phone="37379123123", callid="call-2")
        self.work()
        again = self.call_of("call-2")
        self.assertEqual(again.partner_id, call.partner_id)
        self.assertEqual(again.lead_id, call.lead_id)

    def test_ring_all_department(self):
        for login in ("ana", "igor"):
            self.event("INCOMING", user=login, groupRealName="Call centru")
        self.work()
        self.assertCountEqual(
            [row[:2] for row in self.told],
            [("t_ana", "ringing"), ("t_igor", "ringing")],
        )
        self.told.clear()
        self.event("ACCEPTED", user="igor")
        self.event("CANCELLED", user="ana")
        self.work()
        self.assertIn(("t_igor", "talking"), [row[:2] for row in self.told])
        self.assertIn(("t_ana", "gone"), [row[:2] for row in self.told])
        call = self.call_of()
        self.assertEqual(call.user_id, self.igor)
        self.assertFalse(call.outcome, "a lost leg is not a missed call")
        self.assertFalse(call.with_user(self.ana).get_card())
        self.assertTrue(call.with_user(self.igor).get_card())

    def test_missed_with_user_pbx_and_small_letters(self):
        self.event("INCOMING")
        self.event("CANCELLED")
        self.push("history", status="missed", user="pbx", duration="0", wait=None)
        self.work()
        call = self.call_of()
        self.assertEqual(call.outcome, "missed")
        self.assertFalse(call.user_id)
        self.assertFalse(call.session_id)

    def test_history_alone_is_enough(self):
        self.push("history", start="20261121T120000Z")
        self.work()
        call = self.call_of()
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(call.session_id.user_id, self.ana)
        self.assertEqual(
            call.started_at, fields.Datetime.to_datetime("2026-11-21 12:00:00")
        )

    def test_disorder_and_repetition_change_nothing(self):
        pushes = [
            ("history", {}),
            ("event", {"type": "COMPLETED"}),
            ("event", {"type": "INCOMING"}),
            ("event", {"type": "ACCEPTED"}),
        ]
        for cmd, values in pushes + pushes[::-1]:
            self.push(cmd, **values)
        self.work()
        call = self.call_of()
        self.assertEqual(len(call), 1)
        self.assertEqual((call.outcome, call.user_id), ("answered", self.ana))
        self.assertEqual(len(call.leg_ids), 1)
        self.assertEqual(
            self.env["oda.consultation.session"].search_count(
                [("partner_id", "=", self.partner.id)]
            ),
            1,
        )
        self.assertNotIn("ringing", [row[1] for row in self.told])

    def test_redelivery_is_one_row(self):
        self.assertTrue(self.push("event", type="INCOMING"))
        self.assertIsNone(self.push("event", type="INCOMING"))
        self.assertIsNone(self.push("event", type="INCOMING", as_json=True))

    def test_transfer_is_one_call(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="call-b")
        self.event("INCOMING", user="igor", callid="call-b")
        self.event("ACCEPTED", user="igor", callid="call-b")
        self.event("COMPLETED", user="igor", callid="call-b")
        self.push("history", user="ana")
        self.work()
        call, other = self.call_of(), self.call_of("call-b")
        self.assertEqual(other.merged_into_id, call)
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(set(call.leg_ids.mapped("login")), {"ana", "igor"})
        self.assertEqual(
            self.env["oda.consultation.session"].search_count(
                [("partner_id", "=", self.partner.id)]
            ),
            1,
        )

    def test_transferred_leg_known_first(self):
        self.event("INCOMING", user="igor", callid="call-b")
        self.work()
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="call-b")
        self.work()
        self.assertEqual(self.call_of("call-b").merged_into_id, self.call_of())

    def test_outgoing_never_creates_people(self):
        before = self.env["res.partner"].search_count([])
        self.event("OUTGOING", phone="37379321321", direction="out")
        self.push("history", type="out", phone="37379321321", status="Busy")
        self.work()
        call = self.call_of()
        self.assertEqual((call.direction, call.outcome), ("out", "busy"))
        self.assertFalse(call.partner_id)
        self.assertEqual(self.env["res.partner"].search_count([]), before)

    def test_anonymous_and_internal(self):
        self.event("INCOMING", phone="anonymous")
        self.event("INCOMING", phone="701", callid="call-2", direction="internal")
        self.event("INCOMING", phone="701", callid="call-3")
        self.work()
        self.assertTrue(self.call_of())
        self.assertFalse(self.call_of().partner_id)
        hidden = self.call_of().with_user(self.ana)
        self.assertTrue(hidden.get_card())
        hidden.finish({"note": "a închis"})
        self.assertEqual(self.call_of().content, "a închis")
        self.assertFalse(self.call_of("call-2"))
        self.assertFalse(self.call_of("call-3").partner_id)

    def test_silence_decides(self):
        self.event("INCOMING")
        self.event("CANCELLED")
        self.work()
        call = self.call_of()
        self.assertFalse(call.outcome)
        self.assertTrue(call.decide_at)
        self.env["oda.call"]._cron_decide()
        self.assertFalse(call.outcome, "too early")
        self.env["oda.call"]._cron_decide(now=self.later(seconds=40))
        self.assertEqual((call.outcome, call.outcome_source), ("missed", "events"))
        self.assertFalse(call.decide_at)
        # The exchange's own record comes late and stands.
        self.push("history")
        self.work()
        self.assertEqual((call.outcome, call.outcome_source), ("answered", "history"))

    def test_unknown_login_writes_itself_in(self):
        self.event("INCOMING", user="nou")
        self.work()
        login = self.env["oda.pbx.user"].search([("login", "=", "nou")])
        self.assertEqual(login.account_id, self.account)
        self.assertFalse(login.user_id)

    def test_unknown_command_is_kept_and_explained(self):
        row_id = self.push("weather")
        self.work()
        row = self.env["oda.inbound"].browse(row_id)
        self.assertEqual(row.state, "ignored")
        self.assertTrue(row.note)

    def test_shared_number_is_chosen_by_the_person(self):
        other = self.env["res.partner"].create(
            {"name": "Elena Croitoru", "phone": "+37369555111"}
        )
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        call = self.call_of().with_user(self.ana)
        card = call.get_card()
        self.assertFalse(card["partner"])
        self.assertEqual(
            {row["id"] for row in card["candidates"]}, {self.partner.id, other.id}
        )
        card = call.save_draft({"note": "despre credit"})
        self.assertEqual(card["session"]["content"], "despre credit")
        with self.assertRaises(UserError):
            call.save_draft({"partner_id": self.ana.partner_id.id})
        card = call.save_draft({"partner_id": other.id})
        self.assertEqual(card["partner"]["id"], other.id)
        self.assertEqual(card["session"]["content"], "despre credit")
        self.assertEqual(self.call_of().lead_id.partner_id, other)
