# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Beneficiaries are merged by whoever may merge, among those they may edit."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        partners = self.env["res.partner"].browse(partner_ids).exists()
        partners._oda_require("merge")
        (partners | (dst_partner or partners)).check_access("write")
        return super()._merge(partner_ids, dst_partner, extra_checks)
