# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from .crm_lead import SESSION_READERS

ADVICE_READERS = f"{SESSION_READERS},oda_base.group_marketing"

_LATEST = """
SELECT DISTINCT ON (lead_id, instrument_id) id
  FROM oda_instrument_answer
 WHERE lead_id = ANY(%s) AND instrument_id = ANY(%s)
 ORDER BY lead_id, instrument_id, advised_at DESC, id DESC
"""


class CrmLead(models.Model):
    """What was advised in all sessions of a consultation."""

    _inherit = "crm.lead"

    oda_answer_ids = fields.One2many(
        "oda.instrument.answer",
        "lead_id",
        string="Advice given",
        readonly=True,
        groups=ADVICE_READERS,
    )
    oda_advised = fields.Json(
        string="Advised on", compute="_compute_oda_advised", groups=ADVICE_READERS
    )

    def _compute_oda_advised(self):
        chips = self.env["oda.instrument.answer"]._advised(self, "lead_id")
        for lead in self:
            lead.oda_advised = chips.get(lead.id, [])

    def _answers_instrument(self, instrument_ids):
        """Return {consultation id: {instrument id: value or None}}, the latest's.

        Values are those of `instruments.normalise`, a date as text: True, option id,
        option ids, number, text. Whoever asks: rules judge all that was answered.
        """
        answers = {lead.id: dict.fromkeys(instrument_ids) for lead in self}
        self.env["oda.instrument.answer"].flush_model()
        self.env.cr.execute(_LATEST, (self.ids, list(instrument_ids)))
        ids = [row[0] for row in self.env.cr.fetchall()]
        # sudo: what is answered counts for everybody
        for one in self.env["oda.instrument.answer"].sudo().browse(ids):
            answers[one.lead_id.id][one.instrument_id.id] = one._raw()
        return answers

    def action_oda_new_session(self):
        """Open the form of a talk in person about this consultation."""
        self.ensure_one()
        return self.partner_id._oda_session_form(
            default_partner_id=self.partner_id.id, default_lead_id=self.id
        )
