# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models
from odoo.exceptions import UserError

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
                    "field_description": self._oda_bridge_label(one),
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
            self.create(wanted)._oda_bridge_rename()

    def _oda_bridge_label(self, field):
        """Tell the beneficiary's field from the consultation's own of the same name."""
        return self.env._("Beneficiary: %s", field.field_description)

    def _oda_bridge_follow(self):
        """Have the consultation's copy of a beneficiary's field called like it."""
        self.ensure_one()
        bridge = layout.bridge_name(self.name)
        if self.model == "res.partner" and bridge in self.env["crm.lead"]._fields:
            self._get("crm.lead", bridge)._oda_bridge_rename()

    def _oda_bridges(self):
        """Return all bridges there are."""
        return self.search(
            [
                ("model", "=", "crm.lead"),
                ("state", "=", "manual"),
                ("name", "=like", layout.BRIDGE.replace("_", "\\_") + "%"),
            ]
        )

    def _oda_bridge_rename(self):
        """Give bridges the labels of their beneficiary's fields, in every language."""
        for bridge in self.filtered("related"):
            field = self._get("res.partner", bridge.related.split(".")[1])
            for code, _name in self.env["res.lang"].get_installed():
                in_lang = bridge.with_context(lang=code)
                label = in_lang._oda_bridge_label(field.with_context(lang=code))
                if in_lang.field_description != label:
                    in_lang.field_description = label

    def write(self, vals):
        """Rules, segments and imports know a field by its name: labels change."""
        name = vals.get("name")
        if name and any(
            one.name != name and one.name.startswith(layout.PREFIX) for one in self
        ):
            raise UserError(
                self.env._(
                    "The technical name of a field stays: rules, segments and imports "
                    "know it by that. Rename its label on “What does the card show?”."
                )
            )
        return super().write(vals)

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
        if bridges:
            bridges.unlink()
        return super().unlink()
