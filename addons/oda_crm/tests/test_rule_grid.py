# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.oda_crm import rulegrid
from odoo.addons.oda_crm.models import oda_stage_rule_preview

from .common_rules import RulesCase

#: whatever somebody sends for an argument
NONSENSE = (None, -1, 2**70, "x" * 10_000, [], {}, ["\0"], {"a": None}, True)


class GridCase(RulesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.grid = cls.env["oda.stage.rule"].with_user(cls.admin)

    def setUp(self):
        super().setUp()
        self.commit()  # what the class has made is of another transaction

    def look(self):
        return self.grid.get_grid(self.flow.id)

    def cell(self, stage, what, kind="field", **more):
        return {
            "id": None,
            "stage": self.stages[stage].id,
            "kind": kind,
            "what": what,
        } | (more)

    def save(self, rules, base=None):
        base = self.look()["rules"] if base is None else base
        done = self.grid.save_grid(self.flow.id, base, rules)
        self.commit()
        return done

    def commit(self):
        """What a commit does before it: one event, one message."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def events(self):
        domain = [("code", "=", "rule.change"), ("res_id", "=", self.flow.id)]
        return self.env["oda.event"].search(domain)

    def asked(self):
        """`[(stage, what)]` as the plan of the flow has it, in order."""
        plan = self.env["crm.team"]._oda_plan(self.flow.id)
        at = {stage.id: number for number, stage in enumerate(self.stages)}
        return [(at[rule.stage], rule.name) for rule in plan.rules]


@tagged("post_install", "-at_install")
class TestRuleGrid(GridCase):
    # === READING ===#

    def test_the_grid_of_a_flow(self):
        told = self.look()
        self.assertEqual([one["id"] for one in told["stages"]], self.stages.ids)
        self.assertEqual(
            [(one["stage"], one["what"]) for one in told["rules"]],
            [
                (self.stages[0].id, "contact_name"),
                (self.stages[0].id, "city"),
                (self.stages[1].id, "plan"),
            ],
        )
        self.assertIn([self.flow.id, "Test flow"], told["flows"])
        self.assertEqual(len(told["last"]["changes"]), 3)  # how the class made them

    def test_rows_stand_in_the_groups_of_the_card(self):
        groups = self.env["oda.card.group"]
        mine = groups.create({"name": "Need", "sequence": 1})
        other = groups.create({"name": "Not mine", "sequence": 2})
        other.team_ids = self.env["crm.team"].create({"name": "Another"})
        field = self.env["ir.model.fields"]._get
        for group, model, name in (
            (mine, "crm.lead", "contact_name"),
            (mine, "res.partner", "function"),
            (other, "crm.lead", "referred"),
        ):
            self.env["oda.card.field"].create(
                {"group_id": group.id, "field_id": field(model, name).id}
            )
        self.addCleanup(self.registry.reset_changes)
        told = {group["key"]: group for group in self.look()["groups"]}
        self.assertNotIn(other.key, told)
        self.assertTrue(told[mine.key]["card"])
        self.assertEqual(
            [one["what"] for one in told[mine.key]["items"]],
            ["contact_name", "partner_id.function"],
        )
        self.assertEqual(
            [one["what"] for one in told["properties"]["items"]], ["plan", "jobs"]
        )
        everything = [
            (one["kind"], one["what"]) for g in told.values() for one in g["items"]
        ]
        self.assertEqual(len(everything), len(set(everything)), "each thing once")
        self.assertIn(("field", "referred"), everything)
        self.assertNotIn(("field", "stage_id"), everything)
        self.assertNotIn(("field", "message_ids"), everything)

    def test_whatever_is_offered_can_be_asked(self):
        offered = [
            {**one, "id": None, "stage": self.stages[0].id, "label": None}
            for group in self.look()["groups"]
            for one in group["items"]
        ]
        self.assertGreater(len(offered), 60)
        for start in range(0, len(offered), 200):
            self.grid.preview_grid(self.flow.id, [], offered[start : start + 200])

    def test_what_was_lost_is_said(self):
        self.rule_city.write({"active": False, "broken": True})
        told = self.look()
        self.assertEqual(told["lost"], ["Stage 1: City"])
        self.assertNotIn("city", [one["what"] for one in told["rules"]])

    # === SAVING ===#

    def test_saving_makes_moves_changes_and_removes(self):
        name, city, plan = self.look()["rules"]
        self.save(
            [
                {**city, "mandatory": False},
                self.cell(0, "partner_id.function"),
                {**name, "stage": self.stages[1].id},
                self.cell(1, "jobs", kind="property", strict=True),
            ]
        )
        self.assertEqual(
            self.asked(),
            [
                (0, "city"),
                (0, "partner_id.function"),
                (1, "contact_name"),
                (1, "jobs"),
            ],
        )
        self.assertFalse(self.rule_city.mandatory)
        self.assertEqual(self.rule_name.stage_id, self.stages[1])
        self.assertFalse(self.rule_plan.exists())

    def test_saving_what_is_there_writes_nothing(self):
        self.commit()
        before = self.events()
        with patch.object(type(self.env["oda.stage.rule"]), "_write_plain") as written:
            self.save(self.look()["rules"])
        self.assertFalse(written.called)
        self.assertEqual(self.events(), before)

    def test_a_condition_and_a_task_and_an_instrument(self):
        instrument = self.env["oda.instrument"].search([], limit=1)
        call = self.env.ref("mail.mail_activity_data_call")
        self.save(
            [
                self.cell(0, "city", condition="[('partner_id', '!=', False)]"),
                self.cell(0, str(call.id), kind="task"),
                self.cell(1, str(instrument.id), kind="instrument"),
            ]
        )
        lead = self.case(self.consultant)
        told = lead.oda_to_go_on["items"]
        self.assertEqual([one["kind"] for one in told], ["task"])
        lead.partner_id = self.partner
        self.partner.city = False
        lead.city = False
        lead.invalidate_recordset(["oda_to_go_on"])
        self.assertEqual(
            [one["kind"] for one in lead.oda_to_go_on["items"]], ["field", "task"]
        )

    def test_it_binds_at_the_next_move(self):
        lead = self.case(self.consultant, **self.ANSWERED)
        self.save([*self.look()["rules"], self.cell(0, "referred")])
        with self.refused("Referred"):
            lead.stage_id = self.stages[1]

    def test_one_event_and_one_message(self):
        self.commit()
        before = self.events()
        sent = []
        bus = type(self.env["bus.bus"])

        def keep(bus, target, kind, payload):
            sent.append((kind, payload))

        with patch.object(bus, "_sendone", keep):
            name, city, plan = self.look()["rules"]
            self.save([city, self.cell(1, "referred"), plan])
        event = self.events() - before
        self.assertEqual(len(event), 1)
        self.assertEqual(event.res_id, self.flow.id)
        self.assertEqual(
            [one["what"] for one in event.details["before"]][0], "contact_name"
        )
        self.assertEqual(len(event.details["changes"]), 2)
        self.assertIn("Person (Stage 1)", event.words)
        self.assertNotIn("mandatory", event.words)
        told = [payload for kind, payload in sent if kind == "oda.flow"]
        self.assertEqual(told, [{"flows": [self.flow.id]}])

    def test_the_list_is_journalled_as_well(self):
        self.commit()
        before = self.events()
        self.rule_city.with_user(self.admin).mandatory = False
        self.rule_plan.with_user(self.admin).unlink()
        self.commit()
        self.assertEqual(len(self.events() - before), 1)
        self.assertEqual(len((self.events() - before).details["changes"]), 2)

    # === TWO ADMINISTRATORS ===#

    def test_the_second_is_told_and_nothing_is_overwritten(self):
        base = self.look()["rules"]
        name, city, plan = base
        self.save([name, {**city, "mandatory": False}, plan])
        mine = [name, city, plan, self.cell(2, "referred")]
        done = self.grid.save_grid(self.flow.id, base, mine)
        self.assertEqual(done["conflict"]["who"], self.admin.name)
        self.assertEqual(len(done["conflict"]["changes"]), 1)
        self.assertIn("City", done["conflict"]["changes"][0])
        self.assertFalse(self.rule_city.mandatory)
        self.assertNotIn((2, "referred"), self.asked())
        merged = done["conflict"]["merged"]
        done = self.save(merged, base=done["grid"]["rules"])
        self.assertNotIn("conflict", done)
        self.assertFalse(self.rule_city.mandatory)
        self.assertIn((2, "referred"), self.asked())

    def test_they_take_turns(self):
        """The claim is taken before anything is read: who waited is repeated."""
        claimed = []
        claim = type(self.env["oda.claim"])
        cells = type(self.grid)._oda_cells

        def read(model, team_id):
            claimed.append("read")
            return cells(model, team_id)

        with (
            patch.object(claim, "_claim", lambda self, *keys: claimed.extend(keys)),
            patch.object(type(self.grid), "_oda_cells", read),
        ):
            self.grid.save_grid(self.flow.id, [], [])
        self.assertEqual(claimed[:2], [f"rules:{self.flow.id}", "read"])

    # === UNDO ===#

    def test_undo(self):
        first = self.look()["rules"]
        self.save(first[:1])
        self.save([{**first[0], "mandatory": False}])
        last = self.look()["last"]
        self.assertEqual(last["who"], self.admin.name)
        done = self.grid.undo_grid(self.flow.id, last["id"])
        self.assertEqual(done["skipped"], [])
        self.assertTrue(self.rule_name.mandatory)
        again = done["grid"]["last"]
        self.assertNotEqual(again["id"], last["id"])
        self.grid.undo_grid(self.flow.id, again["id"])
        self.assertEqual(self.asked(), [(0, "contact_name"), (0, "city"), (1, "plan")])
        # what is left to undo is how the class made them
        self.assertNotIn(self.look()["last"]["id"], (last["id"], again["id"]))

    def test_undo_of_what_was_changed_since_is_refused(self):
        name, city, plan = self.look()["rules"]
        self.save([name, city])
        last = self.look()["last"]
        self.rule_city.with_user(self.admin).strict = True
        self.commit()
        with self.refused("changed again since"):
            self.grid.undo_grid(self.flow.id, last["id"])

    def test_undo_of_another_flow_or_of_nothing_is_refused(self):
        self.save(self.look()["rules"][:1])
        last = self.look()["last"]
        other = self.env["crm.team"].create({"name": "Another"})
        for bad in (last["id"] + 1000, *NONSENSE):
            with self.subTest(bad=str(bad)[:20]), self.refused("no such change"):
                self.grid.undo_grid(self.flow.id, bad)
        with self.refused("no such change"):
            self.grid.undo_grid(other.id, last["id"])

    def test_undo_skips_what_is_gone(self):
        type_ = self.env["mail.activity.type"].create({"name": "Visit"})
        rules = self.look()["rules"]
        self.save([*rules, self.cell(0, str(type_.id), kind="task")])
        self.save(rules[:1])
        self.stages[1].unlink()
        type_.unlink()
        last = self.look()["last"]
        self.commit()
        done = self.grid.undo_grid(self.flow.id, last["id"])
        self.assertEqual(len(done["skipped"]), 2)
        self.assertEqual(
            [one["what"] for one in done["grid"]["rules"]], ["contact_name", "city"]
        )

    # === THE PREVIEW ===#

    def preview(self, rules, **more):
        base = self.look()["rules"]
        return self.grid.preview_grid(self.flow.id, base, rules, **more)

    def test_an_empty_card_says_what_it_would_say(self):
        name, city, plan = self.look()["rules"]
        new = self.cell(0, "referred", mandatory=False)
        told = self.preview([city, new, name, plan])
        first, second, third, _last = self.stages.ids
        self.assertEqual(
            [(one["order"], one["label"]) for one in told["empty"][first]],
            [(1, "City"), (2, "Referred By"), (3, "Person")],
        )
        self.assertEqual(len(told["empty"][second]), 4)
        self.assertEqual(len(told["empty"][third]), 4)
        self.assertFalse(told["empty"][first][1]["mandatory"])
        self.assertFalse(told["real"])
        self.assertEqual(len(told["changes"]), 2)

    def test_a_real_card_says_the_same_as_the_card_itself_after_saving(self):
        lead = self.case(contact_name="Ion")
        rules = [*self.look()["rules"], self.cell(0, "referred"), self.cell(1, "phone")]
        told = self.preview(rules, lead_id=lead.id)["real"]
        self.assertEqual(told["stage"], self.stages[0].id)
        self.save(rules)
        lead.invalidate_recordset(["oda_to_go_on"])
        self.assertEqual(
            [(one["order"], one["label"]) for one in told["items"]],
            [(one["order"], one["label"]) for one in lead.oda_to_go_on["items"]],
        )

    def test_a_preview_saves_nothing(self):
        self.commit()
        before = self.events()
        leads = self.env["crm.lead"].search_count([])
        self.preview([self.cell(0, "referred")])
        self.commit()
        self.assertEqual(self.events(), before)
        self.assertEqual(self.asked(), [(0, "contact_name"), (0, "city"), (1, "plan")])
        self.assertEqual(self.env["crm.lead"].search_count([]), leads)

    def test_how_many_would_be_held_back(self):
        rules = self.look()["rules"]
        self.case()
        self.case(referred="A friend")
        at_two = self.case(**self.ANSWERED)
        at_two.stage_id = self.stages[1]
        lost = self.case()
        lost.action_set_lost()
        new = [*rules, self.cell(0, "referred")]
        self.assertEqual(self.preview(new)["held"], {"count": 2, "exact": True})
        later = [*rules, self.cell(1, "referred")]
        self.assertEqual(self.preview(later)["held"]["count"], 1)
        self.assertEqual(self.preview(rules[:1])["held"]["count"], 0)
        with patch.object(oda_stage_rule_preview, "JUDGED", 1):
            self.assertEqual(self.preview(new)["held"], {"count": 2, "exact": False})

    def test_each_kind_is_counted_as_the_card_judges(self):
        instrument = self.env["oda.instrument"].search([], limit=1)
        call = self.env.ref("mail.mail_activity_data_call")
        self.case()
        for cell, held in (
            (self.cell(0, "partner_id.function"), 1),  # there is no beneficiary yet
            (self.cell(0, "day_open"), None),
            (self.cell(0, "expected_revenue"), 0),
            (self.cell(0, "expected_revenue", strict=True), 1),
            (self.cell(0, "jobs", kind="property"), 1),
            (self.cell(0, str(call.id), kind="task"), 1),
            (self.cell(0, str(instrument.id), kind="instrument"), 1),
            (self.cell(0, "phone", condition="[('partner_id', '!=', False)]"), 0),
        ):
            with self.subTest(what=cell["what"]):
                if held is None:
                    with self.refused("cannot be asked"):
                        self.preview([cell])
                else:
                    self.assertEqual(self.preview([cell])["held"]["count"], held)

    def test_counting_costs_the_same_for_many(self):
        self.case()
        rules = [self.cell(0, "referred"), self.cell(1, "phone")]

        def queries():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.preview(rules)
            return self.env.cr.sql_log_count - before

        queries()
        few = queries()
        for _number in range(20):
            self.case()
        self.env.flush_all()
        self.assertLessEqual(queries(), few + 2)

    # === WHAT CANNOT BE ===#

    def test_what_cannot_be_is_refused_in_words(self):
        foreign = self.env["crm.stage"].create(
            {"name": "Foreign", "team_ids": [(6, 0, self.env["crm.team"].create(
                {"name": "Another"}).ids)]}
        )  # fmt: skip
        good = self.cell(0, "referred")
        for bad, words in (
            ({**good, "stage": foreign.id}, "not one of the flow"),
            ({**good, "stage": 2**31 - 1}, "deleted meanwhile"),
            ({**good, "what": "stage_id"}, "cannot be asked"),
            ({**good, "what": "no_such_field"}, "cannot be asked"),
            ({**good, "what": "partner_id.user_id.login"}, "cannot be asked"),
            ({**good, "what": "<script>"}, "cannot be asked"),
            ({**good, "kind": "property", "what": "no such"}, "cannot be asked"),
            ({**good, "kind": "task", "what": "999999999"}, "cannot be asked"),
            ({**good, "kind": "task", "what": "²"}, "cannot be asked"),
            ({**good, "kind": "write"}, "unknown kind"),
            ({**good, "kind": "__class__"}, "unknown kind"),
            ({**good, "condition": "[('no_such', '=', 1)]"}, "cannot be read"),
            ({**good, "condition": "__import__('os')"}, "cannot be read"),
            ({**good, "what": "city"}, "asked twice"),
        ):
            rules = [*self.look()["rules"], bad]
            for verb in (self.save, self.preview):
                with self.subTest(bad=str(bad)[:80], verb=verb.__name__):
                    with self.refused(words):
                        verb(rules)

    def test_nonsense_is_refused_in_words(self):
        flow, rules = self.flow.id, self.look()["rules"]
        for bad in NONSENSE:
            for name, call in {
                "flow": lambda bad=bad: self.grid.get_grid(bad),
                "save flow": lambda bad=bad: self.grid.save_grid(bad, rules, rules),
                "base": lambda bad=bad: self.grid.save_grid(flow, bad, rules),
                "rules": lambda bad=bad: self.grid.save_grid(flow, rules, bad),
                "preview": lambda bad=bad: self.grid.preview_grid(flow, rules, bad),
                "lead": lambda bad=bad: self.grid.preview_grid(flow, rules, rules, bad),
            }.items():
                with self.subTest(call=name, bad=str(bad)[:20]):
                    try:
                        with self.env.cr.savepoint():
                            call()
                    except UserError as error:
                        self.assertTrue(str(error))

    def test_too_many(self):
        many = [self.cell(0, f"f{at}") for at in range(rulegrid.MOST_CELLS + 1)]
        with self.refused("at most"):
            self.save(many)

    # === WHO ===#

    def test_only_administrators(self):
        rules = self.look()["rules"]
        flow = self.flow.id
        for role in (
            "consultant",
            "lead",
            "head",
            "supervisor",
            "auditor",
            "marketing",
        ):
            grid = self.grid.with_user(getattr(self, role))
            with self.subTest(role=role):
                for call in (
                    lambda grid=grid: grid.get_grid(flow),
                    lambda grid=grid: grid.preview_grid(flow, rules, []),
                    lambda grid=grid: grid.save_grid(flow, rules, []),
                    lambda grid=grid: grid.undo_grid(flow, 1),
                ):
                    with self.assertRaises(AccessError):
                        call()
        self.assertEqual(len(self.asked()), 3)

    def test_the_administrator_of_another_company(self):
        company = self.env["res.company"].create({"name": "Another centre"})
        stranger = new_test_user(
            self.env,
            "strange_admin",
            groups="oda_base.group_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        lead = self.case(company_id=self.env.company.id)
        grid = self.grid.with_user(stranger)
        # the flow is everybody's, the consultation is not
        with self.refused("not in the flow"):
            grid.preview_grid(self.flow.id, [], [], lead.id)
        self.flow.company_id = self.env.company
        rules = self.look()["rules"]
        for call in (
            lambda: grid.get_grid(self.flow.id),
            lambda: grid.save_grid(self.flow.id, rules, []),
            lambda: grid.undo_grid(self.flow.id, 1),
        ):
            with self.refused("no longer there"):
                call()
        self.assertNotIn(self.flow.id, [one[0] for one in grid.get_grid()["flows"]])
