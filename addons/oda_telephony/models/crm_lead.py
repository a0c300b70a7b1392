# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from odoo.addons.oda_crm.models.crm_lead import SESSION_READERS


class CrmLead(models.Model):
    _inherit = "crm.lead"

    oda_call_ids = fields.One2many(
        "oda.call", "lead_id", string="Calls", groups=SESSION_READERS
    )

    def _merge_dependences(self, opportunities):
        """The calls stay with the consultation that the others become."""
        done = super()._merge_dependences(opportunities)
        # sudo: all of them, as core lets this user merge the consultations
        calls = self.env["oda.call"].sudo()
        calls.search([("lead_id", "in", opportunities.ids)]).lead_id = self
        owed = self.env["oda.callback"].sudo()  # sudo: as above
        owed.search([("lead_id", "in", opportunities.ids)]).lead_id = self
        return done
