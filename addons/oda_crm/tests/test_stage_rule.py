# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from contextlib import contextmanager

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user

from .common_rules import RulesCase


class TestMoves(RulesCase):
    def test_forward_needs_the_answers(self):
        lead = self.case(self.consultant)
        with self.refused("Person; City") as caught:
            lead.stage_id = self.stages[1]
        data = caught.exception.context["oda_refusal"]
        self.assertEqual(data["code"], "missing")
        self.assertEqual([one["name"] for one in data["items"]],
                         ["contact_name", "city"])  # fmt: skip
        self.assertFalse(data["may_override"])
        lead.write({"contact_name": "Ion", "city": "Cahul"})
        lead.stage_id = self.stages[1]

    def test_answers_and_move_in_one_write(self):
        lead = self.case(self.consultant)
        lead.write(
            {"contact_name": "Ion", "city": "Cahul", "stage_id": self.stages[1].id}
        )
        self.assertEqual(lead.stage_id, self.stages[1])

    def test_spaces_and_empty_html_are_no_answers(self):
        self.rule(0, path="description", sequence=3)
        lead = self.case(self.consultant, contact_name="Ion", city="Cahul")
        for nothing in ("<p><br></p>", "<p>&nbsp;\u200b</p>", False):
            lead.description = nothing
            with self.assertRaises(UserError):
                lead.stage_id = self.stages[1]
        lead.write({"description": "<b>x</b>"})
        lead.contact_name = " \u200b "
        with self.refused("Person"):
            lead.stage_id = self.stages[1]

    def test_zero_is_an_answer_unless_strict(self):
        self.rule_plan.unlink()
        jobs = self.rule(1, kind="property", path="jobs")
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.stage_id = self.stages[1]
        with self.refused("Jobs"):
            lead.stage_id = self.stages[2]
        lead.lead_properties = {"jobs": 0}
        jobs.strict = True
        with self.refused("Jobs"):
            lead.stage_id = self.stages[2]
        jobs.strict = False
        lead.stage_id = self.stages[2]

    def test_property_empty_is_refused_and_cannot_be_emptied_later(self):
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.stage_id = self.stages[1]
        lead.lead_properties = {"plan": "  "}
        with self.refused("Business plan"):
            lead.stage_id = self.stages[2]
        lead.write({"lead_properties": {"plan": "Oven"}, "stage_id": self.stages[2].id})
        with self.refused("cannot be without: Business plan"):
            lead.lead_properties = {"plan": ""}

    def test_emptying_is_refused_to_all(self):
        for user in (self.consultant, self.head, self.connector, self.env.user):
            lead = self.case(user, **self.ANSWERED)
            lead.sudo().write({"stage_id": self.stages[1].id})
            with self.refused("cannot be without: City"):
                lead.city = False
            lead.city = "Orhei"

    def test_the_system_owes_the_answers_too(self):
        lead = self.case()
        with self.refused("Person"):
            lead.stage_id = self.stages[3]
        lead.write(dict(self.ANSWERED, stage_id=self.stages[3].id))
        self.assertEqual(lead.won_status, "won")

    def test_no_context_switches_rules_off_but_code_may(self):
        lead = self.case(self.consultant)
        for key in ("oda_rules_paused", "oda_crm.rules_paused", "install_mode",
                    "tracking_disable", "oda_override_reason"):  # fmt: skip
            with self.assertRaises(UserError):
                lead.with_context(**{key: "long enough reason"}).write(
                    {"stage_id": self.stages[1].id}
                )
        with lead._oda_paused("all"):
            lead.stage_id = self.stages[2]
        with self.assertRaises(UserError):
            lead.stage_id = self.stages[3]

    def test_skip_and_back_by_role(self):
        for user, forward, back in (
            (self.consultant, False, False),
            (self.lead, False, True),
            (self.head, True, True),
            (self.admin, False, True),
        ):
            lead = self.case(user, **self.ANSWERED)
            with self._allowed(
                forward, "one stage at a time: the next one is “Stage 2"
            ):
                lead.stage_id = self.stages[2]
            lead.sudo().stage_id = self.stages[2]
            with self._allowed(back, "back from “Stage 3” is for: .*Team lead"):
                lead.stage_id = self.stages[0]

    @contextmanager
    def _allowed(self, allowed, words):
        if allowed:
            yield
        else:
            with self.refused(words):
                yield

    def test_skipping_leaves_no_answer_out(self):
        lead = self.case(self.head, contact_name="I", city="C")
        with self.refused("Business plan"):
            lead.stage_id = self.stages[2]

    def test_unordered_flow_moves_freely_but_answers_are_owed(self):
        self.flow.oda_ordered = False
        lead = self.case(self.consultant, **self.ANSWERED)
        lead.stage_id = self.stages[3]
        lead.stage_id = self.stages[0]
        lead.city = False
        with self.assertRaises(UserError):
            lead.stage_id = self.stages[1]

    def test_default_flow_is_as_stock(self):
        team = self.env.ref("sales_team.team_sales_department")
        lead = self.case(self.consultant, team_id=team.id)
        self.assertFalse(lead.stage_id.team_ids)
        lead.action_set_won()
        self.assertEqual(lead.won_status, "won")
        lead.stage_id = self.env.ref("crm.stage_lead1")

    def test_foreign_stage_is_refused_to_all(self):
        foreign = self.env.ref("crm.stage_lead2")
        other = self.env.ref("oda_crm.stage_ads_needs")
        for user in (self.consultant, self.head, self.env.user):
            lead = self.case(user, **self.ANSWERED)
            for stage in (foreign, other):
                with self.refused("is not a stage of the flow"):
                    lead.stage_id = stage
        # the way round: without a flow, into a stage of somebody else's flow
        lead = self.case(self.consultant)
        with self.refused("choose another flow"):
            lead.write({"team_id": False, "stage_id": self.stages[3].id})

    def test_task_done_in_this_stage(self):
        call = self.env.ref("mail.mail_activity_data_call")
        self.rule(0, kind="task", activity_type_id=call.id)
        lead = self.case(self.consultant, **self.ANSWERED)
        activity = lead.activity_schedule(
            "mail.mail_activity_data_call", user_id=self.consultant.id
        )
        with self.refused("task “Call”"):
            lead.stage_id = self.stages[1]
        activity.action_feedback("They want an oven for the bakery")
        lead.stage_id = self.stages[1]
        # going back asks for a new one: that task was done in the former visit
        lead.sudo().stage_id = self.stages[0]
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_activity SET write_date = write_date - interval '1 day',"
            " date_done = date_done - 1 WHERE id = %s",
            [activity.id],
        )
        self.env.invalidate_all()
        with self.refused("task “Call”"):
            lead.stage_id = self.stages[1]

    def test_condition(self):
        self.rule_city.condition = "[('expected_revenue', '>', 1000)]"
        lead = self.case(self.consultant, contact_name="Ion")
        lead.stage_id = self.stages[1]
        with self.refused("City"):
            lead.expected_revenue = 5000
        lead.write({"expected_revenue": 5000, "city": "Cahul"})

    def test_recommended_blocks_nobody(self):
        (self.rule_city | self.rule_name).mandatory = False
        lead = self.case(self.consultant, city="Cahul")
        self.assertEqual(len(lead.oda_to_go_on["items"]), 1)
        self.assertFalse(lead.oda_to_go_on_text)
        lead.stage_id = self.stages[1]

    def test_rule_made_later_binds_at_the_next_move(self):
        lead = self.case(self.consultant, **self.ANSWERED)
        lead.stage_id = self.stages[1]
        self.rule(0, path="website")
        lead.write({"priority": "2", "city": "Orhei", "user_id": self.lead.id})
        with self.refused("Website"):
            lead.stage_id = self.stages[2]

    def test_html_in_texts(self):
        lead = self.case(self.consultant, name="<script>alert(1)</script>" * 3)
        with self.assertRaises(UserError):
            lead.stage_id = self.stages[1]
        lead = self.case(self.head, name="<script>alert(1)</script>")
        lead.oda_move(self.stages[1].id, reason="<img src=x> ordered by the ministry")
        note = lead.message_ids[0].body
        self.assertNotIn("<script", note)
        self.assertNotIn("<img", note)


