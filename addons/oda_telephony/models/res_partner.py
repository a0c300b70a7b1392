# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from odoo.addons.oda_crm.models.crm_lead import SESSION_READERS


class ResPartner(models.Model):
    _inherit = "res.partner"

    oda_call_ids = fields.One2many(
        "oda.call", "partner_id", string="Calls", groups=SESSION_READERS
    )
    oda_call_count = fields.Integer(
        compute="_compute_oda_call_count", groups=SESSION_READERS
    )

    def _compute_oda_call_count(self):
        counts = dict(
            self.env["oda.call"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.oda_call_count = counts.get(partner, 0)

    def action_oda_calls(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_telephony.action_oda_call"
        )
        action["domain"] = [("partner_id", "=", self.id)]
        action["context"] = {}
        return action
