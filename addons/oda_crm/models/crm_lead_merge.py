# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models

from .. import rules

_COLD = (
    "oda_cold_list_id",
    "oda_cold_outcome",
    "oda_cold_attempts",
    "oda_cold_due_at",
)


class CrmLead(models.Model):
    """Consultations that become one keep what core does not know of.

    Sessions are in `crm_lead.py`, tasks go with core's own; here are the programme,
    the seats, the place on a cold-call list and the answers to the flow's questions.
    """

    _inherit = "crm.lead"

    def _merge_get_fields(self):
        return super()._merge_get_fields() + ["oda_programme_id"]

    def _merge_dependences(self, opportunities):
        done = super()._merge_dependences(opportunities)
        # sudo: all of them, as core lets this user merge the consultations
        head, tails = self.sudo(), opportunities.sudo()
        seats = self.env["event.registration"].sudo()  # sudo: as above
        seats.search([("oda_lead_id", "in", tails.ids)]).oda_lead_id = head
        head._oda_merge_cold(tails)
        head._oda_merge_answers(tails)
        return done

    def _oda_merge_cold(self, tails):
        """A person who was to be called is called still; a settled call stays so."""
        listed = tails.filtered("oda_cold_list_id")[:1]
        if self.oda_cold_list_id or not listed:
            return
        values = listed.read(_COLD, load=None)[0]
        values.pop("id")
        listed.oda_cold_list_id = False  # a person stands on a list once
        self.env.flush_all()
        self.write(values)

    def _oda_merge_answers(self, tails):
        """Fill in what this one was not asked, and keep the answers of other flows."""
        kept, merged = self.oda_kept_answers or {}, {}
        for lead in tails[::-1]:
            answers = lead._oda_answered()
            if lead.team_id == self.team_id:
                merged.update(answers)
            elif answers and lead.team_id:
                kept = {**rules.merge_kept({}, lead.team_id.id, answers), **kept}
            kept = {**(lead.oda_kept_answers or {}), **kept}
        given = self._oda_answered()
        if merged.keys() - given.keys():
            self.lead_properties = {**merged, **given}
        if kept != (self.oda_kept_answers or {}):
            self.oda_kept_answers = kept

    def _oda_answered(self):
        """Return `{name: value}` of the flow's questions that have an answer."""
        values = self.lead_properties._values or {}
        return {
            one["name"]: values[one["name"]]
            for one in self.team_id.lead_properties_definition or ()
            if rules.is_answered(one["type"], values.get(one["name"]))
        }
