# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import identity


class ResPartner(models.Model):
    """Found by state number."""

    _inherit = "res.partner"

    # Who may be seen at all, without reading the cards: what counts of segments and
    # long lists begin with. The condition is written as the ORM asks it.
    _oda_members_idx = models.Index(
        "(id) INCLUDE (company_id, partner_share) WHERE active IS TRUE"
    )

    @api.model
    def _search_display_name(self, operator, value):
        """A typed IDNP or IDNO, in any form, finds whose it is."""
        domain = super()._search_display_name(operator, value)
        known = operator in ("ilike", "like", "=", "in", "=ilike")
        if not known or domain is NotImplemented:
            return domain
        texts = value if operator == "in" else [value]
        numbers = [number for text in texts if (number := identity.looks_like(text))]
        if not numbers:
            return domain
        found = Domain("oda_idno", "in", numbers)
        if self._has_field_access(self._fields["oda_idnp"], "read"):
            found |= Domain("oda_idnp", "in", numbers)
        return self._oda_few(found | Domain(domain))