class TestOrder(RulesCase):
    def test_second_waits_for_the_first(self):
        lead = self.case(self.consultant)
        with self.refused("“Person” before “City”"):
            lead.city = "Cahul"
        lead.write({"city": "Cahul", "contact_name": "Ion"})

    def test_systems_and_what_follows_by_itself_have_no_order(self):
        self.case(self.env.user).city = "Cahul"
        connector = self.env.ref("oda_base.user_connector")
        self.case(connector).city = "Cahul"
        partner = self.env["res.partner"].create({"name": "X", "city": "Soroca"})
        self.rule_name.path = "referred"
        lead = self.case(self.consultant)
        lead.partner_id = partner
        self.assertEqual(lead.city, "Soroca")

    def test_changing_an_answer_is_not_answering(self):
        lead = self.case(self.consultant, city="Cahul")
        lead.city = "Orhei"

    def test_properties_too(self):
        self.rule(1, kind="property", path="jobs", sequence=20)
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.stage_id = self.stages[1]
        with self.refused("“Business plan” before “Jobs”"):
            lead.lead_properties = {"jobs": 3}
        lead.lead_properties = {"jobs": 3, "plan": "Oven"}


class TestOverride(RulesCase):
    REASON = "Ordered by the ministry"

    def overridings(self, lead):
        return self.env["oda.event"].search(
            [("code", "=", "crm.rule.override"), ("res_id", "=", lead.id)]
        )

    def test_with_a_reason_by_a_role(self):
        lead = self.case(self.head)
        lead.with_context(oda_override_reason=self.REASON).write(
            {"stage_id": self.stages[2].id}
        )
        event = self.overridings(lead)
        self.assertEqual(event.user_id, self.head)
        self.assertEqual(event.res_id, lead.id)
        self.assertEqual(event.details["reason"], self.REASON)
        self.assertEqual(event.details["stage_to"], self.stages[2].id)
        self.assertIn("field:city", event.details["rules"])
        self.assertIn(self.REASON, lead.message_ids[0].body)
        # what is owed stays owed
        with self.refused("Person"):
            lead.stage_id = self.stages[3]

    def test_reason_must_say_something(self):
        lead = self.case(self.head)
        for reason in ("", "  " * 20, "12345678901234", True, None, ["x"] * 20):
            with self.assertRaises(UserError):
                lead.with_context(oda_override_reason=reason).write(
                    {"stage_id": self.stages[1].id}
                )
        self.assertEqual(lead.stage_id, self.stages[0])

    def test_other_roles_are_told_whom_to_ask(self):
        for user in (self.consultant, self.lead, self.connector):
            lead = self.case(user)
            with self.refused("Overriding this is for: .*Head"):
                lead.oda_move(self.stages[1].id, reason=self.REASON)

    def test_nothing_to_override_is_no_event(self):
        lead = self.case(self.head, **self.ANSWERED)
        lead.oda_move(self.stages[1].id, reason=self.REASON)
        self.assertFalse(self.overridings(lead))

    def test_a_foreign_stage_cannot_be_overridden(self):
        lead = self.case(self.head)
        with self.assertRaises(UserError):
            lead.oda_move(self.env.ref("crm.stage_lead2").id, reason=self.REASON)

    def test_long_reason_is_kept_short(self):
        lead = self.case(self.head)
        lead.oda_move(self.stages[1].id, reason="motiv " * 10000)
        event = self.overridings(lead)
        self.assertEqual(len(event.details["reason"]), 2000)


