# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Counting refused pushes without letting a stranger fill the disk."""

import threading
import time


class RefusalThrottle:
    """Let one row through per key and window; count the rest into the next.

    In-process: with several workers each writes its own row, which only means
    a few rows more. Keys are bounded so that invented ones cannot grow memory.
    """

    def __init__(self, window=10.0, max_keys=1000, clock=time.monotonic):
        self._window, self._max_keys, self._clock = window, max_keys, clock
        self._lock = threading.Lock()
        self._seen = {}

    def admit(self, key) -> int:
        """Return how many refusals the row to write stands for; 0 = none."""
        now = self._clock()
        with self._lock:
            written_at, held = self._seen.get(key, (None, 0))
            if written_at is not None and now - written_at < self._window:
                self._seen[key] = (written_at, held + 1)
                return 0
            if len(self._seen) >= self._max_keys:
                self._seen.clear()
            self._seen[key] = (now, 0)
            return held + 1
