# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrHttp(models.AbstractModel):
    """A browser that starts knows whether it has something to ask."""

    _inherit = "ir.http"

    def session_info(self):
        info = super().session_info()
        leads = self.env["crm.lead"]
        if self.env.user._is_internal() and leads.has_access("write"):
            found = leads.search(leads._oda_orphans_domain(), limit=1)
            info["oda_orphans"] = bool(found)
        return info
