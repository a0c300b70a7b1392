# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .crm_lead_to_go_on import add_fill_fields, fill_fields


class ResPartner(models.Model):
    """Beneficiary data that open consultations needed to come where they are."""

    _inherit = "res.partner"

    def write(self, vals):
        asked = self.env["oda.stage.rule"]._asked_fields("res.partner")
        if asked.isdisjoint(vals):
            return super().write(vals)
        # sudo: the consultations count, whoever sees them
        leads = self.env["crm.lead"].sudo()
        leads = leads.search(
            leads._oda_open_domain() & Domain("partner_id", "in", self.ids)
        )
        before = leads._oda_standing()
        done = super().write(vals)
        # Judged in the name of who writes: the refusal speaks to them.
        leads.with_env(self.env)._oda_enforce(before, frozenset())
        return done

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return key + (fill_fields(self, view_type),)

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        return add_fill_fields(self, arch, view, view_type), view
