# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

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
        names = {
            "name": self.env._("Name"),
            "first_name": self.env._("First name"),
            "last_name": self.env._("Last name"),
            "phone": self.env._("Phone"),
            "phone2": self.env._("Second phone"),
            "email": self.env._("Email"),
            "idnp": self.env._("IDNP"),
            "idno": self.env._("IDNO"),
            "company": self.env._("Company"),
            "function": self.env._("Job position"),
            "street": self.env._("Address"),
            "city": self.env._("Town"),
            "zip": self.env._("Postal code"),
            "ref": self.env._("Reference"),
            "website": self.env._("Website"),
            "birth": self.env._("Date or year of birth"),
            "note": self.env._("Note"),
            "legal_form": self.env._("Legal form"),
            "activity": self.env._("Field of activity (code or name)"),
            "locality": self.env._("Locality"),
            "district": self.env._("District"),
            "gender": self.env._("Gender"),
            "lang": self.env._("Language"),
            "tags": self.env._("Tags"),
            "staff": self.env._("Employees"),
            "founded": self.env._("Founded in"),
            "consent_processing": self.env._("Consent: processing of data"),
            "consent_news": self.env._("Consent: news"),
            "consent_calls": self.env._("Consent: calls"),
            "consent_sms": self.env._("Consent: SMS"),
            "consent_source": self.env._("Where the consent comes from"),
            "consent_at": self.env._("Day of the consent"),
        }
        imports = self.env["oda.import"]
        names.update(
            (target, field._description_string(self.env))
            for target, field in imports._oda_own_fields().items()
        )
        return [(one, names[one]) for one in imports._oda_targets()]

    def write(self, vals):
        if not self.env.su and not vals.keys() <= {"target"}:
            raise AccessError(self.env._("This is set by the system."))
        if vals.get("target"):
            if vals["target"] not in self.env["oda.import"]._oda_targets():
                raise UserError(self.env._("A column cannot be this: choose anew."))
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
