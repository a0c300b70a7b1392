# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmLostReason(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.lost.reason"
    _description = "Reason without Result"

    leads_count = fields.Integer(string="Consultations")
