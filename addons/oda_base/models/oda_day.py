# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import holidays

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

COUNTRIES = [("MD", "Moldova"), ("RO", "Romania")]
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]
YEARS_AHEAD = 2
# The old single-byte code page had no letters with a comma below.
_COMMA_BELOW = str.maketrans("ŞşŢţ", "ȘșȚț")


class OdaDay(models.Model):
    """Days that are not what their weekday says: holidays, transferred days.

    Public holidays are seeded from the ``holidays`` library; what a person has
    edited is never touched by seeding again.
    """

    _name = "oda.day"
    _description = "Exceptional Day"
    _order = "date, country_code"

    date = fields.Date(required=True, index=True)
    country_code = fields.Selection(
        COUNTRIES, string="Country", required=True, default="MD"
    )
    kind = fields.Selection(
        [("holiday", "Day off"), ("working", "Working day")],
        required=True,
        default="holiday",
    )
    as_weekday = fields.Selection(
        WEEKDAYS,
        string="With the Hours of",
        help="A transferred working day takes the working hours of this weekday.",
    )
    name = fields.Char(required=True)
    source = fields.Selection(
        [("seed", "Public calendar"), ("edited", "Edited here")],
        required=True,
        default="edited",
        readonly=True,
        help="Days edited here are never changed by the yearly update.",
    )
    active = fields.Boolean(default=True)

    _date_unique = models.Constraint(
        "UNIQUE (country_code, date)",
        "This date is already in the list for this country. Archived days count too.",
    )
    _weekday_needed = models.Constraint(
        "CHECK (kind != 'working' OR as_weekday IS NOT NULL)",
        "Say which weekday's hours a transferred working day takes.",
    )

    @api.depends("name", "date")
    def _compute_display_name(self):
        for day in self:
            day.display_name = f"{day.date or ''} {day.name or ''}".strip()

    @api.model_create_multi
    def create(self, vals_list):
        days = super().create([{**vals, "source": "edited"} for vals in vals_list])
        self._forget()
        return days

    def write(self, vals):
        result = super().write({**vals, "source": "edited"})
        self._forget()
        return result

    def unlink(self):
        result = super().unlink()
        self._forget()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_seeded(self):
        if self.filtered(lambda day: day.source == "seed"):
            raise UserError(
                self.env._(
                    "A public holiday would come back with the next update of the "
                    "calendar. Archive it instead: an archived day is an ordinary day."
                )
            )

    @api.model
    def _overrides(self, country):
        """``{date: None | weekday}`` of one country, for ``worktime.WorkCalendar``."""
        # sudo: opening days are no secret, and connectors ask with few rights
        days = self.sudo().search_fetch(
            [("country_code", "=", country)], ["date", "kind", "as_weekday"]
        )
        return {
            day.date: int(day.as_weekday) if day.kind == "working" else None
            for day in days
        }

    @api.model
    def _seed(self, years=None):
        """Write the public holidays of ``years``; safe to rerun.

        :param years: iterable of int; by default this year and the next two
        :returns: the number of rows written

        Rows with source ``edited`` are left alone, active or archived. Seeded rows
        that the library no longer knows are removed.
        """
        if years is None:
            this = fields.Date.context_today(self).year
            years = range(this, this + YEARS_AHEAD + 1)
        years = sorted({int(year) for year in years})
        if not years:
            return 0
        rows = [
            (country, day, name.translate(_COMMA_BELOW))
            for country, _label in COUNTRIES
            for day, name in self._public_holidays(country, years)
        ]
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM oda_day
                WHERE source = 'seed' AND EXTRACT(year FROM date) IN %s
                  AND (country_code, date) NOT IN %s
                """,
                tuple(years),
                tuple((country, day) for country, day, _name in rows),
            )
        )
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO oda_day (country_code, date, name, kind, source, active,
                                     create_uid, create_date, write_uid, write_date)
                VALUES %s
                ON CONFLICT (country_code, date) DO UPDATE
                    SET name = excluded.name, write_date = excluded.write_date
                    WHERE oda_day.source = 'seed' AND oda_day.name != excluded.name
                """,
                SQL(", ").join(
                    SQL(
                        "(%s, %s, %s, 'holiday', 'seed', true, %s, %s, %s, %s)",
                        *row,
                        self.env.uid,
                        self.env.cr.now(),
                        self.env.uid,
                        self.env.cr.now(),
                    )
                    for row in rows
                ),
            )
        )
        written = self.env.cr.rowcount
        self.env.invalidate_all(flush=False)
        self._forget()
        return written

    @api.model
    def _public_holidays(self, country, years):
        """``(date, name)`` pairs of the library, names in Romanian."""
        calendar = holidays.country_holidays(country, years=years, language="ro")
        return sorted(calendar.items())

    @api.model
    def _forget(self):
        """Drop what ``oda.worktime`` remembers in this transaction."""
        self.env["oda.worktime"]._forget()
