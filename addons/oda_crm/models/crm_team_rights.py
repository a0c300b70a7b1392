# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class CrmTeam(models.Model):
    """Who leads a flow is in it."""

    _inherit = "crm.team"

    @api.model_create_multi
    def create(self, vals_list):
        teams = super().create(vals_list)
        if any(vals.get("user_id") for vals in vals_list):
            self.env["oda.right"]._oda_apply_everywhere()
        return teams

    def write(self, vals):
        done = super().write(vals)
        if "user_id" in vals:
            self.env["oda.right"]._oda_apply_everywhere()
        return done
