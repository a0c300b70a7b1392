# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time


class Pacer:
    """Space calls out: at most `count` in any `seconds`, in one process.

    One drain an account runs at a time (advisory lock), so this is the rate
    of the account. A token bucket that starts full.
    """

    def __init__(self, count, seconds, clock=time.monotonic, sleep=time.sleep):
        self._gap = seconds / count
        self._burst = count
        self._clock, self._sleep = clock, sleep
        self._tokens, self._at = float(count), clock()

    def wait(self):
        """Return when the next call may be made."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) / self._gap)
        self._at = now
        if self._tokens < 1:
            pause = (1 - self._tokens) * self._gap
            self._sleep(pause)
            self._tokens, self._at = 1.0, self._clock()
        self._tokens -= 1
