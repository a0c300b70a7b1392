# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError


class OdaInstrumentOption(models.Model):
    """One of the things that can be chosen for an instrument."""

    _name = "oda.instrument.option"
    _description = "Option of an Instrument"
    _order = "sequence, id"

    instrument_id = fields.Many2one(
        "oda.instrument", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    def write(self, vals):
        if "instrument_id" in vals and any(
            option.instrument_id.id != vals["instrument_id"] for option in self
        ):
            self._refuse_if_chosen(
                self.env._(
                    "“%s” was chosen in sessions: it stays with its instrument. "
                    "Archive it and add a new one where it is wanted."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_if_never_chosen(self):
        self._refuse_if_chosen(
            self.env._("“%s” was chosen in sessions: archive it instead.")
        )

    def _refuse_if_chosen(self, words):
        # sudo: whether it was chosen at all, whoever's session it was
        answers = self.env["oda.instrument.answer"].sudo()
        for option in self:
            if answers.search_count([("value_option_ids", "=", option.id)], limit=1):
                raise UserError(words % option.name)
