# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Who last spoke with either of two merged people is the adviser of the one.

    And whoever of them has a name gives it: a stranger's card is called after its
    number, and core would take over that the name is not known yet.
    """

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_values(self, src_partners, dst_partner):
        stranger = dst_partner.oda_is_new
        named = src_partners.filtered(lambda one: not one.oda_is_new)[-1:]
        done = super()._update_values(src_partners, dst_partner)
        if not stranger:
            dst_partner.oda_is_new = False
        elif named:
            dst_partner.write({"name": named.name, "oda_is_new": False})
        dst_partner._oda_refresh_adviser()
        return done
