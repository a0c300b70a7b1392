# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import HttpCase, new_test_user, tagged

from .common import CrmCase

NOON = "2026-06-10 09:00:00"  # a Wednesday, 12:00 in Chișinău
HTML = "<img src=x onerror=alert(1)>" + "ă" * 3000


class MyDayCase(CrmCase):
    """`cls.lead` leads `cls.flow`, `cls.consultant` is in it, `cls.other` is not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        freezer = freeze_time(NOON)
        freezer.start()
        cls.addClassCleanup(freezer.stop)
        cls.env.company.resource_calendar_id.tz = "Europe/Chisinau"
        people = cls.consultant | cls.lead | cls.head | cls.supervisor | cls.auditor
        people.tz = "Europe/Chisinau"
        cls.other = new_test_user(
            cls.env, "test_other", groups="oda_base.group_consultant", tz="UTC"
        )
        cls.flow = cls.env["crm.team"].create(
            {
                "name": "Ads",
                "user_id": cls.lead.id,
                "use_opportunities": True,
                "company_id": False,
                "member_ids": [Command.set(cls.consultant.ids)],
            }
        )
        cls.elsewhere = cls.env["crm.team"].create(
            {
                "name": "Elsewhere",
                "use_opportunities": True,
                "company_id": False,
                "member_ids": [Command.set(cls.other.ids)],
            }
        )
        cls.call_type = cls.env.ref("mail.mail_activity_data_call")
        cls.todo_type = cls.env.ref("mail.mail_activity_data_todo")

    @classmethod
    def open_case(cls, name="Bakery", user=None, **vals):
        """A consultation whose first task is for tomorrow: of no lane yet."""
        case = cls.env["crm.lead"].create(
            {
                "name": name,
                "type": "opportunity",
                "partner_id": cls.partner.id,
                "user_id": (user or cls.consultant).id,
                "team_id": cls.flow.id,
                **vals,
            }
        )
        case.activity_ids.oda_due_at = "2026-06-11 09:00:00"
        return case

    def plan(self, case, hours, kind=None, user=None, **vals):
        """A task due so many hours from now."""
        return self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": case.id,
                "activity_type_id": (kind or self.todo_type).id,
                "user_id": (user or self.consultant).id,
                "oda_due_at": fields.Datetime.now() + timedelta(hours=hours),
                **vals,
            }
        )

    def orphan(self, case):
        """As a cascade in the database leaves it."""
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM mail_activity WHERE res_model = 'crm.lead' AND res_id = %s",
            [case.id],
        )
        self.env.cr.execute(
            "UPDATE crm_lead SET oda_next_step_missing = true WHERE id = %s", [case.id]
        )
        self.env.invalidate_all()

    def stale(self, case, days):
        rule = self.env["oda.stale.rule"].search([], limit=1)
        since = fields.Datetime.now() - timedelta(days=days)
        self.env.flush_all()
        self.env["oda.stale"].create(
            {"lead_id": case.id, "rule_id": rule.id, "level": 1, "step_at": since}
        )
        self.env.cr.execute(
            "UPDATE crm_lead SET oda_stale_level = 1 WHERE id = %s", [case.id]
        )
        self.env.invalidate_all()

    def day(self, user=None, view=None, **kwargs):
        self.env.flush_all()
        self.env.invalidate_all()
        model = self.env["oda.my.day"].with_user(user or self.consultant)
        # as the web client does: only the company one works in now
        model = model.with_context(allowed_company_ids=self.env.company.ids)
        return model.oda_my_day(view, **kwargs)

    def lane(self, key, user=None, **kwargs):
        lanes = {one["key"]: one for one in self.day(user, "mine", **kwargs)["lanes"]}
        return lanes[key]

    def entries(self, key, user=None, **kwargs):
        found = self.lane(key, user, **kwargs)["entries"]
        return [(one["kind"], one["lead_id"], one["words"]) for one in found]


@tagged("post_install", "-at_install")
class TestMyDay(MyDayCase):
    def test_lanes(self):
        case, still, lost = (self.open_case(name) for name in ("A", "B", "C"))
        self.plan(case, 2, summary="Read the plan")
        self.plan(case, -1, summary="Send the list")
        self.plan(case, 0.1, self.call_type, summary="Ring")
        self.plan(case, -0.5, self.call_type, summary="Ring, promised")
        self.plan(case, -48, summary="Forgotten")
        self.plan(case, 30, summary="Tomorrow")
        self.stale(still, 12)
        self.orphan(lost)
        self.assertEqual(
            self.entries("now"),
            [("call", case.id, "late: 30 min"), ("call", case.id, "in 6 min")],
        )
        self.assertEqual(
            self.entries("today"),
            [("task", case.id, "late: 1 h"), ("task", case.id, "")],
        )
        self.assertEqual(
            self.entries("risk"),
            [
                ("orphan", lost.id, ""),
                ("late", case.id, "late: 2 d"),
                ("stale", still.id, "for 12 d"),
            ],
        )
        risk = self.lane("risk")
        self.assertEqual(
            [(one["kind"], one["total"]) for one in risk["kinds"]],
            [("orphan", 1), ("late", 1), ("stale", 1)],
        )
        shown = self.lane("today")["entries"][0]
        self.assertEqual(shown["title"], "Send the list")
        self.assertEqual((shown["who"], shown["lead"]), (self.partner.name, "A"))
        self.assertEqual((shown["model"], shown["res_id"]), ("crm.lead", case.id))
        self.assertEqual(shown["urgency"], "late")

    def test_nothing_to_do_says_what_to_do(self):
        for lane in self.day(view="mine")["lanes"]:
            self.assertEqual((lane["entries"], lane["total"]), ([], 0))
            self.assertTrue(lane["empty"])

    def test_pages(self):
        case = self.open_case()
        for number in range(25):
            self.plan(case, 1 + number / 100, summary=f"Task {number}")
        lane = self.lane("today")
        self.assertEqual((len(lane["entries"]), lane["total"]), (20, 25))
        self.assertEqual(lane["entries"][0]["title"], "Task 0")
        lane = self.lane("today", limits={"today": 40})
        self.assertEqual((len(lane["entries"]), lane["total"]), (25, 25))

    def test_one_kind_only(self):
        case, lost = self.open_case(), self.open_case("Lost")
        self.plan(case, -48)
        self.orphan(lost)
        lane = self.lane("risk", kinds={"risk": "late"})
        self.assertEqual([one["kind"] for one in lane["entries"]], ["late"])
        self.assertEqual(lane["total"], 2)
        self.assertEqual(len(lane["kinds"]), 2, "the others can still be chosen")

    def test_a_day_ends_at_midnight_of_the_person(self):
        day = self.day()
        self.assertEqual(day["ends"], "2026-06-10 21:00:00")
        self.assertEqual(self.day(self.other)["ends"], "2026-06-11 00:00:00")
        case = self.open_case()
        self.plan(case, 11.9)  # 23:54 in Chișinău
        self.plan(case, 12.1)  # 00:06
        self.assertEqual(len(self.lane("today")["entries"]), 1)

    def test_closing_takes_it_away(self):
        case = self.open_case()
        task = self.plan(case, 1)
        self.assertEqual(len(self.lane("today")["entries"]), 1)
        task.with_user(self.consultant).action_feedback(
            feedback="Called, will bring it"
        )
        self.assertEqual(self.lane("today")["entries"], [])

    # === RIGHTS ===#

    def test_others_see_nothing_of_mine(self):
        case, lost = self.open_case(), self.open_case("Lost")
        self.plan(case, 1)
        self.plan(case, -48)
        self.stale(case, 5)
        self.orphan(lost)
        for lane in self.day(self.other, "mine")["lanes"]:
            self.assertEqual(lane["total"], 0)

    def test_a_task_on_a_case_out_of_sight_is_nameless(self):
        """One's own task is one's own; whose case it is stays hidden."""
        hidden = self.open_case("Secret bakery")
        self.plan(hidden, 1, user=self.other, summary="Look at the papers")
        self.assertFalse(hidden.with_user(self.other).has_access("read"))
        (shown,) = self.lane("today", self.other)["entries"]
        self.assertEqual(shown["title"], "Look at the papers")
        self.assertEqual((shown["lead"], shown["who"]), ("", ""))
        self.assertEqual((shown["model"], shown["res_id"]), (False, False))

    def test_another_company(self):
        company = self.env["res.company"].create({"name": "Branch"})
        self.consultant.company_ids += company
        case = self.open_case(name="Of the branch", team_id=False)
        case.company_id = company
        self.plan(case, 1, summary="Look")
        self.stale(case, 5)
        self.assertEqual(self.entries("risk"), [])
        (shown,) = self.lane("today")["entries"]
        self.assertEqual((shown["lead"], shown["model"]), ("", False))
        counted = self.day(self.head, "team")["risks"]
        self.assertNotIn(
            self.consultant.id,
            next(one["counts"] for one in counted if one["key"] == "stale"),
        )

    def test_views_of_levels(self):
        for user, views in (
            (self.consultant, ["mine"]),
            (self.lead, ["team", "mine"]),
            (self.head, ["flows", "team", "mine"]),
            (self.supervisor, ["team", "flows"]),
            (self.auditor, ["team", "flows"]),
            (self.admin, ["team", "flows", "mine"]),
        ):
            with self.subTest(user=user.login):
                day = self.day(user)
                self.assertEqual([one["key"] for one in day["views"]], views)
                self.assertEqual(day["view"], views[0])
        self.assertEqual(self.day(self.consultant, "flows")["view"], "mine")

    def test_who_has_no_day(self):
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        public = self.env.ref("base.public_user")
        for user in (portal, public, self.cashier, self.accountant, self.connector):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.day(user)

    def test_nonsense_is_answered(self):
        for one in (None, False, -1, 2**70, "x" * 10_000, [], {}, ["\0"], {"risk": []}):
            self.assertEqual(self.day(view=one)["view"], "mine")
            self.assertEqual(self.day(limits=one, kinds=one)["view"], "mine")
        self.assertEqual(
            self.day(kinds={"risk": "no such kind"})["lanes"][2]["entries"], []
        )

    def test_context_opens_nothing(self):
        case = self.open_case()
        task = self.plan(case, 1)
        task.with_user(self.consultant).action_feedback(feedback="Called, all is said")
        model = self.env["oda.my.day"].with_user(self.consultant)
        day = model.with_context(active_test=False).oda_my_day("mine")
        self.assertEqual(sum(lane["total"] for lane in day["lanes"]), 0)

    def test_texts_come_as_they_are(self):
        """Long and hostile texts are texts: the page draws them as such."""
        case = self.open_case(HTML)
        self.plan(case, 1, summary=HTML)
        (shown,) = self.lane("today")["entries"]
        self.assertEqual((shown["title"], shown["lead"]), (HTML, HTML))

    # === THE TEAM ===#

    def test_team(self):
        case, lost = self.open_case(), self.open_case("Lost")
        foreign = self.open_case("Foreign", self.other, team_id=self.elsewhere.id)
        self.plan(case, 2)
        self.plan(case, 2)
        self.plan(case, -26)
        done = self.plan(case, 3)
        self.plan(foreign, 2, user=self.other)
        self.orphan(lost)
        done.with_user(self.consultant).action_feedback(feedback="Called, all is said")
        self.stale(case, 3)
        self.stale(foreign, 3)
        day = self.day(self.lead)
        people = {one["id"] for one in day["people"]}
        self.assertIn(self.consultant.id, people)
        self.assertNotIn(self.other.id, people)
        self.assertEqual(
            day["heat"]["cells"][self.consultant.id],
            {14: {"due": 2, "shade": 4}, 12: {"done": 1, "shade": 2}},
        )
        at_two = next(one for one in day["heat"]["hours"] if one["hour"] == 14)
        self.assertEqual(at_two["from"], "2026-06-10 11:00:00")
        counts = {one["key"]: one["counts"] for one in day["risks"]}
        for key in ("missing", "late", "stale"):  # demo data may have nobody's
            self.assertEqual(counts[key][self.consultant.id], 1, key)
            self.assertNotIn(self.other.id, counts[key])
        # and whoever sees all sees the other team as well
        counts = {
            one["key"]: one["counts"]
            for one in self.day(self.supervisor, "team")["risks"]
        }
        self.assertEqual(counts["stale"][self.other.id], 1)

    def test_what_a_click_opens_is_what_was_counted(self):
        case, lost = self.open_case(), self.open_case("Lost")
        self.plan(case, -26)
        self.orphan(lost)
        done = self.plan(case, 3)
        done.with_user(self.consultant).action_feedback(feedback="Called, all is said")
        self.plan(case, 1)
        self.stale(case, 3)
        day = self.day(self.lead, "team")
        at = {one["hour"]: one for one in day["heat"]["hours"]}
        kinds = day["heat"]["kinds"]
        cells = day["heat"]["cells"][self.consultant.id]
        self.assertEqual(set(cells), {12, 13})
        for hour, cell in cells.items():
            for what in kinds.keys() & cell.keys():
                kind = kinds[what]
                domain = [
                    *kind["domain"],
                    (kind["at"], ">=", at[hour]["from"]),
                    (kind["at"], "<", at[hour]["until"]),
                    (kind["user_field"], "=", self.consultant.id),
                ]
                model = self.env[kind["model"]].with_user(self.lead)
                found = model.with_context(active_test=False).search_count(domain)
                self.assertEqual(found, cell[what], what)
        for risk in day["risks"]:
            if risk["model"] not in ("crm.lead", "mail.activity"):
                continue
            domain = [*risk["domain"], (risk["user_field"], "=", self.consultant.id)]
            model = self.env[risk["model"]].with_user(self.lead)
            self.assertEqual(
                model.search_count(domain), risk["counts"][self.consultant.id]
            )

    def test_nobodys(self):
        def nobodys():
            risks = self.day(self.lead)["risks"]
            stale = next(one for one in risks if one["key"] == "stale")
            return stale["counts"].get(0, 0)

        before = nobodys()
        case = self.open_case(user_id=False)
        self.stale(case, 3)
        left = new_test_user(
            self.env, "t_left", groups="oda_base.group_consultant", name="Gone"
        )
        self.stale(self.open_case("Left behind", left), 3)
        left.active = False
        day = self.day(self.lead)
        self.assertEqual(day["people"][-1]["id"], 0)
        self.assertEqual(nobodys() - before, 2)

    # === THE FLOWS ===#

    def test_flows(self):
        stages = self.env["crm.stage"].create(
            [
                {"name": name, "sequence": at, "team_ids": self.flow.ids}
                for at, name in enumerate(("First", "Second"), 800)
            ]
        )
        self.flow.oda_own_stages = True
        one, two = (self.open_case(x, stage_id=stages[0].id) for x in "ab")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET date_last_stage_update = %s WHERE id = %s",
            (datetime(2026, 5, 31, 9), one.id),
        )
        self.stale(two, 3)
        flow = next(
            flow for flow in self.day(self.head)["flows"] if flow["id"] == self.flow.id
        )
        self.assertEqual([row["name"] for row in flow["stages"]], ["First", "Second"])
        self.assertEqual((flow["total"], flow["most"]), (2, 2))
        self.assertEqual(
            {name: flow["stages"][0][name] for name in ("count", "stale", "oldest")},
            {"count": 2, "stale": 1, "oldest": 10},
        )
        self.assertEqual(flow["stages"][0]["days"], 5.0)
        self.assertEqual(flow["stages"][1]["count"], 0)

    def test_nothing_open_is_left_out_of_the_flows(self):
        """In no flow, or in one that was archived: still somebody's consultation."""
        self.open_case("Homeless", team_id=False)
        self.open_case("In an old flow", team_id=self.elsewhere.id)
        self.elsewhere.active = False
        flows = {flow["id"]: flow for flow in self.day(self.head)["flows"]}
        self.assertEqual(flows[self.elsewhere.id]["total"], 1)
        self.assertGreaterEqual(flows[False]["total"], 1)
        leads = self.env["crm.lead"].with_user(self.head)
        self.assertEqual(
            sum(flow["total"] for flow in flows.values()),
            leads.search_count(
                leads._oda_open_domain() & Domain("stage_id", "!=", False)
            ),
        )

    def test_programmes(self):
        programme = self.env["oda.programme"].create(
            {"name": "Young farmers", "code": "YF", "state": "active"}
        )
        now = fields.Datetime.now()
        for name, opens, closes in (("In", -2, 3), ("Out", -9, -1), ("Later", 2, 9)):
            self.env["oda.programme.call"].create(
                {
                    "programme_id": programme.id,
                    "name": name,
                    "opens_at": now + timedelta(days=opens),
                    "closes_at": now + timedelta(days=closes, hours=1),
                }
            )
        found = self.day(self.head, "flows")["programmes"]
        mine = [one for one in found if one["programme_id"] == programme.id]
        self.assertEqual(
            [(one["name"], one["words"]) for one in mine], [("In", "3 d left")]
        )
        self.assertTrue(mine[0]["urgent"])

    # === COST ===#

    def test_queries_do_not_grow(self):
        """As many statements for sixty tasks as for six."""

        def count(user, view):
            for _warm in range(2):
                self.env.flush_all()
                self.env.invalidate_all()
                model = self.env["oda.my.day"].with_user(user)
                before = self.env.cr.sql_log_count
                model.oda_my_day(view, {"today": 200, "risk": 200, "now": 200})
            return self.env.cr.sql_log_count - before

        def fill(number):
            for at in range(number):
                case = self.open_case(f"Case {at}")
                self.plan(case, 1)
                self.plan(case, -30)
                self.plan(case, -0.1, self.call_type)
                self.stale(case, 4)
                self.orphan(self.open_case(f"Orphan {at}"))

        people = ((self.consultant, "mine"), (self.lead, "team"), (self.head, "flows"))
        fill(2)
        few = [count(*one) for one in people]
        fill(18)
        many = [count(*one) for one in people]
        self.assertEqual(few, many)
        for (_user, view), spent, most in zip(people, many, (25, 15, 12), strict=True):
            self.assertLessEqual(spent, most, view)


