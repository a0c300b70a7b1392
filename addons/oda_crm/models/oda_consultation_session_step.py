# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaConsultationSession(models.Model):
    """A session is a real step of its consultation."""

    _inherit = "oda.consultation.session"

    @api.model_create_multi
    def create(self, vals_list):
        sessions = super().create(vals_list)
        sessions.lead_id._oda_real_step()
        return sessions
