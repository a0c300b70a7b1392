# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmStage(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "crm.stage"

    fold = fields.Boolean(string="Folded on the board")
    team_ids = fields.Many2many(string="Flows")
    rotting_threshold_days = fields.Integer(
        help="Consultations that have stood in the stage for so many days are marked; "
        "0: none is."
    )
