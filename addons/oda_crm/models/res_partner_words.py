# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class ResPartner(models.Model):
    """The centre's words where core speaks of sales: labels of fields and of marks."""

    _inherit = "res.partner"

    user_id = fields.Many2one(string="Responsible")
    opportunity_count = fields.Integer(string="Number of consultations")

    def _compute_application_statistics_hook(self):
        data = super()._compute_application_statistics_hook()
        for partner in self:
            for mark in data[partner.id]:
                if mark.get("iconClass") == "fa-star":  # core crm's
                    mark["label"] = self.env._("Consultations")
        return data
