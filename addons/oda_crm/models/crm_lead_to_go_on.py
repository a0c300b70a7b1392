# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import rules


class CrmLead(models.Model):
    """Saying beforehand what the next move needs, and doing the move."""

    _inherit = "crm.lead"

    oda_to_go_on = fields.Json(
        string="To go on",
        compute="_compute_oda_to_go_on",
        help="What is missing before the next stage, and where this card may move.",
    )
    oda_to_go_on_text = fields.Char(
        string="To go on, in short", compute="_compute_oda_to_go_on"
    )

    @api.depends("stage_id", "team_id", "type", "lead_properties", "partner_id")
    @api.depends_context("uid", "lang")
    def _compute_oda_to_go_on(self):
        """Compute for all at once: one reading of answers, none per card.

        `oda_to_go_on`: `{"stage", "next": {"id", "name"} or None, "items": [{"kind",
        "name", "label", "stage", "order", "mandatory", "type", "strict"}], "moves":
        [{"id", "name", "step"}], "stages": [ids], "may_override": bool}`, or False
        where no flow is walked (leads, closed consultations).
        """
        walking = self.filtered(
            lambda lead: lead.type == "opportunity" and lead.won_status != "lost"
        )
        (self - walking).oda_to_go_on = False
        (self - walking).oda_to_go_on_text = False
        standing = walking._oda_standing(here_only=True)
        plans = {
            lead: self._oda_plan_of(lead.team_id._origin.id or lead.team_id.id)
            for lead in walking
        }
        deeds = self.env["oda.stage.rule"]._DEEDS
        groups = frozenset(self.env.user._get_group_ids())
        for lead, plan in plans.items():
            names, labels = lead._oda_names()
            stage = lead.stage_id._origin.id or lead.stage_id.id
            at = rules.place(plan.stages, stage)
            ahead = plan.stages[at + 1] if at + 1 < len(plan.stages) else None
            answers = standing[lead.id].answers
            due = [
                rule
                for rule in rules.before_stage(plan.rules, plan.stages, ahead)
                if rule.id not in answers
                and (rule.kind not in deeds or rule.stage == stage)
            ] if ahead else []  # fmt: skip
            items = lead._oda_items(due, plan, labels)
            lead.oda_to_go_on = {
                "stage": stage,
                "next": {"id": ahead, "name": names[ahead]} if ahead else None,
                "items": items,
                "moves": [
                    {"id": one, "name": names[one], "step": step}
                    for one in plan.stages
                    if (step := rules.step(plan.stages, stage, one)) != "stay"
                    and self._oda_may_step(plan, step, groups)
                ],
                "stages": list(plan.stages),
                "may_override": self._oda_may_override(plan),
            }
            owed = [one for one in items if one["mandatory"]]
            lead.oda_to_go_on_text = lead._oda_short(owed)

    def _oda_may_step(self, plan, step, groups):
        if step == "next" or not plan.ordered or not self._oda_is_person():
            return True
        return not groups.isdisjoint(plan.skip if step == "skip" else plan.back)

    def _oda_names(self):
        """Return `({stage id: name}, {rule id: label})` of this flow, in words."""
        team_id = self.team_id._origin.id
        return self.env["crm.team"]._oda_plan_names(team_id, self.env.lang)

    def _oda_items(self, due, plan, labels):
        """Return the items of the screen for these rules, numbered by their stage."""
        place = Counter()
        order = {}
        for rule in plan.rules:
            place[rule.stage] += 1
            order[rule.id] = place[rule.stage]
        return [
            {
                **rules.Item(
                    rule.kind,
                    rule.name,
                    labels[rule.id],
                    rule.stage,
                    order[rule.id],
                    rule.mandatory,
                )._asdict(),
                "type": rule.type,
                "strict": rule.strict,
            }
            for rule in due
        ]

    def _oda_short(self, owed):
        if not owed:
            return False
        first = owed[0]["label"]
        if len(owed) == 1:
            return self.env._("To go on: %s", first)
        return self.env._("To go on: %(first)s +%(more)s", first=first,
                          more=len(owed) - 1)  # fmt: skip

    # === VERBS OF THE SCREENS ===#

    def oda_move(self, stage_id, seen_stage_id=None, reason=None):
        """Move to a stage as the person who calls; the rules of `write` hold.

        :param int stage_id: where to
        :param seen_stage_id: where the screen showed it; refused when it is not there
        :param str reason: to override, for the roles that may
        """
        context = {}
        if seen_stage_id is not None:
            context["oda_seen_stage_id"] = seen_stage_id
        if reason is not None:
            context["oda_override_reason"] = reason
        return self.with_context(**context).write({"stage_id": stage_id})

    def oda_answer_zero(self, name):
        """Answer 0 to a property that asks for a number.

        The screens show 0 where nobody has answered, and so cannot send it.

        :param str name: of the property
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: the flow's questions, as the card shows them
        asked = self.team_id.sudo().lead_properties_definition or ()
        if not any(
            one["name"] == name and one["type"] in ("integer", "float", "monetary")
            for one in asked
        ):
            raise UserError(self.env._("This is not a question about a number."))
        values = dict(self.lead_properties._values or {})
        return self.write({"lead_properties": values | {name: 0}})

    # === THE FORM TO FILL IN WHAT IS MISSING ===#

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return key + (fill_fields(self, view_type),)

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        return add_fill_fields(self, arch, view, view_type), view


def fill_fields(model, view_type):
    """Return the fields that the fill-in form of this call asks for.

    Only those that stage rules ask for, so that the cache of views cannot be filled
    with every combination of names somebody sends.
    """
    wanted = model.env.context.get("oda_fill_view_ref")
    if view_type != "form" or not isinstance(wanted, str):
        return ()
    known = model.env["oda.stage.rule"]._asked_fields(model._name)
    return tuple(dict.fromkeys(one for one in wanted.split(",") if one in known))


def add_fill_fields(model, arch, view, view_type):
    """Put the missing fields into the empty fill-in form, in their order."""
    groups = arch.xpath("//group[@name='oda_fill']") if view_type == "form" else ()
    for name in fill_fields(model, view_type) if groups else ():
        attrs = {"name": name, "nolabel": "1", "colspan": "2"}
        if name != "lead_properties":
            attrs = {"name": name}
        groups[0].append(groups[0].makeelement("field", attrs))
    return arch
