# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from .crm_lead_form import ADVICE_READERS


class ResPartner(models.Model):
    """What a beneficiary was advised on, and the form of a walk-in."""

    _inherit = "res.partner"

    oda_answer_ids = fields.One2many(
        "oda.instrument.answer",
        "partner_id",
        string="Advice received",
        readonly=True,
        groups=ADVICE_READERS,
    )
    oda_advised = fields.Json(
        string="Advised on", compute="_compute_oda_advised", groups=ADVICE_READERS
    )

    def _compute_oda_advised(self):
        chips = self.env["oda.instrument.answer"]._advised(self, "partner_id")
        for partner in self:
            partner.oda_advised = chips.get(partner.id, [])

    @api.model
    def _oda_session_form(self, **context):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_consultation_session"
        )
        return dict(
            action,
            name=self.env._("New session"),
            views=[(False, "form")],
            view_mode="form",
            context={"default_channel": "in_person", **context},
        )

    def action_oda_new_session(self):
        """Open the form of a walk-in; saving it finds or opens the consultation."""
        self.ensure_one()
        self.check_access("read")
        # One that is out of sight is found when the talk is saved.
        lead = self.env["crm.lead"]._oda_find_open(self)._filtered_access("read")
        return self._oda_session_form(
            default_partner_id=self.id, default_lead_id=lead.id, oda_open_case=True
        )
