# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What became of one call, from pushes that come late, twice or in disorder.

The state is computed from a set of facts that only grows (see `callfacts`), so the
order of the pushes does not matter. An effect is what is newly true and was not told
yet; what was told is remembered in `Facts.told`, so nothing is told twice.

No database, no clock: the moments are given. Moments are aware UTC (a naive one is
taken as UTC); durations are seconds.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .callfacts import (
    CallState,
    Facts,
    Leg,
    derive,
    facts_of,
    join,
    moments,
    talkers_of,
    terminal_moments,
    utc,
)

__all__ = [
    "CallAnswered",
    "CallEnded",
    "CallState",
    "DecideLater",
    "Facts",
    "Leg",
    "LegRinging",
    "LegStopped",
    "Merged",
    "OutcomeDecided",
    "Rated",
    "RecordingOffered",
    "Transferred",
    "absorb",
    "apply",
    "decide",
    "due_at",
    "from_json",
    "to_json",
]

VERSION = 1
#: Quiet after the last terminal push before the events alone decide the outcome.
DECIDE_AFTER = timedelta(seconds=20)
#: A phone at rest for so long that rings again is on its second lap.
RING_GAP = timedelta(seconds=3)
#: A phone that has rung so long without another word does not ring any more.
RING_STALE = timedelta(minutes=10)
#: A talk so long without another word is over, its end was lost.
TALK_STALE = timedelta(hours=6)


# -- effects: what the caller has to do, each told at most once a call ---------------


@dataclass(frozen=True)
class LegRinging:
    """The phone of `user` rings (or dials out, see direction): show the card."""

    user: str


@dataclass(frozen=True)
class LegStopped:
    """The phone of `user` is at rest: take its card away. Once after LegRinging, once
    after CallAnswered (a phone that was answered does not stop in between).

    why: 'answered_elsewhere'; 'caller_gone' (stopped, nobody has answered so far);
    'ended' (own talk is over, or the call ended with no better word).
    """

    user: str
    why: str


@dataclass(frozen=True)
class CallAnswered:
    """`user`, a person, picked up. After a transfer told for the next person too."""

    user: str


@dataclass(frozen=True)
class CallEnded:
    """The call is over. A lost or late push can still revive it: see `state`."""


@dataclass(frozen=True)
class OutcomeDecided:
    """source 'events' may be followed by 'history', which stands."""

    outcome: str
    source: str


@dataclass(frozen=True)
class RecordingOffered:
    """The PBX has a recording there, some seconds after the call, for some days."""

    url: str


@dataclass(frozen=True)
class Transferred:
    from_user: str | None
    to_user: str | None
    second_callid: str | None


@dataclass(frozen=True)
class Merged:
    """`other_callid` is this call too: :func:`absorb` its state, route its pushes."""

    other_callid: str


@dataclass(frozen=True)
class Rated:
    rating: int


@dataclass(frozen=True)
class DecideLater:
    """Call :func:`decide` after that many seconds."""

    seconds: int = 20


# -- verbs ---------------------------------------------------------------------------


def apply(state, event, received_at):
    """Return `(state, effects)` after one CallEvent received at that moment.

    `state` None opens the call. A push that says nothing new returns the very same
    state object. ValueError: the event is of another call, or the call was merged.
    """
    at = utc(received_at)
    if event.kind == "ignored" or not event.callid:
        return state, []
    if state is None:
        return _settle(None, join(Facts(event.callid), facts_of(event, at)))
    if state.merged_into:
        raise ValueError("the call was merged: apply to merged_into")
    if event.callid != state.callid and event.callid not in state.merged:
        raise ValueError("the event is of another call")
    return _settle(state, join(state.facts, facts_of(event, at)))


def ring_again(state, event, received_at):
    """Return `state` ready for a new lap of the same phone, else `state` itself.

    A queue rings the same phone again under the same call id. The push carries no
    time, so only its distance tells a second ring from a late or repeated first
    one: the phone has been at rest for `RING_GAP` in a call that nobody answered.
    This forgets the leg's first lap, and so stands outside of the facts that only
    grow: call it before :func:`apply`, for pushes as they come.
    """
    if state is None or event.kind != "ringing" or state.merged_into:
        return state
    leg = state.legs.get(event.user)
    if state.state not in ("ringing", "ended_pending") or not leg:
        return state
    # A login may be known from the exchange's record alone: it has not rung yet.
    rested = state.facts.legs.get(event.user, {}).get("cancelled")
    if leg.state != "no_answer" or not rested or utc(received_at) - rested < RING_GAP:
        return state
    legs = {user: marks for user, marks in state.facts.legs.items() if user != leg.user}
    told = state.facts.told - {f"ring:{leg.user}", f"stop:{leg.user}", "ended", "later"}
    return derive(replace(state.facts, legs=legs, told=told))


