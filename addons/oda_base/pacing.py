# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
from collections import deque


class Pacer:
    """Space calls out: at most `count` in any `seconds`, in one process.

    One drain an account runs at a time (advisory lock), so this is the rate of
    the account. It remembers the last `count` calls: a bucket of tokens would
    let twice as many through in the window that follows a rest.
    """

    def __init__(self, count, seconds, clock=time.monotonic, sleep=time.sleep):
        self._seconds = seconds
        self._clock, self._sleep = clock, sleep
        self._calls = deque(maxlen=count)

    def wait(self):
        """Return when the next call may be made."""
        if len(self._calls) == self._calls.maxlen:
            pause = self._calls[0] + self._seconds - self._clock()
            if pause > 0:
                self._sleep(pause)
        self._calls.append(self._clock())
