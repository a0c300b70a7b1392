# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from typing import Any, NamedTuple

from odoo import api, fields, models
from odoo.tools import ormcache

KINDS = [
    ("ads", "Advertising and landing pages"),
    ("cold", "Cold calls for events"),
    ("department", "Calls of other departments"),
]
# What the plan of a flow is made of.
_PLANNED = frozenset(
    {
        "oda_ordered",
        "oda_own_stages",
        "oda_skip_group_ids",
        "oda_back_group_ids",
        "oda_override_group_ids",
        "lead_properties_definition",
    }
)


class Plan(NamedTuple):
    """What a flow demands, read once and cached: ids and plain values only."""

    stages: tuple[int, ...] = ()
    rules: tuple[Any, ...] = ()  # of rules.Rule
    triggers: frozenset[str] = frozenset()  # fields of crm.lead
    ordered: bool = False
    own_stages: bool = False
    skip: frozenset[int] = frozenset()  # ids of res.groups, as the next two
    back: frozenset[int] = frozenset()
    override: frozenset[int] = frozenset()


class CrmTeam(models.Model):
    """A flow: its stages, what each of them demands, and who may do what."""

    _inherit = "crm.team"

    oda_kind = fields.Selection(
        KINDS,
        string="Kind of flow",
        help="Reports and screens tell flows apart by this, whatever their names.",
    )
    oda_own_stages = fields.Boolean(
        string="Only its own stages",
        help="The stages shared by all flows are not used in this one.",
    )
    oda_ordered = fields.Boolean(
        string="Stages one after another",
        help="People move consultations one stage forward at a time; skipping and "
        "moving back is for the roles below.",
    )
    oda_skip_group_ids = fields.Many2many(
        "res.groups",
        "oda_team_skip_group_rel",
        string="May skip stages",
        default=lambda self: self._oda_groups("head"),
    )
    oda_back_group_ids = fields.Many2many(
        "res.groups",
        "oda_team_back_group_rel",
        string="May move back",
        default=lambda self: self._oda_groups("lead", "admin"),
    )
    oda_override_group_ids = fields.Many2many(
        "res.groups",
        "oda_team_override_group_rel",
        string="May override with a reason",
        default=lambda self: self._oda_groups("head", "admin"),
        help="Each overriding is written in the journal with its reason.",
    )
    oda_rule_ids = fields.One2many(
        "oda.stage.rule", "team_id", string="What each stage needs"
    )

    @api.model
    def _oda_groups(self, *roles):
        return [self.env.ref(f"oda_base.group_{role}").id for role in roles]

    # === THE PLAN ===#

    @api.model
    @ormcache("team_id")
    def _oda_plan(self, team_id):
        """Return the `Plan` of a flow; of no flow: the shared stages, no demands.

        :param int team_id: or False
        """
        # sudo: what a flow demands binds also those who may not read its settings
        team = self.sudo().with_context(active_test=True).browse(team_id or ())
        stages = tuple(team._oda_stages().ids)
        rules = self.env["oda.stage.rule"]._plan_rules(team, stages)
        return Plan(
            stages=stages,
            rules=rules,
            triggers=self.env["oda.stage.rule"]._plan_triggers(rules),
            ordered=team.oda_ordered,
            own_stages=team.oda_own_stages,
            skip=frozenset(team.oda_skip_group_ids._ids),
            back=frozenset(team.oda_back_group_ids._ids),
            override=frozenset(team.oda_override_group_ids._ids),
        )

    @api.model
    @ormcache("team_id", "lang")
    def _oda_plan_names(self, team_id, lang):
        """Return `({stage id: name}, {rule id: label})` of a plan in a language."""
        plan = self._oda_plan(team_id)
        # sudo: names of stages and questions are said to whom they concern
        env = self.with_context(lang=lang).sudo().env
        stages = env["crm.stage"].browse(plan.stages)
        rules = env["oda.stage.rule"].browse(rule.id for rule in plan.rules)
        return (
            {stage.id: stage.name for stage in stages},
            {rule.id: rule.label for rule in rules},
        )

    def _oda_stages(self):
        """Return the stages of this flow (or of none) in their order."""
        domain = [("team_ids", "in", self.ids)]
        if not self.oda_own_stages:
            domain = ["|", ("team_ids", "=", False), *domain]
        # sudo: a flow has the same stages for everybody
        return self.env["crm.stage"].sudo().search(domain, order="sequence, id")

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        teams = super().create(vals_list)
        self.env.registry.clear_cache()
        return teams

    def write(self, vals):
        done = super().write(vals)
        if not _PLANNED.isdisjoint(vals):
            self.env.registry.clear_cache()
        if "lead_properties_definition" in vals:
            # sudo: rules of a property that is gone are switched off, whoever did it
            self.env["oda.stage.rule"].sudo()._switch_off_broken(
                [("team_id", "in", self.ids), ("kind", "=", "property")]
            )
        return done

    def unlink(self):
        done = super().unlink()
        self.env.registry.clear_cache()
        return done
