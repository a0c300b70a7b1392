# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Who last spoke with either of two merged people is the adviser of the one."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_values(self, src_partners, dst_partner):
        done = super()._update_values(src_partners, dst_partner)
        dst_partner._oda_refresh_adviser()
        return done
