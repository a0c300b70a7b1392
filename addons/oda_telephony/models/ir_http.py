# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the browser whether a phone number is a button here."""
        info = super().session_info()
        if self.env.user._is_internal():
            info["oda_dial"] = self.env["oda.call"]._dial_ability()
        return info
