# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import TelephonyCase


@tagged("post_install", "-at_install")
class TestMyDayCalls(TelephonyCase):
    """Calls on the page a day begins with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.case = cls.env["crm.lead"].create(
            {
                "name": "Bakery",
                "type": "opportunity",
                "partner_id": cls.partner.id,
                "user_id": cls.ana.id,
            }
        )

    def call(self, callid, hours, outcome="missed", **values):
        return self.env["oda.call"].create(
            {
                "account_id": self.account.id,
                "company_id": self.account.company_id.id,
                "callid": callid,
                "direction": "in",
                "state": "ended",
                "outcome": outcome,
                "started_at": fields.Datetime.now() - timedelta(hours=hours),
                "partner_id": self.partner.id,
                "e164": "+37369555111",
                **values,
            }
        )

    def entries(self, lane, kind, user=None):
        self.env.flush_all()
        self.env.invalidate_all()
        day = self.env["oda.my.day"].with_user(user or self.ana).oda_my_day("mine")
        found = next(one for one in day["lanes"] if one["key"] == lane)
        return [one for one in found["entries"] if one["kind"] == kind]

    def test_a_ringing_call_comes_first_and_opens_the_card(self):
        self.event("INCOMING")
        self.work()
        (shown,) = self.entries("now", "ring")
        self.assertIn("Rings", shown["title"])
        self.assertEqual(shown["who"], self.partner.name)
        call = self.env[shown["model"]].browse(shown["res_id"]).with_user(self.ana)
        action = getattr(call, shown["open"])()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("crm.lead", self.case.id)
        )
        self.assertEqual(self.entries("now", "ring", self.igor), [])
        self.event("ACCEPTED")
        self.work()
        self.assertIn("Talks", self.entries("now", "ring")[0]["title"])
        self.event("COMPLETED")
        self.push("history")
        self.work()
        self.assertIn("Write the result", self.entries("now", "ring")[0]["title"])
        call.finish({"note": "Said what is needed"})
        self.assertEqual(self.entries("now", "ring"), [])

    def test_missed_and_not_called_back(self):
        self.call("m-1", 30)
        last = self.call("m-2", 5)
        (shown,) = self.entries("risk", "missed")
        self.assertEqual(shown["title"], "Missed calls: 2")
        self.assertEqual((shown["who"], shown["res_id"]), (self.partner.name, last.id))
        self.assertEqual(shown["words"].split()[0], "for")
        self.assertEqual(self.entries("risk", "missed", self.igor), [])

    def test_called_back_is_no_risk(self):
        self.call("m-1", 30)
        self.call("a-0", 40, "answered")
        self.assertTrue(self.entries("risk", "missed"), "answered before, not after")
        self.call("a-1", 20, "answered", direction="out", user_id=self.igor.id)
        self.assertEqual(self.entries("risk", "missed"), [])
        self.call("m-2", 1)
        self.assertEqual(len(self.entries("risk", "missed")), 1)

    def test_old_ones_and_parts_of_other_calls_are_left_out(self):
        main = self.call("a-0", 200, "answered")
        self.call("m-1", 24 * 8)
        self.call("m-2", 2, merged_into_id=main.id)
        self.assertEqual(self.entries("risk", "missed"), [])

    def test_the_team_sees_calls_by_hour_and_who_owes_a_call(self):
        self.partner.oda_adviser_id = self.ana
        now = fields.Datetime.now()
        self.call("m-1", 30)
        self.call("a-1", 0, "answered", user_id=self.igor.id, partner_id=False)
        self.env.flush_all()
        day = self.env["oda.my.day"].with_user(self.boss).oda_my_day("team")
        self.assertEqual(day["heat"]["kinds"]["calls"]["label"], "Calls answered")
        zone = self.env["mail.activity"]._oda_zone(self.boss)
        hour = fields.Datetime.context_timestamp(
            self.boss.with_context(tz=str(zone)), now
        ).hour
        self.assertEqual(day["heat"]["cells"][self.igor.id][hour]["calls"], 1)
        missed = next(one for one in day["risks"] if one["key"] == "missed")
        self.assertEqual(missed["counts"][self.ana.id], 1)
        domain = [*missed["domain"], (missed["user_field"], "=", self.ana.id)]
        self.assertEqual(
            self.env["oda.call"].with_user(self.boss).search_count(domain), 1
        )

    def test_without_the_right_to_calls_there_are_none(self):
        self.call("m-1", 2)
        access = self.env["ir.model.access"].search(
            [("model_id.model", "=", "oda.call")]
        )
        access.perm_read = False
        self.assertEqual(self.entries("risk", "missed"), [])
        day = self.env["oda.my.day"].with_user(self.boss).oda_my_day("team")
        self.assertNotIn("calls", day["heat"]["kinds"])
