# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.mail.tools.discuss import Store

from .common import CrmCase

SECRET = "Ion Secret"


@tagged("post_install", "-at_install")
class TestRightNames(CrmCase):
    """Who may not see a beneficiary does not read the name where core repeats it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = new_test_user(
            cls.env, "other_consultant", groups="oda_base.group_consultant"
        )
        cls.hidden = cls.env["res.partner"].create(
            {
                "name": SECRET,
                "email": "ion.secret@example.com",
                "phone": "069 123 777",
                "oda_adviser_id": cls.other.id,
            }
        )
        row = cls.env["oda.right"].search(
            [
                ("level", "=", "consultant"),
                ("subject", "=", "beneficiary"),
                ("department_id", "=", False),
            ]
        )
        row.write({"see": "own", "edit": "own"})
        # a contact of the house that everybody sees, with a stranger among followers
        cls.thread = cls.consultant.partner_id
        cls.thread.message_subscribe((cls.hidden | cls.other.partner_id).ids)
        start = datetime.now() + timedelta(days=1)
        cls.meeting = cls.env["calendar.event"].create(
            {
                "name": "Proba",
                "start": start,
                "stop": start + timedelta(hours=1),
                "user_id": cls.other.id,
                "partner_ids": [(6, 0, (cls.hidden | cls.other.partner_id).ids)],
            }
        )
        cls.env.flush_all()
        cls.env.invalidate_all()

    def secrets(self, found):
        return [word for word in (SECRET, "ion.secret", "123777") if word in str(found)]

    def test_followers(self):
        for user, seen in ((self.consultant, False), (self.other, True)):
            with self.subTest(user=user.login):
                self.env.invalidate_all()  # each in a request of their own
                followers = self.env["mail.followers"].with_user(user)
                mine = followers.search([("res_id", "=", self.thread.id)])
                told = mine.read(["name", "email", "partner_id"])
                self.assertEqual(bool(self.secrets(told)), seen)
                by_name = followers.search([("name", "ilike", "ion secret")])
                self.assertEqual(bool(by_name), seen)
                grouped = followers.formatted_read_group(
                    [("res_id", "=", self.thread.id)], ["partner_id"], ["__count"]
                )
                self.assertEqual(bool(self.secrets(grouped)), seen)
        theirs = self.env["mail.followers"].search(
            [("res_id", "=", self.thread.id), ("partner_id", "=", self.hidden.id)]
        )
        self.assertTrue(theirs)
        with self.assertRaises(AccessError):
            theirs.with_user(self.consultant).read(["name"])

    def test_followers_in_the_chatter(self):
        for user, seen in ((self.consultant, False), (self.other, True)):
            with self.subTest(user=user.login):
                self.env.invalidate_all()  # each in a request of their own
                thread = self.thread.with_user(user)
                store = Store()
                thread._thread_to_store(store, [], request_list=["followers"])
                told = store.get_result()
                self.assertEqual(bool(self.secrets(told)), seen)
                self.assertEqual(
                    self.hidden in thread.message_partner_ids, seen, "as a field"
                )

    def test_letters_still_reach_whom_the_writer_does_not_see(self):
        case = self.env["crm.lead"].create(
            {"name": "Case", "type": "opportunity", "user_id": self.consultant.id}
        )
        case.message_subscribe(self.hidden.ids, [self.env.ref("mail.mt_comment").id])
        self.env.flush_all()
        self.env.invalidate_all()
        mine = case.with_user(self.consultant)
        self.assertNotIn(self.hidden, mine.message_partner_ids)
        message = mine.message_post(
            body="Proba", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        # sudo: what was sent, not what the writer is shown of it
        self.assertIn(self.hidden, message.sudo().notified_partner_ids)

    def test_attendees(self):
        for user, seen in ((self.consultant, False), (self.other, True)):
            with self.subTest(user=user.login):
                self.env.invalidate_all()  # each in a request of their own
                attendees = self.env["calendar.attendee"].with_user(user)
                mine = attendees.search([("event_id", "=", self.meeting.id)])
                told = mine.read(["common_name", "email", "phone", "partner_id"])
                self.assertEqual(bool(self.secrets(told)), seen)
                self.assertEqual(
                    bool(attendees.search([("common_name", "ilike", "secret")])), seen
                )
                event = self.meeting.with_user(user)
                told = event.web_read(
                    {
                        "partner_ids": {"fields": {"display_name": {}}},
                        "attendee_ids": {"fields": {"common_name": {}, "email": {}}},
                    }
                )
                self.assertEqual(bool(self.secrets(told)), seen)
                partners = self.env["res.partner"].with_user(user)
                if seen:
                    partners = partners.browse(self.meeting.partner_ids.ids)
                    told = partners.get_attendee_detail(self.meeting.ids)
                    self.assertTrue(self.secrets(told))

    def test_a_meeting_is_still_planned_and_moved(self):
        start = datetime.now() + timedelta(days=2)
        events = self.env["calendar.event"].with_user(self.consultant)
        mine = events.create(
            {"name": "A mea", "start": start, "stop": start + timedelta(hours=1)}
        )
        self.assertEqual(mine.attendee_ids.partner_id, self.consultant.partner_id)
        mine.write({"start": start + timedelta(hours=1)})
        mine.partner_ids |= self.other.partner_id
        self.assertEqual(len(mine.attendee_ids), 2)
        theirs = self.meeting.with_user(self.other)
        theirs.partner_ids -= self.hidden
        self.assertNotIn(self.hidden, theirs.attendee_ids.partner_id)

    def test_all_is_seen_when_beneficiaries_are(self):
        row = self.env["oda.right"].search(
            [
                ("level", "=", "consultant"),
                ("subject", "=", "beneficiary"),
                ("department_id", "=", False),
            ]
        )
        row.see = "all"
        self.env.invalidate_all()
        followers = self.env["mail.followers"].with_user(self.consultant)
        self.assertTrue(followers.search([("partner_id", "=", self.hidden.id)]))
