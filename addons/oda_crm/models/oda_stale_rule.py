# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from .. import stale


class OdaStaleRule(models.Model):
    """How long a consultation may stand still, by stage, flow or both.

    The most exact rule counts: stage and flow, then stage, then flow, then all.
    """

    _name = "oda.stale.rule"
    _description = "Stale Consultation Rule"
    _order = "sequence, id"

    sequence = fields.Integer(default=10)
    name = fields.Char(compute="_compute_name")
    stage_id = fields.Many2one(
        "crm.stage",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: in every stage.",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Flow",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: in every flow.",
    )
    hours = fields.Float(
        string="Working hours without a step",
        required=True,
        default=27.0,
        help="A step is a move to another stage, a task done with its result, a "
        "session or a message sent. Planning or moving a task is none.",
    )
    repeat_hours = fields.Float(
        string="Remind again every",
        required=True,
        default=9.0,
        help="Working hours between two reminders.",
    )
    climb_after = fields.Integer(
        string="Climb after",
        required=True,
        default=2,
        help="Reminders to one person before the next one up is told: the responsible, "
        "then the leader of the flow, then the head.",
    )
    company_id = fields.Many2one("res.company", help="Empty: in every company.")
    active = fields.Boolean(default=True)

    _once = models.UniqueIndex(
        "(COALESCE(stage_id, 0), COALESCE(team_id, 0), COALESCE(company_id, 0))"
        " WHERE active",
        "There is a rule for this stage and flow already.",
    )
    _sane = models.Constraint(
        "CHECK (hours > 0 AND hours <= 10000 AND repeat_hours >= 0.25"
        " AND repeat_hours <= 10000 AND climb_after >= 1)",
        "Working hours are more than zero (a quarter of an hour between reminders at "
        "least), and a reminder comes once at least before it climbs.",
    )

    def write(self, vals):
        if "active" in vals and not vals["active"]:
            self._oda_forget()
        return super().write(vals)

    def unlink(self):
        self._oda_forget()
        return super().unlink()

    def _oda_forget(self):
        """What a rule marked is forgotten with it."""
        # sudo: states are the system's, who may change a rule may end them
        states = self.env["oda.stale"].sudo().search([("rule_id", "in", self.ids)])
        lead_ids = states.lead_id.ids
        states.unlink()
        states._oda_unmark(lead_ids)

    def _compute_name(self):
        everywhere = self.env._("Everywhere")
        for rule in self:
            parts = [rule.team_id.name, rule.stage_id.name]
            rule.name = " / ".join(part for part in parts if part) or everywhere

    def _oda_plain(self):
        """The rule for :mod:`~..stale`."""
        return stale.Rule(self.id, self.hours, self.repeat_hours, self.climb_after)
