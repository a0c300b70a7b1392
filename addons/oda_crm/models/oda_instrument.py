# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .. import instruments

KIND_NAMES = [
    ("tick", "Tick"),
    ("one", "Choose one"),
    ("several", "Choose several"),
    ("number", "Number"),
    ("text", "Text"),
    ("date", "Date"),
]
assert tuple(key for key, _name in KIND_NAMES) == instruments.KINDS


class OdaInstrument(models.Model):
    """Something a beneficiary is advised on, and how the session notes it.

    Administrators add, word, order and archive instruments; the next form that is
    opened shows them. Sessions keep the words they were asked with.
    """

    _name = "oda.instrument"
    _description = "Instrument"
    _order = "group_sequence, group_id, sequence, id"

    name = fields.Char(required=True, translate=True)
    group_id = fields.Many2one(
        "oda.instrument.group", required=True, ondelete="restrict", index=True
    )
    group_sequence = fields.Integer(
        related="group_id.sequence", store=True, string="Order of the group"
    )
    kind = fields.Selection(KIND_NAMES, required=True, default="tick")
    option_ids = fields.One2many("oda.instrument.option", "instrument_id")
    options_text = fields.Char(
        string="Options",
        compute="_compute_options_text",
        inverse="_inverse_options_text",
        help="What can be chosen, with a semicolon between two: Yes; No; Not yet",
    )
    unit = fields.Char(translate=True, help="After a number: lei, jobs, ha")
    help = fields.Char(
        translate=True, help="One line under the name, for the consultant."
    )
    team_ids = fields.Many2many(
        "crm.team", string="Flows", help="Where it is shown; none: in every flow."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    version_ids = fields.One2many(
        "oda.instrument.version", "instrument_id", string="Wordings", readonly=True
    )
    answer_count = fields.Integer(string="Answers", compute="_compute_answer_count")

    @api.depends("option_ids.name", "option_ids.sequence", "option_ids.active")
    @api.depends_context("lang")
    def _compute_options_text(self):
        for instrument in self:
            instrument.options_text = "; ".join(
                instrument.option_ids.sorted(lambda o: (o.sequence, o.id)).mapped(
                    lambda option: option.name or ""
                )
            )

    def _inverse_options_text(self):
        """Keep options of the same name, archive what is gone, add what is new."""
        Option = self.env["oda.instrument.option"]
        for instrument in self:
            names = self._split_options(instrument.options_text)
            known = {
                option.name: option
                for option in instrument.with_context(
                    active_test=False
                ).option_ids.sorted("active")
            }
            for place, name in enumerate(names, 1):
                vals = {"sequence": place * 10, "active": True}
                if name in known:
                    known[name].write(vals)
                else:
                    Option.create(dict(vals, name=name, instrument_id=instrument.id))
            gone = [known[name].id for name in known.keys() - set(names)]
            Option.browse(gone).active = False
        self.invalidate_recordset(["option_ids"])  # in their new order

    def _compute_answer_count(self):
        # sudo: how many there are, whoever's they are
        counts = dict(
            self.env["oda.instrument.answer"]
            .sudo()
            ._read_group(
                [("instrument_id", "in", self.ids)], ["instrument_id"], ["__count"]
            )
        )
        for instrument in self:
            instrument.answer_count = counts.get(instrument.sudo(), 0)  # sudo: its key

    @api.model
    def _split_options(self, text):
        names = (name.strip() for name in (text or "").split(";"))
        return list(dict.fromkeys(name for name in names if name))

    def write(self, vals):
        if "kind" in vals:
            changed = self.filtered(lambda one: one.kind != vals["kind"])
            changed._refuse_if_answered(
                self.env._(
                    "“%s” has answers of its kind: archive it and make a new one."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_if_never_answered(self):
        self._refuse_if_answered(
            self.env._("“%s” has answers: archive it, and they stay readable.")
        )

    def _refuse_if_answered(self, words):
        for instrument in self:
            if instrument.answer_count:
                raise UserError(words % instrument.name)

    def action_answers(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_instrument_answer"
        )
        action["domain"] = [("instrument_id", "=", self.id)]
        return action

    # === THE FORM'S CATALOGUE ===#

    @api.model
    @api.readonly
    def get_catalogue(self, team_id=False):
        """Return what a flow's consultation form shows, under the caller's rights.

        :param team_id: a flow; False gives the instruments of every flow
        :return: [{id, name, instruments: [{id, name, kind, unit, help,
            options: [{id, name}]}]}], in the order of the screen
        """
        domain = Domain.TRUE
        if team_id:
            domain = Domain("team_ids", "=", False) | Domain(
                "team_ids", "in", [team_id]
            )
        groups = {}
        for one in self.search(domain & Domain("group_id.active", "=", True)):
            if one.kind in ("one", "several") and not one.option_ids:
                continue  # nothing to choose from yet
            group = groups.setdefault(
                one.group_id.id,
                {"id": one.group_id.id, "name": one.group_id.name, "instruments": []},
            )
            group["instruments"].append(
                {
                    "id": one.id,
                    "name": one.name,
                    "kind": one.kind,
                    "unit": one.unit or "",
                    "help": one.help or "",
                    "options": [{"id": o.id, "name": o.name} for o in one.option_ids],
                }
            )
        return list(groups.values())
