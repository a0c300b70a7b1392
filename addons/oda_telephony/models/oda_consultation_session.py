# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaConsultationSession(models.Model):
    _inherit = "oda.consultation.session"

    oda_call_ids = fields.One2many("oda.call", "session_id", string="Call")