class TestWays(RulesCase):
    """Every way in."""

    def test_create_in_a_later_stage(self):
        Lead = self.env["crm.lead"].with_user(self.consultant)
        vals = {
            "name": "x",
            "type": "opportunity",
            "team_id": self.flow.id,
            "stage_id": self.stages[1].id,
        }
        with self.refused("Person"):
            Lead.create(vals)
        with self.refused("one stage at a time"):
            Lead.create(vals | self.ANSWERED)
        Lead.with_user(self.head).create(vals | self.ANSWERED)
        Lead.sudo().create(vals | self.ANSWERED)

    def test_web_save(self):
        lead = self.case(self.consultant)
        with self.assertRaises(UserError):
            lead.web_save({"stage_id": self.stages[1].id}, {"stage_id": {}})

    def test_load_names_the_row(self):
        Lead = self.env["crm.lead"].with_user(self.head)
        result = Lead.load(
            ["name", "type", "team_id/.id", "stage_id/.id", "contact_name", "city"],
            [
                ["A", "opportunity", self.flow.id, self.stages[1].id, "Ion", "Cahul"],
                ["B", "opportunity", self.flow.id, self.stages[1].id, "Ion", ""],
                ["C", "opportunity", self.flow.id, self.stages[0].id, "", ""],
            ],
        )
        self.assertFalse(result["ids"])
        # core's first message is of the whole batch, then come the rows
        message = result["messages"][-1]
        self.assertEqual(message["rows"], {"from": 1, "to": 1})
        self.assertIn("City", message["message"])

    def test_mass_write_with_mixed_flows(self):
        team = self.env.ref("sales_team.team_sales_department")
        ready = self.case(**self.ANSWERED)
        other = self.case(team_id=team.id)
        bare = [self.case(name=f"Bare {at}") for at in range(8)]
        leads = (ready + other).union(*bare).with_user(self.consultant)
        leads.write({"priority": "1"})
        with self.refused("Bare 0") as caught:
            (leads - other).write({"stage_id": self.stages[1].id})
        self.assertIn("and 3 more", str(caught.exception))
        (ready | other).with_user(self.consultant).write({"city": "Cahul"})

    def test_won_button(self):
        lead = self.case(self.consultant, **self.ANSWERED)
        with self.refused("one stage at a time"):
            lead.action_set_won()
        lead.with_user(self.head).action_set_won()
        self.assertEqual(lead.stage_id, self.stages[3])

    def test_lost_and_archived_always(self):
        self.rule(0, path="referred", sequence=0)
        lead = self.case(self.consultant, **self.ANSWERED)
        reason = self.env["crm.lost.reason"].create({"name": "No money"})
        lead.action_set_lost(lost_reason_id=reason.id)
        self.assertEqual(lead.won_status, "lost")
        lead.action_restore()
        lead.action_archive()
        lead.action_unarchive()

    def test_users_and_people_can_be_archived(self):
        self.rule(0, path="user_id", sequence=0)
        self.rule(0, path="partner_id", sequence=0)
        lead = self.case(partner_id=self.partner.id, **self.ANSWERED)
        lead.stage_id = self.stages[1]
        self.partner.action_archive()
        self.consultant.action_archive()
        self.assertEqual(lead.stage_id, self.stages[1])

    def test_convert(self):
        lead = self.case(type="lead", stage_id=self.stages[2].id)
        with self.assertRaises(UserError):
            lead.with_user(self.head).convert_opportunity(self.partner)
        lead.write(self.ANSWERED)
        lead.with_user(self.head).convert_opportunity(self.partner)
        self.assertEqual(lead.type, "opportunity")

    def test_merge(self):
        first = self.case(contact_name="Ion")
        second = self.case(city="Cahul")
        merged = (first | second).with_user(self.head).merge_opportunity()
        self.assertEqual((merged.contact_name, merged.city), ("Ion", "Cahul"))
        merged.stage_id = self.stages[1]

    def test_copy_begins_anew(self):
        lead = self.case(**self.ANSWERED)
        lead.stage_id = self.stages[2]
        self.assertEqual(lead.copy().stage_id, self.stages[0])
        lead = self.case(contact_name="Ion")
        with self.refused("City"):
            lead.copy({"stage_id": self.stages[1].id})

    def test_beneficiary_field(self):
        self.rule(0, path="partner_id.function", sequence=9)
        partner = self.partner
        lead = self.case(self.consultant, partner_id=partner.id, **self.ANSWERED)
        with self.refused("Job Position"):
            lead.stage_id = self.stages[1]
        partner.function = "Baker"
        lead.stage_id = self.stages[1]
        for user in (self.consultant, self.env.user):
            with self.refused("cannot be without: Job Position"):
                partner.with_user(user).function = False
        bare = self.env["res.partner"].create({"name": "Bare"})
        with self.refused("cannot be without: Job Position"):
            lead.partner_id = bare
        lead.action_set_lost()
        partner.function = False

    def test_who_may_not_see_the_case_is_not_told_its_name(self):
        self.rule(0, path="partner_id.function", sequence=9)
        self.partner.function = "Baker"
        lead = self.case(partner_id=self.partner.id, name="Secret", **self.ANSWERED)
        lead.stage_id = self.stages[1]
        user = new_test_user(
            self.env, "t_clerk", groups="base.group_user,base.group_partner_manager"
        )
        with self.assertRaises(UserError) as caught:
            self.partner.with_user(user).function = ""
        self.assertNotIn("Secret", str(caught.exception))
        self.assertFalse(hasattr(caught.exception, "context"))

    def test_two_people_one_card(self):
        lead = self.case(self.consultant, **self.ANSWERED)
        lead.with_user(self.head).oda_move(self.stages[2].id, self.stages[0].id)
        self.env.flush_all()
        with self.refused("moved “Case” to “Stage 3” at"):
            lead.oda_move(self.stages[1].id, self.stages[0].id)
        with self.refused("moved “Case”"):
            lead.with_context(oda_seen_stage_id=self.stages[0].id).write(
                {"stage_id": self.stages[1].id}
            )
        # the same place: nothing to say; not a move: nothing to check
        lead.with_context(oda_seen_stage_id=self.stages[0].id).write({"city": "x"})
        lead.oda_move(self.stages[2].id, self.stages[0].id)
        for nonsense in ("x", [1], None, {}):
            lead.with_context(oda_seen_stage_id=nonsense).write(
                {"stage_id": self.stages[2].id}
            )

    def test_portal_and_others_have_no_way_in(self):
        lead = self.case()
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        for user in (portal, self.cashier):
            with self.assertRaises(AccessError):
                lead.with_user(user).oda_move(self.stages[1].id)
            with self.assertRaises(AccessError):
                lead.with_user(user).read(["oda_to_go_on"])


