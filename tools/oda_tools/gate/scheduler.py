# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Runs steps that depend on each other, a few at a time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from oda_tools.gate.process import Interrupted


@dataclass
class Step:
    """One piece of work.

    :ivar str name: unique
    :ivar run: called without arguments; True (or None) when those after it may start
    :ivar tuple after: names of steps that must have ended well before
    :ivar int rank: lower starts earlier among those that could
    """

    name: str
    run: Callable
    after: tuple = ()
    rank: int = 0


class Scheduler:
    """At most ``width`` steps at once.

    :param on_skip: called with (step, name of the failed step) when a step cannot
        run because one before it failed
    :param on_error: called with (step, exception) when a step broke; the others go on
    """

    def __init__(self, steps, width, on_skip, on_error):
        self.left = {step.name: step for step in steps}
        for step in steps:
            unknown = set(step.after) - set(self.left)
            if unknown:
                raise ValueError(f"{step.name} waits for unknown {unknown}")
        self.width = width
        self.on_skip = on_skip
        self.on_error = on_error
        self.outcome = {}
        self._wake = threading.Condition()
        self._running = 0

    def run(self):
        """Run everything; blocks, in short naps so that Ctrl-C gets through."""
        with self._wake:
            while self.left or self._running:
                self._launch()
                self._wake.wait(0.5)
                if not self._running and self.left and not self._ready():
                    self._skip_blocked()

    def _ready(self):
        ready = [
            step
            for step in self.left.values()
            if all(self.outcome.get(name) for name in step.after)
        ]
        return sorted(ready, key=lambda step: step.rank)

    def _skip_blocked(self):
        for step in list(self.left.values()):
            broken = next((n for n in step.after if self.outcome.get(n) is False), None)
            if broken:
                del self.left[step.name]
                self.outcome[step.name] = False
                self.on_skip(step, broken)
                return
        if self.left:
            raise RuntimeError(f"steps wait for each other: {', '.join(self.left)}")

    def _launch(self):
        for step in self._ready()[: self.width - self._running]:
            del self.left[step.name]
            self._running += 1
            threading.Thread(
                target=self._work, args=(step,), name=step.name, daemon=True
            ).start()

    def _work(self, step):
        good = False
        try:
            good = step.run() is not False
        except Interrupted:
            pass
        except Exception as error:
            self.on_error(step, error)
        finally:
            with self._wake:
                self.outcome[step.name] = good
                self._running -= 1
                self._wake.notify_all()

    def wait(self, seconds):
        """After Ctrl-C: give running steps time to notice."""
        limit = time.monotonic() + seconds
        while self._running and time.monotonic() < limit:
            time.sleep(0.05)
