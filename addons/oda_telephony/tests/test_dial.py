# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import TelephonyCase
from .fake_pbx import HOST, FakePbx


@tagged("post_install", "-at_install")
class TestDial(TelephonyCase):
    """A number is pressed: who may, what is sent, and the call that comes back."""

    def setUp(self):
        super().setUp()
        self.account.moldcell_address = HOST
        self.pbx = FakePbx().patch(self)
        self.calls = self.env["oda.call"].with_user(self.ana)

    def dial(self, number="069 555 111", model="res.partner", res_id=None, calls=None):
        res_id = self.partner.id if res_id is None else res_id
        return (self.calls if calls is None else calls).oda_dial(number, model, res_id)

    def row(self, answer):
        return self.env["oda.dial"].browse(answer["id"])

    def message(self, answer):
        return self.env["oda.outbound"].search(
            [("res_model", "=", "oda.dial"), ("res_id", "=", answer["id"])]
        )

    def send(self, answer):
        """Send the message as the outbox's job does, in this transaction."""
        row = self.message(answer)
        box = self.env["oda.outbound"].with_user(self.robot)
        row.next_try_at = False
        self.env.flush_all()
        claimed = box._claim_here(self.account.id)
        self.assertEqual(claimed["id"], row.id)
        driver, account, _words = box._sender(self.account.id)
        box.browse(row.id)._conclude_here(box._attempt(driver, account, claimed))
        self.env.invalidate_all()
        return row

    def outgoing(self, callid="pbx-call-1", phone="37369555111", user="ana"):
        self.event("OUTGOING", callid=callid, phone=phone, user=user, direction="out")
        self.work()
        return self.call_of(callid)

    # --- what is sent ---------------------------------------------------------

    def test_digits_only_and_the_own_phone_first(self):
        answer = self.dial("+373 69 555 111")
        self.assertEqual(answer["state"], "asked")
        row = self.send(answer)
        self.assertEqual(
            self.pbx.asked, [("makeCall", {"phone": "37369555111", "user": "ana"})]
        )
        self.assertEqual((row.state, row.reference), ("done", "pbx-call-1"))
        self.assertEqual(self.row(answer).state, "sent")

    def test_every_answer_of_the_exchange_is_borne(self):
        for text, callid in (
            ("abc-1", "abc-1"),
            ('"abc-2"', "abc-2"),
            ('{"CallID": "abc-3"}', "abc-3"),
            ('{"result": "ok"}', False),
            ("", False),
            ("OK, <b>dialling</b> now", False),
            ("x" * 120, "sha256-"),
        ):
            with self.subTest(text=text):
                self.pbx.answers["makeCall"] = text
                answer = self.dial()
                self.send(answer)
                row = self.row(answer)
                self.assertEqual(row.state, "sent")
                self.assertTrue((row.callid or "").startswith(callid or ""))
                self.assertEqual(bool(row.callid), bool(callid))
                row.state = "failed"  # make room for the next one

    # --- the call comes back --------------------------------------------------

    def test_the_call_hangs_on_the_consultation_it_was_dialled_from(self):
        other = self.env["crm.lead"].create(
            {"name": "First", "partner_id": self.partner.id, "user_id": self.ana.id}
        )
        lead = self.env["crm.lead"].create(
            {"name": "Second", "partner_id": self.partner.id, "user_id": self.ana.id}
        )
        for one in (lead, other):
            with self.subTest(lead=one.name):
                answer = self.dial(self.partner.phone, "crm.lead", one.id)
                self.pbx.answers["makeCall"] = f"id-{one.id}"
                self.send(answer)
                call = self.outgoing(f"id-{one.id}")
                self.assertEqual(call.lead_id, one)
                self.assertEqual(call.partner_id, self.partner)
                self.assertEqual(self.row(answer).state, "linked")
                self.assertEqual(self.row(answer).call_id, call)

    def test_adopted_by_person_and_number_when_the_id_is_another(self):
        lead = self.env["crm.lead"].create(
            {"name": "Case", "partner_id": self.partner.id, "user_id": self.ana.id}
        )
        answer = self.dial(self.partner.phone, "crm.lead", lead.id)
        self.send(answer)
        call = self.outgoing("quite-another-id")
        self.assertEqual((call.lead_id, self.row(answer).call_id), (lead, call))

    def test_the_push_may_be_faster_than_the_answer(self):
        answer = self.dial()
        call = self.outgoing("fast")
        self.assertEqual(self.row(answer).call_id, call)
        self.send(answer)
        self.assertEqual(self.row(answer).state, "linked", "the answer changes nothing")

    def test_not_adopted_by_others(self):
        answer = self.dial()
        self.pbx.answers["makeCall"] = ""
        self.send(answer)
        self.outgoing("of-igor", user="igor")
        self.outgoing("other-number", phone="37369555222")
        self.event("INCOMING", callid="incoming")
        self.work()
        self.assertFalse(self.row(answer).call_id)
        self.row(answer).created_at -= timedelta(minutes=6)
        self.outgoing("too-late")
        self.assertFalse(self.row(answer).call_id)

    def test_two_clicks_two_calls_in_their_order(self):
        self.pbx.answers["makeCall"] = ""
        first = self.dial()
        self.send(first)
        self.row(first).created_at -= timedelta(minutes=2)
        second = self.dial()
        self.assertNotEqual(first["id"], second["id"])
        self.send(second)
        one, two = self.outgoing("one"), self.outgoing("two")
        self.assertEqual(self.row(first).call_id, one)
        self.assertEqual(self.row(second).call_id, two)

    def test_a_call_of_ours_makes_no_card(self):
        stranger = self.env["oda.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.account.company_id.id,
                "callid": "old",
                "phone": "37369000777",
                "e164": "+37369000777",
                "direction": "in",
            }
        )
        self.env["oda.call.leg"].create(
            {"call_id": stranger.id, "login": "ana", "user_id": self.ana.id}
        )
        before = self.env["res.partner"].search_count([])
        self.send(self.dial("+37369000777", "oda.call", stranger.id))
        call = self.outgoing(phone="37369000777")
        self.assertFalse(call.partner_id)
        self.assertEqual(self.env["res.partner"].search_count([]), before)

    # --- never twice ----------------------------------------------------------

    def test_a_second_click_is_the_same_call(self):
        first, second = self.dial(), self.dial()
        self.assertEqual(first["id"], second["id"])
        self.send(first)
        self.assertEqual(self.dial()["id"], first["id"], "while the phone rings")
        self.assertEqual(len(self.pbx.asked), 1)

    def test_another_number_waits(self):
        self.partner.oda_phone_ids = [fields.Command.create({"raw": "069 555 112"})]
        self.dial()
        with self.assertRaisesRegex(UserError, "69 555 111"):
            self.dial("069 555 112")

    def test_silence_is_looked_up_and_never_dialled_again(self):
        self.pbx.answers["makeCall"] = self.pbx.silence()
        answer = self.dial()
        row = self.send(answer)
        self.assertEqual(row.state, "unknown")
        self.assertEqual(self.row(answer).state, "unsure")
        self.assertIn("not sure", self.row(answer)._for_browser()["words"])
        self.send(answer)  # nothing in the history yet
        self.assertEqual(row.state, "unknown")
        now = fields.Datetime.now()
        self.pbx.answers["history"] = (
            f"found-1,out,37369555111,ana,37322200100,{now.isoformat()}Z,5,60,\r\n"
        )
        self.send(answer)
        self.assertEqual((row.state, row.reference), ("done", "found-1"))
        self.assertEqual(len(self.pbx.named("makeCall")), 1, "asked, never redone")

    def test_a_lookup_does_not_take_an_older_call(self):
        self.pbx.answers["makeCall"] = self.pbx.silence()
        answer = self.dial()
        self.send(answer)
        old = fields.Datetime.now() - timedelta(minutes=30)
        self.pbx.answers["history"] = "".join(
            f"{callid},{kind},{phone},{user},3732,{old.isoformat()}Z,5,60,\r\n"
            for callid, kind, phone, user in (
                ("old", "out", "37369555111", "ana"),
                ("in", "in", "37369555111", "ana"),
                ("his", "out", "37369555111", "igor"),
            )
        )
        self.assertEqual(self.send(answer).state, "unknown")

    def test_unknown_is_settled_by_the_call_itself(self):
        self.pbx.answers["makeCall"] = self.pbx.silence()
        answer = self.dial()
        row = self.send(answer)
        self.outgoing("came-after-all")
        self.assertEqual((row.state, row.reference), ("done", "came-after-all"))

    def test_never_heard_of(self):
        self.pbx.answers["makeCall"] = 502
        answer = self.dial()
        row = self.send(answer)
        self.assertEqual(row.state, "unknown", "a gateway's word is no word")
        row.payload = dict(row.payload, at=int(time.time()) - 4 * 3600)
        self.send(answer)
        self.assertEqual(row.state, "failed")
        self.assertIn("no such call", self.row(answer)._for_browser()["words"])

    def test_a_late_click_rings_nobody(self):
        self.pbx.answers["makeCall"] = self.pbx.unreachable()
        answer = self.dial()
        row = self.send(answer)
        self.assertEqual(row.state, "pending", "surely not sent: once more")
        self.pbx.answers["makeCall"] = "pbx-call-1"
        row.payload = dict(row.payload, before=int(time.time()) - 1)
        self.send(answer)
        self.assertEqual(row.state, "failed")
        self.assertEqual(len(self.pbx.named("makeCall")), 1)
        self.assertIn("try again", self.row(answer)._for_browser()["words"])

    def test_words_of_each_refusal(self):
        for status, words in (
            (400, "did not understand"),
            (401, "right one in Channels"),
            (301, "not at this address"),
            (404, "no such command"),
        ):
            with self.subTest(status=status):
                self.pbx.answers["makeCall"] = status
                answer = self.dial()
                self.assertEqual(self.send(answer).state, "failed")
                self.assertIn(words, self.row(answer)._for_browser()["words"])

    # --- who may --------------------------------------------------------------

    def test_without_a_phone_it_is_said_whom_to_ask(self):
        with self.assertRaisesRegex(UserError, "administrator"):
            self.dial(calls=self.env["oda.call"].with_user(self.boss))
        self.assertEqual(
            self.env["oda.call"].with_user(self.boss)._dial_ability(), "unmapped"
        )
        self.account.moldcell_address = False
        with self.assertRaisesRegex(UserError, "no exchange is set up"):
            self.dial()
        self.assertEqual(self.calls._dial_ability(), "no")
        self.assertFalse(self.env["oda.outbound"].search([("verb", "=", "dial")]))

    def test_archived_account_dials_nothing(self):
        self.account.active = False
        with self.assertRaises(UserError):
            self.dial()

    def test_a_number_that_is_not_on_the_card_is_not_dialled(self):
        for number in ("+37369555999", "0906 123 45", "+1 900 555 0199"):
            with (
                self.subTest(number=number),
                self.assertRaises(UserError),
            ):
                self.dial(number)
            with (
                self.subTest(number=number),
                self.assertRaises(UserError),
            ):
                self.calls.oda_dial(number)
        self.assertEqual(self.calls.oda_dial("069555111")["state"], "asked")

    def test_nonsense_is_refused_in_words(self):
        for number in ("", " ", None, 5, ["069555111"], "anonymous", "abc", "0" * 500):
            with self.subTest(number=number), self.assertRaises(UserError) as caught:
                self.dial(number)
            self.assertTrue(str(caught.exception))
        for model, res_id in (
            ("res.partner", 0),
            ("res.partner", 10**9),
            ("res.partner", True),
            ("res.partner", "1"),
            ("res.partner", [self.partner.id]),
            ("no.such.model", 1),
            (5, 1),
            ("oda.timeline", 1),
            (None, 5),
        ):
            with self.subTest(model=model, res_id=res_id):
                with self.assertRaises(UserError):
                    self.calls.oda_dial("069555111", model, res_id)

    def test_a_card_of_another_company_is_not_dialled(self):
        other = self.env["res.company"].create({"name": "Other centre"})
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "phone": "069 777 888", "company_id": other.id}
        )
        with self.assertRaises(AccessError):
            self.dial("069 777 888", "res.partner", theirs.id)
        with self.assertRaises(AccessError):
            self.calls.oda_dial("069 777 888")

    def test_fields_that_one_may_not_read_prove_nothing(self):
        """A number guessed to be in a hidden field is not confirmed by dialling."""
        with self.assertRaises(AccessError):
            self.dial("069 555 111", "res.users", self.boss.id)

    def test_portal_user_is_refused(self):
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            self.dial(calls=self.env["oda.call"].with_user(portal))
        self.assertEqual(self.env["oda.call"].with_user(portal)._dial_ability(), "no")

    def test_the_rows_of_dialling_are_nobodys_to_write(self):
        answer = self.dial()
        for user in (self.ana, self.boss):
            with self.assertRaises(AccessError):
                self.row(answer).with_user(user).write({"state": "failed"})
            with self.assertRaises(AccessError):
                self.env["oda.dial"].with_user(user).create({"phone": "1"})

    def test_call_pop_of_a_stranger_can_be_called_back(self):
        self.event("INCOMING", callid="s", phone="37369444333")
        self.event("CANCELLED", callid="s", phone="37369444333")
        self.work()
        call = self.call_of("s")
        answer = self.dial(call.phone_display, "oda.call", call.id)
        self.assertEqual(self.row(answer).partner_id, call.partner_id)

    def test_cold_call_card(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "To call",
                "partner_id": self.partner.id,
                "phone": "069 555 111",
                "user_id": self.ana.id,
            }
        )
        answer = self.dial("069 555 111", "crm.lead", lead.id)
        self.assertEqual(self.row(answer).lead_id, lead)
