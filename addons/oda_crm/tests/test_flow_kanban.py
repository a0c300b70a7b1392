# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_my_day import MyDayCase


@tagged("post_install", "-at_install")
class TestFlowKanban(MyDayCase):
    """Heads of columns, the banner, and flows to choose from."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow.oda_own_stages = True
        cls.stages = cls.env["crm.stage"].create(
            [
                {"name": name, "sequence": at, "team_ids": cls.flow.ids}
                for at, name in enumerate(("First", "Second"), 800)
            ]
        )
        cls.first = cls.open_case("First", stage_id=cls.stages[0].id)
        cls.second = cls.open_case("Second", stage_id=cls.stages[1].id)

    def heads(self, user=None, domain=None, **kwargs):
        self.env.flush_all()
        model = self.env["crm.lead"].with_user(user or self.consultant)
        model = model.with_context(allowed_company_ids=self.env.company.ids)
        return model.oda_kanban_heads(
            [("team_id", "=", self.flow.id)] if domain is None else domain, **kwargs
        )

    def test_heads(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET date_last_stage_update = %s WHERE id = %s",
            (datetime(2026, 5, 31, 9), self.first.id),
        )
        self.stale(self.second, 4)
        self.open_case("Third", stage_id=self.stages[1].id)
        found = self.heads()
        self.assertEqual(
            found["heads"],
            {
                self.stages[0].id: {"oldest": 10, "stale": 0},
                self.stages[1].id: {"oldest": 0, "stale": 1},
            },
        )
        self.assertEqual((found["missing"], found["missing_ids"]), (0, []))
        self.assertEqual(found["flows"], [])

    def test_search_narrows(self):
        self.stale(self.second, 4)
        found = self.heads(domain=[("id", "=", self.first.id)])
        self.assertEqual(list(found["heads"]), self.stages[0].ids)

    def test_closed_ones_are_no_column_of_work(self):
        self.first.action_set_lost()
        self.assertEqual(list(self.heads()["heads"]), self.stages[1].ids)
        model = self.env["crm.lead"].with_user(self.consultant)
        found = model.with_context(active_test=False).oda_kanban_heads(
            [("team_id", "=", self.flow.id)]
        )
        self.assertEqual(list(found["heads"]), self.stages[1].ids)

    def test_banner(self):
        lost = [self.open_case(f"Lost {at}", stage_id=self.stages[0].id) for at in "ab"]
        for case in lost:
            self.orphan(case)
        ids = [case.id for case in lost]
        found = self.heads()
        self.assertEqual((found["missing"], found["missing_ids"]), (2, ids))
        asked = self.env["crm.lead"].with_user(self.consultant).oda_my_orphans(ids)
        self.assertEqual([one["id"] for one in asked["leads"]], ids)
        # whoever may change nothing is told, and offered nothing
        found = self.heads(self.auditor)
        self.assertEqual((found["missing"], found["missing_ids"]), (2, []))
        # gone when none
        kind = self.todo_type.id
        for case in lost:
            case.with_user(self.consultant).oda_plan_next_step(kind, "Ask", "morning")
        self.assertEqual(self.heads()["missing"], 0)

    def test_banner_is_bounded(self):
        cases = self.env["crm.lead"].create(
            [
                {"name": f"Lost {at}", "type": "opportunity", "team_id": self.flow.id}
                for at in range(25)
            ]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET oda_next_step_missing = true WHERE id = ANY(%s)",
            [cases.ids],
        )
        self.env.invalidate_all()
        found = self.heads()
        self.assertEqual(found["missing"], 25)
        self.assertEqual(found["missing_ids"], sorted(cases.ids)[:20])

    def test_one_statement_for_all_columns(self):
        self.heads()
        before = self.env.cr.sql_log_count
        self.heads()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 1)

    # === RIGHTS ===#

    def test_others_count_nothing(self):
        self.stale(self.second, 4)
        self.orphan(self.first)
        found = self.heads(self.other)
        self.assertEqual((found["heads"], found["missing"]), ({}, 0))

    def test_another_company(self):
        company = self.env["res.company"].create({"name": "Branch"})
        self.consultant.company_ids += company
        self.first.company_id = company
        self.assertEqual(list(self.heads()["heads"]), self.stages[1].ids)

    def test_strangers_are_refused(self):
        portal = new_test_user(self.env, "t_portal2", groups="base.group_portal")
        for user in (portal, self.env.ref("base.public_user"), self.cashier):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.heads(user)

    def test_nonsense_is_refused_in_words(self):
        for domain in (
            "x",
            5,
            ["x"],
            [("no_such_field", "=", 1)],
            [("user_id", "any!", [("login", "=", "admin")])],
            {"a": 1},
        ):
            with self.subTest(domain=domain), self.assertRaises(UserError):
                self.heads(domain=domain)

    # === ONE FLOW AT A TIME ===#

    def my_consultations(self, user=None):
        team = self.env["crm.team"].with_user(user or self.consultant)
        return team.action_your_pipeline()["context"]

    def test_one_flow(self):
        context = self.my_consultations()
        self.assertEqual(context["search_default_team_id"], self.flow.id)
        self.assertTrue(context["oda_flow_choice"])
        self.assertTrue(context["search_default_assigned_to_me"])
        flows = self.heads(flows=True)["flows"]
        self.assertEqual(
            flows,
            [{"id": self.flow.id, "name": "Ads", "count": 2, "chosen": True}],
        )

    def test_the_choice_is_remembered(self):
        self.open_case("Elsewhere", team_id=self.elsewhere.id)
        flows = {one["name"]: one for one in self.heads(flows=True)["flows"]}
        self.assertEqual(flows["Elsewhere"]["count"], 1)
        self.assertTrue(flows["Ads"]["chosen"], "where most of the work is")
        self.elsewhere.with_user(self.consultant).oda_choose_flow()
        context = self.my_consultations()
        self.assertEqual(context["search_default_team_id"], self.elsewhere.id)
        # somebody else's choice is their own
        self.assertEqual(
            self.my_consultations(self.other)["search_default_team_id"],
            self.elsewhere.id,
        )
        self.assertNotIn(
            self.elsewhere.id,
            [
                one["id"]
                for one in self.env["crm.team"]
                .with_user(self.lead)
                ._oda_flows_to_choose()
            ],
        )

    def test_a_flow_that_is_not_mine(self):
        with self.assertRaises(AccessError):
            self.elsewhere.with_user(self.consultant).oda_choose_flow()
        self.assertFalse(self.consultant.res_users_settings_id.oda_flow_id)

    def test_a_flow_out_of_sight_breaks_no_session(self):
        """Settings go to the browser at every start, with names of what they name."""
        branch = self.env["res.company"].create({"name": "Branch"})
        flow = self.env["crm.team"].create({"name": "Far", "company_id": branch.id})
        settings = self.env["res.users.settings"]._find_or_create_for_user(
            self.consultant
        )
        settings.oda_flow_id = flow
        mine = settings.with_user(self.consultant)
        self.env.invalidate_all()
        self.assertNotIn("oda_flow_id", mine._res_users_settings_format())
        self.assertEqual(
            self.my_consultations()["search_default_team_id"], self.flow.id
        )

    def test_a_flow_that_is_gone(self):
        self.open_case("Elsewhere", team_id=self.elsewhere.id)
        self.elsewhere.with_user(self.consultant).oda_choose_flow()
        self.elsewhere.active = False
        self.assertEqual(
            self.my_consultations()["search_default_team_id"], self.flow.id
        )

    def test_in_no_flow(self):
        stranger = new_test_user(
            self.env, "t_nowhere", groups="oda_base.group_consultant"
        )
        self.assertNotIn("search_default_team_id", self.my_consultations(stranger))
