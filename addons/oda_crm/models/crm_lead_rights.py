# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import rights


class CrmLead(models.Model):
    """Who works on a consultation: the responsible, and whoever had a talk on it."""

    _name = "crm.lead"
    _inherit = ["crm.lead", "oda.guarded"]
    _oda_subject = rights.CONSULTATION

    @api.model
    def _oda_scope_domain(self, user, operation):
        scope = user._oda_scope(self._oda_subject, operation)
        return self._oda_by_scope(scope, user)

    @api.model
    def _oda_own_domain(self, user, circle):
        return Domain("user_id", "=", user.id) | Domain(
            "oda_session_ids", "any!", Domain("user_id", "=", user.id)
        )

    @api.model
    def _oda_team_domain(self, circle):
        return (
            Domain("user_id", "in", [False, *circle.nobody])
            | Domain("team_id", "in", circle.flows)
            | self._oda_people_domain(circle.colleagues)
        )

    @api.model
    def _oda_people_domain(self, user_ids):
        return Domain("user_id", "in", user_ids)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_partner_id")
        self.env["res.partner"]._oda_check_reach(
            {vals.get("partner_id", default) for vals in vals_list}
        )
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("partner_id"):
            self.env["res.partner"]._oda_check_reach(
                {vals["partner_id"]} - set(self.partner_id.ids)
            )
        return super().write(vals)

    def _merge_opportunity(
        self, user_id=False, team_id=False, auto_unlink=True, max_length=5
    ):
        self._oda_require("merge")
        self.check_access("write")
        return super()._merge_opportunity(user_id, team_id, auto_unlink, max_length)
