# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models

from .oda_timeline import SCOPE_MAX


class ResPartner(models.Model):
    """A beneficiary's timeline: own, of the firm's contacts, of all consultations."""

    _name = "res.partner"
    _inherit = ["res.partner", "oda.timeline"]

    def _oda_timeline_scope(self):
        cards = self.with_context(active_test=False)
        children = cards._search([("parent_id", "=", self.id)], limit=SCOPE_MAX)
        partners = [self.id, *children]
        leads = self.env["crm.lead"].with_context(active_test=False)
        if leads.has_access("read"):
            found = leads._search(
                [("partner_id", "in", partners)], order="id desc", limit=SCOPE_MAX
            )
        else:
            found = []
        return {"partners": partners, "leads": list(found), "by_lead": False}
