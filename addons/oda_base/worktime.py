# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""When the house is open: plain arithmetic over a weekly template.

Pure Python: no ``env``, no database. Times in and out are *aware* datetimes;
results are in UTC. All arithmetic is done on UTC instants, the wall clock is
used only to place the opening hours of a date, so a change of the clock can
neither lose nor invent a minute.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo

SEARCH_DAYS = 400  # days without one open minute before we give up
SPAN_DAYS = 36_600  # days (a century) one question may cover
DAY_MINUTES = 24 * 60
_ONE_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class NoWorkingTime(Exception):
    """The calendar has no opening hours where they were looked for.

    The text is for people; the model that calls us shows it as it is.
    """


class WorkCalendar:
    """Weekly opening hours, exceptional days and closures in one time zone.

    :param template: ``(weekday, hour_from, hour_to)`` or
        ``(weekday, hour_from, hour_to, week)``: weekday 0 is Monday, hours are
        local floats 0..24 (8.5 is 08:30), ``week`` is 0 or 1 for a calendar of
        two weeks (:func:`week_of`) and None for every week. Overlaps are merged.
    :param breaks: same shape, taken out of the template (lunch)
    :param days: ``{date: None}`` for a day off, ``{date: weekday}`` for a day
        worked with the hours of that weekday
    :param closures: ``(from, to)`` aware datetimes during which nobody works
    :param tz: the zone in which the hours are meant

    Periods are half open: at 17:00 a desk that closes at 17:00 is closed.
    Instances keep the periods they worked out; treat them as immutable.
    """

    def __init__(
        self,
        template: Iterable[tuple],
        tz: tzinfo,
        days: Mapping[date, int | None] | None = None,
        closures: Iterable[tuple[datetime, datetime]] = (),
        breaks: Iterable[tuple] = (),
    ):
        self.tz = tz
        self.days = dict(days or {})
        self.closures = _union((_utc(a), _utc(b)) for a, b in closures)
        self._closed_from = [start for start, _end in self.closures]
        breaks = list(breaks)
        template = list(template)
        self._hours = {
            (weekday, week): _subtract(
                _union(_minutes(template, weekday, week)),
                _union(_minutes(breaks, weekday, week)),
            )
            for weekday in range(7)
            for week in (0, 1)
        }
        self._open_at_all = any(self._hours.values())
        self._periods: dict[date, list] = {}

    # ---------------------------------------------------------------- questions
    @property
    def opens_at_all(self) -> bool:
        """False of a week without one opening hour."""
        return self._open_at_all

    def is_working(self, moment: datetime) -> bool:
        """True when somebody is at work at ``moment`` (aware)."""
        moment = _utc(moment)
        return any(a <= moment < b for a, b in self.periods(self._local(moment)))

    def next_opening(self, moment: datetime) -> datetime:
        """``moment`` itself when open, else the next opening. UTC.

        Raises :class:`NoWorkingTime` after ``SEARCH_DAYS`` closed days.
        """
        moment = _utc(moment)
        for start, end in self._periods_from(moment):
            if moment < end:
                return max(moment, start)
        raise self._nothing(moment)  # pragma: no cover (the generator raises)

    def next_working_morning(self, moment: datetime) -> datetime:
        """The first opening of a day, strictly after ``moment``. UTC.

        At 07:00 of a working day it is that day's opening, at 10:00 the next one's.
        """
        moment = _utc(moment)
        for start, _end in self._periods_from(moment):
            if start > moment and start == self.periods(self._local(start))[0][0]:
                return start
        raise self._nothing(moment)  # pragma: no cover (the generator raises)

    def add_working_minutes(self, moment: datetime, minutes: int) -> datetime:
        """The moment at which ``minutes`` (>= 0) of working time have passed. UTC.

        With 0 minutes it is :meth:`next_opening`. The last minute before closing
        ends at the closing, not at the next opening. Negative minutes: ValueError.
        """
        if minutes < 0:
            raise ValueError("Working minutes to add must not be negative.")
        if not minutes:
            return self.next_opening(moment)
        moment = _utc(moment)
        left = timedelta(minutes=minutes)
        for start, end in self._periods_from(moment):
            start = max(start, moment)
            if start >= end:
                continue
            if left <= end - start:
                return start + left
            left -= end - start
        raise self._nothing(moment)  # pragma: no cover (the generator raises)

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from ``start`` to ``end``; negative if reversed."""
        start, end = _utc(start), _utc(end)
        if end < start:
            return -self.working_minutes_between(end, start)
        if (end - start).days > SPAN_DAYS:
            raise ValueError("Working time can be counted over a century at most.")
        total = timedelta()
        day, last = self._local(start), self._local(end)
        while day <= last:
            for a, b in self.periods(day):
                total += max(min(b, end) - max(a, start), timedelta())
            if day == date.max:
                break
            day += _ONE_DAY
        return total // _MINUTE

    def periods(self, day: date) -> list[tuple[datetime, datetime]]:
        """Open periods of a local date, in order, as UTC pairs."""
        found = self._periods.get(day)
        if found is None:
            found = self._periods[day] = self._work_out(day)
        return found

    # ----------------------------------------------------------------- plumbing
    def _work_out(self, day: date) -> list[tuple[datetime, datetime]]:
        weekday = self.days.get(day, day.weekday())
        if weekday is None:
            return []
        spans = [
            (self._instant(day, a), self._instant(day, b))
            for a, b in self._hours[weekday, week_of(day)]
        ]
        spans = [(a, b) for a, b in spans if a < b]
        if not spans or not self.closures:
            return spans
        first = max(bisect_right(self._closed_from, spans[0][0]) - 1, 0)
        last = bisect_right(self._closed_from, spans[-1][1])
        return _subtract(spans, self.closures[first:last])

    def _instant(self, day: date, minute: int) -> datetime:
        """UTC instant at which the local clock first shows, or jumps over, it."""
        if minute == DAY_MINUTES:
            day, minute = day + _ONE_DAY, 0
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        instant = wall.replace(tzinfo=self.tz).astimezone(UTC)
        if instant.astimezone(self.tz).replace(tzinfo=None, fold=0) == wall:
            return instant
        # The clock jumped over this time: the instant of the jump stands for it.
        # It lies between the readings with the new and with the old offset.
        low = wall.replace(tzinfo=self.tz, fold=1).astimezone(UTC)
        low, high = min(low, instant), max(low, instant)
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            if middle.astimezone(self.tz).replace(tzinfo=None) < wall:
                low = middle
            else:
                high = middle
        return high.replace(microsecond=0)

    def _local(self, moment: datetime) -> date:
        return moment.astimezone(self.tz).date()

    def _periods_from(self, moment: datetime):
        """Periods from the local date of ``moment`` on; ends by NoWorkingTime."""
        if not self._open_at_all:
            raise self._nothing(moment)
        day = self._local(moment)
        closed = 0
        for _count in range(SPAN_DAYS):
            found = self.periods(day)
            yield from found
            closed = 0 if found else closed + 1
            if closed > SEARCH_DAYS or date.max - day < 2 * _ONE_DAY:
                break
            day += _ONE_DAY
        raise self._nothing(moment)

    def _nothing(self, moment: datetime) -> NoWorkingTime:
        day = self._local(moment).isoformat()
        if not self._open_at_all:
            return NoWorkingTime("The working schedule has no opening hours at all.")
        return NoWorkingTime(
            f"No working time was found in {SEARCH_DAYS} days after {day}: "
            "look at the working schedule, its closures and the exceptional days."
        )


def week_of(day: date) -> int:
    """0 or 1, alternating every Monday: the week of a two-week calendar.

    Counted from the first day of year 1, like Odoo's ``get_week_type``, so a year
    of 53 weeks does not put two equal weeks side by side.
    """
    return (day.toordinal() - 1) // 7 % 2


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("An aware datetime is needed here.")
    return moment.astimezone(UTC)


def _minutes(rows, weekday: int, week: int):
    """Rows of one weekday and week -> (from, to) minutes of the day, in 0..1440."""
    for row in rows:
        day, hour_from, hour_to, *rest = row
        if int(day) != weekday or (rest and rest[0] not in (None, week)):
            continue
        yield tuple(
            min(max(round(hour * 60), 0), DAY_MINUTES) for hour in (hour_from, hour_to)
        )


def _union(spans) -> list[tuple]:
    """Sorted, disjoint, non-empty spans covering the same ground."""
    merged: list[tuple] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _subtract(spans, holes) -> list[tuple]:
    """Spans without the holes; both sorted and disjoint."""
    left = []
    for start, end in spans:
        for a, b in holes:
            if b <= start or a >= end:
                continue
            if a > start:
                left.append((start, a))
            start = max(start, b)
            if start >= end:
                break
        if start < end:
            left.append((start, end))
    return left
