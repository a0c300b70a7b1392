# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Rows written a moment later, so that who waits for an answer does not wait for them.

One thread a process, begun by the first row. What is in memory when a process is
killed is lost: keep here only what can be worked out again.
"""

import logging
import os
import threading
from collections import defaultdict, deque

_logger = logging.getLogger(__name__)


class Afterwards:
    """A queue that `write(key, rows)` empties, `delay` seconds after a row came.

    :param write: called in a thread of its own with all rows of one key; what it
        raises is logged and those rows are lost
    :param float delay: seconds; the rows of that time are written together
    :param int room: rows kept at most; the oldest give way
    """

    def __init__(self, write, delay=0.15, room=10_000):
        self.write, self.delay = write, delay
        self._rows = deque(maxlen=room)
        self._come = threading.Event()
        self._lock = threading.Lock()
        self._pid = None

    def put(self, key, row):
        """Take a row in; returns at once. Safe after a fork, from any thread."""
        self._rows.append((key, row))
        if self._pid != os.getpid():
            self._begin()
        self._come.set()

    def flush(self):
        """Write what has come so far, in the thread of the caller."""
        groups = defaultdict(list)
        while self._rows:
            try:
                key, row = self._rows.popleft()
            except IndexError:
                break  # the thread was faster
            groups[key].append(row)
        for key, rows in groups.items():
            try:
                self.write(key, rows)
            except Exception as error:  # noqa: BLE001
                _logger.error("%s rows not written: %s", len(rows), error)

    def _begin(self):
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            # A fork copies the flag, not the thread that would answer to it.
            self._come = threading.Event()
            threading.Thread(
                target=self._work, name="oda-afterwards", daemon=True
            ).start()

    def _work(self):
        come = self._come
        while True:
            come.wait()
            threading.Event().wait(self.delay)
            come.clear()
            self.flush()
