# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from unittest.mock import patch

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import tagged

from .common_rules import RulesCase


@tagged("post_install", "-at_install")
class TestStageScreen(RulesCase):
    def setUp(self):
        super().setUp()
        self.commit()

    def commit(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def events(self):
        return self.env["oda.event"].search([("code", "=", "stage.change")])

    def test_a_stage_with_open_consultations_is_not_deleted(self):
        lead = self.case()
        first = self.stages[0].with_user(self.admin)
        with self.assertRaises(RedirectWarning) as refused, self.env.cr.savepoint():
            first.unlink()
        words, action = refused.exception.args[:2]
        self.assertIn("1 open", words)
        self.assertIn("Move them", words)
        self.assertEqual(self.env["crm.lead"].search(action["domain"]), lead)
        self.assertTrue(self.rule_name.exists())
        lead.write(self.ANSWERED)
        lead.stage_id = self.stages[1]
        first.unlink()
        self.assertFalse(first.exists())

    def test_whoever_cannot_see_them_is_refused_all_the_same(self):
        self.case()
        hidden = self.env["oda.right"].search([("level", "=", "admin")])
        hidden.filtered(lambda row: row.subject == "consultation").write(
            {"see": "none", "edit": "none", "delete": "none", "can_import": False,
             "can_export": False, "can_merge": False}
        )  # fmt: skip
        with self.assertRaises(RedirectWarning), self.env.cr.savepoint():
            self.stages[0].with_user(self.admin).unlink()

    def test_a_stage_where_some_ended_is_kept_in_words(self):
        lead = self.case()
        lead.action_set_lost()
        with self.assertRaises(UserError) as refused, self.env.cr.savepoint():
            self.stages[0].with_user(self.admin).unlink()
        self.assertIn("Fold it", str(refused.exception))

    def test_nobody_is_left_in_a_stage_that_leaves_the_flow(self):
        self.case()
        other = self.env["crm.team"].create({"name": "Another"})
        first = self.stages[0].with_user(self.admin)
        with self.assertRaises(RedirectWarning), self.env.cr.savepoint():
            first.team_ids = other
        first.team_ids |= other
        self.stages[2].with_user(self.admin).team_ids = other

    def test_a_shared_stage_is_not_taken_from_those_who_stand_in_it(self):
        shared = self.env["crm.stage"].create({"name": "Shared", "sequence": 1})
        flow = self.env["crm.team"].create({"name": "Plain"})
        self.env["crm.lead"].create(
            {
                "name": "Case",
                "type": "opportunity",
                "team_id": flow.id,
                "stage_id": shared.id,
            }
        )
        with self.assertRaises(RedirectWarning), self.env.cr.savepoint():
            shared.with_user(self.admin).team_ids = self.flow

    def test_buttons_do_what_a_drag_does(self):
        one, two, three, four = self.stages.with_user(self.admin)
        two.action_oda_earlier()
        self.assertEqual(self.flow._oda_stages().ids, (two + one + three + four).ids)
        one.action_oda_later()
        self.assertEqual(self.flow._oda_stages().ids, (two + three + one + four).ids)
        two.action_oda_earlier()  # the first already
        four.action_oda_later()  # the last already
        self.assertEqual(self.flow._oda_stages().ids, (two + three + one + four).ids)

    def test_a_stage_added_in_the_list_is_the_last(self):
        """The list sends the number that it was given before anything was typed."""
        stages = self.env["crm.stage"].with_user(self.admin)
        for name in ("Zebra", "Apple"):
            given = stages.default_get(["sequence"])
            stages.create({"name": name, "team_ids": [(6, 0, self.flow.ids)], **given})
        names = self.flow._oda_stages()[-2:].mapped("name")
        self.assertEqual(names, ["Zebra", "Apple"])

    def test_equal_numbers_are_told_apart(self):
        self.stages.sequence = 900
        four = self.stages[3].with_user(self.admin)
        order = self.flow._oda_stages()
        four.action_oda_earlier()
        expected = order.ids
        expected[2], expected[3] = expected[3], expected[2]
        self.assertEqual(self.flow._oda_stages().ids, expected)

    def test_only_who_may_change_stages(self):
        for user in (self.consultant, self.lead, self.supervisor, self.auditor):
            stage = self.stages[1].with_user(user)
            for verb in (
                stage.action_oda_earlier,
                stage.action_oda_later,
                stage.unlink,
                lambda stage=stage: stage.write({"name": "Mine"}),
            ):
                with self.assertRaises(AccessError):
                    verb()

    def test_how_many_stand_where(self):
        self.case()
        self.case().action_set_lost()
        counts = self.stages.mapped("oda_open_count")
        self.assertEqual(counts, [1, 0, 0, 0])

    def test_changes_are_journalled_and_told(self):
        before = self.events()
        sent = []

        def keep(bus, target, kind, payload):
            sent.append((kind, payload))

        with patch.object(type(self.env["bus.bus"]), "_sendone", keep):
            self.stages[0].with_user(self.admin).write({"name": "<b>First</b>"})
            self.stages[3].with_user(self.admin).unlink()
            self.commit()
        event = self.events() - before
        self.assertEqual(len(event), 1)
        self.assertEqual(len(event.details["changes"]), 2)
        self.assertIn("Stage 1 → <b>First</b>", event.words)
        told = [payload for kind, payload in sent if kind == "oda.flow"]
        self.assertEqual(told, [{"flows": [self.flow.id]}])
        self.stages[0].color = 3
        before = self.events()
        self.commit()
        self.assertEqual(self.events(), before)

    def test_rules_of_a_deleted_stage_are_in_the_journal(self):
        rules = self.env["oda.stage.rule"].with_user(self.admin)
        self.stages[1].with_user(self.admin).unlink()
        self.commit()
        last = rules.get_grid(self.flow.id)["last"]
        self.assertEqual(len(last["changes"]), 1)
        self.assertIn("Business plan", last["changes"][0])

    def test_a_flow_option_is_told(self):
        sent = []

        def keep(bus, target, kind, payload):
            sent.append((kind, payload))

        with patch.object(type(self.env["bus.bus"]), "_sendone", keep):
            self.flow.oda_ordered = False
            self.flow.color = 2
            self.commit()
        self.assertEqual(
            [payload for kind, payload in sent if kind == "oda.flow"],
            [{"flows": [self.flow.id]}],
        )
