# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaContactRefusal(models.Model):
    """A beneficiary's "do not write to me about this", until they say otherwise."""

    _name = "oda.contact.refusal"
    _description = "Wish not to be told"
    _order = "id desc"

    partner_id = fields.Many2one(
        "res.partner",
        string="Beneficiary",
        required=True,
        index=True,
        ondelete="cascade",
    )
    purpose = fields.Char(required=True)
    at = fields.Datetime(required=True, default=fields.Datetime.now)

    _once = models.Constraint(
        "UNIQUE(partner_id, purpose)", "This wish is known already."
    )
