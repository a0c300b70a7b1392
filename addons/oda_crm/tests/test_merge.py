# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import CrmCase
from .test_identity import IDNO


@tagged("post_install", "-at_install")
class TestMerge(CrmCase):
    """Two cards become one, and nothing that was said or done is lost."""

    def setUp(self):
        super().setUp()
        partners = self.env["res.partner"]
        self.keep = partners.create({"name": "Keep", "phone": "069100001"})
        self.drop = partners.create(
            {
                "name": "Drop",
                "phone": "069100002",
                "oda_idno": IDNO,
                "oda_is_migrant": True,
                "oda_size_class": "small",
                "category_id": [(0, 0, {"name": "wine"})],
            }
        )

    def merge(self, user=None):
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard = wizard.with_user(user or self.lead)
        wizard._merge([self.keep.id, self.drop.id], self.keep.with_env(wizard.env))
        self.env.invalidate_all()
        self.assertFalse(self.drop.exists())

    def test_everything_survives(self):
        lead = self.env["crm.lead"].create(
            {"name": "Case", "type": "opportunity", "partner_id": self.drop.id}
        )
        session = self.env["oda.consultation.session"].create(
            {"partner_id": self.drop.id, "content": "what was said"}
        )
        consent = self.drop._oda_give_consent("news")
        self.keep._oda_give_consent("news", False)
        message = self.drop.message_post(body="hello", message_type="comment")
        open_task = self.drop.activity_schedule("mail.mail_activity_data_todo")
        done_task = self.drop.activity_schedule("mail.mail_activity_data_todo")
        done_task.action_feedback(feedback="called, will come on Friday")
        tag = self.drop.category_id
        self.merge()
        self.assertEqual(lead.partner_id, self.keep)
        self.assertEqual(session.partner_id, self.keep)
        self.assertEqual(consent.partner_id, self.keep)
        self.assertEqual(len(self.keep.oda_consent_ids), 2)
        self.assertEqual(message.res_id, self.keep.id)
        self.assertEqual(open_task.res_id, self.keep.id)
        done = done_task.exists()
        self.assertTrue(done, "a done task went with the card that was dropped")
        self.assertEqual((done.res_id, done.active), (self.keep.id, False))
        self.assertEqual(done.feedback, "called, will come on Friday")
        self.assertEqual(self.keep.category_id, tag)
        self.assertEqual(
            set(self.keep.oda_phone_ids.mapped("e164")),
            {"+37369100001", "+37369100002"},
        )
        self.assertEqual(self.keep.oda_idno, IDNO)
        self.assertTrue(self.keep.oda_is_migrant)
        self.assertEqual(self.keep.oda_size_class, "small")

    def test_one_double_follower_does_not_cost_the_others(self):
        people = [
            new_test_user(self.env, f"t_f{n}", groups="base.group_user").partner_id
            for n in range(3)
        ]
        self.keep.message_subscribe([people[0].id])
        self.drop.message_subscribe([one.id for one in people])
        self.merge()
        self.assertLessEqual(
            {one.id for one in people}, set(self.keep.message_partner_ids.ids)
        )

    def test_one_double_following_does_not_cost_the_others(self):
        leads = self.env["crm.lead"].create([{"name": f"L{n}"} for n in range(3)])
        leads.message_subscribe([self.drop.id])
        leads[0].message_subscribe([self.keep.id])
        self.merge()
        for lead in leads:
            self.assertIn(self.keep, lead.message_partner_ids)

    def test_adviser_and_journal(self):
        self.env["oda.consultation.session"].create(
            {"partner_id": self.drop.id, "user_id": self.lead.id}
        )
        dropped = self.drop.id
        self.merge()
        self.assertEqual(self.keep.oda_adviser_id, self.lead)
        event = self.env["oda.event"].search(
            [("code", "=", "partner.merge"), ("res_id", "=", self.keep.id)]
        )
        self.assertEqual(event.details, {"merged": [dropped]})
        self.assertEqual(event.user_id, self.lead)

    def test_dialog_from_the_warning(self):
        action = self.keep.with_user(self.consultant).oda_merge_with(self.drop.id)
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.consultant)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(wizard.partner_ids, self.keep | self.drop)
        for other in (self.keep.id, 2**31 - 1, "x"):
            with self.assertRaises(AccessError):
                self.keep.with_user(self.consultant).oda_merge_with(other)
        with self.assertRaises(AccessError):
            self.keep.with_user(self.cashier).oda_merge_with(self.drop.id)
