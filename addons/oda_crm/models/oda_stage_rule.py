# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..rules import Rule

# Not a person's answers: what moves, closes or files a consultation by itself.
_NOT_ASKED = frozenset(
    {
        "active",
        "company_id",
        "lead_properties",
        "lost_reason_id",
        "oda_kept_answers",
        "probability",
        "stage_id",
        "team_id",
        "type",
        "won_status",
    }
)
_PROPERTIES = "lead_properties."
_TARGET = {"kind", "path", "team_id", "activity_type_id", "instrument_id"}


class OdaStageRule(models.Model):
    """What must be answered or done before a consultation leaves a stage of a flow.

    A kind is one selection entry and five hooks, named after it: `_type_<kind>`,
    `_label_<kind>`, `_triggers_<kind>`, `_answers_<kind>`, `_normalize_<kind>`
    (the last two may be left out). `_answers_…` of the kinds here: see
    `oda_stage_rule_answers.py`. A rule whose target is gone, or is not of the type it
    was, is switched off and never blocks anybody.
    """

    _name = "oda.stage.rule"
    _description = "Stage Rule"
    _order = "team_id, stage_id, sequence, id"

    team_id = fields.Many2one(
        "crm.team", string="Flow", required=True, ondelete="cascade"
    )
    stage_id = fields.Many2one(
        "crm.stage",
        string="Before leaving the stage",
        required=True,
        index=True,
        ondelete="cascade",
    )
    kind = fields.Selection(
        [
            ("field", "Field"),
            ("property", "Property of the flow"),
            ("task", "Task done"),
        ],
        string="What",
        required=True,
        default="field",
    )
    path = fields.Char(
        string="Field or property",
        help="A field of the consultation or, one step further, of its beneficiary; "
        "or a property of the flow.",
    )
    target_type = fields.Char(
        string="Type", readonly=True, help="Of the field, when the rule was made."
    )
    activity_type_id = fields.Many2one(
        "mail.activity.type",
        string="Task type",
        index="btree_not_null",
        ondelete="set null",
        help="A task of this type must be done while in the stage.",
    )
    sequence = fields.Integer(
        string="Order",
        default=10,
        help="The next one opens after this one is answered.",
    )
    condition = fields.Char(
        string="Only when",
        help="Consultations that do not match are not asked.",
    )
    mandatory = fields.Boolean(
        default=True, help="Otherwise it is only recommended and blocks nobody."
    )
    strict = fields.Boolean(
        string="Zero or unticked is no answer",
        help="By default 0 and No are answers like any other.",
    )
    active = fields.Boolean(default=True)
    broken = fields.Boolean(
        string="Target is gone",
        readonly=True,
        help="The field or property was removed or has changed its type: the rule is "
        "off. Choose another target and switch it on.",
    )
    model_name = fields.Char(
        compute="_compute_model_name", help="For the screens that choose a field."
    )
    label = fields.Char(string="Asked as", compute="_compute_label")

    _plan_idx = models.Index("(team_id, stage_id, sequence, id) WHERE active")
    _path_idx = models.Index("(path) WHERE path IS NOT NULL")

    @api.depends("kind", "path", "activity_type_id", "team_id")
    @api.depends_context("lang")
    def _compute_label(self):
        for rule in self:
            rule.label = rule._hook("label")() or rule.path or ""

    def _compute_model_name(self):
        self.model_name = "crm.lead"

    @api.onchange("path")
    def _onchange_path(self):
        if self.kind in ("field", "property") and self.path:
            asked = "property" if self.path.startswith(_PROPERTIES) else "field"
            self.kind = asked

    @api.depends("label")
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.label

    # === HOOKS OF THE KINDS ===#

    def _hook(self, verb):
        """Return the method of this rule's kind; of an unknown kind: nothing fits."""
        return getattr(self, f"_{verb}_{self.kind}", lambda *args: None)

    def _type_field(self):
        """Return the type of what is asked; None when it is gone or not askable."""
        return self._asked_type(self.path or "")

    @api.model
    def _asked_type(self, path):
        """Return the type of a field that people fill in, None for any other."""
        owner, _dot, name = path.rpartition(".")
        if owner not in ("", "partner_id"):
            return None
        model = self.env["res.partner" if owner else "crm.lead"]
        field = model._fields.get(name)
        if field is None or not field.store and not field.inverse:
            return None
        if name in _NOT_ASKED:
            return None
        return None if field.readonly and not field.manual else field.type

    def _type_property(self):
        found = self._property()
        return None if found.get("type") == "separator" else found.get("type")

    def _type_task(self):
        return "task" if self.activity_type_id else None

    def _property(self):
        """Return the definition of this rule's property, empty when it is gone."""
        key = (self.path or "").removeprefix(_PROPERTIES)
        return next(
            (one for one in self.team_id.lead_properties_definition or ()
             if one.get("name") == key),
            {},
        )  # fmt: skip

    def _label_field(self):
        owner, _dot, name = (self.path or "").rpartition(".")
        model = "res.partner" if owner else "crm.lead"
        label = self.env["ir.model.fields"].get_field_string(model).get(name)
        if owner and label:
            return self.env._("%s (beneficiary)", label)
        return label

    def _label_property(self):
        return self._property().get("string")

    def _label_task(self):
        return self.activity_type_id.display_name

    def _normalize_property(self):
        if self.path and not self.path.startswith(_PROPERTIES):
            self.path = _PROPERTIES + self.path

    @api.model
    def _triggers_field(self, rule):
        """Return the names of fields of crm.lead whose change may change the answer."""
        return {rule.name.partition(".")[0]}

    @api.model
    def _triggers_property(self, _rule):
        return {"lead_properties"}

    @api.model
    def _triggers_task(self, _rule):
        return set()

    # === CHECKS ===#

    @api.constrains(
        "kind", "path", "activity_type_id", "instrument_id", "team_id", "active"
    )
    def _check_target(self):
        for rule in self.filtered("active"):
            if not rule._hook("type")():
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be asked at a stage: choose a field that people "
                        "fill in on the consultation or its beneficiary, a property "
                        "of this flow, or a task type.",
                        rule.path or rule.label or "—",
                    )
                )

    @api.constrains("stage_id", "team_id")
    def _check_stage(self):
        for rule in self:
            if rule.stage_id not in rule.team_id._oda_stages():
                raise ValidationError(
                    self.env._(
                        "The stage “%(stage)s” is not one of the flow “%(flow)s”.",
                        stage=rule.stage_id.name,
                        flow=rule.team_id.name,
                    )
                )

    @api.constrains("condition")
    def _check_condition(self):
        for rule in self:
            try:
                domain = rule._condition()
                if domain:
                    domain.validate(self.env["crm.lead"])
            except (ValueError, SyntaxError, TypeError, KeyError, RecursionError) as e:
                raise ValidationError(
                    self.env._(
                        "The condition “%s” cannot be read: build it again with "
                        "fields of the consultation.",
                        rule.condition,
                    )
                ) from e

    def _condition(self):
        """Return the condition as a Domain, None when there is none."""
        parts = literal_eval(self.condition.strip()) if self.condition else None
        return Domain(parts) if parts else None

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._settle()
        return rules

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint(_TARGET):
            self._settle()
        self.env.registry.clear_cache()
        return done

    def unlink(self):
        done = super().unlink()
        self.env.registry.clear_cache()
        return done

    def _settle(self):
        """Remember the target's type: a rule made for a text must not judge a date."""
        for rule in self:
            rule._hook("normalize")()
            type_ = rule._hook("type")() or False
            vals = {"target_type": type_, "broken": not type_}
            rule._write_plain(vals)
        self.env.registry.clear_cache()

    def _write_plain(self, vals):
        return super().write(vals)

    def _switch_off_broken(self, domain):
        self.search(domain).filtered(
            lambda rule: rule._hook("type")() != rule.target_type
        )._switch_off()

    def _switch_off(self):
        """Switch rules off and tell the administrators of the flows."""
        if not self:
            return
        names = {rule: rule.label or rule.path for rule in self}
        self.write({"active": False, "broken": True})
        self.env["oda.event"]._log("crm.rule.broken", self)
        admins = self.env.ref("oda_base.group_admin").all_user_ids
        lines = self.env._(
            "These rules lost the field or property they asked for and are off: %s. "
            "Choose another one under Configuration, “All rules of stages”.",
            "; ".join(
                f"{rule.team_id.name} / {rule.stage_id.name}: {name}"
                for rule, name in names.items()
            ),
        )
        self.env["mail.thread"].message_notify(
            partner_ids=admins.filtered("active").partner_id.ids,
            subject=self.env._("Stage rules switched off"),
            body=lines,
        )

    # === WHAT THE PLAN OF A FLOW IS MADE OF ===#

    @api.model
    def _plan_rules(self, team, stages):
        """Return the valid rules of a flow as plain `rules.Rule`, in order."""
        found = self.browse()
        if team:
            found = self.with_env(team.env).search([("team_id", "=", team.id)])
        place = {stage: at for at, stage in enumerate(stages)}
        planned = []
        for rule in found:
            type_ = rule._hook("type")()
            if rule.stage_id.id not in place or not type_ or type_ != rule.target_type:
                continue
            planned.append(
                Rule(
                    id=rule.id,
                    stage=rule.stage_id.id,
                    kind=rule.kind,
                    name=rule._plan_name(),
                    type=type_,
                    mandatory=rule.mandatory,
                    strict=rule.strict,
                    condition=rule._condition(),
                )
            )
        # stable: within a stage they stay in the order of `_order`
        planned.sort(key=lambda rule: place[rule.stage])
        return tuple(planned)

    def _plan_name(self):
        """Return what the hooks of this kind find the target by."""
        if self.kind == "task":
            return str(self.activity_type_id.id)
        if self.kind == "instrument":
            return str(self.instrument_id.id)
        return (self.path or "").removeprefix(_PROPERTIES)

    @api.model
    def _plan_triggers(self, rules):
        """Return the fields of crm.lead that a write must touch to concern a rule."""
        fields_ = self.env["crm.lead"]._fields
        names = set()
        for rule in rules:
            names |= getattr(self, f"_triggers_{rule.kind}")(rule)
            for leaf in rule.condition.iter_conditions() if rule.condition else ():
                names.add(leaf.field_expr.partition(".")[0])
        names &= fields_.keys()
        wanted = {fields_[name] for name in names}
        for field in fields_.values():
            if field.name not in names and not wanted.isdisjoint(
                self.pool.get_dependent_fields(field)
            ):
                names.add(field.name)
        return frozenset(names)

    @api.model
    @ormcache("model")
    def _asked_fields(self, model):
        """Return the names of fields of a model that active rules ask for.

        :param str model: `crm.lead` or `res.partner`
        """
        # sudo: of all flows, so that the answer is one and can be cached
        found = self.sudo().search([("kind", "in", ("field", "property"))])
        names = set()
        for rule in found:
            owner, _dot, name = (rule.path or "").rpartition(".")
            if rule.kind == "property":
                owner, name = "", "lead_properties"
            if model == ("res.partner" if owner else "crm.lead"):
                names.add(name)
        return frozenset(names & self.env[model]._fields.keys())
