# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class CrmLead(models.Model):
    """A consultation's timeline: its own."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "oda.timeline"]

    def _oda_timeline_scope(self):
        return {"partners": self.partner_id.ids, "leads": self.ids, "by_lead": True}
