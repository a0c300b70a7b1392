# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaPbxGroup(models.Model):
    """A department of the exchange, by the name it has there."""

    _name = "oda.pbx.group"
    _description = "PBX Department"
    _order = "account_id, name"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    code = fields.Char(string="Id at the exchange", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    ext = fields.Char(string="Short number", readonly=True)
    is_gone = fields.Boolean(
        string="No longer there",
        readonly=True,
        help="The exchange did not name it when it was last asked.",
    )
    line_ids = fields.Many2many(
        "oda.pbx.user",
        "oda_pbx_group_user_rel",
        "group_id",
        "line_id",
        string="Who is in it",
        readonly=True,
    )

    _code_uniq = models.Constraint(
        "UNIQUE(account_id, code)", "This department is already on the list."
    )
