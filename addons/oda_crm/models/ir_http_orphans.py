# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrHttp(models.AbstractModel):
    """A browser that starts knows whether it has something to ask."""

    _inherit = "ir.http"

    def session_info(self):
        info = super().session_info()
        if self.env.user._is_internal():
            info["oda_orphans"] = bool(self.env["crm.lead"].oda_my_orphans()["leads"])
        return info
