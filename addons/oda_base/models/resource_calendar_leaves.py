# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class ResourceCalendarLeaves(models.Model):
    """Time off changes the hours that ``oda.worktime`` remembers."""

    _inherit = "resource.calendar.leaves"

    @api.model_create_multi
    def create(self, vals_list):
        result = super().create(vals_list)
        self.env["oda.worktime"]._forget()
        return result

    def write(self, vals):
        result = super().write(vals)
        self.env["oda.worktime"]._forget()
        return result

    def unlink(self):
        result = super().unlink()
        self.env["oda.worktime"]._forget()
        return result
