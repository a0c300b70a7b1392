# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Somebody's day: what is in which lane, in what order, in what words of time.

Pure Python: no ``env``. Moments are naive UTC, as Odoo stores them; ``zone`` is where
the person lives, so that a day begins at their midnight.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

NOW, TODAY, RISK = LANES = ("now", "today", "risk")
SOON = timedelta(minutes=10)  # a promised call is called for so long before its time
HOURS = (8, 18)  # hours a heat map shows at least, the last one included
SHADES = 4  # of a heat map, above nothing
_NEVER = datetime.max


@dataclass(frozen=True)
class Day:
    """A local day around ``now``: from ``start`` up to, without, ``end``."""

    now: datetime
    start: datetime
    end: datetime
    zone: tzinfo

    @classmethod
    def of(cls, now: datetime, zone: tzinfo) -> "Day":
        today = _local(now, zone).date()
        return cls(
            now, _midnight(today, zone), _midnight(today + timedelta(1), zone), zone
        )

    def hour(self, hour: int) -> tuple[datetime, datetime]:
        """The hour that a local clock calls ``hour`` (0..23): from, until."""
        today = _local(self.now, self.zone).date()
        begin = datetime.combine(today, time(hour), self.zone).astimezone(UTC)
        # By the clock, not by adding: the hour that comes twice lasts two.
        until = (
            self.end
            if hour == 23
            else _naive(datetime.combine(today, time(hour + 1), self.zone))
        )
        return begin.replace(tzinfo=None), until


def _local(moment, zone):
    return moment.replace(tzinfo=UTC).astimezone(zone)


def _naive(moment):
    return moment.astimezone(UTC).replace(tzinfo=None)


def _midnight(date, zone):
    return _naive(datetime.combine(date, time(), zone))


# === LANES ===#


def window(kind: str, day: Day) -> tuple[datetime | None, datetime]:
    """From when, up to when (without) tasks of a kind are due; None: from ever.

    ``late``: left from the days before; ``call``: promised calls whose time has come;
    ``task``: all others of today.
    """
    if kind == "late":
        return None, day.start
    if kind == "call":
        return day.start, min(day.now + SOON, day.end)
    return day.start, day.end


def kind(due: datetime, by_phone: bool, day: Day) -> str | None:
    """Which of the three kinds a task is of; None when it is for another day."""
    if due >= day.end:
        return None
    if due < day.start:
        return "late"
    return "call" if by_phone and due < window("call", day)[1] else "task"


def arrange(entries: list[dict], limit: int) -> list[dict]:
    """The first ``limit`` entries of a lane: by ``rank``, then the oldest first."""
    return sorted(
        entries,
        key=lambda one: (one["rank"], one.get("at") or _NEVER, one["kind"], one["id"]),
    )[:limit]


# === WORDS OF TIME ===#


class Words(NamedTuple):
    """``unit`` is ``now``, ``minutes``, ``hours`` or ``days``; ``count`` of them."""

    unit: str
    count: int


def between(earlier: datetime, later: datetime, zone: tzinfo) -> Words:
    """How long it is from one moment to another, as people count it.

    Within a local day minutes, then hours; from one day to another days, by the
    calendar: yesterday evening is a day ago, however few hours that is.
    """
    if later < earlier:
        earlier, later = later, earlier
    days = (_local(later, zone).date() - _local(earlier, zone).date()).days
    if days:
        return Words("days", days)
    minutes = int((later - earlier).total_seconds() // 60)
    if minutes >= 60:
        return Words("hours", minutes // 60)
    return Words("minutes", minutes) if minutes else Words("now", 0)


def urgency(due: datetime | None, now: datetime) -> str:
    """``late``, ``soon`` (within ten minutes) or ``calm``: the colour of an entry."""
    if due is None:
        return "calm"
    if due < now:
        return "late"
    return "soon" if due < now + SOON else "calm"


# === HEAT MAP ===#


def hours(counts) -> list[int]:
    """The hours a map shows: working hours, and those in which anything is.

    :param counts: iterable of hours 0..23
    """
    busy = [hour for hour in counts if 0 <= hour <= 23]
    return list(range(min([HOURS[0], *busy]), max([HOURS[1], *busy]) + 1))


def shade(count: int, most: int) -> int:
    """How dark a cell is: 0 for nothing, else 1 to ``SHADES`` as a part of ``most``."""
    if count <= 0 or most <= 0:
        return 0
    return max(1, min(SHADES, -(-count * SHADES // most)))


# === WHAT CAME FROM OUTSIDE ===#


def page(limits, lane: str, size: int, most: int) -> int:
    """Entries of a lane that are asked for: ``size`` unless told, up to ``most``."""
    told = limits.get(lane) if isinstance(limits, dict) else None
    return min(told, most) if type(told) is int and told > 0 else size