def absorb(primary, other):
    """Join the state of a merged call: return `(primary, other, effects)`.

    `other` is a CallState, or the callid of a call nothing has come of yet. It comes
    back as a state with `merged_into` set. Cards and recordings told of `other` are
    the primary's from now on and are not told again. Doing so twice changes nothing.
    """
    if isinstance(other, str):
        other = derive(Facts(other))
    if other.callid == primary.callid:
        raise ValueError("a call cannot be merged into itself")
    ours, theirs = primary.facts.told, frozenset()
    if f"absorbed:{other.callid}" not in ours:
        theirs = frozenset(k for k in other.facts.told if k.startswith(_SHARED))
        # A card up on either side is up, though it went down on the other.
        up = {*primary.popped_users, *other.popped_users}
        down = {f"{verb}:{user}" for verb in ("stop", "hung") for user in up}
        ours, theirs = ours - down, theirs - down
    absorbed = {f"merge:{other.callid}", f"absorbed:{other.callid}"}
    facts = replace(
        other.facts,
        # That silence has decided it is about the other call alone.
        marks={k: v for k, v in other.facts.marks.items() if k != "decided"},
        transfers=other.facts.transfers | {("", other.callid)},
        told=theirs | absorbed,
    )
    joined = join(replace(primary.facts, told=ours), facts)
    primary, effects = _settle(primary, joined)
    merged = replace(other.facts, merged_into=primary.callid)
    return primary, derive(merged), effects


