# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base.backoff import INBOUND_STEPS, OUTBOUND_STEPS, next_delay
from odoo.addons.oda_base.connectors import storable
from odoo.addons.oda_base.pacing import Pacer
from odoo.addons.oda_base.refusals import RefusalThrottle

from .net_servers import examples


class Clock:
    def __init__(self):
        self.now, self.slept = 1000.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class TestBackoff(BaseCase):
    def test_each_step_then_the_end(self):
        for steps in (INBOUND_STEPS, OUTBOUND_STEPS):
            delays = [next_delay(n, steps) for n in range(1, len(steps) + 3)]
            self.assertEqual(delays, [*steps, None, None])
            self.assertEqual(sorted(steps), list(steps), "never impatient again")


class TestPacer(BaseCase):
    def pacer(self, count, seconds):
        clock = Clock()
        return clock, Pacer(count, seconds, clock=clock, sleep=clock.sleep)

    def test_a_burst_then_a_wait(self):
        clock, pacer = self.pacer(3, 6.0)
        for _i in range(3):
            pacer.wait()
        self.assertEqual(clock.slept, [], "the first ones go at once")
        clock.now += 2.0
        pacer.wait()
        self.assertEqual(clock.slept, [4.0])

    def test_a_rest_saves_up_nothing(self):
        clock, pacer = self.pacer(2, 1.0)
        pacer.wait()
        clock.now += 3600
        for _i in range(4):
            pacer.wait()
        self.assertEqual(sum(clock.slept), 1.0)

    @examples
    @given(
        st.integers(1, 20),
        st.floats(0.1, 60),
        st.lists(st.floats(0, 30), min_size=1, max_size=60),
    )
    def test_no_window_holds_more_than_the_rate(self, count, seconds, gaps):
        clock, pacer = self.pacer(count, seconds)
        at = []
        for gap in gaps:
            clock.now += gap
            pacer.wait()
            at.append(clock.now)
        for first, later in zip(at, at[count:]):  # noqa: B905
            self.assertGreaterEqual(later - first, seconds - 1e-6)


class TestRefusalThrottle(BaseCase):
    def test_one_row_a_window_and_none_forgotten(self):
        clock = Clock()
        throttle = RefusalThrottle(window=10.0, clock=clock)
        self.assertEqual([throttle.admit("a") for _i in range(5)], [1, 0, 0, 0, 0])
        self.assertEqual(throttle.admit("b"), 1, "keys do not hide each other")
        clock.now += 10.0
        self.assertEqual(throttle.admit("a"), 5, "four were held back")
        clock.now += 10.0
        self.assertEqual(throttle.admit("a"), 1)

    def test_invented_keys_do_not_grow_memory(self):
        throttle = RefusalThrottle(max_keys=50)
        for number in range(10_000):
            throttle.admit(number)
        self.assertLessEqual(len(throttle._seen), 50)


class TestStorable(BaseCase):
    def test_ordinary_text_is_left_alone(self):
        for text in ("", "a", "callid:42:INCOMING", "ș" * 80, "👋"):
            self.assertEqual(storable(text, 80), text)

    @examples
    @given(st.text(st.characters()), st.text(st.characters()), st.integers(80, 300))
    def test_fits_and_tells_apart(self, one, other, limit):
        stored = storable(one, limit)
        self.assertLessEqual(len(stored), limit)
        self.assertNotIn("\0", stored)
        stored.encode()  # no lone surrogate is left
        self.assertEqual(stored, storable(one, limit))
        if one != other:
            self.assertNotEqual(stored, storable(other, limit))

    def test_long_texts_with_a_common_start(self):
        long = "x" * 100_000
        self.assertNotEqual(storable(long + "1", 255), storable(long + "2", 255))
        self.assertEqual(len(storable(long, 255)), 255)
        self.assertNotEqual(storable("a\0", 80), storable("a", 80))
        self.assertNotEqual(storable("a\ud800", 80), storable("a?", 80))
