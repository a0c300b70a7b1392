# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain


class CrmActivityReport(models.Model):
    """The report on tasks done: the lines of consultations that one sees."""

    _inherit = "crm.activity.report"

    @api.model
    def _oda_scope_domain(self, user, operation):
        leads = self.env["crm.lead"]._oda_scope_domain(user, operation)
        return leads if leads.is_true() else Domain("lead_id", "any!", leads)
