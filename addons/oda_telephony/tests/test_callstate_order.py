# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Any order and any repetition of the same pushes end in the same call.

Calls are generated as the PBX would push them, some pushes are lost, the rest come
in any order and several times, through the driver, across two calls that merge, with
`decide` at any moment in between.
"""

from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase, tagged

from ..callstate import (
    CallAnswered,
    CallEnded,
    LegRinging,
    LegStopped,
    Merged,
    OutcomeDecided,
    RecordingOffered,
    absorb,
    apply,
    decide,
    due_at,
    from_json,
    to_json,
)
from ..drivers.moldcell import parse_body, to_event

T0 = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
STAFF = ["ana", "igor", "petru"]
quick = settings(max_examples=300, deadline=None, database=None, derandomize=True)


class Router:
    """What the model layer does: keep the states, follow merges, collect effects."""

    def __init__(self):
        self.states, self.effects, self.cards = {}, [], set()

    def root(self, callid):
        while self.states.get(callid) and self.states[callid].merged_into:
            callid = self.states[callid].merged_into
        return callid

    def push(self, event, at):
        callid = self.root(event.callid)
        state, effects = apply(self.states.get(callid), event, at)
        if state is not None:
            # Through storage each time, as it is in production.
            self.states[callid] = from_json(to_json(state))
            assert self.states[callid] == state
        self.told(callid, effects)

    def decide(self, at):
        for callid in list(self.states):
            self.states[callid], effects = decide(self.states[callid], at)
            self.told(callid, effects)

    def told(self, callid, effects):
        if callid not in self.states:
            return
        ended = self.states[callid].state == "ended"
        for effect in effects:
            assert not (ended and isinstance(effect, LegRinging)), effect
            self.effects.append((callid, effect))
            card = (callid, getattr(effect, "user", None))
            if isinstance(effect, (LegRinging, CallAnswered)):
                self.cards.add(card)
            elif isinstance(effect, LegStopped):
                assert card in self.cards, card
                self.cards.remove(card)
        for effect in effects:
            if isinstance(effect, Merged):
                self.merge(callid, effect.other_callid)
        up = {user for call, user in self.cards if call == callid}
        assert up == set(self.states[callid].popped_users), up

    def merge(self, callid, other):
        if self.root(other) == callid:
            return
        known = self.states.get(other) or other
        primary, merged, effects = absorb(self.states[callid], known)
        self.states[callid], self.states[other] = primary, merged
        self.cards = {(callid if c == other else c, user) for c, user in self.cards}
        self.told(callid, effects)


def seen(state):
    return {
        "state": state.state,
        "outcome": (state.outcome, state.outcome_source),
        "numbers": (state.duration, state.wait, state.direction, state.phone),
        "answered_by": state.answered_by,
        "record_url": state.record_url,
        "recordings": state.recordings,
        "legs": {user: leg.state for user, leg in state.legs.items()},
        "names": (state.did, state.group, state.group_name),
        "merged": state.merged,
    }


def live(kind, user, callid="A", **more):
    return {
        "cmd": "event",
        "type": kind,
        "callid": callid,
        "phone": "37369123456",
        "user": user,
        **more,
    }


@st.composite
def histories(draw, direction, user, callid="A"):
    """The record of a call, sometimes sent twice with more in it the second time."""
    statuses = {
        "in": ["Success", "success", "missed", "Missed"],
        "out": ["Success", "Cancel", "Busy", "NotAvailable", "NotFound", "weird"],
    }
    record = {
        "cmd": "history",
        "type": direction,
        "callid": callid,
        "status": draw(st.sampled_from(statuses[direction])),
        "user": draw(st.sampled_from([user, user, "pbx", "g_1", "", *STAFF])),
        "phone": draw(st.sampled_from(["37369123456", "+37369123456", "anonymous"])),
        "duration": str(draw(st.integers(-1, 500))),
        "wait": draw(st.sampled_from(["", "3", "20"])),
        "start": draw(st.sampled_from(["20261121T120000Z", "2026-11-21 12:00:05", ""])),
        "link": draw(
            st.sampled_from(["", "https://r.example/1", "https://r.example/2"])
        ),
        "diversion": draw(st.sampled_from(["", "37322200100"])),
    }
    more = {"status": draw(st.sampled_from(statuses[direction])), "duration": "77"}
    return draw(st.sampled_from([[], [record], [record], [record, {**record, **more}]]))


@st.composite
def incoming(draw):
    group = draw(st.lists(st.sampled_from(STAFF), min_size=1, unique=True))
    extra = draw(st.sampled_from([{}, {"direction": "in"}, {"groupRealName": "Birou"}]))
    pushes = [live("INCOMING", user, **extra) for user in group]
    if draw(st.booleans()):
        pushes.append(live("INCOMING", draw(st.sampled_from(["pbx", "g_1", ""]))))
        pushes.append(live("ACCEPTED", "pbx"))
    winner = draw(st.sampled_from([None, *group]))
    pushes += [live("CANCELLED", user) for user in group if user != winner]
    if winner:
        pushes += [live("ACCEPTED", winner), live("COMPLETED", winner)]
    pushes += draw(histories("in", winner or "pbx"))
    return pushes


@st.composite
def outgoing(draw):
    pushes = [live("OUTGOING", "ana", direction="out")]
    if draw(st.booleans()):  # a call back: the manager's own phone rings first
        pushes.append(live("INCOMING", "ana", direction="out"))
    end = draw(
        st.sampled_from([["CANCELLED"], ["ACCEPTED", "COMPLETED"], ["COMPLETED"]])
    )
    pushes += [live(kind, "ana", direction="out") for kind in end]
    return pushes + draw(histories("out", "ana"))


@st.composite
def transferred(draw):
    pushes = draw(incoming())
    second = draw(st.sampled_from(["", "B"]))
    target = draw(st.sampled_from(STAFF))
    callid = second or "A"
    pushes.append(live("TRANSFERRED", target, second_callid=second))
    for kind in ("INCOMING", "ACCEPTED", "COMPLETED"):
        pushes.append(live(kind, target, callid, phone="701"))
    if second:
        pushes += draw(histories("in", target, "B"))
    if draw(st.booleans()):
        pushes.append({"cmd": "rating", "callid": "A", "rating": "5"})
    return pushes


@st.composite
def deliveries(draw, source):
    """Two deliveries of the same received set: different order, repetitions."""
    pushes = draw(source)
    # A seed instead of a draw for each choice: ten times as quick.
    chance = Random(draw(st.integers(0, 2**32)))
    kept = [push for push in pushes if chance.random() > 0.12] or pushes
    events = list(dict.fromkeys(to_event(push, T0) for push in kept))
    both = [events + chance.choices(events, k=chance.randrange(4)) for _ in range(2)]
    for delivery in both:
        chance.shuffle(delivery)
    return both


calls = st.one_of(incoming(), outgoing(), transferred())


def run(events, decide_at=()):
    router = Router()
    for number, event in enumerate(events):
        at = T0 + timedelta(seconds=number)
        router.push(event, at)
        if number in decide_at:
            router.decide(at + timedelta(seconds=30))
    return router


@tagged("post_install", "-at_install")
class TestCallStateOrder(BaseCase):
    @quick
    @given(deliveries(calls), st.sets(st.integers(0, 12)))
    def test_converges(self, both, decide_at):
        one, two = run(both[0]), run(both[1])
        root = one.root(both[0][0].callid)
        self.assertEqual(root, two.root(root))
        self.assertEqual(seen(one.states[root]), seen(two.states[root]))
        # And once silence has decided, however early it was asked to.
        two = run(both[1], decide_at)
        for router in (one, two):
            router.decide(T0 + timedelta(days=1))
        self.assertEqual(seen(one.states[root]), seen(two.states[root]))
        self.assertEqual(one.states[root].state, "ended")
        self.assertIsNone(due_at(one.states[root]))
        self.assertIsNotNone(one.states[root].outcome)
        for leg in one.states[root].legs.values():
            self.assertIn(leg.state, ("done", "lost", "no_answer"))

    @quick
    @given(deliveries(calls), st.sets(st.integers(0, 12)))
    def test_effects_once_and_no_card_is_left(self, both, decide_at):
        router = run(both[0], decide_at)
        router.decide(T0 + timedelta(days=1))
        effects = Counter(router.effects)
        self.assertFalse([e for e, times in effects.items() if times > 1 and once(e)])
        self.assertFalse(router.cards)
        counts = Counter()
        for callid, effect in router.effects:
            counts[type(effect), callid, getattr(effect, "user", None)] += 1
        for (kind, _callid, _user), times in counts.items():
            if kind in (LegRinging, CallAnswered, CallEnded):
                self.assertEqual(times, 1)
        for callid, state in router.states.items():
            if state.merged_into:
                continue
            self.assertEqual(state.popped_users, ())
            told = [e for c, e in router.effects if c == callid]
            decided = [e for e in told if isinstance(e, OutcomeDecided)]
            last = OutcomeDecided(state.outcome, state.outcome_source)
            self.assertEqual(decided[-1], last)
            # What a merged call offered has become this call's.
            offered = {e.url for _c, e in router.effects if type(e) is RecordingOffered}
            self.assertLessEqual(set(state.recordings), offered)

    @quick
    @given(deliveries(calls))
    def test_live_events_never_touch_what_history_said(self, both):
        events = [event for event in both[0] if event.callid == "A"]
        records = [e for e in events if e.kind == "history" and e.status]
        if not records:
            return
        router = run(records)
        before = router.states["A"]
        for event in events:
            if event.kind not in ("history", "rating"):
                router.push(event, T0 + timedelta(hours=1))
        after = router.states["A"]
        for name in ("outcome", "outcome_source", "duration", "wait", "record_url"):
            self.assertEqual(getattr(before, name), getattr(after, name))
        if any(record.at for record in records):
            self.assertEqual(before.started_at, after.started_at)
        self.assertFalse([e for _c, e in router.effects if isinstance(e, LegRinging)])

    def test_the_corpus(self):
        text = Path(__file__).parent.joinpath("corpus/moldcell_pushes.txt").read_text()
        calls, name = {}, None
        for line in text.splitlines():
            if line.startswith("#"):
                name = line[2:]
            else:
                event = to_event(parse_body(None, line.encode()))
                calls.setdefault(name, []).append(event)
        for name, outcome, who, legs in (
            ("ring_all", "answered", "ana", {"ana": "done", "igor": "lost"}),
            ("missed_by_switch", "missed", None, {"ana": "no_answer"}),
            ("outgoing_busy", "busy", None, {"ana": "no_answer"}),
            ("transfer", "answered", "ana", {"ana": "done", "igor": "done"}),
        ):
            callid = calls[name][0].callid
            for events in (calls[name], calls[name][::-1]):
                state = run(events).states[callid]
                self.assertEqual((state.outcome, state.answered_by), (outcome, who))
                self.assertEqual({u: x.state for u, x in state.legs.items()}, legs)


def once(told):
    return (
        not isinstance(told[1], LegStopped) and type(told[1]).__name__ != "DecideLater"
    )