class TestFlow(RulesCase):
    def test_answers_are_kept_and_come_back(self):
        other = self.env.ref("oda_crm.flow_department")
        other.lead_properties_definition = [
            {"name": "who", "string": "Department", "type": "char"}
        ]
        lead = self.case(self.consultant, **self.ANSWERED)
        lead.team_id = other
        self.assertEqual(
            lead.stage_id, self.env.ref("oda_crm.stage_department_received")
        )
        self.assertIn("Business plan: Oven", lead.message_ids[0].body)
        lead.lead_properties = {"who": "Finance"}
        with self.refused("choose another flow"):
            lead.team_id = False
        lead.sudo().team_id = False
        self.assertFalse(lead.stage_id.team_ids)
        lead.team_id = self.flow
        self.assertEqual(lead.lead_properties["plan"], "Oven")
        self.assertEqual(lead.oda_kept_answers[str(other.id)], {"who": "Finance"})
        lead.write({"team_id": other.id, "lead_properties": {"who": "IT"}})
        self.assertEqual(lead.lead_properties["who"], "IT")

    def test_kept_answers_are_nobodys_to_write(self):
        lead = self.case(self.head)
        with self.assertRaises(AccessError):
            lead.oda_kept_answers = {"1": {"x": 1}}
        with self.assertRaises(AccessError):
            lead.create({"name": "x", "oda_kept_answers": {"1": {}}})

    def test_responsible_changes_flow_stays(self):
        lead = self.case(self.consultant, **self.ANSWERED)
        lead.stage_id = self.stages[1]
        lead.user_id = self.head
        self.assertEqual((lead.team_id, lead.stage_id), (self.flow, self.stages[1]))

    def test_entering_a_flow_in_a_later_stage_owes_its_answers(self):
        lead = self.case(
            self.head, team_id=self.env.ref("sales_team.team_sales_department").id
        )
        with self.assertRaises(UserError):
            lead.write({"team_id": self.flow.id, "stage_id": self.stages[2].id})
        lead.team_id = self.flow
        self.assertEqual(lead.stage_id, self.stages[0])

    def test_ready_flows(self):
        for kind, first, last in (
            ("ads", "new", "signed"),
            ("cold", "list", "registered"),
            ("department", "received", "signed"),
        ):
            flow = self.env.ref(f"oda_crm.flow_{kind}")
            stages = flow._oda_stages()
            self.assertEqual(flow.oda_kind, kind)
            self.assertIn(len(stages), (5, 6))
            self.assertEqual(stages[0], self.env.ref(f"oda_crm.stage_{kind}_{first}"))
            self.assertEqual(stages[-1], self.env.ref(f"oda_crm.stage_{kind}_{last}"))
            self.assertEqual(stages.filtered("is_won"), stages[-1])
            self.assertTrue(all(stages.mapped("requirements")))
            columns = (
                self.env["crm.lead"]
                .with_context(default_team_id=flow.id)
                ._read_group_stage_ids(self.env["crm.stage"], [])
            )
            self.assertEqual(columns, stages)

    def test_a_new_stage_is_made_without_a_warning(self):
        stage = self.env["crm.stage"].new({"name": "New", "is_won": True})
        self.assertFalse(stage._onchange_is_won())
        self.assertIn("warning", self.stages[0]._onchange_is_won())

    def test_a_new_stage_is_the_last_of_its_flow(self):
        Stage = self.env["crm.stage"]
        made = {"team_ids": [Command.set(self.flow.ids)]}
        late, last = Stage.create([{"name": "B", **made}, {"name": "A", **made}])
        self.assertEqual(self.flow._oda_stages(), self.stages | late | last)
        first = Stage.create({"name": "First", "sequence": 1, **made})
        self.assertEqual(self.flow._oda_stages()[0], first)

    def test_columns_are_of_the_flows_one_works_in(self):
        Stage = self.env["crm.stage"]
        mine = self.env["crm.lead"].with_user(self.consultant)
        mine = mine.with_context(show_user_team_stages=1)
        other = self.env.ref("oda_crm.flow_cold")
        self.env["ir.config_parameter"].set_param("sales_team.membership_multi", "1")
        self.flow.member_ids = self.consultant
        self.assertEqual(mine._read_group_stage_ids(Stage, []), self.stages)
        searched = mine._read_group_stage_ids(Stage, [("team_id", "=", other.id)])
        self.assertEqual(searched, other._oda_stages(), "columns of what is searched")
        for odd in ("x", False, [other.id, "x"], {"a": 1}):
            mine._read_group_stage_ids(Stage, [("team_id", "in", [odd])])
            mine._read_group_stage_ids(Stage, [("team_id", "=", "x")])
        where = [("team_id", "in", [other.id, self.flow.id])]
        both = mine._read_group_stage_ids(Stage, where)
        self.assertEqual(both, other._oda_stages() | self.stages)
        # with work outside the flows, the shared stages are there, too
        self.env["crm.team"].create({"name": "Shared"}).member_ids = self.consultant
        mine.env.user.invalidate_recordset()
        self.assertLess(self.stages, mine._read_group_stage_ids(Stage, []))

    def test_property_of_a_wrong_type_is_refused_in_words(self):
        lead = self.case(self.consultant)
        for value in ("many", [1], True, {"a": 1}):
            with self.refused("is no answer to “Jobs”"):
                lead.lead_properties = {"jobs": value}
        with self.refused("is no answer to “Jobs”"):
            self.case(lead_properties={"jobs": "x"})


