# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Child processes of the gate: own group, own log file, a time limit, no orphans."""

import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass


class Interrupted(Exception):
    """The run is being ended; no new process may start."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended.

    :ivar int rc: exit status (negative: the signal)
    :ivar bool timed_out: it was killed at its time limit, or had gone silent
    :ivar float seconds: how long it ran
    """

    rc: int
    timed_out: bool
    seconds: float


class Processes:
    """Starts children and remembers the living ones, so that Ctrl-C leaves none."""

    def __init__(self):
        self._living = set()
        self._lock = threading.Lock()
        self._closed = False
        self._next = os.getpid() * 97

    def run(self, argv, log, *, timeout, silence=None, env=None, cwd=None, dump=False):
        """Run to the end with output in ``log`` (appended).

        :param float silence: seconds without a word after which it counts as stuck
        :param bool dump: on time-out send SIGQUIT first: Odoo then writes the stack of
            every thread to its log
        :raise Interrupted: when the run was ended meanwhile
        """
        start = time.monotonic()
        child = self.start(argv, log, env=env, cwd=cwd)
        try:
            timed_out = self._stuck(child, log, timeout, silence)
            if timed_out and dump:
                child.send_signal(signal.SIGQUIT)
                time.sleep(3)
        finally:
            rc = self.kill(child)
        if self._closed:
            raise Interrupted
        return Outcome(rc, timed_out, time.monotonic() - start)

    @staticmethod
    def _stuck(child, log, timeout, silence):
        """Wait for the end; True when a limit was passed instead."""
        limit = time.monotonic() + timeout
        while True:
            try:
                child.wait(1)
                return False
            except subprocess.TimeoutExpired:
                pass
            quiet = time.time() - os.path.getmtime(log)
            if time.monotonic() > limit or (silence and quiet > silence):
                return True

    def start(self, argv, log, *, env=None, cwd=None):
        """Start in the background; returns the Popen. End it with ``kill``."""
        with self._lock:
            if self._closed:
                raise Interrupted
            with open(log, "ab") as output:
                output.write(f"$ {' '.join(map(str, argv))}\n".encode())
                output.flush()
                child = subprocess.Popen(
                    [str(part) for part in argv],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=env,
                    cwd=cwd,
                    # an own group, so that Chromium goes down with its server
                    start_new_session=True,
                )
            self._living.add(child)
        return child

    def kill(self, child, grace=0):
        """End a child and everything it started; returns its exit status."""
        if grace and child.poll() is None:
            child.terminate()
            try:
                child.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        rc = child.wait()
        with self._lock:
            self._living.discard(child)
        return rc

    def close(self):
        """End all children; nothing starts any more."""
        with self._lock:
            self._closed = True
            living = list(self._living)
        for child in living:
            self.kill(child)

    def port(self):
        """A free TCP port of 127.0.0.1 that this run has not handed out before.

        Below the range that the system gives to outgoing connections: one of those
        could otherwise take the port before the server listens.
        """
        with self._lock:
            while True:
                port = 20_000 + (self._next % 12_000)
                self._next += 1
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    try:
                        probe.bind(("127.0.0.1", port))
                    except OSError:
                        continue
                return port
