# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The facts of one call, and what they amount to.

`Facts` only grow: :func:`join` takes the better candidate or the earlier moment of
each fact, so it is commutative, associative and idempotent, and :func:`derive` looks
at nothing else. Any order and any repetition of the same pushes therefore ends in
the same call; there is no table of transitions to get wrong.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

from .drivers.events import SWITCH, is_person

# Two records of one call may differ; the stronger word stands, whichever came last.
# 'cancelled' is the weakest: it is also what a history without a cause comes to.
_RANKS = {"cancelled": 1, "missed": 2, "failed": 3, "busy": 4, "answered": 5}
_STATUS_OF = {rank: status for status, rank in _RANKS.items()}
_DIRECTION_RANKS = {"internal": 0, "in": 1, "out": 2}
_NO_RECORD = (0, False, "")
_TERMINAL = ("cancelled", "completed", "stale")
_MARK_OF = {
    "ringing": "rang",
    "outgoing": "rang",
    "answered": "accepted",
    "leg_ended": "cancelled",
    "ended": "completed",
    "transferred": "target",
}


@dataclass(frozen=True)
class Facts:
    """All that is known. `legs`: login -> mark -> first moment received; `strands`:
    callid -> name -> the best candidate (a tuple; greater is better)."""

    callid: str
    strands: dict = field(default_factory=dict)
    legs: dict = field(default_factory=dict)
    marks: dict = field(default_factory=dict)
    transfers: frozenset = frozenset()
    told: frozenset = frozenset()
    merged_into: str | None = None


@dataclass(frozen=True)
class Leg:
    """One login's part; its moments are those of receiving the pushes.

    state: 'ringing', 'talking', then 'done' (talked), 'lost' (somebody else talked) or
    'no_answer'. `person` False: the switch or a group.
    """

    user: str
    state: str
    ring_at: datetime | None = None
    answer_at: datetime | None = None
    end_at: datetime | None = None
    person: bool = True
    transfer_target: bool = False


@dataclass(frozen=True)
class CallState:
    """One call as known now; read it, never edit it: all but `facts` is computed.

    `state`: 'ringing', 'talking', 'ended_pending' (nothing rings or talks; outcome
    awaits history or :func:`decide`), 'ended'. `outcome` is None until 'ended'.
    `duration` (from first ring) and `wait` only as the PBX's history gives them.
    """

    callid: str
    direction: str | None
    phone: str
    did: str | None
    group: str | None
    group_name: str | None
    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    state: str
    outcome: str | None
    outcome_source: str | None
    duration: int | None
    wait: int | None
    answered_by: str | None
    record_url: str | None
    recordings: tuple[str, ...]
    rating: int | None
    merged: tuple[str, ...]
    merged_into: str | None
    legs: dict[str, Leg]
    facts: Facts = field(repr=False)

    @property
    def popped_users(self):
        """Logins whose card is up: told to ring or talk, not told to stop."""
        if self.merged_into:
            return ()
        told = self.facts.told
        over = {"ring": ("stop", "answer"), "answer": ("hung",)}
        up = set()
        for key in told:
            verb, _colon, user = key.partition(":")
            if verb in over and not any(f"{o}:{user}" in told for o in over[verb]):
                up.add(user)
        return tuple(sorted(up))


# -- facts ---------------------------------------------------------------------------


