# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models

from ..rules import is_answered


class OdaStageRule(models.Model):
    """Reading the answers: each kind for all consultations at once."""

    _inherit = "oda.stage.rule"

    # Answers of these kinds are deeds, judged only when the stage is left.
    _DEEDS = frozenset({"task", "instrument"})

    @api.model
    def _answers(self, leads, rules):
        """Return `{lead id: set of ids of the answered rules}`.

        A rule whose condition a consultation does not match counts as answered.

        :param leads: crm.lead records
        :param rules: sequence of plain `rules.Rule`
        """
        # sudo: whether there is an answer, not what it says
        leads = leads.sudo()
        answered = {lead.id: set() for lead in leads}
        by_kind = defaultdict(list)
        for rule in rules:
            by_kind[rule.kind].append(rule)
            if rule.condition:
                asked = self._asked(leads, rule.condition)
                for lead in leads - asked:
                    answered[lead.id].add(rule.id)
        for kind, of_kind in by_kind.items():
            for lead_id, rule_id in getattr(self, f"_answers_{kind}")(leads, of_kind):
                answered[lead_id].add(rule_id)
        return answered

    @api.model
    def _asked(self, leads, condition):
        """Return the leads a condition is about; a broken one is about nobody."""
        try:
            return leads.filtered_domain(condition)
        except (KeyError, ValueError, TypeError):
            return leads.browse()

    @api.model
    def _answers_field(self, leads, rules):
        """Yield `(lead id, rule id)` of answered fields; a hook, as all `_answers_…`.

        A number that was never given is 0 for Odoo, and so an answer unless strict.
        """
        for rule in rules:
            owner, _dot, name = rule.name.rpartition(".")
            for lead in leads:
                record = lead[owner] if owner else lead
                if record and is_answered(rule.type, record[name], rule.strict):
                    yield lead.id, rule.id

    @api.model
    def _answers_property(self, leads, rules):
        for lead in leads:
            values = lead.lead_properties._values if lead.lead_properties else {}
            for rule in rules:
                if is_answered(rule.type, values.get(rule.name), rule.strict):
                    yield lead.id, rule.id

    @api.model
    def _answers_task(self, leads, rules):
        """A task counts when done since the present stage was entered.

        Of stages that were skipped or are behind, any done task of the type counts.
        """
        by_type = defaultdict(list)
        for rule in rules:
            by_type[int(rule.name)].append(rule)
        # sudo: done is done, whoever did it
        done = self.env["mail.activity"].sudo().with_context(active_test=False)
        found = done._read_group(
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "in", leads.ids),
                ("activity_type_id", "in", list(by_type)),
                ("active", "=", False),
                ("date_done", "!=", False),
            ],
            ["res_id", "activity_type_id"],
            ["write_date:max", "date_done:max"],
        )
        known = {lead._origin.id: lead for lead in leads}
        for lead_id, type_, written, day in found:
            lead = known[lead_id]
            since = lead.date_last_stage_update
            fresh = not since or (
                written >= since and day >= fields.Date.to_date(since)
            )
            for rule in by_type[type_.id]:
                if fresh or rule.stage != lead.stage_id.id:
                    yield lead.id, rule.id
