# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Merging two contacts keeps the numbers of both."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys_generic(self, model, src_records, dst_record):
        if model == "res.partner":
            # sudo: numbers follow the contacts that core lets this user merge
            self.env["oda.phone"].sudo()._merge_partners(
                src_records.sudo(), dst_record.sudo()
            )
        return super()._update_foreign_keys_generic(model, src_records, dst_record)
