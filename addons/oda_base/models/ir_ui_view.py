# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from .. import outside

_SMS_COMPOSERS = (
    "sms.res_partner_act_window_sms_composer_single",
    "sms.res_partner_act_window_sms_composer_multi",
    "crm_sms.crm_lead_act_window_sms_composer_single",
    "crm_sms.crm_lead_act_window_sms_composer_multi",
)


class IrUiView(models.Model):
    """No button for a helper whose address leads nowhere: it could only fail.

    Done where all views pass, since the helpers install themselves and some of
    them change the views of whoever comes after us. The result is cached.
    """

    _inherit = "ir.ui.view"

    def postprocess_and_fields(self, node, model=None, **options):
        shut = self._oda_shut_helpers()
        if shut:
            actions = [
                self.env["ir.model.data"]._xmlid_to_res_id(name)
                for name in _SMS_COMPOSERS
            ]
            outside.strip(node, shut, [one for one in actions if one])
        return super().postprocess_and_fields(node, model, **options)

    @api.model
    def _oda_shut_helpers(self):
        """Return the names of the paid helpers that lead nowhere, as a tuple."""
        # sudo: four addresses, read from the cache; only whether they are shut
        params = self.env["ir.config_parameter"].sudo()
        return tuple(
            helper
            for helper, name in outside.DOORS.items()
            if outside.SHUT in (params.get_param(name) or "")
        )


class Base(models.AbstractModel):
    _inherit = "base"

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        """A door opened again shows its buttons without a restart."""
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return key + (("oda_shut", self.env["ir.ui.view"]._oda_shut_helpers()),)
