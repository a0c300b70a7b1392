# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaWorktime(models.AbstractModel):
    """Who is away, and when the house is open, is cached for routing."""

    _inherit = "oda.worktime"

    @api.model
    def _forget(self):
        self.env.registry.clear_cache()
        return super()._forget()
