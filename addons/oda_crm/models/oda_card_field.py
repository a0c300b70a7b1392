# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import layout

MODELS = ("crm.lead", "res.partner")
# Parts of the machine that tell a reader nothing, or have their place already.
_MACHINE = (
    "access_",
    "activity_",
    "avatar_",
    "image_",
    "message_",
    "my_activity_",
    "signup_",
    "website_message_",
)


class OdaCardField(models.Model):
    """A field of the consultation or of its beneficiary, in a group of the card."""

    _name = "oda.card.field"
    _inherit = "oda.card.layout"
    _description = "Field of a Card"
    _order = "group_id, sequence, id"
    _rec_name = "field_id"

    group_id = fields.Many2one(
        "oda.card.group", required=True, index=True, ondelete="cascade"
    )
    field_id = fields.Many2one(
        "ir.model.fields",
        required=True,
        index=True,
        ondelete="cascade",
        domain=lambda self: self._oda_choosable(),
        help="Of the consultation, or of its beneficiary; “Questions of the flow” are "
        "all of them, as the flow's own card asks them.",
    )
    model = fields.Char(related="field_id.model")
    kind_text = fields.Char(string="Type", compute="_compute_kind_text")
    is_own = fields.Boolean(compute="_compute_is_own")
    has_options = fields.Boolean(compute="_compute_is_own")
    sequence = fields.Integer(default=100)
    on_form = fields.Boolean(string="On the card", default=True)
    on_kanban = fields.Boolean(
        string="In the kanban",
        help=f"At most {layout.ON_KANBAN} fields a flow.",
    )
    width = fields.Selection(
        [("half", "Half"), ("full", "Full")], required=True, default="half"
    )
    active = fields.Boolean(
        default=True, help="A hidden field keeps its place and all its answers."
    )

    _field_uniq = models.UniqueIndex(
        "(group_id, field_id)", "This field stands in the group already."
    )

    @api.depends("field_id")
    def _compute_is_own(self):
        for row in self:
            field = row.field_id
            row.is_own = bool(field.name) and field.name.startswith(layout.PREFIX)
            row.has_options = row.is_own and field.relation == "oda.card.option"

    @api.depends("field_id")
    def _compute_kind_text(self):
        words = {
            "boolean": self.env._("Yes or no"),
            "char": self.env._("Text, one line"),
            "date": self.env._("Date"),
            "datetime": self.env._("Date and time"),
            "float": self.env._("Number with decimals"),
            "html": self.env._("Long text"),
            "integer": self.env._("Whole number"),
            "many2many": self.env._("Several of a list"),
            "many2one": self.env._("One of a list"),
            "monetary": self.env._("Amount"),
            "properties": self.env._("Questions"),
            "selection": self.env._("One of a list"),
            "text": self.env._("Long text"),
        }
        for row in self:
            row.kind_text = words.get(row.field_id.ttype)

    @api.model
    def _oda_choosable(self):
        """Return the domain of fields that may stand on a card."""
        return [
            ("model", "in", MODELS),
            ("ttype", "in", sorted(layout.SHOWN)),
            ("name", "not in", ("id", "display_name", "properties")),
            ("name", "not =like", "x\\_oda\\_p\\_%"),
            *(("name", "not =like", p.replace("_", "\\_") + "%") for p in _MACHINE),
        ]

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows.field_id._oda_bridge()
        return rows

    def write(self, vals):
        done = super().write(vals)
        if "field_id" in vals:
            self.field_id._oda_bridge()
        return done

    @api.constrains("field_id")
    def _check_field(self):
        for row in self:
            if not row.field_id.filtered_domain(self._oda_choosable()):
                raise UserError(
                    self.env._(
                        "“%s” cannot stand on a card: choose a field of the "
                        "consultation or of the beneficiary that holds one answer.",
                        row.field_id.field_description,
                    )
                )

    @api.constrains("field_id", "group_id", "on_kanban", "active")
    def _check_room(self):
        self._oda_check_room()

    def _oda_restore_label(self, label):
        """Give the field the label that the journal told of; no journal, no change.

        :param dict label: language -> text
        """
        self.ensure_one()
        field = self.field_id
        if not label or not self.is_own:
            return
        now = field._fields["field_description"]._get_stored_translations(field)
        langs = {code for code, _name in self.env["res.lang"].get_installed()}
        changed = {
            lang: text
            for lang, text in label.items()
            if lang in langs | {"en_US"} and (now or {}).get(lang) != text
        }
        for lang, text in changed.items():
            field.with_context(lang=lang).field_description = text
        if changed:
            field._oda_bridge_follow()

    # === BUTTONS ===#

    def action_rename(self):
        """Open the labels of a field that administrators added."""
        self.ensure_one()
        self._oda_may_change()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rename the field"),
            "res_model": "oda.new.field",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_card_field_id": self.id},
        }

    def action_options(self):
        """Open the choices of a field, to add, rename, order and hide them."""
        self.ensure_one()
        self._oda_may_change()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Choices of “%s”", self.field_id.field_description),
            "res_model": "oda.card.option",
            "views": [(False, "list")],
            "target": "new",
            "domain": [("field_id", "=", self.field_id.id)],
            "context": {"default_field_id": self.field_id.id, "active_test": False},
        }

    def action_preview(self):
        return self.group_id[:1].action_preview()
