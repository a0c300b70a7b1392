# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmActivityReport(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.activity.report"
    _description = "Tasks Done"

    mail_activity_type_id = fields.Many2one(string="Kind of task")
    user_id = fields.Many2one(string="Responsible")
    lead_id = fields.Many2one(string="Consultation")
    team_id = fields.Many2one(string="Flow")
    partner_id = fields.Many2one(string="Beneficiary")
    tag_ids = fields.Many2many(help="Words of your own about the consultation.")
    lead_type = fields.Selection(help="All are consultations here.")
