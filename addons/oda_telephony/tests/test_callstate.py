# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta, timezone

from odoo.tests.common import BaseCase, tagged

from ..callstate import (
    CallAnswered,
    CallEnded,
    DecideLater,
    LegRinging,
    LegStopped,
    Merged,
    OutcomeDecided,
    Rated,
    RecordingOffered,
    Transferred,
    absorb,
    apply,
    decide,
    due_at,
    from_json,
    to_json,
)
from ..drivers.events import CallEvent

T0 = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
KINDS = {
    "ring": "ringing",
    "answer": "answered",
    "cancel": "leg_ended",
    "complete": "ended",
    "out": "outgoing",
}


def push(what, user=None, **values):
    kind = KINDS.get(what, what)
    values.setdefault("callid", "c")
    values.setdefault("phone", "37369123456")
    values.setdefault("direction", "out" if what == "out" else "in")
    return CallEvent(kind=kind, user=user, **values)


def history(status, user=None, **values):
    return push("history", user, status=status, **values)


@tagged("post_install", "-at_install")
class TestCallState(BaseCase):
    def setUp(self):
        super().setUp()
        self.state, self.clock = None, 0

    def feed(self, event, after=1):
        """Apply one second later than the last one; return its effects."""
        self.clock += after
        self.state, effects = apply(
            self.state, event, T0 + timedelta(seconds=self.clock)
        )
        self.assertEqual(from_json(to_json(self.state)), self.state)
        return effects

    def wait(self, seconds):
        self.clock += seconds
        self.state, effects = decide(self.state, T0 + timedelta(seconds=self.clock))
        return effects

    def legs(self):
        return {user: leg.state for user, leg in self.state.legs.items()}

    def test_ring_all(self):
        self.assertEqual(self.feed(push("ring", "ana")), [LegRinging("ana")])
        self.assertEqual(self.feed(push("ring", "igor")), [LegRinging("igor")])
        self.assertEqual(self.state.popped_users, ("ana", "igor"))
        self.assertEqual(self.state.state, "ringing")
        self.assertEqual(
            self.feed(push("answer", "ana")),
            [CallAnswered("ana"), LegStopped("igor", "answered_elsewhere")],
        )
        self.assertEqual(self.state.popped_users, ("ana",))
        self.assertEqual(self.state.state, "talking")
        self.assertEqual(self.feed(push("cancel", "igor")), [])
        self.assertEqual(self.legs(), {"ana": "talking", "igor": "lost"})
        self.assertIsNone(self.state.outcome)
        self.assertEqual(
            self.feed(push("complete", "ana"), 60),
            [LegStopped("ana", "ended"), CallEnded(), DecideLater(20)],
        )
        self.assertEqual(self.state.state, "ended_pending")
        self.assertEqual(
            self.feed(
                history(
                    "answered",
                    "ana",
                    at=T0,
                    duration=70,
                    wait=3,
                    record_url="https://r/1",
                )
            ),
            [OutcomeDecided("answered", "history"), RecordingOffered("https://r/1")],
        )
        state = self.state
        self.assertEqual((state.outcome, state.outcome_source), ("answered", "history"))
        self.assertEqual(
            (state.duration, state.wait, state.answered_by), (70, 3, "ana")
        )
        self.assertEqual(state.started_at, T0)
        self.assertEqual(state.answered_at, T0 + timedelta(seconds=3))
        self.assertEqual(state.ended_at, T0 + timedelta(seconds=70))
        self.assertEqual(self.legs(), {"ana": "done", "igor": "lost"})
        self.assertEqual(state.popped_users, ())
        self.assertIsNone(due_at(state))

    def test_cancelled_is_of_a_leg(self):
        self.feed(push("ring", "ana"))
        self.feed(push("ring", "igor"))
        self.assertEqual(
            self.feed(push("cancel", "ana")), [LegStopped("ana", "caller_gone")]
        )
        self.assertEqual((self.state.state, self.state.outcome), ("ringing", None))
        self.assertEqual(
            self.feed(push("cancel", "igor")),
            [LegStopped("igor", "caller_gone"), DecideLater(20)],
        )
        self.assertEqual(
            (self.state.state, self.state.outcome), ("ended_pending", None)
        )
        self.assertEqual(self.wait(5), [DecideLater(15)])
        self.assertEqual(
            self.wait(15), [CallEnded(), OutcomeDecided("missed", "events")]
        )
        self.assertEqual(self.wait(99), [])
        # The record comes at last: it stands, whatever was concluded.
        self.assertEqual(
            self.feed(history("answered", "g_1")),
            [OutcomeDecided("answered", "history")],
        )
        self.assertIsNone(self.state.answered_by)

    def test_hunting_group(self):
        """One phone after another: the gap between them is not the end."""
        self.feed(push("ring", "ana"))
        self.feed(push("cancel", "ana"))
        self.assertEqual(self.feed(push("ring", "igor")), [LegRinging("igor")])
        self.assertEqual(self.state.state, "ringing")
        self.assertEqual(self.wait(60), [])
        self.feed(push("answer", "igor"))
        self.assertEqual(
            self.feed(push("complete", "igor")),
            [LegStopped("igor", "ended"), CallEnded(), DecideLater(20)],
        )
        self.assertEqual(self.wait(20), [OutcomeDecided("answered", "events")])
        self.assertEqual(self.legs(), {"ana": "lost", "igor": "done"})

    def test_a_group_on_a_missed_call_is_no_answerer(self):
        for user in ("pbx", "g_1b2c", "ana", None):
            self.state = None
            self.feed(push("ring", "ana"))
            effects = self.feed(history("missed", user))
            self.assertIn(OutcomeDecided("missed", "history"), effects)
            self.assertIn(LegStopped("ana", "caller_gone"), effects)
            self.assertIsNone(self.state.answered_by)
            self.assertEqual(self.legs(), {"ana": "no_answer"})

    def test_a_switch_that_accepts_is_no_answerer(self):
        self.assertEqual(self.feed(push("ring", "pbx")), [])
        self.assertEqual(self.feed(push("answer", "pbx")), [])
        self.assertEqual(self.state.state, "talking")
        self.assertEqual(self.feed(push("ring", "ana")), [LegRinging("ana")])
        self.assertEqual(self.state.state, "ringing")
        self.feed(push("cancel", "ana"))
        self.wait(30)
        self.assertEqual((self.state.outcome, self.state.answered_by), ("missed", None))

    def test_completed_alone_proves_nothing(self):
        self.feed(push("ring", "ana"))
        self.feed(push("complete", "ana"))
        self.wait(20)
        self.assertEqual(self.state.outcome, "missed")
        self.feed(history("answered", "g_1"))
        self.assertEqual(
            (self.state.outcome, self.state.answered_by), ("answered", "ana")
        )

    def test_outgoing(self):
        self.assertEqual(self.feed(push("out", "ana")), [LegRinging("ana")])
        self.assertEqual(self.state.direction, "out")
        self.assertEqual(
            self.feed(push("cancel", "ana", direction="out")),
            [LegStopped("ana", "ended"), DecideLater(20)],
        )
        self.wait(20)
        self.assertEqual(self.state.outcome, "cancelled")
        self.feed(history("busy", "ana", direction="out"))
        self.assertEqual((self.state.outcome, self.state.answered_by), ("busy", None))

    def test_history_first_and_no_pop_after_the_end(self):
        effects = self.feed(history("answered", "ana", duration=5, at=T0))
        self.assertEqual(effects, [CallEnded(), OutcomeDecided("answered", "history")])
        self.assertEqual(self.legs(), {"ana": "done"})
        for what in ("ring", "answer", "cancel", "complete"):
            for user in ("ana", "igor"):
                self.assertEqual(self.feed(push(what, user)), [])
        state = self.state
        self.assertEqual((state.outcome, state.duration), ("answered", 5))
        self.assertEqual((state.started_at, state.answered_by), (T0, "ana"))

    def test_no_pop_after_own_end_or_the_talk(self):
        self.assertEqual(self.feed(push("cancel", "ana")), [DecideLater(20)])
        self.assertEqual(self.feed(push("ring", "ana")), [])
        self.feed(push("answer", "igor"))
        self.feed(push("complete", "igor"))
        self.assertEqual(self.feed(push("ring", "petru")), [])
        self.wait(20)
        self.assertEqual(self.feed(push("ring", "olga")), [])
        self.assertEqual(self.state.answered_by, "igor")

    def test_duplicates_return_the_same_object(self):
        for event in (push("ring", "ana"), push("answer", "ana"), history("answered")):
            self.feed(event)
            before = self.state
            self.assertEqual(self.feed(event), [])
            self.assertIs(self.state, before)

    def test_blind_transfer(self):
        self.feed(push("ring", "ana"))
        self.feed(push("answer", "ana"))
        # The new phone may ring before we hear of the transfer, or after.
        self.assertEqual(self.feed(push("ring", "igor")), [LegRinging("igor")])
        self.assertEqual(
            self.feed(push("transferred", "igor")), [Transferred("ana", "igor", None)]
        )
        self.assertEqual(
            self.feed(push("complete", "ana")), [LegStopped("ana", "ended")]
        )
        self.assertEqual(self.state.state, "ringing")
        self.assertEqual(self.feed(push("answer", "igor")), [CallAnswered("igor")])
        self.assertEqual(
            self.feed(push("complete", "igor")),
            [LegStopped("igor", "ended"), CallEnded(), DecideLater(20)],
        )
        self.wait(20)
        self.assertEqual(self.state.answered_by, "ana")
        self.assertEqual(self.legs(), {"ana": "done", "igor": "done"})

    def test_transfer_merges_the_second_call(self):
        self.feed(push("ring", "ana"))
        self.feed(push("answer", "ana"))
        other, _ = apply(None, push("ring", "igor", callid="d", phone="701"), T0)
        effects = self.feed(push("transferred", "igor", second_callid="d"))
        self.assertEqual(effects, [Transferred("ana", "igor", "d"), Merged("d")])
        self.state, other, effects = absorb(self.state, other)
        self.assertEqual((other.merged_into, effects), ("c", []))
        self.assertEqual(from_json(to_json(other)), other)
        self.assertEqual(self.state.popped_users, ("ana", "igor"))
        self.assertEqual(self.state.phone, "37369123456")
        self.assertIs(absorb(self.state, other)[0], self.state)
        with self.assertRaises(ValueError):
            apply(other, push("answer", "igor", callid="d"), T0)
        self.assertEqual(
            self.feed(push("answer", "igor", callid="d")), [CallAnswered("igor")]
        )
        # The second call's record does not end the first one, and fills its gaps.
        self.feed(history("answered", "igor", callid="d", duration=50))
        self.assertEqual((self.state.state, self.state.duration), ("talking", 50))
        self.feed(history("answered", "ana", duration=90))
        self.assertEqual((self.state.state, self.state.duration), ("ended", 90))
        self.assertEqual(self.state.answered_by, "ana")
        self.assertEqual(self.legs(), {"ana": "done", "igor": "done"})

    def test_transfer_to_a_call_nothing_has_come_of_yet(self):
        self.feed(push("ring", "ana"))
        self.feed(push("transferred", "igor", second_callid="d"))
        before = self.state
        self.state, other, effects = absorb(self.state, "d")
        self.assertEqual((other.callid, other.merged_into), ("d", "c"))
        self.assertEqual((effects, self.state.legs), ([], before.legs))
        self.assertEqual(from_json(to_json(other)), other)

    def test_stale_ringing_and_endless_talk(self):
        self.feed(push("ring", "ana"))
        self.assertEqual(self.wait(599), [])
        self.assertEqual(
            self.wait(1),
            [
                LegStopped("ana", "caller_gone"),
                CallEnded(),
                OutcomeDecided("missed", "events"),
            ],
        )
        self.state = None
        self.feed(push("ring", "ana"))
        self.feed(push("ring", "igor"))
        self.feed(push("answer", "ana"))
        self.wait(700)  # igor's CANCELLED was lost, ana talks on
        self.assertEqual(self.legs(), {"ana": "talking", "igor": "lost"})
        self.assertEqual(self.state.state, "talking")
        self.wait(6 * 3600)
        self.assertEqual((self.state.state, self.state.outcome), ("ended", "answered"))

    def test_a_lost_cancelled_does_not_hold_the_call(self):
        self.feed(push("ring", "ana"))
        self.feed(push("ring", "igor"))
        self.feed(push("answer", "ana"))
        self.assertIn(DecideLater(20), self.feed(push("complete", "ana")))
        self.wait(20)
        self.assertEqual(self.legs(), {"ana": "done", "igor": "lost"})

    def test_due_at(self):
        self.feed(push("ring", "ana"))
        at = T0 + timedelta(seconds=1)
        self.assertEqual(due_at(self.state), at + timedelta(minutes=10))
        self.feed(push("cancel", "ana"))
        self.assertEqual(due_at(self.state), at + timedelta(seconds=21))

    def test_replayed_history(self):
        self.feed(history("missed", "pbx", duration=0))
        effects = self.feed(
            history("answered", "ana", duration=9, record_url="https://r/1")
        )
        self.assertEqual(
            effects,
            [OutcomeDecided("answered", "history"), RecordingOffered("https://r/1")],
        )
        self.feed(history("answered", None))  # a replay that lacks what we know
        self.assertEqual((self.state.duration, self.state.answered_by), (9, "ana"))

    def test_history_with_an_unknown_status(self):
        self.feed(push("ring", "ana"))
        self.feed(push("answer", "ana"))
        effects = self.feed(history(None, "ana", duration=7))
        self.assertEqual(effects, [LegStopped("ana", "ended"), DecideLater(20)])
        self.wait(20)
        self.assertEqual(
            (self.state.outcome, self.state.outcome_source), ("answered", "events")
        )
        self.assertEqual(self.state.duration, 7)

    def test_end_of_the_whole_call(self):
        self.feed(push("ring", "ana"))
        effects = self.feed(push("complete", None))
        self.assertEqual(
            effects, [LegStopped("ana", "caller_gone"), CallEnded(), DecideLater(20)]
        )

    def test_rating(self):
        self.assertEqual(
            self.feed(push("rating", rating=4)), [Rated(4), DecideLater(20)]
        )
        self.assertEqual(self.feed(push("rating", rating=4)), [])
        self.wait(20)
        self.assertEqual((self.state.rating, self.state.outcome), (4, "answered"))

    def test_refusals(self):
        ignored = CallEvent(kind="ignored", callid="c", reason="internal")
        self.assertEqual(apply(None, ignored, T0), (None, []))
        self.feed(push("ring", "ana"))
        with self.assertRaises(ValueError):
            self.feed(push("ring", "ana", callid="other"))
        with self.assertRaises(ValueError):
            absorb(self.state, self.state)
        for text in ("[]", "{}", '{"v": 99}', '{"v": 1}', "nonsense"):
            with self.assertRaises(ValueError):
                from_json(text)

    def test_naive_moments_are_utc(self):
        naive, _ = apply(None, push("ring", "ana"), T0.replace(tzinfo=None))
        aware, _ = apply(None, push("ring", "ana"), T0.astimezone())
        self.assertEqual(naive, aware)
