# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import layout

# code -> (type of ir.model.fields, label)
KINDS = {
    "char": ("char", "Text, one line"),
    "text": ("text", "Long text"),
    "integer": ("integer", "Whole number"),
    "float": ("float", "Number with decimals"),
    "monetary": ("monetary", "Amount"),
    "date": ("date", "Date"),
    "boolean": ("boolean", "Yes or no"),
    "choice": ("many2one", "One of a list"),
    "choices": ("many2many", "Several of a list"),
}
CURRENCY = {"crm.lead": "company_currency", "res.partner": "oda_currency_id"}
_SAME_LABEL = """
SELECT t.value FROM ir_model_fields f, jsonb_each_text(f.field_description) t
 WHERE f.model = %s AND f.id != %s AND lower(trim(t.value)) = ANY(%s)
 LIMIT 1
"""


# pylint: disable-next=no-wizard-in-models  # it stands beside the rows that it makes
class OdaNewField(models.TransientModel):
    """A field that an administrator adds to the card, or the new names of one."""

    _name = "oda.new.field"
    _description = "New Field"

    card_field_id = fields.Many2one("oda.card.field")
    label_ro = fields.Char(string="Label in Romanian")
    label_ru = fields.Char(string="Label in Russian")
    label_en = fields.Char(string="Label in English")
    model = fields.Selection(
        [("crm.lead", "The consultation"), ("res.partner", "The beneficiary")],
        string="It is about",
        required=True,
        default="crm.lead",
        help="What is about the beneficiary is asked once and stands in all of their "
        "consultations.",
    )
    kind = fields.Selection(
        [(code, label) for code, (_type, label) in KINDS.items()],
        string="Type",
        required=True,
        default="char",
    )
    options = fields.Text(
        string="Choices", help="One a line. They can be changed and hidden later."
    )
    group_id = fields.Many2one("oda.card.group", string="In the group")
    on_kanban = fields.Boolean(string="In the kanban too")

    @api.model
    def default_get(self, fields):
        vals = super().default_get(fields)
        if row := self._oda_row(self.env.context.get("default_card_field_id")):
            names = row.field_id._fields["field_description"]._get_stored_translations(
                row.field_id
            )
            for lang, label in (names or {}).items():
                if (key := f"label_{lang[:2]}") in self._fields:
                    vals[key] = label
            vals.update(model=row.model, group_id=row.group_id.id)
        elif "group_id" in fields and not vals.get("group_id"):
            vals["group_id"] = self.env["oda.card.group"].search([], limit=1).id
        return vals

    @api.model
    def _oda_row(self, row_id):
        self.env["oda.card.layout"]._oda_may_change()
        return self.env["oda.card.field"].browse(row_id).exists() if row_id else None

    # === THE NEW FIELD ===#

    def action_make(self):
        """Make the field and put it on the card; refuse in words what cannot be."""
        self.ensure_one()
        self.env["oda.card.layout"]._oda_may_change()
        labels = self._oda_labels()
        if not self.group_id:
            raise UserError(self.env._("Choose the group that shows the field."))
        options = self._oda_options()
        name = self._oda_free_name(next(iter(labels.values())))
        vals = self._oda_field_vals(name, labels)
        field = self.env["ir.model.fields"].create(vals)
        self._oda_translate(field, labels)
        self.env["oda.card.option"].create(
            [
                {"name": option, "field_id": field.id, "sequence": 10 * number}
                for number, option in enumerate(options)
            ]
        )
        last = max(self.group_id.field_ids.mapped("sequence"), default=0)
        self.env["oda.card.field"].create(
            {
                "group_id": self.group_id.id,
                "field_id": field.id,
                "sequence": last + 10,
                "on_kanban": self.on_kanban,
                "width": "full" if self.kind == "text" else "half",
            }
        )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_rename(self):
        """Give a field that was added here its new names; its answers stay."""
        self.ensure_one()
        row = self._oda_row(self.card_field_id.id)
        if not row or not row.is_own:
            raise UserError(
                self.env._("Only fields that were added here can be renamed.")
            )
        labels = self._oda_labels(row.field_id)
        row._oda_changing()
        self._oda_translate(row.field_id, labels)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _oda_labels(self, field=None):
        """Return `{"ro": ..., ...}` of the labels given, each free and short enough.

        :raise UserError: in words, with what to do
        """
        labels = {
            lang: text
            for lang in ("ro", "ru", "en")
            if (text := layout.clean(self[f"label_{lang}"]))
        }
        if not labels:
            raise UserError(self.env._("Write the label in at least one language."))
        for text in labels.values():
            if len(text) > layout.LONGEST_LABEL:
                raise UserError(
                    self.env._(
                        "A label has at most %(most)s letters: “%(start)s…” is longer.",
                        most=layout.LONGEST_LABEL,
                        start=text[:20],
                    )
                )
        self.env["ir.model.fields"].flush_model()
        model = field.model if field else self.model
        lowered = [text.lower() for text in labels.values()]
        self.env.cr.execute(_SAME_LABEL, (model, field.id if field else 0, lowered))
        if same := self.env.cr.fetchone():
            raise UserError(
                self.env._(
                    "There is a field “%s” already: put that one on the card, "
                    "or choose another label.",
                    same[0],
                )
            )
        return labels

    def _oda_options(self):
        if self.kind not in ("choice", "choices"):
            return []
        lines = (layout.clean(line) for line in (self.options or "").splitlines())
        options = list(dict.fromkeys(line for line in lines if line))
        if len(options) < 2:
            raise UserError(self.env._("Write at least two choices, one a line."))
        if len(options) > layout.MOST_OPTIONS:
            raise UserError(
                self.env._(
                    "A list has at most %s choices: a longer one helps nobody.",
                    layout.MOST_OPTIONS,
                )
            )
        return options

    def _oda_free_name(self, label):
        fields_ = self.env["ir.model.fields"]
        # Two administrators at once: the second is repeated, and sees the first's.
        # sudo: the claims are nobody's
        self.env["oda.claim"].sudo()._claim("oda.new.field")
        ours = fields_.search(
            [("model", "in", list(CURRENCY)), ("name", "=like", "x\\_oda\\_%")]
        ).mapped("name")
        added = [name for name in ours if not name.startswith(layout.BRIDGE)]
        if len(added) >= layout.MOST_FIELDS:
            raise UserError(
                self.env._(
                    "There are %s added fields already: each makes every card slower. "
                    "Use one of them, or delete one that nobody fills in.",
                    len(added),
                )
            )
        taken = {*ours, *self.env["crm.lead"]._fields, *self.env["res.partner"]._fields}
        return layout.technical_name(label, taken)

    def _oda_field_vals(self, name, labels):
        ttype = KINDS[self.kind][0]
        vals = {
            "model_id": self.env["ir.model"]._get(self.model).id,
            "name": name,
            "field_description": labels.get("en") or next(iter(labels.values())),
            "ttype": ttype,
            "store": True,
            "copied": True,
        }
        if ttype == "monetary":
            vals["currency_field"] = CURRENCY[self.model]
        elif ttype in ("many2one", "many2many"):
            vals["relation"] = "oda.card.option"
            vals["domain"] = f"[('field_name', '=', '{name}')]"
        if ttype == "many2one":
            vals["on_delete"] = "restrict"
        elif ttype == "many2many":
            vals["relation_table"] = f"{name}_rel"
            vals["column1"], vals["column2"] = "record_id", "option_id"
        return vals

    def _oda_translate(self, field, labels):
        """Write the labels; a language without one of its own takes the first."""
        first = next(iter(labels.values()))
        words = {
            code: labels.get(code[:2], labels.get("en", first))
            for code, _name in self.env["res.lang"].get_installed()
        }
        words["en_US"] = labels.get("en", first)
        for code, label in words.items():
            field.with_context(lang=code).field_description = label
        field._oda_bridge_follow()
