# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import rights
from .people import is_system, whole


class ResPartner(models.Model):
    """Whose beneficiary it is: the adviser's, the responsible's, of whoever talked
    with them or has a consultation of theirs. The house's own contacts are seen by
    all who work in it."""

    _name = "res.partner"
    _inherit = ["res.partner", "oda.guarded"]
    _oda_subject = rights.BENEFICIARY

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_parent_id")
        self._oda_check_reach({vals.get("parent_id", default) for vals in vals_list})
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("parent_id"):
            self._oda_check_reach({vals["parent_id"]} - set(self.parent_id.ids))
        return super().write(vals)

    @api.model
    def _oda_check_reach(self, partner_ids):
        """Refuse to hang a record on people whom one may not see.

        A contact is called after its firm and has its address; a consultation makes
        its beneficiary one's own. Asked beforehand, for that very reason.
        """
        ids = whole(partner_ids)
        if ids and not is_system(self.env):
            self.browse(ids).check_access("read")

    @api.model
    def _oda_scope_domain(self, user, operation):
        scope = user._oda_scope(self._oda_subject, operation)
        domain = self._oda_by_scope(scope, user)
        if scope == "all":
            return domain
        # No beneficiaries: people who log in to work here, and our own companies.
        house = Domain("partner_share", "=", False) | Domain(
            "id", "in", user._oda_circle().companies
        )
        return domain | house if operation == "read" else domain & ~house

    @api.model
    def _oda_nobodys_domain(self, nobody):
        nobody = [False, *nobody]
        return Domain("oda_adviser_id", "in", nobody) & Domain("user_id", "in", nobody)

    @api.model
    def _oda_own_domain(self, user, circle):
        mine = Domain("user_id", "=", user.id)
        return (
            mine
            | Domain("oda_adviser_id", "=", user.id)
            | Domain("oda_session_ids", "any!", mine)
            | Domain("opportunity_ids", "any!", mine)
            | (
                Domain("create_uid", "=", user.id)
                & self._oda_nobodys_domain(circle.nobody)
            )
        )

    @api.model
    def _oda_team_domain(self, circle):
        return (
            self._oda_nobodys_domain(circle.nobody)
            | Domain("opportunity_ids", "any!", Domain("team_id", "in", circle.flows))
            | self._oda_people_domain(circle.colleagues)
        )

    @api.model
    def _oda_people_domain(self, user_ids):
        return Domain("oda_adviser_id", "in", user_ids) | Domain(
            "user_id", "in", user_ids
        )
