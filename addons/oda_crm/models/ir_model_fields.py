# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def unlink(self):
        """Switch off the stage rules of the fields that go."""
        gone = {
            prefix + field.name
            for field in self
            for model, prefix in (("crm.lead", ""), ("res.partner", "partner_id."))
            if field.model == model
        }
        if gone:
            # sudo: who may remove a field may not know of the flows
            rules = self.env["oda.stage.rule"].sudo()
            found = rules.search([("kind", "=", "field"), ("path", "in", list(gone))])
            found._switch_off()
        return super().unlink()
