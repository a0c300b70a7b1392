# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from .. import importing


class OdaImportColumn(models.Model):
    """What a column of a file holds. Chosen by hand once, it is remembered."""

    _name = "oda.import.column"
    _description = "Column of an Import"
    _order = "position, id"

    import_id = fields.Many2one(
        "oda.import", required=True, index=True, ondelete="cascade"
    )
    position = fields.Integer(readonly=True)
    header = fields.Char(readonly=True)
    key = fields.Char(compute="_compute_key", store=True, index=True)
    sample = fields.Char(string="First value", readonly=True)
    target = fields.Selection(
        selection="_oda_target_names",
        string="Is",
        help="Empty: the column is left out.",
    )
    by_hand = fields.Boolean(readonly=True)

    @api.depends("header")
    def _compute_key(self):
        for column in self:
            column.key = importing.normal(column.header or "")

    @api.model
    def _oda_target_names(self):
        _ = self.env._
        names = {
            "name": _("Name"),
            "first_name": _("First name"),
            "last_name": _("Last name"),
            "phone": _("Phone"),
            "phone2": _("Second phone"),
            "email": _("Email"),
            "idnp": _("IDNP"),
            "idno": _("IDNO"),
            "company": _("Company"),
            "function": _("Job position"),
            "street": _("Address"),
            "city": _("Town"),
            "zip": _("Postal code"),
            "ref": _("Reference"),
            "website": _("Website"),
            "birth": _("Date or year of birth"),
            "note": _("Note"),
        }
        return [(one, names[one]) for one in self.env["oda.import"]._oda_targets()]

    def write(self, vals):
        if "target" in vals:
            vals = dict(vals, by_hand=True)
        done = super().write(vals)
        if "target" in vals:
            # one column, one meaning: who gets it now takes it from the other
            for column in self.filtered("target"):
                others = (column.import_id.column_ids - column).filtered(
                    lambda one, target=column.target: one.target == target
                )
                super(OdaImportColumn, others).write({"target": False})
        return done
