# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class CrmTeamMember(models.Model):
    """Who is in a flow sees its consultations, from that moment on."""

    _inherit = "crm.team.member"

    @api.model_create_multi
    def create(self, vals_list):
        members = super().create(vals_list)
        self.env["oda.right"]._oda_apply_everywhere()
        return members

    def write(self, vals):
        done = super().write(vals)
        self.env["oda.right"]._oda_apply_everywhere()
        return done

    def unlink(self):
        done = super().unlink()
        self.env["oda.right"]._oda_apply_everywhere()
        return done
