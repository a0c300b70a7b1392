# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""When a consultation has gone stale, and whom it is time to remind.

Pure Python: no ``env``. Working hours are turned into moments once a rule, so that
the database compares moments only, whatever the number of consultations.
"""

from dataclasses import dataclass
from datetime import datetime

from . import duetime

RESPONSIBLE, TEAM_LEAD, HEAD = 1, 2, 3  # how high a reminder has climbed


@dataclass(frozen=True)
class Rule:
    """What an administrator decided for a stage, a flow, both or everything.

    :param hours: working hours without a real step
    :param repeat_hours: working hours from one reminder to the next
    :param climb_after: reminders at one level before the next one is told
    """

    id: int
    hours: float
    repeat_hours: float
    climb_after: int


@dataclass(frozen=True)
class Moments:
    """A rule's moments of one sweep (aware UTC): who stands still since
    ``cutoff`` or longer is due, and is looked at again at ``next_at``."""

    cutoff: datetime
    next_at: datetime


def moments(rule: Rule, calendar, now: datetime) -> Moments | None:
    """The moments of a rule, or None when the calendar cannot answer."""
    cutoff = duetime.minutes_before(calendar, now, round(rule.hours * 60))
    if cutoff is None:
        return None
    repeat = max(round(rule.repeat_hours * 60), 1)
    return Moments(cutoff, calendar.add_working_minutes(now, repeat))


def level(reminders: int, climb_after: int) -> int:
    """How high the reminder number ``reminders`` (the first is 1) goes: 1..3."""
    return min(RESPONSIBLE + (max(reminders, 1) - 1) // max(climb_after, 1), HEAD)


def told(level_: int, responsible=None, team_lead=None, head=None) -> list:
    """Who is told at a level: everybody up to it, each once, in that order.

    Where nobody stands at the level, the next one up is told instead.
    """
    ladder = [responsible, team_lead, head]
    chosen = [one for one in ladder[:level_] if one]
    if not ladder[level_ - 1]:
        chosen += [one for one in ladder[level_:] if one][:1]
    return list(dict.fromkeys(chosen))
