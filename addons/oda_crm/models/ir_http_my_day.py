# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrHttp(models.AbstractModel):
    """Whoever has chosen no home page begins with their day."""

    _inherit = "ir.http"

    def session_info(self):
        info = super().session_info()
        user = self.env.user
        if (
            not info.get("home_action_id")
            and user._is_internal()
            and user.has_group("oda_base.group_consultant")
        ):
            ref = self.env["ir.model.data"]._xmlid_to_res_id
            info["home_action_id"] = ref("oda_crm.action_my_day")
        return info