class TestRule(RulesCase):
    def test_targets_that_cannot_be_asked(self):
        for path in ("stage_id", "nothing", "partner_id.nothing", "won_status",
                     "user_id.login", "partner_id.user_id.name", "", False,
                     "probability", "oda_to_go_on", "partner_id.active"):  # fmt: skip
            with self.subTest(path=path), self.assertRaises(ValidationError):
                self.rule(0, path=path)
        with self.assertRaises(ValidationError):
            self.rule(0, kind="property", path="gone")
        with self.assertRaises(ValidationError):
            self.rule(0, kind="task")

    def test_conditions_that_cannot_be_read(self):
        for condition in ("[('nothing', '=', 1)]", "x", "[(", "[('name', 'near', 1)]",
                          "__import__('os')", "5", "{'a': 1}"):  # fmt: skip
            with self.subTest(condition=condition), self.assertRaises(ValidationError):
                self.rule_city.condition = condition
        self.rule_city.condition = "[]"
        self.rule_city.condition = False

    def test_stage_of_another_flow(self):
        with self.assertRaises(ValidationError):
            self.rule_city.stage_id = self.env.ref("oda_crm.stage_ads_new")

    def test_property_removed_or_of_another_type(self):
        self.flow.lead_properties_definition = [
            {"name": "plan", "string": "Business plan", "type": "integer"}
        ]
        self.assertFalse(self.rule_plan.active)
        self.assertTrue(self.rule_plan.broken)
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.stage_id = self.stages[1]
        lead.stage_id = self.stages[2]
        told = self.env["mail.message"].search(
            [("subject", "=", "Stage rules switched off")]
        )
        self.assertIn(self.admin.partner_id, told.partner_ids)
        self.assertIn("Test flow / Stage 2", told.body)
        self.rule_plan.active = True
        self.assertEqual(self.rule_plan.target_type, "text")

    def test_task_type_removed(self):
        kind = self.env["mail.activity.type"].create({"name": "Visit"})
        rule = self.rule(0, kind="task", activity_type_id=kind.id)
        kind.unlink()
        self.assertFalse(rule.active)
        self.assertTrue(self.case(self.consultant).oda_to_go_on)

    def test_field_removed(self):
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_oda_test",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "ttype": "char",
                "field_description": "Made by hand",
            }
        )
        rule = self.rule(0, path="x_oda_test", sequence=3)
        lead = self.case(self.consultant, contact_name="I", city="C")
        with self.refused("Made by hand"):
            lead.stage_id = self.stages[1]
        field.unlink()
        self.assertFalse(rule.active)
        lead.stage_id = self.stages[1]

    def test_stage_or_flow_removed(self):
        self.env["crm.team"]._oda_plan(self.flow.id)
        self.stages[2].unlink()
        self.assertEqual(len(self.env["crm.team"]._oda_plan(self.flow.id).stages), 3)
        team = self.env["crm.team"].create({"name": "y"})
        team.unlink()

    def test_rights(self):
        for user, may in (
            (self.consultant, False),
            (self.lead, False),
            (self.head, True),
            (self.admin, True),
            (self.cashier, False),
        ):
            rule = self.rule_city.with_user(user)
            self.assertTrue(rule.has_access("read"))
            for operation in ("write", "create", "unlink"):
                self.assertEqual(
                    rule.has_access(operation), may, (user.login, operation)
                )
        portal = new_test_user(self.env, "t_portal2", groups="base.group_portal")
        self.assertFalse(self.rule_city.with_user(portal).has_access("read"))
        company = self.env["res.company"].create({"name": "Other centre"})
        team = self.env["crm.team"].create({"name": "z", "company_id": company.id})
        stage = self.env["crm.stage"].create({"name": "s", "team_ids": [team.id]})
        rule = self.env["oda.stage.rule"].create(
            {"team_id": team.id, "stage_id": stage.id, "path": "city"}
        )
        self.assertFalse(rule.with_user(self.head).has_access("read"))

    def test_a_consultant_cannot_loosen_the_flow(self):
        for vals in (
            {"oda_ordered": False},
            {"oda_override_group_ids": [Command.set(self.consultant.group_ids.ids)]},
        ):
            with self.assertRaises(AccessError):
                self.flow.with_user(self.consultant).write(vals)
        with self.assertRaises(AccessError):
            self.rule_city.with_user(self.consultant).active = False


