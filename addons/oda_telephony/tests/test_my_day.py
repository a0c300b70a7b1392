# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import TelephonyCase
from .common_callback import CallbackCase


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

    def test_the_team_sees_calls_by_hour(self):
        now = fields.Datetime.now()
        self.call("a-1", 0, "answered", user_id=self.igor.id, partner_id=False)
        self.env.flush_all()
        day = self.env["oda.my.day"].with_user(self.boss).oda_my_day("team")
        self.assertEqual(day["heat"]["kinds"]["calls"]["label"], "Calls answered")
        zone = self.env["mail.activity"]._oda_zone(self.boss)
        hour = fields.Datetime.context_timestamp(
            self.boss.with_context(tz=str(zone)), now
        ).hour
        self.assertEqual(day["heat"]["cells"][self.igor.id][hour]["calls"], 1)

    def test_without_the_right_to_calls_there_are_none(self):
        self.event("INCOMING")
        self.work()
        access = self.env["ir.model.access"].search(
            [("model_id.model", "=", "oda.call")]
        )
        access.perm_read = False
        self.assertEqual(self.entries("now", "ring"), [])
        day = self.env["oda.my.day"].with_user(self.boss).oda_my_day("team")
        self.assertNotIn("calls", day["heat"]["kinds"])


@tagged("post_install", "-at_install")
class TestMyDayCallbacks(CallbackCase):
    """Calls to return on the page a day begins with."""

    def entries(self, user, lane="risk", kind="missed"):
        self.env.flush_all()
        self.env.invalidate_all()
        day = self.env["oda.my.day"].with_user(user).oda_my_day("mine")
        found = next(one for one in day["lanes"] if one["key"] == lane)
        return [one for one in found["entries"] if one["kind"] == kind]

    def owed(self, user):
        """A missed call of Ana's client, which `user` is to return."""
        self.partner.oda_adviser_id = self.ana
        self.missed("m1", minutes=-90)
        self.missed("m2", minutes=-50)
        row = self.row()
        row._give_to(user)
        return row

    def test_a_call_of_ones_own_is_a_task(self):
        row = self.owed(self.ana)
        self.assertEqual(self.entries(self.ana), [])
        (task,) = self.entries(self.ana, "now", "call")
        self.assertEqual(task["task_id"], row.activity_id.id)

    def test_a_colleague_calls_my_client_back(self):
        row = self.owed(self.igor)
        (shown,) = self.entries(self.ana)
        self.assertEqual(shown["title"], "Missed calls: 2; t_igor calls back")
        self.assertEqual((shown["who"], shown["res_id"]), (self.partner.name, row.id))
        self.assertEqual(self.entries(self.igor), [], "a task of theirs")
        self.talked("t1", type="out")
        self.assertEqual(self.entries(self.ana), [])

    def test_the_lead_sees_who_is_late(self):
        self.owed(self.igor)
        day = self.env["oda.my.day"].with_user(self.boss).oda_my_day("team")
        missed = next(one for one in day["risks"] if one["key"] == "missed")
        self.assertEqual(missed["counts"][self.igor.id], 1)
        domain = [*missed["domain"], (missed["user_field"], "=", self.igor.id)]
        rows = self.env["oda.callback"].with_user(self.boss)
        self.assertEqual(rows.search_count(domain), 1)

    def test_without_the_right_there_are_none(self):
        self.owed(self.igor)
        access = self.env["ir.model.access"].search(
            [("model_id.model", "=", "oda.callback")]
        )
        access.perm_read = False
        self.assertEqual(self.entries(self.ana), [])
