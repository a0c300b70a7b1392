# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import Command, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from .crm_lead import SESSION_READERS


class OdaInstrumentAnswer(models.Model):
    """What was noted under one instrument in one session: who advised what, when.

    A row stands for "advised on"; taking the tick away takes the row away. Nobody
    writes here directly: see `oda.consultation.session._set_answers`.
    """

    _name = "oda.instrument.answer"
    _description = "Advice on an Instrument"
    _log_access = False
    _order = "advised_at desc, id desc"
    _rec_name = "value"

    session_id = fields.Many2one(
        "oda.consultation.session", required=True, readonly=True, ondelete="cascade"
    )
    instrument_id = fields.Many2one(
        "oda.instrument", required=True, readonly=True, ondelete="restrict"
    )
    version_id = fields.Many2one(
        "oda.instrument.version",
        string="Wording",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    user_id = fields.Many2one(
        "res.users", string="Advised by", readonly=True, ondelete="restrict", index=True
    )
    answered_at = fields.Datetime(string="Noted", required=True, readonly=True)

    value_number = fields.Float(readonly=True, aggregator="avg", digits=False)
    value_text = fields.Text(readonly=True, groups=SESSION_READERS)
    value_date = fields.Date(readonly=True)
    value_option_ids = fields.Many2many(
        "oda.instrument.option",
        "oda_instrument_answer_option_rel",
        "answer_id",
        "option_id",
        string="Chosen",
        readonly=True,
        # A chosen option cannot be removed, not even by SQL.
        ondelete="restrict",
    )
    value = fields.Char(
        compute="_compute_value", groups=SESSION_READERS, string="Answer"
    )

    is_latest = fields.Boolean(
        string="The latest answer",
        compute="_compute_is_latest",
        search="_search_is_latest",
        help="No later session of this beneficiary that you may see answers it.",
    )

    # Beside the answer, so that reports group and search without a join.
    advised_at = fields.Datetime(
        related="session_id.started_at", store=True, string="When"
    )
    lead_id = fields.Many2one(related="session_id.lead_id", store=True)
    partner_id = fields.Many2one(related="session_id.partner_id", store=True)
    company_id = fields.Many2one(related="session_id.company_id", store=True)
    channel = fields.Selection(related="session_id.channel", store=True)
    team_id = fields.Many2one(related="lead_id.team_id", string="Flow", store=True)
    group_id = fields.Many2one(related="instrument_id.group_id", store=True)

    _session_uniq = models.UniqueIndex(
        "(session_id, instrument_id)", "One answer an instrument and session."
    )
    _lead_idx = models.Index(
        "(lead_id, instrument_id, advised_at DESC) WHERE lead_id IS NOT NULL"
    )
    _partner_idx = models.Index("(partner_id, instrument_id, advised_at DESC)")
    _instrument_idx = models.Index("(instrument_id, advised_at DESC)")
    _at_idx = models.Index("(company_id, advised_at DESC)")

    @api.depends("version_id", "value_number", "value_text", "value_date")
    @api.depends_context("lang")
    def _compute_value(self):
        for answer in self:
            answer.value = answer._in_words()

    def _compute_is_latest(self):
        latest = self.search(
            [("id", "in", self.ids), ("is_latest", "=", True)], order="id"
        )
        for answer in self:
            answer.is_latest = answer in latest

    @api.model
    def _search_is_latest(self, operator, value):
        """Latest of what the reader may see: what is hidden is not told by a gap."""
        if operator != "in" or len(value) != 1:
            return NotImplemented
        self.flush_model()
        seen = self._search(Domain.TRUE)
        latest = Domain(
            "id",
            "in",
            SQL(
                "(SELECT DISTINCT ON (partner_id, instrument_id) id"
                " FROM oda_instrument_answer WHERE id IN %s"
                " ORDER BY partner_id, instrument_id, advised_at DESC, id DESC)",
                seen.subselect(),
            ),
        )
        return latest if True in value else ~latest

    def _in_words(self):
        """Return the answer as it is read, in the words it was asked with."""
        self.ensure_one()
        # sudo: the wording and the options of an answer that one may read
        version, options = self.version_id.sudo(), self.sudo().value_option_ids
        match version.kind:
            case "number":
                number = self.value_number
                digits = 0 if number.is_integer() else 2
                shown = formatLang(self.env, number, digits=digits)
                return f"{shown} {version.unit or ''}".strip()
            case "text":
                return self.value_text or ""
            case "date":
                return format_date(self.env, self.value_date)
            case "one" | "several":
                return ", ".join(version._option(one.id) for one in options)
        return ""

    def _raw(self):
        """Return the value as `instruments.normalise` gives it, JSON-able."""
        self.ensure_one()
        # sudo: the options of an answer that one may read
        options = self.sudo().value_option_ids.ids
        match self.version_id.sudo().kind:  # sudo: as above
            case "number":
                return self.value_number
            case "text":
                return self.value_text or None
            case "date":
                return fields.Date.to_string(self.value_date) or None
            case "one":
                return options[0] if options else None
            case "several":
                return sorted(options) or None
        return True

    def _chip(self):
        """Return the answer as its session shows it: {id, name, value, date, count}."""
        self.ensure_one()
        version = self.version_id.sudo()  # sudo: the wording of what one may read
        return {
            "id": self.instrument_id.id,
            "name": version.name,
            "value": self._in_words(),
            "date": fields.Datetime.to_string(self.answered_at),
            "count": 1,
        }

    @api.model
    def _columns(self, kind, value):
        """Return the vals that keep a normalised value of this kind."""
        return {
            "value_number": value if kind == "number" else False,
            "value_text": value if kind == "text" else False,
            "value_date": value if kind == "date" else False,
            "value_option_ids": [
                Command.set(
                    [value] if kind == "one" else value if kind == "several" else []
                )
            ],
        }

    @api.model
    def _advised(self, records, inverse):
        """Return {record id: [{id, name, value, date, count}]}, latest first.

        :param records: consultations or beneficiaries, any number of them
        :param inverse: the field here that points at them
        """
        groups = self._read_group(
            [(inverse, "in", records.ids)],
            [inverse, "instrument_id"],
            ["advised_at:max", "__count"],
            order="advised_at:max desc",
        )
        chips = {}
        for record, instrument, last, count in groups:
            chips.setdefault(record.id, []).append(
                {
                    "id": instrument.id,
                    "name": instrument.name,
                    "value": "",
                    "date": fields.Datetime.to_string(last),
                    "count": count,
                }
            )
        return chips
