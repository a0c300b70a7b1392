# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import UserError

from .common import TelephonyCase


class TestCallInstruments(TelephonyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = cls.env["oda.instrument.group"].create({"name": "Programmes"})
        cls.tick = cls.env["oda.instrument"].create(
            {"name": "Grant", "group_id": group.id}
        )

    def talk(self):
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        return self.call_of().with_user(self.ana)

    def test_ticked_while_talking(self):
        call = self.talk()
        shown = call.get_instruments()
        names = [
            one["name"] for group in shown["groups"] for one in group["instruments"]
        ]
        self.assertIn("Grant", names)
        told = call.save_answers(1, {str(self.tick.id): True}, "page")
        self.assertEqual(told["chips"][0]["name"], "Grant")
        answer = self.env["oda.instrument.answer"].search([])[:1]
        self.assertEqual(answer.user_id, self.ana)
        self.assertEqual(answer.channel, "phone")
        self.assertEqual(answer.partner_id, self.partner)
        call.save_answers(1, {str(self.tick.id): None}, "page")
        self.assertTrue(answer.exists(), "a late packet changes nothing")
        self.assertEqual(call.get_instruments()["answers"], {str(self.tick.id): True})
        call.save_draft({"note": "vrea grant"})
        self.assertEqual(answer.session_id.content, "vrea grant")

    def test_only_in_ones_own_talk(self):
        self.event("INCOMING")
        self.work()
        ringing = self.call_of().with_user(self.ana)
        with self.assertRaisesRegex(UserError, "once the talk begins"):
            ringing.save_answers(1, {str(self.tick.id): True}, "page")
        call = self.talk()
        for user in (self.igor, self.boss):
            for act in (
                call.with_user(user).get_instruments,
                lambda user=user: call.with_user(user).save_answers(1, {}, "page"),
            ):
                with self.assertRaisesRegex(UserError, "not one of yours"):
                    act()

    def test_nonsense(self):
        call = self.talk()
        for args in ((1, [], "page"), ("1", {}, "page"), (1, {"x": True}, "page")):
            with self.assertRaises(UserError):
                call.save_answers(*args)
