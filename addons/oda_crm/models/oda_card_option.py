# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools.sql import escape_psql

from .. import layout

# Which field an import looks a choice up for; it narrows a search, no more.
LOOKED_UP_FOR = "oda_option_field"


class OdaCardOption(models.Model):
    """A choice of a field that administrators added.

    Rows, not a selection of the field: they are renamed, translated and ordered
    without touching the model, and a hidden one stays readable where it was chosen.
    """

    _name = "oda.card.option"
    _description = "Choice of a Field"
    _order = "field_id, sequence, id"

    name = fields.Char(required=True, translate=True)
    field_id = fields.Many2one(
        "ir.model.fields", required=True, index=True, ondelete="cascade"
    )
    field_name = fields.Char(related="field_id.name", store=True, index=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    active = fields.Boolean(
        default=True,
        help="A hidden choice is offered no more; who chose it keeps it.",
    )

    @api.constrains("name")
    def _check_name(self):
        for option in self:
            if not 0 < len(layout.clean(option.name)) <= layout.LONGEST_LABEL:
                raise ValidationError(
                    self.env._("A choice has 1 to %s letters.", layout.LONGEST_LABEL)
                )

    @api.constrains("name", "field_id", "active")
    def _check_unique(self):
        for option in self.filtered("active"):
            same = self.search_count(
                [
                    ("field_id", "=", option.field_id.id),
                    ("name", "=ilike", escape_psql(option.name)),
                    ("id", "!=", option.id),
                ],
                limit=1,
            )
            if same:
                raise ValidationError(
                    self.env._("“%s” is among the choices already.", option.name)
                )

    @api.constrains("field_id")
    def _check_field(self):
        for option in self:
            if option.field_id.relation != self._name:
                raise ValidationError(
                    self.env._("Choices belong to a field that is chosen from a list.")
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_chosen(self):
        for field, options in self.grouped("field_id").items():
            # sudo: chosen on a card one may not see is chosen, too
            records = self.env[field.model].sudo().with_context(active_test=False)
            if records.search_count([(field.name, "in", options.ids)], limit=1):
                raise UserError(
                    self.env._(
                        "This choice was made on some cards: hide it instead of "
                        "deleting it, and the answers stay."
                    )
                )

    @api.model
    def _search_display_name(self, operator, value):
        found = super()._search_display_name(operator, value)
        if name := self.env.context.get(LOOKED_UP_FOR):
            found = Domain(found) & Domain("field_name", "=", str(name))
        return found

    @api.model
    def _oda_check_chosen(self, records, names):
        """Refuse a choice that belongs to another field.

        :param records: of any model with fields of administrators
        :param names: what was written
        """
        for name in names:
            field = records._fields.get(name)
            if field is None or field.comodel_name != self._name:
                continue
            owner = field.related.split(".")[-1] if field.related else name
            # sudo: names of choices are no secret
            if any(o.field_name != owner for o in records.sudo()[name]):
                raise ValidationError(
                    self.env._("“%s” has other choices.", field.string)
                )


class IrFieldsConverter(models.AbstractModel):
    _inherit = "ir.fields.converter"

    def db_id_for(self, model, field, subfield, value, savepoint):
        """Look a choice up among those of its own field: “Yes” may be in several."""
        if field.comodel_name == "oda.card.option":
            owner = field.related.split(".")[-1] if field.related else field.name
            self = self.with_context(**{LOOKED_UP_FOR: owner})
        return super().db_id_for(model, field, subfield, value, savepoint)
