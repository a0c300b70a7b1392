# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmTeamMember(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.team.member"
    _description = "Member of a Flow"

    user_id = fields.Many2one(string="Consultant")
    crm_team_id = fields.Many2one(string="Flow")
    assignment_enabled = fields.Boolean(string="Sharing out")
    assignment_max = fields.Integer(string="Consultations in 30 days, at most")
    lead_month_count = fields.Integer(
        string="Consultations (30 days)",
        help="Shared out to this consultant in the last thirty days.",
    )
