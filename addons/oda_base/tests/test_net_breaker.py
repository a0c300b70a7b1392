# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import contextlib
import random
import threading

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base.net import breaker as breaker_module
from odoo.addons.oda_base.net import retry
from odoo.addons.oda_base.net.errors import CircuitOpen, Outcome

from .net_servers import examples


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class TestBreaker(BaseCase):
    def setUp(self):
        super().setUp()
        self.clock = Clock()
        self.breaker = breaker_module.Breaker(3, 30.0, 100.0, self.clock)

    def fails(self, times=1, host="h"):
        for _i in range(times):
            self.breaker.leave(self.breaker.enter(host), False)

    def state(self, host="h"):
        return self.breaker.states()[host]

    def test_opens_after_failures_in_a_row(self):
        self.fails(2)
        self.breaker.leave(self.breaker.enter("h"), True)
        self.fails(2)
        self.assertEqual(self.state().state, "closed")
        self.fails()
        self.assertEqual(self.state().state, "open")
        with self.assertRaises(CircuitOpen) as caught:
            self.breaker.enter("h")
        self.assertEqual(caught.exception.retry_after, 30.0)
        self.assertIs(caught.exception.outcome, Outcome.RETRY)
        self.breaker.enter("other")  # hosts do not share their troubles

    def test_one_probe_only(self):
        self.fails(3)
        self.clock.now += 31
        permit = self.breaker.enter("h")
        self.assertEqual(self.state().state, "half-open")
        with self.assertRaises(CircuitOpen):
            self.breaker.enter("h")
        self.breaker.leave(permit, True)
        self.assertEqual(self.state().state, "closed")
        self.assertEqual(self.state().failures, 0)

    def test_failed_probes_double_the_pause(self):
        self.fails(3)
        for pause in (30.0, 60.0, 100.0, 100.0):
            self.assertEqual(self.state().retry_in, pause)
            self.clock.now += pause
            self.fails()
        self.assertEqual(self.state().opened, 5)

    def test_a_probe_that_never_reports_does_not_block_for_ever(self):
        self.fails(3)
        self.clock.now += 31
        lost = self.breaker.enter("h")
        self.clock.now += 31
        second = self.breaker.enter("h")
        self.breaker.leave(lost, True)  # too late, it speaks for nobody
        self.assertEqual(self.state().state, "half-open")
        self.breaker.leave(second, True)
        self.assertEqual(self.state().state, "closed")

    def test_a_probe_that_learnt_nothing_frees_its_place(self):
        self.fails(3)
        self.clock.now += 31
        self.breaker.leave(self.breaker.enter("h"), None)
        self.breaker.leave(self.breaker.enter("h"), True)
        self.assertEqual(self.state().state, "closed")

    def test_stragglers_do_not_close_an_open_circuit(self):
        early = self.breaker.enter("h")
        self.fails(3)
        self.breaker.leave(early, True)
        self.assertEqual(self.state().state, "open")
        self.breaker.leave(early, False)
        self.assertEqual(self.state().opened, 1)

    def test_reset(self):
        self.fails(3)
        self.breaker.reset("h")
        self.breaker.enter("h")
        self.breaker.reset()
        self.assertEqual(self.breaker.states(), {})

    def test_threads(self):
        self.fails(3)
        self.clock.now += 31
        barrier, through = threading.Barrier(16), []

        def call():
            barrier.wait()
            with contextlib.suppress(CircuitOpen):
                through.append(self.breaker.enter("h"))

        threads = [threading.Thread(target=call) for _i in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(through), 1)

    @examples
    @given(st.lists(st.tuples(st.sampled_from((True, False, None)), st.floats(0, 200))))
    def test_never_stuck(self, story):
        clock = Clock()
        breaker = breaker_module.Breaker(3, 30.0, 100.0, clock)
        for ok, wait in story:
            clock.now += wait
            try:
                breaker.leave(breaker.enter("h"), ok)
            except CircuitOpen as error:
                self.assertGreater(error.retry_after, 0)
                self.assertLessEqual(error.retry_after, 100.001)  # rounding
        clock.now += 100.1
        breaker.leave(breaker.enter("h"), True)
        self.assertEqual(breaker.states()["h"].state, "closed")


class TestRetry(BaseCase):
    @examples
    @given(st.integers(-5, 10**6), st.floats(0.01, 10), st.floats(0.01, 1000))
    def test_delay_is_bounded(self, attempt, base, cap):
        pause = retry.delay(attempt, base, cap, random.Random(1))
        self.assertGreaterEqual(pause, 0)
        self.assertLessEqual(pause, cap)

    def test_delay_grows_and_jitters(self):
        rng = random.Random(7)
        means = [
            sum(retry.delay(attempt, 1, 60, rng) for _i in range(500)) / 500
            for attempt in range(8)
        ]
        for attempt, mean in enumerate(means):
            self.assertAlmostEqual(mean / (min(60, 2**attempt) / 2), 1, delta=0.15)

    def test_retry_after(self):
        now = 1445412480.0  # Wed, 21 Oct 2015 07:28:00 GMT
        for value, seconds in (
            ("120", 120.0),
            (" 0 ", 0.0),
            ("Wed, 21 Oct 2015 07:29:00 GMT", 60.0),
            ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
            ("Wed, 21 Oct 2015 09:29:00 +0200", 60.0),
            ("99999999999999999999", retry.MAX_RETRY_AFTER),
            ("Wed, 21 Oct 9999 07:28:00 GMT", retry.MAX_RETRY_AFTER),
        ):
            self.assertEqual(retry.retry_after(value, now), seconds, value)
        for value in (None, "", "soon", "-5", "1.5", "٣", "Wed, 99 Oct 2015 07:28:00"):
            self.assertIsNone(retry.retry_after(value, now), value)

    @examples
    @given(st.text())
    def test_retry_after_never_raises(self, text):
        seconds = retry.retry_after(text, 0.0)
        self.assertTrue(seconds is None or 0 <= seconds <= retry.MAX_RETRY_AFTER)

    def test_statuses(self):
        for status in (500, 502, 504, 408, 599):
            self.assertIs(retry.outcome_of_status(status, False), Outcome.UNKNOWN)
            self.assertIs(retry.outcome_of_status(status, True), Outcome.RETRY)
        self.assertIs(retry.outcome_of_status(429, False), Outcome.RETRY)
        self.assertIs(retry.outcome_of_status(503, False), Outcome.UNKNOWN)
        self.assertIs(retry.outcome_of_status(503, False, True), Outcome.RETRY)
        for status in (301, 400, 401, 403, 404, 410, 422, 501):
            self.assertIs(retry.outcome_of_status(status, True), Outcome.PERMANENT)

    def test_breaks(self):
        for sent, idempotent, outcome in (
            (True, False, Outcome.UNKNOWN),
            (False, False, Outcome.RETRY),
            (True, True, Outcome.RETRY),
            (False, True, Outcome.RETRY),
        ):
            self.assertIs(retry.outcome_of_break(sent, idempotent), outcome)