@tagged("post_install", "-at_install")
class TestMyDayHome(HttpCase):
    def home(self, login):
        self.authenticate(login, login)
        info = self.make_jsonrpc_request("/web/session/get_session_info", {})
        return info["home_action_id"]

    def test_who_begins_with_it(self):
        my_day = self.env.ref("oda_crm.action_my_day").id
        for level in ("consultant", "lead", "head"):
            user = new_test_user(
                self.env, f"home_{level}", groups=f"oda_base.group_{level}"
            )
            self.assertEqual(self.home(user.login), my_day, level)
        chosen = self.env.ref("crm.action_your_pipeline")
        user.action_id = chosen.id
        self.assertEqual(self.home(user.login), chosen.id)
        new_test_user(self.env, "home_other", groups="oda_base.group_cashier")
        self.assertFalse(self.home("home_other"))

    def test_over_the_wire(self):
        user = new_test_user(
            self.env, "wire_day", groups="oda_base.group_consultant", lang="en_US"
        )
        self.authenticate(user.login, user.login)
        found = self.make_jsonrpc_request(
            "/web/dataset/call_kw/oda.my.day/oda_my_day",
            {"model": "oda.my.day", "method": "oda_my_day", "args": [], "kwargs": {}},
        )
        self.assertEqual(
            [one["key"] for one in found["lanes"]], ["now", "today", "risk"]
        )