def facts_of(event, at):
    """Return what one event adds, as Facts of its own."""
    legs, marks, strand, transfers = {}, {"seen": at}, {}, set()
    rank = 1
    login = event.user or SWITCH
    if event.kind == "history":
        rank = 2
        marks["history"] = at
        # First field 0 for a status we do not know: over, but no verdict.
        verdict = (_RANKS.get(event.status, 0), is_person(event.user), login)
        strand["history"] = verdict
        for name in ("duration", "wait"):
            if getattr(event, name) is not None:
                strand[name] = (getattr(event, name),)
        if event.at:
            strand["start"] = (-int(utc(event.at).timestamp()),)  # the earliest
        if event.record_url:
            strand["record"] = (event.record_url,)
    elif event.kind == "rating":
        strand["rating"] = (event.rating or 0,)
    elif event.kind == "ended" and not event.user:
        strand["over"] = (1,)
        marks["over"] = at
    elif event.kind == "transferred":
        transfers.add((event.user or "", event.second_callid or ""))
        if event.user:
            legs[login] = {"target": at}
    else:
        legs[login] = {_MARK_OF[event.kind]: at}
    if event.direction:
        order = _DIRECTION_RANKS.get(event.direction, 0)
        strand["direction"] = (rank, order, event.direction)
    for name in ("phone", "did", "group", "group_name"):
        value = getattr(event, name)
        if value:
            # Of two spellings in one source the one with more digits says more.
            digits = sum(char.isdigit() for char in value)
            strand[name] = (rank, digits, value)
    return Facts(
        event.callid, {event.callid: strand}, legs, marks, frozenset(transfers)
    )


def join(one, two):
    """Least upper bound of two sets of facts; the callid of the first stays."""
    return replace(
        one,
        strands={
            callid: _pick(one.strands.get(callid, {}), two.strands.get(callid, {}), max)
            for callid in sorted(one.strands.keys() | two.strands.keys())
        },
        legs={
            login: _pick(one.legs.get(login, {}), two.legs.get(login, {}), min)
            for login in sorted(one.legs.keys() | two.legs.keys())
        },
        marks=_pick(one.marks, two.marks, min),
        transfers=one.transfers | two.transfers,
        told=one.told | two.told,
    )


def _pick(one, two, choose):
    return {
        name: choose(x[name] for x in (one, two) if name in x)
        for name in sorted(one.keys() | two.keys())
    }


def utc(moment):
    """Return `moment` aware in UTC; a naive one, as a database gives it, is UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)


def moments(facts):
    """When facts were received, silence's own conclusions left out."""
    legs = [at for m in facts.legs.values() for k, at in m.items() if k != "stale"]
    return legs + [at for name, at in facts.marks.items() if name != "decided"]


def terminal_moments(facts):
    """When a phone came to rest or the call was reported over."""
    legs = [
        at
        for marks in facts.legs.values()
        for name, at in marks.items()
        if name in ("cancelled", "completed")
    ]
    return legs + [
        at for name, at in facts.marks.items() if name in ("over", "history")
    ]


# -- facts -> state ------------------------------------------------------------------


def derive(facts):
    """Return the :class:`CallState` that the facts, and nothing else, amount to."""
    own = facts.strands.get(facts.callid, {})
    others = [s for callid, s in facts.strands.items() if callid != facts.callid]

    def best(name):
        """The call's own strand first; a merged one only fills what it lacks."""
        found = own.get(name) or max((s[name] for s in others if name in s), default=())
        return found[-1] if found else None

    verdict = max((s.get("history", _NO_RECORD)[0] for s in (own, *others)), default=0)
    final = own.get("history", _NO_RECORD)[0] > 0 or "decided" in facts.marks
    over = final or "history" in own or "over" in own
    talkers = talkers_of(facts)
    legs = _legs(facts, talkers, over)
    state = "ended" if final else "ended_pending" if over else _live_state(legs)
    direction = best("direction")

    outcome = source = None
    if state == "ended":
        source = "history" if verdict else "events"
        if verdict:
            outcome = _STATUS_OF[verdict]
        elif talkers or "rating" in own:
            outcome = "answered"
        else:
            outcome = "cancelled" if direction == "out" else "missed"
    answered = bool(talkers) and outcome in (None, "answered")

    start, started_at = best("start"), None
    if start is not None:
        started_at = datetime.fromtimestamp(-start, timezone.utc)
    rings = [m[k] for m in facts.legs.values() for k in ("rang", "target") if k in m]
    duration, wait = best("duration"), best("wait")
    answered_at = ended_at = None
    if answered and started_at and wait is not None:
        answered_at = started_at + timedelta(seconds=wait)
    elif answered:
        picked = [m["accepted"] for m in facts.legs.values() if "accepted" in m]
        answered_at = min(picked, default=None)
    if state in ("ended", "ended_pending"):
        ended_at = max(terminal_moments(facts) or moments(facts), default=None)
        if started_at and duration is not None:
            ended_at = started_at + timedelta(seconds=duration)
    recordings = sorted({s["record"][0] for s in (own, *others) if "record" in s})
    return CallState(
        callid=facts.callid,
        direction=direction,
        phone=best("phone") or "",
        did=best("did"),
        group=best("group"),
        group_name=best("group_name"),
        started_at=started_at or min(rings or moments(facts), default=None),
        answered_at=answered_at,
        ended_at=ended_at,
        state=state,
        outcome=outcome,
        outcome_source=source,
        duration=duration,
        wait=wait,
        answered_by=talkers[0] if answered else None,
        record_url=best("record"),
        recordings=tuple(recordings),
        rating=best("rating"),
        merged=tuple(sorted({c for _to, c in facts.transfers} - {"", facts.callid})),
        merged_into=facts.merged_into,
        legs=legs,
        facts=facts,
    )