class TestToGoOn(RulesCase):
    def test_announced(self):
        lead = self.case(self.consultant)
        told = lead.oda_to_go_on
        self.assertEqual(told["next"]["name"], "Stage 2")
        self.assertEqual(
            [(one["name"], one["order"]) for one in told["items"]],
            [("contact_name", 1), ("city", 2)],
        )
        self.assertEqual([one["name"] for one in told["moves"]], ["Stage 2"])
        self.assertEqual(lead.oda_to_go_on_text, "To go on: Person +1")
        lead.write(self.ANSWERED)
        lead.invalidate_recordset(["oda_to_go_on", "oda_to_go_on_text"])
        self.assertEqual(lead.oda_to_go_on["items"], [])
        self.assertFalse(lead.oda_to_go_on_text)
        told = lead.with_user(self.head).oda_to_go_on
        self.assertEqual(len(told["moves"]), 3)
        self.assertTrue(told["may_override"])
        lead.sudo().stage_id = self.stages[3]
        self.assertFalse(lead.oda_to_go_on["next"])

    def test_new_names_are_said_at_once(self):
        self.env["res.lang"]._activate_lang("ro_RO")
        lead = self.case(self.consultant, **self.ANSWERED).with_context(lang="ro_RO")
        self.assertEqual(lead.oda_to_go_on["next"]["name"], "Stage 2")
        self.stages[1].update_field_translations("name", {"ro_RO": "Etapa 2"})
        lead.invalidate_recordset(["oda_to_go_on"])
        self.assertEqual(lead.oda_to_go_on["next"]["name"], "Etapa 2")
        self.stages[1].with_context(lang="ro_RO").name = "A doua"
        lead.invalidate_recordset(["oda_to_go_on"])
        self.assertEqual(lead.oda_to_go_on["next"]["name"], "A doua")

    def test_on_the_form(self):
        lead = self.case(self.consultant)
        with Form(lead) as form:
            form.contact_name = "Ion"
            form.city = "Cahul"
            form.partner_id = self.partner
        lead.invalidate_recordset()
        self.assertEqual(lead.oda_to_go_on["items"], [])
        Lead = self.env["crm.lead"].with_user(self.consultant)
        with Form(Lead.with_context(default_team_id=self.flow.id)) as form:
            form.name = "New"
            self.assertEqual(form.stage_id, self.stages[0])

    def test_new_and_lost(self):
        new = self.env["crm.lead"].with_user(self.consultant).new(
            {"team_id": self.flow.id, "type": "opportunity"}
        )  # fmt: skip
        self.assertTrue(new.oda_to_go_on is not None)
        lead = self.case(self.consultant)
        lead.action_set_lost()
        self.assertFalse(lead.oda_to_go_on)

    def test_nothing_is_an_answer_when_somebody_says_so(self):
        lead = self.case(self.consultant, contact_name="I", city="C")
        lead.lead_properties = {"plan": "Oven"}
        lead.stage_id = self.stages[1]
        self.rule(1, kind="property", path="jobs", sequence=20)
        with self.refused("Jobs"):
            lead.stage_id = self.stages[2]
        lead.oda_answer_zero("jobs")
        self.assertEqual(lead.lead_properties["plan"], "Oven")
        lead.stage_id = self.stages[2]
        for name in ("plan", "gone", None, ["jobs"], "__class__"):
            with self.assertRaises(UserError):
                lead.oda_answer_zero(name)
        with self.assertRaises(AccessError):
            lead.with_user(self.cashier).oda_answer_zero("jobs")

    def test_fill_in_form(self):
        view = self.env.ref("oda_crm.crm_lead_view_form_fill")
        Lead = self.env["crm.lead"].with_user(self.consultant)
        arch = Lead.with_context(oda_fill_view_ref="city,stage_id,<x/>,,city").get_view(
            view.id, "form"
        )["arch"]
        self.assertIn('name="city"', arch)
        self.assertNotIn('name="stage_id"', arch)
        self.assertNotIn('name="city"', Lead.get_view(view.id, "form")["arch"])
        for nonsense in ("x" * 10000, ",,,", 5, None):
            Lead.with_context(oda_fill_view_ref=nonsense).get_view(view.id, "form")


