# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import UTC
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.exceptions import UserError

from ..worktime import NoWorkingTime, WorkCalendar

CACHE_KEY = "oda.worktime"


class OdaWorktime(models.AbstractModel):
    """Verbs about working time, over ``resource.calendar`` and ``oda.day``.

    Datetimes in and out are naive UTC, as Odoo stores them. ``calendar`` is a
    ``resource.calendar`` record, by default that of the current company;
    ``country`` says whose exceptional days count. The hours are worked out once a
    transaction, so a verb called in a loop costs no query after the first.
    """

    _name = "oda.worktime"
    _description = "Working Time"

    @api.model
    def _is_working(self, moment, calendar=None, country="MD"):
        """True when the house is open at ``moment``."""
        return self._working_calendar(calendar, country).is_working(_aware(moment))

    @api.model
    def _next_opening(self, moment, calendar=None, country="MD"):
        """``moment`` when open, else the next opening; UserError if there is none."""
        return self._ask("next_opening", calendar, country, moment)

    @api.model
    def _next_working_morning(self, moment, calendar=None, country="MD"):
        """First opening of a working day after ``moment``; UserError if none."""
        return self._ask("next_working_morning", calendar, country, moment)

    @api.model
    def _add_working_minutes(self, moment, minutes, calendar=None, country="MD"):
        """When ``minutes`` (int >= 0) of working time have passed; UserError."""
        return self._ask("add_working_minutes", calendar, country, moment, minutes)

    @api.model
    def _working_minutes_between(self, start, end, calendar=None, country="MD"):
        """Whole working minutes between two moments; negative when reversed."""
        return self._working_calendar(calendar, country).working_minutes_between(
            _aware(start), _aware(end)
        )

    @api.model
    def _working_calendar(self, calendar=None, country="MD"):
        """The :class:`~..worktime.WorkCalendar` behind the verbs (aware UTC in it).

        For a batch take it once and ask it as often as you like.
        """
        # sudo: opening hours are no secret, and connectors ask with few rights
        calendar = (calendar or self.env.company.resource_calendar_id).sudo()
        company = calendar.company_id or self.env.company
        # Attendances come from the ORM's cache, which an edit in this transaction
        # has already changed; they are part of the key, so nothing goes stale.
        template, breaks = self._template(calendar)
        key = (calendar.id, company.id, calendar.tz, country, template, breaks)
        cache = self.env.cr.cache.setdefault(CACHE_KEY, {})
        if key not in cache:
            cache[key] = WorkCalendar(
                template,
                ZoneInfo(calendar.tz or "Europe/Chisinau"),
                days=self.env["oda.day"]._overrides(country),
                closures=self._closures(calendar, company),
                breaks=breaks,
            )
        return cache[key]

    @api.model
    def _template(self, calendar):
        """Attendances as two tuples of rows: hours worked, breaks."""
        rows = {False: [], True: []}
        for line in calendar.attendance_ids:
            if line.display_type:
                continue  # the heading of a week
            week = int(line.week_type or 0) if calendar.two_weeks_calendar else None
            rows[line.day_period == "lunch"].append(
                (int(line.dayofweek), line.hour_from, line.hour_to, week)
            )
        return tuple(rows[False]), tuple(rows[True])

    @api.model
    def _closures(self, calendar, company):
        """Global time off of the calendar and of its company, as aware pairs."""
        leaves = (
            self.env["resource.calendar.leaves"]
            .sudo()  # sudo: opening hours are no secret
            .search_fetch(
                [
                    ("resource_id", "=", False),
                    ("calendar_id", "in", (False, calendar.id)),
                    ("company_id", "in", (False, company.id)),
                    ("time_type", "=", "leave"),
                ],
                ["date_from", "date_to"],
            )
        )
        return [(_aware(leave.date_from), _aware(leave.date_to)) for leave in leaves]

    @api.model
    def _ask(self, verb, calendar, country, moment, *args):
        try:
            found = getattr(self._working_calendar(calendar, country), verb)(
                _aware(moment), *args
            )
        except NoWorkingTime as error:
            raise UserError(self._no_working_time(error)) from error
        return found.replace(tzinfo=None)

    @api.model
    def _no_working_time(self, error):
        return self.env._(
            "No working time was found: look at the working schedule, its closures "
            "and the exceptional days. (%s)",
            error,
        )

    @api.model
    def _forget(self):
        """Drop the hours worked out in this transaction; a day has changed."""
        self.env.cr.cache.pop(CACHE_KEY, None)


def _aware(moment):
    return moment.replace(tzinfo=UTC)
