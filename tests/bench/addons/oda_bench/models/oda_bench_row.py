# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaBenchRow(models.Model):
    """What the bare peer of the inbox stores: the payload and when it came."""

    _name = "oda.bench.row"
    _description = "Row of the bench"
    _log_access = False

    received_at = fields.Datetime()
    body = fields.Text()
