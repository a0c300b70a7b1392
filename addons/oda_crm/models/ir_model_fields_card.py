# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models

from .. import layout


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def _oda_bridge(self):
        """Make the consultation show these fields of its beneficiary.

        A view cannot reach through `partner_id`; a related field of the consultation
        can, and is searched, grouped, imported and exported like any other.
        """
        lead = self.env["ir.model"]._get("crm.lead")
        wanted = []
        for one in self.filtered(lambda field: field.model == "res.partner"):
            name = layout.bridge_name(one.name)
            if name in self.env["crm.lead"]._fields:
                continue
            wanted.append(
                {
                    "model_id": lead.id,
                    "name": name,
                    "field_description": one.field_description,
                    "ttype": one.ttype,
                    "relation": one.relation,
                    "related": f"partner_id.{one.name}",
                    "domain": one.domain or "[]",
                    "currency_field": one.ttype == "monetary" and "company_currency",
                    "readonly": self.env[one.model]._fields[one.name].readonly,
                    "store": False,
                    "copied": False,
                }
            )
        if wanted:
            self.create(wanted)

    def unlink(self):
        """Take the fields off the cards, and their bridges with them."""
        names = {
            layout.bridge_name(field.name)
            for field in self
            if field.model == "res.partner" and field.state == "manual"
        }
        bridges = self.search(
            [
                ("model", "=", "crm.lead"),
                ("name", "in", list(names)),
                ("id", "not in", self.ids),
            ]
        )
        # sudo: who may remove a field may not know what the card shows
        rows = self.env["oda.card.field"].sudo().with_context(active_test=False)
        rows.search([("field_id", "in", self.ids)]).unlink()
        bridges.unlink()
        return super().unlink()
