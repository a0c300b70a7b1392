# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


# pylint: disable-next=no-wizard-in-models  # labels of core's wizard, nothing else
class CrmMergeOpportunity(models.TransientModel):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.merge.opportunity"
    _description = "Merge Consultations"

    opportunity_ids = fields.Many2many(string="Consultations")
    user_id = fields.Many2one(string="Responsible")
    team_id = fields.Many2one(string="Flow")
