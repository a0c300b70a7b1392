# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models, tools


class OdaStagePlan(models.Model):
    """The activity plan that starts when a consultation enters a stage."""

    _name = "oda.stage.plan"
    _description = "Plan of a Stage"
    _order = "sequence, id"
    _rec_name = "plan_id"

    sequence = fields.Integer(default=10)
    stage_id = fields.Many2one(
        "crm.stage", required=True, index=True, ondelete="cascade"
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Flow",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: in every flow that has this stage.",
    )
    plan_id = fields.Many2one(
        "mail.activity.plan",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('res_model', '=', 'crm.lead')]",
    )
    company_id = fields.Many2one(related="plan_id.company_id")
    active = fields.Boolean(default=True)

    _once = models.UniqueIndex(
        "(stage_id, COALESCE(team_id, 0), plan_id)",
        "This plan starts at this stage already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    @api.model
    @tools.ormcache()
    def _by_stage(self):
        """``{stage id: ((flow id or False, plan id), ...)}``, in order."""
        found = {}
        # sudo: what happens at a stage binds who moves the card, not who configures
        for line in self.sudo().search([("active", "=", True)]):
            found.setdefault(line.stage_id.id, []).append(
                (line.team_id.id, line.plan_id.id)
            )
        return {stage: tuple(lines) for stage, lines in found.items()}
