# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from .. import segments

#: What may make two beneficiaries alike, best first; those that are not installed
#: are passed over.
ALIKE = (
    "oda_locality_id",
    "city",
    "state_id",
    "oda_activity_class_id",
    "industry_id",
    "oda_size_class",
    "oda_legal_form",
    "is_company",
    "oda_gender",
    "oda_age_group",
    "lang",
    "category_id",
)
CHOSEN = {"oda_locality_id", "oda_activity_class_id", "oda_size_class", "category_id"}


# pylint: disable-next=no-wizard-in-models  # one model a file, in one place
class OdaSegmentSimilar(models.TransientModel):
    """Choose in what others are like this beneficiary; makes a segment."""

    _name = "oda.segment.similar"
    _description = "Similar beneficiaries"

    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", required=True, ondelete="cascade"
    )
    name = fields.Char(string="Name of the segment", required=True)
    line_ids = fields.One2many(
        "oda.segment.similar.line", "wizard_id", string="Alike in"
    )
    programmes = fields.Boolean(string="The programmes that they follow")
    programme_names = fields.Char(compute="_compute_programme_names")
    instruments = fields.Boolean(string="What they were advised on")
    instrument_names = fields.Char(
        string="Advised on", compute="_compute_instrument_names"
    )

    @api.depends("partner_id")
    def _compute_programme_names(self):
        for wizard in self:
            wizard.programme_names = ", ".join(
                wizard._programmes().mapped("display_name")
            )

    @api.depends("partner_id")
    def _compute_instrument_names(self):
        for wizard in self:
            names = wizard._instruments().mapped("name")
            wizard.instrument_names = ", ".join(names)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        partner = self.env["res.partner"].browse(values.get("partner_id")).exists()
        if partner and "line_ids" in fields:
            values["line_ids"] = [
                Command.create({"field_name": name, "chosen": name in CHOSEN})
                for name in self._filled(partner)
            ]
        if partner and "name" in fields:
            values["name"] = self.env._("Similar to %s", partner.display_name)
        return values

    @api.model
    def _filled(self, partner):
        """Return the names in `ALIKE` that say something of this person."""
        known = partner.fields_get(ALIKE, ["type"])
        return [name for name in ALIKE if name in known and partner[name]]

    def _programmes(self):
        return self.partner_id.oda_programme_follower_ids.filtered(
            lambda follower: not follower.unsubscribed_at
        ).programme_id

    def _instruments(self):
        groups = self.env["oda.instrument.answer"]._read_group(
            [("partner_id", "=", self.partner_id.id)], ["instrument_id"]
        )
        return self.env["oda.instrument"].union(*(one for (one,) in groups))

    def action_make(self):
        """Make the segment of the chosen fields and open it."""
        self.ensure_one()
        self.partner_id.check_access("read")
        names = set(self.line_ids.filtered("chosen").mapped("field_name"))
        values = {}
        for name in self._filled(self.partner_id):
            if name in names:
                value = self.partner_id[name]
                many = self.partner_id._fields[name].type == "many2many"
                is_record = isinstance(value, models.BaseModel)
                values[name] = value.ids if many else value.id if is_record else value
        domain = segments.similar(values)
        parts = []
        programmes = self._programmes() if self.programmes else None
        if programmes:
            condition = [
                ("programme_id", "in", programmes.ids),
                ("unsubscribed_at", "=", False),
            ]
            parts = [Command.create({"kind": "programme", "domain": repr(condition)})]
        if self.instruments and (advised := self._instruments()):
            condition = [("instrument_id", "in", advised.ids)]
            parts.append(Command.create({"kind": "advice", "domain": repr(condition)}))
        if not domain and not parts:
            raise UserError(
                self.env._("Choose at least one thing in which they are alike.")
            )
        segment = self.env["oda.segment"].create(
            {"name": self.name, "domain": repr(domain), "part_ids": parts}
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "oda.segment",
            "res_id": segment.id,
            "view_mode": "form",
        }


# pylint: disable-next=no-wizard-in-models  # the lines of the one above
class OdaSegmentSimilarLine(models.TransientModel):
    """One field in which beneficiaries may be alike, with what this one has there."""

    _name = "oda.segment.similar.line"
    _description = "What makes beneficiaries alike"

    wizard_id = fields.Many2one(
        "oda.segment.similar", required=True, index=True, ondelete="cascade"
    )
    field_name = fields.Char(required=True)
    chosen = fields.Boolean()
    label = fields.Char(string="Field", compute="_compute_label")
    value = fields.Char(compute="_compute_label")

    @api.depends("field_name", "wizard_id.partner_id")
    def _compute_label(self):
        known = self.env["res.partner"].fields_get(ALIKE, ["string", "selection"])
        for line in self:
            info = known.get(line.field_name, {})
            line.label = info.get("string", line.field_name)
            partner = line.wizard_id.partner_id
            value = partner[line.field_name] if info and partner else ""
            if isinstance(value, models.BaseModel):
                value = ", ".join(value.mapped("display_name"))
            elif value is True:
                value = self.env._("yes")
            line.value = dict(info.get("selection", ())).get(value, value)
