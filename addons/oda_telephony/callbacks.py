# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Whom we owe a call: plain arithmetic over the calls of one caller.

No database, no clock. What we owe is computed from all that happened, in the order
of when it happened: so pushes that come late, twice or in disorder end in the same
debts. Moments are naive UTC.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from odoo.addons.oda_base.worktime import NoWorkingTime

#: What a moment in a caller's history is. `missed`: nobody took their call; `talk`:
#: we spoke, either direction; `attempt`: we called and nobody answered; `closed`: a
#: person ended the debt by hand.
KINDS = ("missed", "talk", "attempt", "closed")
#: Of one moment: a talk counts after the miss it may have followed.
_ORDER = {
    kind: place for place, kind in enumerate(("missed", "attempt", "talk", "closed"))
}
#: a caller who hung up after so few seconds owes to nobody; 0: not known how long
MIN_RING = 3


class Moment(NamedTuple):
    """`id`: of the call; of `closed` the id of the debt that was ended."""

    at: datetime
    kind: str
    id: int


class Debt(NamedTuple):
    """One debt: calls missed, our attempts since, and what ended it.

    :ivar missed: ids of the calls, by time
    :ivar attempts: how often we tried without an answer
    :ivar talk: id of the call that ended it, 0 if none
    :ivar closed: id of the row a person ended by hand, 0 if none
    """

    missed: tuple
    first_at: datetime
    last_at: datetime
    attempts: int = 0
    attempt_at: datetime | None = None
    talk: int = 0
    closed: int = 0
    ended_at: datetime | None = None

    @property
    def is_open(self):
        return not (self.talk or self.closed)


def debts(moments: Iterable[Moment]) -> list[Debt]:
    """Return what was owed to one caller, oldest first; at most the last is open."""
    found, now = [], None
    for moment in sorted(
        set(moments), key=lambda one: (one.at, _ORDER[one.kind], one.id)
    ):
        if moment.kind == "missed":
            if now is None:
                now = Debt((moment.id,), moment.at, moment.at)
            else:
                now = now._replace(missed=(*now.missed, moment.id), last_at=moment.at)
        elif now is None:
            continue
        elif moment.kind == "attempt":
            now = now._replace(attempts=now.attempts + 1, attempt_at=moment.at)
        else:
            end = (
                {"talk": moment.id} if moment.kind == "talk" else {"closed": moment.id}
            )
            found.append(now._replace(ended_at=moment.at, **end))
            now = None
    return found + ([now] if now else [])


def match(found: list[Debt], rows: dict[int, Iterable[int]]) -> dict[int, int | None]:
    """Say which known row each debt is.

    :param rows: row id -> ids of the missed calls it stands for, oldest row first
    :return: place of the debt -> row id, or None for a new one. A row stands for one
        debt, and the open debt chooses first, because a task hangs on its row; a row
        that a person ended stands for what they ended.
    """
    owner = {call: row for row, calls in rows.items() for call in calls}
    chosen: dict[int, int | None] = {}
    taken = set()
    for place, debt in enumerate(found):
        if debt.closed in rows:
            chosen[place] = debt.closed
            taken.add(debt.closed)
    for place in reversed(range(len(found))):
        if place in chosen:
            continue
        mine = [owner[call] for call in found[place].missed if call in owner]
        free = [row for row in dict.fromkeys(mine) if row not in taken]
        chosen[place] = free[0] if free else None
        taken.update(free[:1])
    return chosen


def is_missed(direction, outcome, wait, phone_digits) -> bool:
    """True of a call that somebody made to us and nobody took.

    :param wait: seconds of ringing, 0 or None where the exchange did not say
    :param phone_digits: digits of the caller as sent; '' of an anonymous one. Up to
        four are a colleague's short number.
    """
    if direction != "in" or outcome not in ("missed", "busy"):
        return False
    if 0 < len(phone_digits) <= 4:
        return False
    return not 0 < (wait or 0) < MIN_RING


class Candidate(NamedTuple):
    """Somebody who may be given a call to make.

    :ivar opens_at: when they are at work next
    :ivar load: calls they owe already
    :ivar given_at: when they were given one last, None for never
    """

    user_id: int
    opens_at: datetime
    load: int = 0
    given_at: datetime | None = None


def on_duty(candidates: Iterable[Candidate]) -> int:
    """Return whose turn it is, 0 when there is nobody.

    At work soonest; of those who owes least; then who was given one longest ago.
    """
    ranked = sorted(
        candidates,
        key=lambda one: (
            one.opens_at,
            one.load,
            one.given_at or datetime.min,
            one.user_id,
        ),
    )
    return ranked[0].user_id if ranked else 0


# -- time: `calendar` is a `worktime.WorkCalendar`, or None where nobody has hours ---


def due(calendar, at: datetime, minutes: int) -> datetime:
    """When `minutes` of working time have passed; by the clock without hours."""
    if calendar is None:
        return at + timedelta(minutes=minutes)
    try:
        moment = calendar.add_working_minutes(at.replace(tzinfo=UTC), minutes)
    except NoWorkingTime:
        return at + timedelta(minutes=minutes)
    return moment.replace(tzinfo=None, microsecond=0)


def opening(calendar, at: datetime, away: Iterable[tuple] = ()) -> datetime:
    """When somebody is at work next, `at` itself when they are.

    :param away: (from, to) of their own absences, naive UTC
    """
    spans = sorted(away)
    for _again in range(len(spans) + 1):
        at = due(calendar, at, 0)
        over = [end for start, end in spans if start <= at < end]
        if not over:
            break
        at = max(over)
    return at


def is_working(calendar, at: datetime) -> bool:
    """True when the house is open; without hours it always is."""
    return calendar is None or calendar.is_working(at.replace(tzinfo=UTC))


def minutes_between(calendar, start: datetime, end: datetime) -> int:
    """Working minutes from `start` to `end`, 0 when reversed; else the clock's."""
    if end <= start:
        return 0
    if calendar is None:
        return int((end - start).total_seconds() // 60)
    return calendar.working_minutes_between(
        start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
    )
