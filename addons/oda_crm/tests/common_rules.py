# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from contextlib import contextmanager

from odoo import Command
from odoo.exceptions import UserError

from .common import CrmCase


class RulesCase(CrmCase):
    """A flow of four stages with rules: `cls.flow`, `cls.stages`, `cls.rule(...)`.

    First stage: 1. `contact_name`, 2. `city`, second stage: property `plan`,
    third: nothing; the fourth is won.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Colleagues of one department: the matrix of rights is tested elsewhere.
        department = cls.env["oda.department"].create({"name": "Advice"})
        people = cls.consultant | cls.lead | cls.head
        people.oda_department_id = department
        cls.flow = cls.env["crm.team"].create(
            {
                "name": "Test flow",
                "oda_own_stages": True,
                "oda_ordered": True,
                "company_id": False,
                "lead_properties_definition": [
                    {"name": "plan", "string": "Business plan", "type": "text"},
                    {"name": "jobs", "string": "Jobs", "type": "integer"},
                ],
            }
        )
        cls.stages = cls.env["crm.stage"].create(
            [
                {
                    "name": f"Stage {at}",
                    "sequence": 900 + at,
                    "team_ids": [Command.set(cls.flow.ids)],
                    "is_won": at == 4,
                }
                for at in (1, 2, 3, 4)
            ]
        )
        cls.rule_name = cls.rule(0, path="contact_name", sequence=1)
        cls.rule_city = cls.rule(0, path="city", sequence=2)
        cls.rule_plan = cls.rule(1, kind="property", path="plan")

    @classmethod
    def rule(cls, stage, **vals):
        return cls.env["oda.stage.rule"].create(
            {"team_id": cls.flow.id, "stage_id": cls.stages[stage].id, **vals}
        )

    @classmethod
    def case(cls, user=None, **vals):
        """A consultation in the flow, seen by a person (else by the system)."""
        lead = cls.env["crm.lead"].create(
            {
                "name": "Case",
                "type": "opportunity",
                "team_id": cls.flow.id,
                "user_id": cls.consultant.id,
                **vals,
            }
        )
        return lead.with_user(user) if user else lead

    @contextmanager
    def refused(self, words, error=UserError):
        """Expect a refusal in these words, and undo what was done."""
        # assertRaises rolls back to a savepoint, assertRaisesRegex does not
        with self.assertRaises(error) as caught:
            yield caught
        self.assertRegex(str(caught.exception), words)

    ANSWERED = {
        "contact_name": "Ion",
        "city": "Cahul",
        "lead_properties": {"plan": "Oven", "jobs": 0},
    }
