# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
from datetime import timedelta
from unittest.mock import patch

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
        session = call.leg_ids.session_id
        self.assertEqual(session.user_id, self.ana)
        self.assertFalse(session.ended_at)
        self.assertEqual(self.told[-1][:2], ("t_ana", "talking"))
        self.event("COMPLETED")
        self.push("history", duration="124", wait="9")
        self.work()
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(call.outcome_source, "history")
        self.assertEqual(call.duration, 124)
        self.assertTrue(session.ended_at)
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
        self.assertFalse(call.leg_ids.session_id)

    def test_history_alone_is_enough(self):
        self.push("history", start="20261121T120000Z")
        self.work()
        call = self.call_of()
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(call.leg_ids.session_id.user_id, self.ana)
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
        sessions = self.env["oda.consultation.session"].search(
            [("partner_id", "=", self.partner.id)]
        )
        self.assertEqual(sessions.user_id, self.ana | self.igor, "one a talker")
        self.assertEqual(len(sessions), 2)
        self.assertTrue(all(sessions.mapped("ended_at")))

    def test_transferred_leg_known_first(self):
        self.event("INCOMING", user="igor", callid="call-b")
        self.work()
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="call-b")
        self.work()
        self.assertEqual(self.call_of("call-b").merged_into_id, self.call_of())

    def test_transfer_keeps_both_texts(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        call = self.call_of()
        call.with_user(self.ana).save_draft({"note": "vrea un credit de 2 mln"})
        self.event("TRANSFERRED", user="igor", second_callid="call-b")
        self.event("INCOMING", user="igor", callid="call-b")
        self.event("ACCEPTED", user="igor", callid="call-b")
        self.event("COMPLETED", callid="call-1")
        self.work()
        mine = self.env["oda.call"].with_user(self.igor).get_live_calls()
        self.assertEqual([card["id"] for card in mine], call.ids, "one card a call")
        self.assertFalse(mine[0]["session"] and mine[0]["session"]["content"])
        call.with_user(self.igor).finish({"note": "PARE 1+1"})
        self.assertIn("vrea un credit de 2 mln", call.content)
        self.assertIn("PARE 1+1", call.content)

    def test_what_hung_on_the_other_id_moves_along(self):
        self.event("INCOMING", user="igor", callid="call-b")
        self.event("ACCEPTED", user="igor", callid="call-b")
        self.push(
            "history",
            callid="call-b",
            user="igor",
            link="https://tenant.pbx.moldcell.md/b.mp3",
        )
        self.work()
        other = self.call_of("call-b")
        other.with_user(self.igor).save_draft({"note": "scris pe a doua"})
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.event("TRANSFERRED", user="igor", second_callid="call-b")
        self.push("history", user="ana")
        self.work()
        call = self.call_of()
        self.assertEqual(other.merged_into_id, call)
        self.assertEqual(len(call.recording_ids), 1)
        self.assertIn("scris pe a doua", call.content)
        sessions = self.env["oda.consultation.session"].search(
            [("partner_id", "=", self.partner.id)]
        )
        self.assertEqual(len(sessions), 2)
        self.assertTrue(all(sessions.mapped("ended_at")))

    def test_transfer_to_somebody_who_also_rang_first(self):
        for kind, login in (
            ("INCOMING", "igor"),
            ("CANCELLED", "igor"),
            ("INCOMING", "ana"),
            ("ACCEPTED", "ana"),
        ):
            self.event(kind, user=login)
        self.event("INCOMING", user="igor", callid="c2")
        self.event("ACCEPTED", user="igor", callid="c2")
        self.work()
        self.call_of("c2").with_user(self.igor).save_draft({"note": "de la igor"})
        self.event("TRANSFERRED", user="igor", second_callid="c2")
        self.event("COMPLETED")
        self.push("history")
        self.push("history", callid="c2", user="igor")
        self.work()
        rows = self.env["oda.inbound"].search([("account_id", "=", self.account.id)])
        self.assertEqual(set(rows.mapped("state")), {"done"}, rows.mapped("error"))
        call = self.call_of()
        self.assertEqual(self.call_of("c2").merged_into_id, call)
        self.assertEqual(call.outcome, "answered")
        self.assertIn("de la igor", call.content)

    def test_same_person_on_both_ids_has_one_session(self):
        for callid in ("call-1", "c2"):
            self.event("INCOMING", callid=callid)
            self.event("ACCEPTED", callid=callid)
            self.work()
            self.call_of(callid).with_user(self.ana).save_draft({"note": callid})
        self.event("TRANSFERRED", user="ana", second_callid="c2")
        self.push("history", callid="c2")
        self.event("COMPLETED")
        self.push("history")
        self.work()
        session = self.env["oda.consultation.session"].search(
            [("partner_id", "=", self.partner.id)]
        )
        self.assertEqual(len(session), 1)
        self.assertEqual(session.content, "call-1\nc2")
        self.assertTrue(session.ended_at)
        self.assertEqual(self.call_of().content, "call-1\nc2")

    def test_second_ring_is_not_taken_for_a_redelivery(self):
        self.assertTrue(self.push("event", type="INCOMING"))
        self.assertIsNone(self.push("event", type="INCOMING"))
        self.event("CANCELLED")
        with patch(
            "odoo.addons.oda_base.models.oda_inbound_intake.time.time",
            return_value=time.time() + 60,
        ):
            self.assertTrue(self.push("event", type="INCOMING"))

    def test_chain_of_transfers_is_one_call(self):
        self.event("TRANSFERRED", callid="c2", user="igor", second_callid="c3")
        self.event("TRANSFERRED", callid="call-1", user="ana", second_callid="c2")
        self.work()
        self.push("history", callid="c3", link="https://tenant.pbx.moldcell.md/3.mp3")
        self.push("history")
        self.work()
        call = self.call_of()
        self.assertEqual(self.call_of("c2").merged_into_id, call)
        self.assertEqual(self.call_of("c3").merged_into_id, call)
        self.assertEqual(call.outcome, "answered")
        self.assertEqual(len(call.recording_ids), 1)

    def test_a_loop_of_transfers_ends(self):
        self.event("INCOMING")
        self.event("TRANSFERRED", user="igor", second_callid="c2")
        self.event("TRANSFERRED", callid="c2", user="ana", second_callid="call-1")
        self.event("TRANSFERRED", user="ana", second_callid="call-1")
        self.work()
        self.assertEqual(self.call_of("c2").merged_into_id, self.call_of())
        self.assertFalse(self.call_of().merged_into_id)

    def test_a_queue_rings_the_same_phone_again(self):
        for kind, login in (
            ("INCOMING", "ana"),
            ("CANCELLED", "ana"),
            ("INCOMING", "igor"),
            ("CANCELLED", "igor"),
        ):
            self.event(kind, user=login)
        self.work()
        call = self.call_of()
        self.assertFalse(call.with_user(self.ana).get_card())
        self.told.clear()
        event = self.account._driver().parse(
            "application/x-www-form-urlencoded",
            b"cmd=event&type=INCOMING&callid=call-1&phone=37369555111&user=ana",
        )
        calls = self.env["oda.call"].with_user(self.robot)
        # By the clock of the pushes: it stands still while a test runs.
        rows = self.env["oda.inbound"].search([("account_id", "=", self.account.id)])
        last = max(rows.mapped("received_at"))
        soon, after = last + timedelta(seconds=1), last + timedelta(seconds=9)
        calls._apply_events(self.account, [(event, soon)])
        self.assertFalse(self.told, "so soon it is the first push, late or repeated")
        calls._apply_events(self.account, [(event, after)])
        self.assertEqual([row[:2] for row in self.told], [("t_ana", "ringing")])
        self.assertTrue(call.with_user(self.ana).get_card())

    def test_login_mapped_during_the_call(self):
        self.event("INCOMING", user="nou")
        self.work()
        login = self.env["oda.pbx.user"].search([("login", "=", "nou")])
        login.user_id = self.boss
        self.event("ACCEPTED", user="nou")
        self.work()
        self.assertEqual(self.call_of().leg_ids.user_id, self.boss)

    def test_account_with_calls_is_archived_not_deleted(self):
        self.answered_call()
        with self.assertRaises(UserError):
            self.account.unlink()

    def test_number_is_found_in_any_form(self):
        call = self.answered_call()
        for text in ("069555111", "+373 69 555 111", "69555"):
            with self.subTest(text=text):
                self.assertIn(
                    call,
                    self.env["oda.call"].search([("phone_display", "ilike", text)]),
                )

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
        robot_call = call.with_user(self.robot)
        # Not the clock's now: pushes are as old as this class's transaction.
        robot_call._decide(now=call.decide_at - timedelta(seconds=1))
        self.assertFalse(call.outcome, "too early")
        robot_call._decide(now=self.later(seconds=40))
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
