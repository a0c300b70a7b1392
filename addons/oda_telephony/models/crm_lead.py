# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from odoo.addons.oda_crm.models.crm_lead import SESSION_READERS


class CrmLead(models.Model):
    _inherit = "crm.lead"

    oda_call_ids = fields.One2many(
        "oda.call", "lead_id", string="Calls", groups=SESSION_READERS
    )