def decide(state, now):
    """Return `(state, effects)`: conclude from events what silence allows to.

    Harmless at any time and any number of times. Too early: DecideLater again.
    Phones that rang too long are put to rest, a talk without an end is ended.
    """
    now = utc(now)
    if state.state == "ended" or state.merged_into:
        return state, []
    stale = {
        login: {"stale": now} for login, due in _ring_dues(state).items() if due <= now
    }
    facts = join(state.facts, Facts(state.callid, legs=stale))
    after = derive(facts) if stale else state
    if after.state in ("ended_pending", "talking") and _quiet_due(after) <= now:
        facts = join(facts, Facts(state.callid, marks={"decided": now}))
    after, effects = _settle(state, facts)
    if after.state == "ended_pending" and DecideLater() not in effects:
        left = _quiet_due(after) - now
        effects.append(DecideLater(max(1, -(-left // timedelta(seconds=1)))))
    return after, effects


def due_at(state):
    """Return when :func:`decide` has something to do (aware UTC), None when never."""
    if state.state == "ended" or state.merged_into:
        return None
    dues = list(_ring_dues(state).values())
    if state.state != "ringing":
        dues.append(_quiet_due(state))
    return min(dues, default=None)


def _ring_dues(state):
    """login -> when its ringing is stale."""
    return {
        login: max(state.facts.legs[login].values()) + RING_STALE
        for login, leg in state.legs.items()
        if leg.state == "ringing"
    }


def _quiet_due(state):
    received = moments(state.facts)
    if state.state == "talking":
        return max(received) + TALK_STALE
    return max(terminal_moments(state.facts) or received) + DECIDE_AFTER


# -- what to tell --------------------------------------------------------------------

#: Told keys that are about a person's screen, so also valid for the merged call.
_SHARED = ("ring:", "stop:", "answer:", "hung:", "rec:")
_UNANSWERED = (None, "missed", "cancelled")


def _settle(before, facts):
    """Return the state of `facts` and the effects not told yet."""
    if before is not None and facts == before.facts:
        return before, []
    after = derive(facts)
    told, effects = set(facts.told), []

    def once(key, effect):
        if key not in told:
            told.add(key)
            effects.append(effect)

    for leg in after.legs.values():
        if leg.person:
            _tell_leg(before, after, leg, told, once)
    for to_user, second in sorted(facts.transfers):
        if to_user:
            others = [u for u in talkers_of(facts) if u != to_user]
            effect = Transferred(others[0] if others else None, to_user, second or None)
            once(f"transfer:{to_user}:{second}", effect)
        if second and second != facts.callid:
            once(f"merge:{second}", Merged(second))
    # Cancelled phones alone do not end a call: the next one may be about to ring.
    completed = any("completed" in marks for marks in facts.legs.values())
    over = "over" in facts.strands.get(facts.callid, {})
    if after.state == "ended" or after.state == "ended_pending" and (completed or over):
        once("ended", CallEnded())
    if after.outcome:
        effect = OutcomeDecided(after.outcome, after.outcome_source)
        once(f"outcome:{after.outcome}:{after.outcome_source}", effect)
    for url in after.recordings:
        once(f"rec:{url}", RecordingOffered(url))
    if after.rating:
        once(f"rating:{after.rating}", Rated(after.rating))
    if after.state == "ended_pending":
        once("later", DecideLater())
    else:
        told.discard("later")
    facts = replace(facts, told=frozenset(told))
    return replace(after, facts=facts), effects


def _tell_leg(before, after, leg, told, once):
    user = leg.user
    live = after.state in ("ringing", "talking")
    if leg.state == "talking" and live:
        once(f"answer:{user}", CallAnswered(user))
    rings = leg.state == "ringing" and leg.ring_at and live
    if rings and f"stop:{user}" not in told:
        once(f"ring:{user}", LegRinging(user))
    if f"answer:{user}" in told:
        if leg.state not in ("ringing", "talking"):
            once(f"hung:{user}", LegStopped(user, "ended"))
    elif f"ring:{user}" in told:
        why = _stopped_why(before, after, leg)
        if why:
            once(f"stop:{user}", LegStopped(user, why))


def _stopped_why(before, after, leg):
    """Why a phone that was told to ring is at rest now; None while it may ring."""
    if leg.state == "ringing":
        # Somebody picked up just now, while this phone rang along: its card can go
        # without waiting for its CANCELLED. A phone that starts to ring during a
        # talk is a transfer whose TRANSFERRED is on its way, and stays.
        was = before.legs if before else {}
        new = any(
            other.answer_at and other.person and not (u in was and was[u].answer_at)
            for u, other in after.legs.items()
        )
        return "answered_elsewhere" if new and not leg.transfer_target else None
    if leg.state == "lost":
        return "answered_elsewhere"
    if leg.state == "no_answer" and after.direction != "out":
        return "caller_gone" if after.outcome in _UNANSWERED else "ended"
    return None if leg.state == "talking" else "ended"


# -- storage -------------------------------------------------------------------------


def to_json(state):
    """Return the state as JSON text: the facts alone, the rest is computed again."""
    facts = state.facts
    return json.dumps(
        {
            "v": VERSION,
            "callid": facts.callid,
            "strands": facts.strands,
            "legs": {u: _stamps(marks) for u, marks in facts.legs.items()},
            "marks": _stamps(facts.marks),
            "transfers": sorted(facts.transfers),
            "told": sorted(facts.told),
            "merged_into": facts.merged_into,
        },
        sort_keys=True,
    )


def from_json(text):
    """Return the state of :func:`to_json` (text or the parsed object).

    ValueError when it is of another version or no state at all.
    """
    data = json.loads(text) if isinstance(text, (str, bytes)) else text
    if not isinstance(data, dict) or data.get("v") != VERSION:
        raise ValueError("not a call state of this version")
    try:
        facts = Facts(
            callid=data["callid"],
            strands={
                callid: {name: tuple(value) for name, value in strand.items()}
                for callid, strand in data["strands"].items()
            },
            legs={user: _moments_of(marks) for user, marks in data["legs"].items()},
            marks=_moments_of(data["marks"]),
            transfers=frozenset(map(tuple, data["transfers"])),
            told=frozenset(data["told"]),
            merged_into=data["merged_into"],
        )
        return derive(facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a call state") from error


def _stamps(marks):
    return {name: at.isoformat() for name, at in marks.items()}


def _moments_of(marks):
    return {name: datetime.fromisoformat(at) for name, at in marks.items()}
