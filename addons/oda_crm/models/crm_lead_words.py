# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmLead(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.lead"
    _description = "Consultation"

    name = fields.Char(string="Consultation")
    partner_id = fields.Many2one(string="Beneficiary")
    user_id = fields.Many2one(string="Responsible")
    team_id = fields.Many2one(string="Flow")
    lead_properties = fields.Properties(string="Questions of the flow")
    description = fields.Html(string="Notes")
    partner_name = fields.Char(string="Firm")
    contact_name = fields.Char(string="Person")
    date_open = fields.Datetime(string="Taken up on")
    date_closed = fields.Datetime(string="Closed on")
    lost_reason_id = fields.Many2one(string="Why without result")
    source_id = fields.Many2one(string="Where from")
    tag_ids = fields.Many2many(help="Words of your own about the consultation.")
    campaign_id = fields.Many2one(
        help="The campaign that brought the person, such as “Autumn fair”."
    )
    medium_id = fields.Many2one(
        help="The way it reached them: letter, e-mail, poster, radio."
    )
    duplicate_lead_count = fields.Integer(string="Number of similar consultations")