class TestQueries(RulesCase):
    """Stock does the same work in a flow without a rule."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rule(0, path="partner_id.function", sequence=5)
        cls.rule(0, path="tag_ids", sequence=6)
        call = cls.env.ref("mail.mail_activity_data_call")
        cls.rule(0, kind="task", activity_type_id=call.id, sequence=7)
        cls.partner.function = "Baker"
        cls.tag = cls.env["crm.tag"].create({"name": "Bakery"})
        cls.bare = cls.env["crm.team"].create(
            {
                "name": "Bare",
                "company_id": False,
                "lead_properties_definition": cls.flow.lead_properties_definition,
            }
        )
        cls.stages[:2].write({"team_ids": [Command.link(cls.bare.id)]})

    def cases(self, team, count):
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"Case {at}",
                    "type": "opportunity",
                    "team_id": team.id,
                    "stage_id": self.stages[0].id,
                    "partner_id": self.partner.id,
                    "tag_ids": [Command.set(self.tag.ids)],
                    "user_id": self.consultant.id,
                    **self.ANSWERED,
                }
                for at in range(count)
            ]
        )
        for lead in leads:
            lead.activity_schedule(
                "mail.mail_activity_data_call", user_id=self.consultant.id
            ).action_feedback("They told what they need")
        return leads.with_user(self.consultant)

    def queries(self, function):
        self.env.flush_all()
        self.env.invalidate_all()
        start = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - start

    def test_move_costs_at_most_three_queries(self):
        counts = {}
        for team in (self.bare, self.flow):
            # twice: the first fills the caches
            for lead in self.cases(team, 2):
                counts[team] = self.queries(
                    lambda lead=lead: lead.write({"stage_id": self.stages[1].id})
                )
        self.assertLessEqual(counts[self.flow], counts[self.bare] + 3, counts)

    def test_move_on_the_screen_costs_at_most_four(self):
        """With what the card then says about the next stage, read back."""
        counts = {}
        told = {"oda_to_go_on": {}, "oda_to_go_on_text": {}}
        for team, extra in ((self.bare, {}), (self.flow, told)):
            spec = {"name": {}, "stage_id": {"fields": {"display_name": {}}}, **extra}
            for lead in self.cases(team, 2):
                counts[team] = self.queries(
                    lambda lead=lead, spec=spec: lead.web_save(
                        {"stage_id": self.stages[1].id}, spec
                    )
                )
        self.assertLessEqual(counts[self.flow], counts[self.bare] + 4, counts)

    def test_other_writes_cost_nothing(self):
        counts = {}
        for team in (self.bare, self.flow):
            for lead in self.cases(team, 2):
                counts[team] = self.queries(lambda lead=lead: lead.write({"color": 3}))
        self.assertEqual(counts[self.flow], counts[self.bare])

    def test_kanban_has_no_query_per_card(self):
        def read(leads):
            leads.web_read({"name": {}, "oda_to_go_on": {}, "oda_to_go_on_text": {}})

        few, many = self.cases(self.flow, 3), self.cases(self.flow, 80)
        self.queries(lambda: read(few))
        self.assertEqual(
            self.queries(lambda: read(many)), self.queries(lambda: read(few))
        )

    def test_many_move_at_once(self):
        def move(leads):
            leads.write({"stage_id": self.stages[1].id})

        counts = {}
        for team in (self.bare, self.flow):
            self.queries(lambda team=team: move(self.cases(team, 2)))
            leads = self.cases(team, 40)
            counts[team] = self.queries(lambda leads=leads: move(leads))
        self.assertLessEqual(counts[self.flow], counts[self.bare] + 3, counts)
