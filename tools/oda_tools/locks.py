# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Locks between commands of one clone; the kernel frees them when a process dies."""

import contextlib
import fcntl
import os

from oda_tools import paths
from oda_tools.console import say


def _open(name):
    paths.RUN.mkdir(parents=True, exist_ok=True)
    return os.open(paths.RUN / name, os.O_RDWR | os.O_CREAT, 0o600)


@contextlib.contextmanager
def setup():
    """One set-up at a time in a clone; a second command waits and says so."""
    handle = _open("setup.lock")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another command sets this clone up right now; waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Shared:
    """Several holders; the last one to leave may switch the light off.

    :param str name: lock file under ``.local/run``
    """

    def __init__(self, name):
        self.name = name
        self._handle = None

    def hold(self):
        if self._handle is None:
            self._handle = _open(self.name)
            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self, last):
        """Let go; ``last()`` is called when nobody else holds it."""
        if self._handle is None:
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            last()
        finally:
            os.close(self._handle)
            self._handle = None
