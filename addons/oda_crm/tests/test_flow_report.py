# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common_rules import RulesCase


class TestFlowReport(RulesCase):
    """Time in each stage and conversion, from the moves themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oda.stage.rule"].search([("team_id", "=", cls.flow.id)]).unlink()
        cls.report = cls.env["oda.flow.report"]

    def move(self, lead, place):
        """Move as a person does: each move is tracked, a day after the one before."""
        lead.with_user(self.head).stage_id = self.stages[place]
        self.flush_tracking()
        self.env.cr.execute(
            "UPDATE mail_message SET date = date + interval '1 day' * %s "
            "WHERE model = 'crm.lead' AND res_id = %s AND id = (SELECT max(id) "
            "FROM mail_message WHERE model = 'crm.lead' AND res_id = %s)",
            (self.day, lead.id, lead.id),
        )
        self.day += 1
        self.env.invalidate_all()

    def flush_tracking(self):
        self.env.flush_all()
        self.env.cr.precommit.run()

    def visits(self, lead):
        rows = self.report.search([("lead_id", "=", lead.id)], order="came_at, id")
        return [(row.stage_id, row.outcome) for row in rows]

    def test_a_way_through_the_flow(self):
        self.day = 1
        lead = self.case()
        self.flush_tracking()
        one, two, three, four = self.stages
        self.assertEqual(self.visits(lead), [(one, "here")])
        for place in (1, 2, 1, 2, 3):
            self.move(lead, place)
        rows = self.report.search([("lead_id", "=", lead.id)])
        self.assertEqual(
            sorted((row.stage_id.sequence, row.outcome) for row in rows),
            [
                (one.sequence, "on"),
                (two.sequence, "on"),
                (two.sequence, "on"),
                (three.sequence, "back"),
                (three.sequence, "on"),
                (four.sequence, "won"),
            ],
        )
        days = {row.stage_id: row.days for row in rows if row.outcome == "back"}
        self.assertAlmostEqual(days[three], 1, places=1)

    def test_lost_where_it_stood(self):
        self.day = 1
        lead = self.case()
        self.flush_tracking()
        self.move(lead, 1)
        lead.action_set_lost()
        self.env.flush_all()
        self.assertEqual(
            dict(self.visits(lead)),
            {self.stages[0]: "on", self.stages[1]: "lost"},
        )
        groups = self.report._read_group(
            [("lead_id", "=", lead.id)], ["stage_id"], ["conversion:avg"]
        )
        self.assertEqual(dict(groups), {self.stages[0]: 100.0, self.stages[1]: 0.0})

    def test_seen_by_whoever_sees_the_consultation(self):
        lead = self.case()
        self.env.flush_all()
        mine = [("lead_id", "=", lead.id)]
        self.assertTrue(self.report.with_user(self.consultant).search(mine))
        stranger = new_test_user(
            self.env, "other_consultant", groups="oda_base.group_consultant"
        )
        self.assertFalse(self.report.with_user(stranger).search(mine))
        with self.assertRaises(AccessError):
            self.report.with_user(self.cashier).search(mine)
