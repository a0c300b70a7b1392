# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict
from contextlib import contextmanager
from typing import NamedTuple

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError

from .. import rules
from .people import given, is_system

# Writing one of these may change the stage, the flow, or whether there is one.
_MOVES = frozenset({"stage_id", "team_id", "type", "user_id"})
_KEPT = {"oda_kept_answers"}
_PAUSED = "oda_crm.rules_paused"  # in cr.cache: out of reach of any context


class Standing(NamedTuple):
    """Where a consultation stands: flow, stage, what is answered (ids of rules)."""

    team: int
    stage: int
    asked: bool
    answers: frozenset


class CrmLead(models.Model):
    """Stage rules, whichever way a consultation is written.

    Judged by difference: a write is refused for what it breaks or passes over, never
    for what was already so; a rule made later binds at the next move. What is refused
    and how it is said: `crm_lead_refusals.py`.
    """

    _inherit = "crm.lead"

    oda_kept_answers = fields.Json(
        string="Answers kept of other flows",
        readonly=True,
        copy=False,
        help="By flow: a consultation that comes back finds its answers again.",
    )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._oda_refuse_kept(given(self, _KEPT, vals, new=True))
        leads = super().create(vals_list)
        leads._oda_check_properties(
            any(vals.get("lead_properties") for vals in vals_list)
        )
        leads._oda_enforce({}, frozenset())
        return leads

    def write(self, vals):
        self._oda_refuse_kept(given(self, _KEPT, vals))
        if not self._oda_is_ruled(vals):
            return super().write(vals)
        touched = frozenset(vals)
        before = self._oda_standing()
        self._oda_refuse_outdated(vals)
        may_move = not _MOVES.isdisjoint(vals)
        leaving = self._oda_answers_to_keep() if may_move else {}
        done = super().write(vals)
        if may_move:
            self._oda_keep_answers(leaving, before)
        self._oda_check_properties("lead_properties" in touched)
        self._oda_enforce(before, touched, self._oda_touched(vals))
        return done

    def _merge_opportunity(self, *args, **kwargs):
        # Two cards made one: nobody filled anything in ahead of its turn.
        with self._oda_paused("order"):
            return super()._merge_opportunity(*args, **kwargs)

    def _oda_refuse_kept(self, names):
        if names:
            raise AccessError(self.env._("Kept answers are written by the system."))

    def _oda_is_ruled(self, vals):
        """Return whether a write concerns any rule: most do not, and cost nothing."""
        if "lead_properties" in vals or not _MOVES.isdisjoint(vals):
            return True
        return any(
            not self._oda_plan_of(team_id).triggers.isdisjoint(vals)
            for team_id in {lead.team_id.id for lead in self}
        )

    # === PAUSING, FOR THE SYSTEM ONLY ===#

    @contextmanager
    def _oda_paused(self, *what):
        """Let code of ours pass: `order`, or `all` for migrations.

        Kept on the cursor, so that no caller from outside can ask for it.
        """
        cache = self.env.cr.cache
        before = cache.get(_PAUSED, frozenset())
        cache[_PAUSED] = before | set(what)
        try:
            yield
        finally:
            cache[_PAUSED] = before

    def _oda_is_paused(self, what):
        paused = self.env.cr.cache.get(_PAUSED, ())
        return what in paused or "all" in paused

    # === STANDING ===#

    @api.model
    def _oda_plan_of(self, team_id):
        return self.env["crm.team"]._oda_plan(team_id or False)

    def _oda_is_person(self):
        """Return whether somebody writes; the superuser and the connectors do not."""
        return not is_system(self.env)

    def _oda_standing(self, answered=None, here_only=False):
        """Return `{lead id: Standing}`; one reading for all flows and kinds.

        :param answered: standings from before the write, whose deeds are taken over:
            a task is not done by writing the consultation
        :param here_only: deeds of the stages where these consultations stand suffice
        """
        Rule = self.env["oda.stage.rule"]
        by_team = defaultdict(self.browse)
        for lead in self:
            by_team[lead.team_id.id] += lead
        result = {}
        asked_rules, asked_leads = [], self.browse()
        for team_id, leads in by_team.items():
            asked = leads.filtered(lambda lead: lead.type == "opportunity")
            if asked and (plan := self._oda_plan_of(team_id)).rules:
                asked_rules += plan.rules
                asked_leads += asked
        if answered is not None:
            asked_rules = [one for one in asked_rules if one.kind not in Rule._DEEDS]
        elif here_only:
            here = {lead.stage_id._origin.id for lead in asked_leads}
            asked_rules = [
                one
                for one in asked_rules
                if one.kind not in Rule._DEEDS or one.stage in here
            ]
        found = Rule._answers(asked_leads, asked_rules) if asked_rules else {}
        for lead in self:
            answers = found.get(lead.id, set())
            if answered and (was := answered.get(lead.id)):
                answers = answers | self._oda_deeds(was)
            result[lead.id] = Standing(
                lead.team_id.id,
                lead.stage_id.id,
                lead.type == "opportunity",
                frozenset(answers),
            )
        return result

    def _oda_deeds(self, standing):
        deeds = self.env["oda.stage.rule"]._DEEDS
        plan = self._oda_plan_of(standing.team)
        return {
            rule.id
            for rule in plan.rules
            if rule.kind in deeds and rule.id in standing.answers
        }

    def _oda_touched(self, vals):
        """Return names of fields and properties that this write answers by hand."""
        names = set(vals) - {"lead_properties"}
        given = vals.get("lead_properties") or ()
        if isinstance(given, dict):
            names |= {f"lead_properties.{key}" for key in given}
        elif isinstance(given, list):
            names |= {f"lead_properties.{one.get('name')}" for one in given}
        return names

    # === ENFORCING ===#

    def _oda_enforce(self, before, touched, by_hand=frozenset()):
        """Refuse what a write or a creation did against the rules of its flow.

        :param before: standings before the write; empty for new consultations
        :param touched: names of the written fields
        :param by_hand: the same with properties one by one
        :raise UserError: with `context["oda_refusal"]` for the screens
        """
        if self._oda_is_paused("all"):
            return
        person = self._oda_is_person()
        # sudo: a rule holds also for who may write the person, not the consultation
        leads = self.sudo()
        after = leads._oda_standing(before)
        refusals = []
        for lead in leads:
            refusal = lead._oda_judge(
                before.get(lead.id), after[lead.id], person, by_hand
            )
            if refusal:
                refusals.append(refusal)
        if refusals and not self._oda_override(refusals, before):
            self._oda_refuse(refusals)

    def _oda_judge(self, before, after, person, by_hand):
        """Return one `Refusal` of `crm_lead_refusals`, or None."""
        if not after.asked:
            return None
        plan = self._oda_plan_of(after.team)
        entered = (
            before is None
            or not before.asked
            or (before.team or 0) != (after.team or 0)
        )
        if person and before and not after.team and self._oda_is_homeless(before):
            return self._oda_refusal("flowless", after, before.stage)
        was = None if entered else before.stage
        moved = was != after.stage
        if moved and after.stage and after.stage not in plan.stages:
            if after.team or self.env["crm.stage"].browse(after.stage).team_ids:
                return self._oda_refusal("foreign", after, was)
        step = rules.step(plan.stages, was, after.stage) if moved else "stay"
        if step in ("next", "skip"):
            owed = self._oda_owed(plan, after, was, entered)
            if owed:
                return self._oda_refusal("missing", after, was, owed)
        if person and plan.ordered and step in ("skip", "back"):
            groups = plan.skip if step == "skip" else plan.back
            if groups.isdisjoint(self.env.user._get_group_ids()):
                return self._oda_refusal(step, after, was)
        if entered:
            return None
        emptied = [
            rule
            for rule in self._oda_owed(plan, after, was, True)
            if rule.id in before.answers
        ]
        if emptied:
            return self._oda_refusal("emptied", after, was, emptied)
        if person and not self._oda_is_paused("order"):
            return self._oda_judge_order(plan, before, after, by_hand)
        return None

    def _oda_is_homeless(self, before):
        # Without a flow nothing would be asked any more.
        plan = self._oda_plan_of(before.team)
        return bool(before.team) and (plan.ordered or bool(plan.rules))

    def _oda_owed(self, plan, after, was, lasting_only):
        """Return the open rules of the stages before the one reached.

        Deeds are owed for the stage that is left and those passed over, not for
        what lies further back: those stages were left in their time.
        """
        deeds = self.env["oda.stage.rule"]._DEEDS
        passed = frozenset(
            plan.stages[max(rules.place(plan.stages, was), 0) :]
        )  # from the stage that is left
        return [
            rule
            for rule in rules.missing(
                rules.before_stage(plan.rules, plan.stages, after.stage), after.answers
            )
            if rule.kind not in deeds or (not lasting_only and rule.stage in passed)
        ]

    def _oda_judge_order(self, plan, before, after, by_hand):
        present = [rule for rule in plan.rules if rule.stage == before.stage]
        touched = {
            rule.id
            for rule in present
            if rule.name in by_hand or f"lead_properties.{rule.name}" in by_hand
        }
        hasty = rules.out_of_order(present, before.answers, after.answers, touched)
        return self._oda_refusal("order", after, before.stage, hasty) if hasty else None

    # === CHANGING THE FLOW KEEPS THE ANSWERS ===#

    def _oda_answers_to_keep(self):
        """Return `{lead id: (values, readable lines)}` of flows with properties."""
        result = {}
        # sudo: what is kept of a flow does not depend on who changes it
        for lead in self.sudo():
            values = lead.lead_properties._values if lead.team_id else None
            if values and any(value is not None for value in values.values()):
                result[lead.id] = dict(values)
        return result

    def _oda_keep_answers(self, leaving, before):
        """Keep the answers of the flow that was left, restore those of the new one."""
        for lead in self:
            was = before[lead.id].team
            if lead.team_id.id == was:
                continue
            values = leaving.get(lead.id)
            if not values and not lead.oda_kept_answers:
                continue
            kept = rules.merge_kept(lead.oda_kept_answers, was, values)
            back = kept.get(str(lead.team_id.id)) if lead.team_id else None
            vals = {"oda_kept_answers": kept}
            if back:
                now = lead.lead_properties._values or {}
                # sudo: as the flow's own card shows it
                definition = lead.team_id.sudo().lead_properties_definition
                known = {one["name"] for one in definition or ()}
                given = {
                    key: val for key, val in now.items() if val not in (None, False)
                }
                merged = {key: val for key, val in back.items() if key in known}
                vals["lead_properties"] = merged | given
            lead._oda_write_plain(vals)
            if values:
                lead._oda_tell_kept(was, values)

    def _oda_write_plain(self, vals):
        return super().write(vals)

    def _oda_tell_kept(self, team_id, values):
        """Show in the chatter what was answered in the flow that is left."""
        # sudo: the flow left behind may be out of sight for who changes it
        team = self.env["crm.team"].sudo().browse(team_id)
        lines = Markup().join(
            Markup("<li>%s: %s</li>") % (one.get("string"), text)
            for one in team.lead_properties_definition or ()
            if (text := rules.shown(one, values.get(one["name"])))
        )
        if lines:
            self._message_log(
                body=Markup("<p>%s</p><ul>%s</ul>")
                % (
                    self.env._(
                        "Answers of the flow “%s” are kept and come back with it:",
                        team.name,
                    ),
                    lines,
                )
            )
