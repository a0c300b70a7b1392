# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Days and hours of tasks: plain arithmetic over a ``WorkCalendar``.

Pure Python: no ``env``. Moments in and out are *aware* datetimes, days are local
dates; ``calendar`` is :class:`odoo.addons.oda_base.worktime.WorkCalendar`.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

SEARCH_DAYS = 400  # days without one open minute before we give up
CLOSING = time(18, 0)  # of a day on which nobody works
_ONE_DAY = timedelta(days=1)


def shift_days(calendar, day: date, days: int) -> date:
    """The working day ``days`` working days after ``day``; before when negative.

    0 gives ``day`` itself or the next working day. Without any working day in
    ``SEARCH_DAYS`` days it is the plain calendar day.
    """
    step = _ONE_DAY if days >= 0 else -_ONE_DAY
    found, left = day, abs(days)
    if not left:
        left, found = 1, day - _ONE_DAY
    closed = 0
    while left:
        found += step
        if calendar.periods(found):
            left, closed = left - 1, 0
            continue
        closed += 1
        if closed > SEARCH_DAYS:
            return day + days * _ONE_DAY
    return found


def end_of_day(calendar, day: date, zone: tzinfo) -> datetime:
    """The closing of a working day, or 18:00 in ``zone`` when nobody works. UTC."""
    periods = calendar.periods(day)
    if periods:
        return periods[-1][1]
    return at_local(day, CLOSING, zone)


def at_local(day: date, wall: time, zone: tzinfo) -> datetime:
    """The UTC moment at which a local clock shows ``wall`` on ``day``."""
    return datetime.combine(day, wall.replace(tzinfo=None), zone).astimezone(UTC)


def on_day(moment: datetime, day: date, zone: tzinfo) -> datetime:
    """``moment`` put on another day, the local clock showing the same. UTC."""
    return at_local(day, moment.astimezone(zone).time(), zone)


def minutes_before(calendar, now: datetime, minutes: int) -> datetime | None:
    """The latest moment since which ``minutes`` of working time have passed. UTC.

    ``working_minutes_between(t, now) >= minutes`` holds for it and for every
    earlier moment, for no later one. None when there is no such moment within
    ``SEARCH_DAYS`` closed days. Minutes below 1 are taken for none: ``now``.
    """
    now = now.astimezone(UTC)
    left = timedelta(minutes=max(minutes, 0))
    if not left:
        return now
    day, closed = now.astimezone(calendar.tz).date(), 0
    while closed <= SEARCH_DAYS:
        worked = False
        for start, end in reversed(calendar.periods(day)):
            end = min(end, now)
            if start >= end:
                continue
            worked = True
            if left <= end - start:
                return end - left
            left -= end - start
        closed = 0 if worked else closed + 1
        day -= _ONE_DAY
    return None