def talkers_of(facts):
    """People known to have talked, the one who answered the call first.

    The events have no time of their own, so among several who picked up the first
    is the one nobody transferred to; the PBX's record of this call outranks that.
    """
    answered = _RANKS["answered"]
    records = {c: s.get("history", _NO_RECORD) for c, s in facts.strands.items()}
    recorded = {
        u for rank, person, u in records.values() if rank == answered and person
    }
    people = {login: marks for login, marks in facts.legs.items() if is_person(login)}
    picked = {
        login for login, marks in people.items() if "accepted" in marks
    } | recorded
    if not picked and any(record[0] == answered for record in records.values()):
        # Answered by a group, it says; whose talk was completed then, answered.
        picked = {login for login, marks in people.items() if "completed" in marks}
    rank, _person, own = records.get(facts.callid, _NO_RECORD)
    first = own if rank == answered else None
    return sorted(picked, key=lambda u: (u != first, "target" in people.get(u, ()), u))


def _legs(facts, talkers, over):
    """Return login -> Leg for everybody whose phone took part."""
    logins = set(facts.legs) | set(talkers)
    for strand in facts.strands.values():
        _rank, person, user = strand.get("history", _NO_RECORD)
        if person:
            logins.add(user)
    picked = [m for u, m in facts.legs.items() if "accepted" in m and is_person(u)]
    # Whoever talked has hung up: phones without a word since do not ring any more,
    # unless the talk was passed on.
    talked_out = (
        bool(picked)
        and all("completed" in m for m in picked)
        and not any(to_user for to_user, _second in facts.transfers)
    )
    legs = {}
    for login in sorted(logins):
        marks = facts.legs.get(login, {})
        target = "target" in marks
        person = is_person(login)
        ends = [marks[k] for k in _TERMINAL if k in marks]
        if login in talkers or ("accepted" in marks and not person):
            talking = "accepted" in marks and not over and "completed" not in marks
            state = "talking" if talking else "done"
        elif marks and not (over or talked_out or ends):
            state = "ringing"
        else:
            state = "lost" if talkers and not target else "no_answer"
        legs[login] = Leg(
            user=login,
            state=state,
            ring_at=marks.get("rang"),
            answer_at=marks.get("accepted"),
            end_at=max(ends) if ends and state not in ("ringing", "talking") else None,
            person=person,
            transfer_target=target,
        )
    return legs


def _live_state(legs):
    # A group or the IVR says little once people's phones are in the play.
    people = [leg for leg in legs.values() if leg.person]
    states = {leg.state for leg in people or legs.values()}
    for state in ("talking", "ringing"):
        if state in states:
            return state
    return "ended_pending"
