# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

# All languages at once. A language that is added is no new wording, the last one
# learns it; an option is.
# Two who do this at once: the second one's transaction is repeated.
_KEEP_WORDING = """
WITH present AS (
    SELECT i.id, i.kind, i.name, COALESCE(i.unit, '{}'::jsonb) AS unit,
           COALESCE((SELECT jsonb_object_agg(o.id::text, o.name)
                       FROM oda_instrument_option o
                      WHERE o.instrument_id = i.id AND o.active),
                    '{}'::jsonb) AS options
      FROM oda_instrument i WHERE i.id = ANY(%(ids)s)),
last AS (
    SELECT DISTINCT ON (instrument_id) *
      FROM oda_instrument_version WHERE instrument_id = ANY(%(ids)s)
     ORDER BY instrument_id, number DESC),
same AS (
    SELECT l.id, p.name, p.unit, p.options
      FROM present p JOIN last l ON l.instrument_id = p.id
     WHERE p.name @> l.name AND p.unit @> l.unit AND p.options @> l.options
       AND (SELECT count(*) FROM jsonb_object_keys(p.options))
         = (SELECT count(*) FROM jsonb_object_keys(l.options))),
learnt AS (
    UPDATE oda_instrument_version v
       SET name = s.name, unit = s.unit, options = s.options
      FROM same s
     WHERE s.id = v.id
       AND (v.name, COALESCE(v.unit, '{}'), v.options)
           IS DISTINCT FROM (s.name, s.unit, s.options))
INSERT INTO oda_instrument_version
    (instrument_id, number, kind, name, unit, options, by_id, since)
SELECT p.id, COALESCE(l.number, 0) + 1, p.kind, p.name, p.unit, p.options,
       %(uid)s, now() AT TIME ZONE 'UTC'
  FROM present p LEFT JOIN last l ON l.instrument_id = p.id
 WHERE l.id IS NULL OR l.id NOT IN (SELECT id FROM same)
ON CONFLICT (instrument_id, number) DO NOTHING
"""


class OdaInstrumentVersion(models.Model):
    """The wording in which an instrument was asked; answers point at it.

    Made when an answer is given and the wording is not that of the last version,
    whichever way it was changed (form, translation, import, SQL). Never changed.
    """

    _name = "oda.instrument.version"
    _description = "Wording of an Instrument"
    _log_access = False
    _order = "instrument_id, number desc"

    instrument_id = fields.Many2one(
        "oda.instrument", required=True, readonly=True, ondelete="cascade"
    )
    number = fields.Integer(required=True, readonly=True)
    kind = fields.Char(required=True, readonly=True)
    name = fields.Char(required=True, readonly=True, translate=True)
    unit = fields.Char(readonly=True, translate=True)
    options = fields.Json(
        readonly=True, help="Option id -> language -> its words when it was asked."
    )
    options_text = fields.Char(string="Options then", compute="_compute_options_text")
    since = fields.Datetime(
        readonly=True, help="When it was first answered in these words."
    )
    by_id = fields.Many2one("res.users", string="First answered by", readonly=True)

    _number_uniq = models.UniqueIndex("(instrument_id, number)")

    @api.depends("options")
    @api.depends_context("lang")
    def _compute_options_text(self):
        for version in self:
            version.options_text = "; ".join(
                version._option(int(option)) for option in sorted(version.options or {})
            )

    @api.depends("name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = f"{version.name} ({version.number})"

    def _option(self, option_id):
        """Return the words of an option as it was asked, in the person's language."""
        words = (self.options or {}).get(str(option_id)) or {}
        return words.get(self.env.lang or "en_US") or words.get("en_US") or ""

    @api.model
    def _of(self, instruments):
        """Return {instrument id: the version of its present wording}, made if new."""
        if not instruments:
            return {}
        self.env.flush_all()
        self.env.cr.execute(
            _KEEP_WORDING,
            {"ids": instruments.ids, "uid": self.env.uid},
            log_exceptions=False,
        )
        instruments.invalidate_recordset(["version_ids"], flush=False)
        self.invalidate_model(["name", "unit", "options"], flush=False)
        # sudo: everybody's answers point at wordings, whoever made them
        versions = self.sudo().search(
            [("instrument_id", "in", instruments.ids)], order="instrument_id, number"
        )
        return {version.instrument_id.id: version.id for version in versions}

    def write(self, vals):
        if not self.env.su:
            raise UserError(self.env._("What was asked is kept as it was asked."))
        return super().write(vals)
