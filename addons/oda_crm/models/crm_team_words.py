# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmTeam(models.Model):
    """The centre's words for core's fields: a team is a flow. Nothing but labels."""

    _inherit = "crm.team"
    _description = "Flow"

    name = fields.Char(string="Flow")
    active = fields.Boolean(help="A flow that is not active is hidden, not deleted.")
    use_opportunities = fields.Boolean(
        string="Consultations", help="Consultations go through this flow."
    )
    use_leads = fields.Boolean(
        string="Inquiries", help="Inquiries are sorted before they are consultations."
    )
    member_ids = fields.Many2many(string="Consultants")
    crm_team_member_ids = fields.One2many(
        string="Members of the flow",
        help="Consultations are shared out among them.",
    )
    assignment_enabled = fields.Boolean(string="Sharing out")
    assignment_max = fields.Integer(
        string="Consultations a month",
        help="How many a month all consultants of the flow together can take.",
    )
    lead_all_assigned_month_count = fields.Integer(
        string="Shared out this month",
        help="Consultations shared out in the last thirty days.",
    )
    lead_unassigned_count = fields.Integer(string="Nobody's consultations")
