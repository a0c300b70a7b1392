# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrRule(models.Model):
    """Whoever is refused by the matrix is told so, in words one can act upon."""

    _inherit = "ir.rule"

    def _make_access_error(self, operation, records):
        error = super()._make_access_error(operation, records)
        guarded = isinstance(records, self.env.registry["oda.guarded"])
        if guarded and records._oda_beyond(operation):
            return records._oda_right_refusal(operation)
        return error
