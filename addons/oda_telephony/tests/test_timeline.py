# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from odoo.tests import tagged

from .common import TelephonyCase


@tagged("post_install", "-at_install")
class TestCallTimeline(TelephonyCase):
    """Calls stand in the timeline, with the recording for whoever may hear it."""

    def setUp(self):
        super().setUp()
        self.lead = self.env["crm.lead"].create(
            {"name": "Bakery", "type": "opportunity", "partner_id": self.partner.id}
        )
        self.call = self.env["oda.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.env.company.id,
                "callid": "t-1",
                "direction": "in",
                "outcome": "answered",
                "duration": 95,
                "started_at": datetime(2026, 1, 2, 8, 30),
                "user_id": self.ana.id,
                "partner_id": self.partner.id,
                "lead_id": self.lead.id,
            }
        )
        self.recording = self.env["oda.recording"].create(
            {"call_id": self.call.id, "state": "stored", "duration": 90}
        )

    def calls(self, record, user):
        page = record.with_user(user).oda_timeline_page(kinds=["call"])
        return page["entries"]

    def test_of_the_person_and_of_the_consultation(self):
        for record in (self.partner, self.lead):
            (entry,) = self.calls(record, self.ana)
            self.assertEqual(entry["who"], self.ana.name)
            self.assertEqual(entry["at"], "2026-01-02 08:30:00")
            self.assertEqual(entry["data"]["duration"], 95)
            self.assertEqual(entry["data"]["outcome"], "answered")
            self.assertEqual(
                entry["data"]["recording"],
                {"id": self.recording.id, "state": "stored", "duration": 90},
            )
            self.assertEqual(entry["title"], "Incoming · Answered")

    def test_recording_of_somebody_else_is_not_offered(self):
        (entry,) = self.calls(self.partner, self.igor)
        self.assertFalse(entry["data"]["recording"])
        (entry,) = self.calls(self.partner, self.boss)
        self.assertTrue(entry["data"]["recording"])

    def test_other_companys_call_is_not_seen(self):
        self.call.company_id = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(self.calls(self.partner, self.ana))

    def test_merged_away_is_not_told_twice(self):
        other = self.call.copy({"callid": "t-2"})
        other.merged_into_id = self.call
        self.assertEqual(len(self.calls(self.partner, self.ana)), 1)
