# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from typing import NamedTuple

from markupsafe import Markup

from odoo import fields, models
from odoo.exceptions import UserError

from .. import rules

_SHOWN = 5  # consultations named in one refusal; the rest are counted

_ABSOLUTE = frozenset({"foreign", "flowless"})  # no role may override these


class Refusal(NamedTuple):
    """Why a consultation may not be written so."""

    lead: models.Model
    code: str  # foreign, missing, skip, back, emptied, order, flowless
    team: int
    stage: int  # where it was to go, or where it stands
    was: int | None
    rules: tuple = ()


class CrmLead(models.Model):
    """Refusing in words, and the way around: a reason, written in the journal."""

    _inherit = "crm.lead"

    def _oda_refusal(self, code, standing, was, broken=()):
        return Refusal(
            self, code, standing.team, standing.stage, was or None, tuple(broken)
        )

    def _oda_refuse(self, refusals):
        """Raise one UserError for all; the screens read `context["oda_refusal"]`."""
        lines = [self._oda_words(one) for one in refusals[:_SHOWN]]
        if len(refusals) > _SHOWN:
            lines.append(
                self.env._("… and %s more consultations.", len(refusals) - _SHOWN)
            )
        error = UserError("\n\n".join(lines))
        if len(refusals) == 1 and self._oda_may_name(refusals[0].lead):
            error.context = {"oda_refusal": self._oda_refusal_data(refusals[0])}
        raise error

    def _oda_refusal_data(self, refusal):
        plan = self._oda_plan_of(refusal.team)
        return {
            "lead_id": refusal.lead.id,
            "code": refusal.code,
            "stage_id": refusal.stage,
            "seen_stage_id": refusal.was or False,
            "partner_id": refusal.lead.partner_id.id,
            "items": refusal.lead._oda_items(
                refusal.rules, plan, refusal.lead._oda_names()[1]
            )
            if refusal.code in ("missing", "emptied")
            else [],
            "may_override": self._oda_may_override(plan)
            and refusal.code not in _ABSOLUTE,
        }

    def _oda_words(self, refusal):
        """Return what is wrong and what to do, in one sentence or two."""
        # sudo: names of stages and roles, needed to say what to do
        Stage = self.env["crm.stage"].sudo()
        env, lead = self.env, refusal.lead
        words = {
            "lead": lead.name if self._oda_may_name(lead) else env._("a consultation"),
            "stage": Stage.browse(refusal.stage).name or "—",
            "was": Stage.browse(refusal.was).name or "—" if refusal.was else "—",
        }
        plan = self._oda_plan_of(refusal.team)
        labels = self._oda_rule_labels(refusal.rules)
        if refusal.code == "missing":
            text = env._(
                "“%(lead)s” cannot go to “%(stage)s” yet. First: %(items)s.",
                items="; ".join(labels),
                **words,
            )
        elif refusal.code == "skip":
            ahead = plan.stages[rules.place(plan.stages, refusal.was) + 1]
            text = env._(
                "“%(lead)s” goes one stage at a time: the next one is “%(next)s”. "
                "Skipping to “%(stage)s” is for: %(roles)s.",
                next=Stage.browse(ahead).name,
                roles=self._oda_role_names(plan.skip),
                **words,
            )
        elif refusal.code == "back":
            text = env._(
                "Moving “%(lead)s” back from “%(was)s” is for: %(roles)s.",
                roles=self._oda_role_names(plan.back),
                **words,
            )
        elif refusal.code == "emptied":
            text = env._(
                "“%(lead)s” in the stage “%(stage)s” cannot be without: %(items)s. It "
                "was needed to come so far; write another answer instead.",
                items="; ".join(labels),
                **words,
            )
        elif refusal.code == "order":
            text = env._(
                "“%(lead)s”: please answer “%(first)s” before “%(later)s”.",
                later=labels[0],
                first=labels[1],
                **words,
            )
        elif refusal.code == "flowless":
            text = env._(
                "“%(lead)s” is always in a flow: choose another flow instead of none.",
                **words,
            )
        else:
            # sudo: as above
            flow = self.env["crm.team"].sudo().browse(refusal.team)
            text = env._(
                "“%(stage)s” is not a stage of the flow “%(flow)s”, where “%(lead)s” "
                "is: choose one of its own stages, or change the flow first.",
                flow=flow.name or "—",
                **words,
            )
        return text

    def _oda_may_name(self, lead):
        # A person's card may be open to somebody who may not know of their cases.
        return self.browse(lead.id).has_access("read")

    def _oda_rule_labels(self, broken):
        # sudo: what a rule asks is said to whom it stops
        found = self.env["oda.stage.rule"].sudo().browse([one.id for one in broken])
        return [
            self.env._("task “%s”", rule.label) if rule.kind == "task" else rule.label
            for rule in found
        ]

    def _oda_role_names(self, group_ids):
        # sudo: names of roles, to say whom to ask
        groups = self.env["res.groups"].sudo().browse(group_ids)
        return ", ".join(groups.mapped("name")) or self.env._("nobody")

    # === OVERRIDING ===#

    def _oda_may_override(self, plan):
        return self._oda_is_person() and not plan.override.isdisjoint(
            self.env.user._get_group_ids()
        )

    def _oda_override(self, refusals, before):
        """Return whether a role lets it pass for a reason; then it is in the journal.

        What is owed stays owed: the next move asks for it again.
        """
        if "oda_override_reason" not in self.env.context:
            return False
        reason = self.env.context["oda_override_reason"]
        for one in refusals:
            if one.code in _ABSOLUTE:
                return False
            plan = self._oda_plan_of(one.team)
            if not self._oda_may_override(plan):
                raise UserError(
                    self._oda_words(one)
                    + "\n\n"
                    + self.env._(
                        "Overriding this is for: %s.",
                        self._oda_role_names(plan.override),
                    )
                )
        if not rules.enough_reason(reason):
            raise UserError(
                self.env._(
                    "Please write why, in at least %s letters: the reason stays in "
                    "the journal.",
                    rules.LEAST_REASON,
                )
            )
        for one in refusals:
            one.lead._oda_log_override(one, reason.strip()[:2000])
        return True

    def _oda_log_override(self, refusal, reason):
        self.env["oda.event"]._log(
            "crm.rule.override",
            self,
            reason=reason,
            kind=refusal.code,
            stage_from=refusal.was,
            stage_to=refusal.stage,
            rules=[f"{rule.kind}:{rule.name}" for rule in refusal.rules],
        )
        self._message_log(
            body=Markup("<p>%s</p><p>%s</p>")
            % (
                self.env._(
                    "Rule overridden: %s",
                    self.with_env(self.env)._oda_words(refusal),
                ),
                reason,
            )
        )

    # === TWO PEOPLE, ONE CARD ===#

    def _oda_refuse_outdated(self, vals):
        """Refuse to move a card that is no longer where the person saw it.

        The screens send `oda_seen_stage_id`; without it nothing is checked.
        """
        seen = self.env.context.get("oda_seen_stage_id")
        if "stage_id" not in vals or not isinstance(seen, int) or seen is False:
            return
        for lead in self:
            if lead.stage_id.id in (seen, vals["stage_id"]):
                continue
            who, when = lead._oda_last_move()
            raise UserError(
                self.env._(
                    "%(who)s moved “%(lead)s” to “%(stage)s” at %(when)s, while it was "
                    "on your screen. Reload the page and decide again.",
                    who=who,
                    lead=lead.name,
                    stage=lead.stage_id.name or "—",
                    when=when,
                )
            )

    def _oda_last_move(self):
        """Return `(name, local time as text)` of who put the card where it is."""
        # sudo: the tracked value tells who, which is what is asked
        moved = self.env["mail.tracking.value"].sudo().search(
            [
                ("field_id.name", "=", "stage_id"),
                ("mail_message_id.model", "=", self._name),
                ("mail_message_id.res_id", "=", self.id),
            ],
            order="id desc",
            limit=1,
        )  # fmt: skip
        message = moved.mail_message_id
        who = message.author_id.name or self.write_uid.name
        when = message.date or self.write_date
        local = fields.Datetime.context_timestamp(self, when)
        return who, f"{local:%d.%m.%Y %H:%M}"

    # === PROPERTIES OF A WRONG TYPE ===#

    def _oda_check_properties(self, given):
        if not given:
            return
        # sudo: the definition binds also those who may not read the flow
        for lead in self.sudo():
            values = lead.lead_properties._values or {}
            for one in lead.team_id.lead_properties_definition or ():
                if not rules.fits(one, values.get(one["name"])):
                    raise UserError(
                        self.env._(
                            "“%(value)s” is no answer to “%(field)s” (%(type)s).",
                            value=str(values.get(one["name"]))[:100],
                            field=one.get("string") or one["name"],
                            type=one.get("type"),
                        )
                    )
