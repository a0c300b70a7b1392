# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta, timezone

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from odoo.tests.common import BaseCase, tagged

from .. import callstate
from ..drivers import moldcell
from ..drivers.moldcell_history import history_csv
from .exchange import Call

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
PEOPLE = ("ana", "igor", "maria")


class OneCall(RuleBasedStateMachine):
    """One incoming call, lived through by chance, its pushes delivered by chance.

    Whatever was lost, doubled or late: once the history is read, the call is what the
    exchange says, and no card is left on a screen.
    """

    def __init__(self):
        super().__init__()
        self.call = Call("c-1", "37369555111", NOW)
        self.waiting, self.state, self.clock = [], None, NOW
        self.told = []

    # --- the call -------------------------------------------------------------

    @precondition(lambda self: not self.call.outcome and not self.call.talker)
    @rule(user=st.sampled_from(PEOPLE))
    def ring(self, user):
        if user not in self.call.legs:
            self._do(lambda: self.call.ring(user))

    @precondition(lambda self: not self.call.talker and self._ringing())
    @rule(data=st.data())
    def stop(self, data):
        user = data.draw(st.sampled_from(self._ringing()))
        self._do(lambda: self.call.stop(user))

    @precondition(lambda self: not self.call.talker and self._ringing())
    @rule(data=st.data(), after=st.integers(0, 60))
    def answer(self, data, after):
        user = data.draw(st.sampled_from(self._ringing()))
        self._do(lambda: self.call.answer(user, after))

    @precondition(lambda self: self.call.talker and not self.call.outcome)
    @rule(after=st.integers(0, 600), recorded=st.booleans())
    def hang_up(self, after, recorded):
        self._do(lambda: self.call.hang_up(after, recorded))

    @precondition(lambda self: not self.call.talker and not self.call.outcome)
    @rule(after=st.integers(0, 60))
    def give_up(self, after):
        self._do(lambda: self.call.fail("missed", after))

    @precondition(lambda self: self.call.outcome)
    @rule(total=st.booleans(), switch=st.booleans())
    def record(self, total, switch):
        self._do(lambda: self.call.record(total, switch))

    def _ringing(self):
        return sorted(u for u, state in self.call.legs.items() if state == "ringing")

    def _do(self, act):
        before = len(self.call.pushes)
        act()
        self.waiting += self.call.pushes[before:]

    # --- the network ----------------------------------------------------------

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), lose=st.booleans(), keep=st.booleans())
    def deliver(self, data, lose, keep):
        """Any of what is under way: lost, delivered, or delivered and sent again."""
        place = data.draw(st.integers(0, len(self.waiting) - 1))
        push = self.waiting[place] if keep else self.waiting.pop(place)
        if not lose:
            self._apply(moldcell.to_event(push, now=self.clock))

    @rule(seconds=st.integers(0, 30))
    def wait(self, seconds):
        """Less than any ring is given up: phones do ring in between."""
        self.clock += timedelta(seconds=seconds)

    def _apply(self, event):
        self.state, effects = callstate.apply(self.state, event, self.clock)
        self.told += effects

    @invariant()
    def nothing_is_told_twice(self):
        told = [repr(one) for one in self.told if "DecideLater" not in repr(one)]
        assert len(told) == len(set(told))

    def teardown(self):
        if not self.call.outcome:
            if self.call.talker:
                self.call.hang_up(5)
            else:
                self.call.fail("missed", 5)
        for event in history_csv(self.call.row(), now=self.clock):
            self._apply(event)
        call, state = self.call, self.state
        assert state.state == "ended"
        assert state.outcome == call.outcome
        assert state.answered_by == (call.talker or None)
        assert state.started_at == call.start
        assert state.duration == call.wait + call.talk
        assert set(state.recordings) == ({call.url} if call.url else set())
        assert not state.popped_users
        for user, leg in state.legs.items():
            if leg.person:
                assert leg.state == call.legs[user], (user, leg.state)
        if call.talker:
            assert state.legs[call.talker].state == "done"


@tagged("at_install", "-post_install")
class TestExchangeMachine(BaseCase):
    def test_one_call_lived_through_by_chance(self):
        machine = OneCall.TestCase
        machine.settings = settings(
            max_examples=150,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
        )
        result = machine("runTest").run()
        self.assertFalse(result.errors + result.failures, result.errors)
