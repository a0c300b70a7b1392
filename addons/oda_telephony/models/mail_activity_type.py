# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import UserError


class MailActivityType(models.Model):
    """The type by which tasks of calls to return are known stays."""

    _inherit = "mail.activity.type"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_callback(self):
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        kind = ref("oda_telephony.activity_type_callback", raise_if_not_found=False)
        if kind in self.ids:
            raise UserError(
                self.env._(
                    "Missed calls need this type of task: rename it or archive it."
                )
            )
