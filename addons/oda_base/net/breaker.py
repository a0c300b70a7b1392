# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Circuit breaker per host: a dead provider is left alone instead of waited for.

closed --(threshold failures in a row)--> open --(pause over)--> half-open
half-open: one probe goes through; it succeeds -> closed, it fails -> open for
twice as long (up to a cap).

State lives in this process only: every worker finds out for itself. That is
deliberate: the cost is a few slow calls a worker, a shared state would cost a
write to the database on each call.
"""

import dataclasses
import threading
import time

from .errors import CircuitOpen

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


@dataclasses.dataclass
class _Circuit:
    state: str = CLOSED
    failures: int = 0  # in a row
    pause: float = 0.0  # seconds
    until: float = 0.0  # open: end of the pause; half-open: end of the probe's lease
    generation: int = 0  # answers to calls of an earlier generation are ignored
    opened: int = 0  # times, for the metrics


@dataclasses.dataclass(frozen=True)
class CircuitState:
    """What the metrics page shows. ``retry_in`` in seconds, 0 when closed."""

    state: str
    failures: int
    retry_in: float
    opened: int


@dataclasses.dataclass(frozen=True)
class Permit:
    """The right to make one call; give it back with :meth:`Breaker.leave`."""

    host: str
    generation: int


class Breaker:
    """Thread-safe; one instance serves many hosts.

    :param int threshold: failures in a row that open a circuit
    :param float pause: seconds of the first rest
    :param float max_pause: seconds, cap of the doubling
    :param clock: monotonic seconds
    """

    def __init__(self, threshold=5, pause=30.0, max_pause=600.0, clock=time.monotonic):
        self._threshold = threshold
        self._pause = pause
        self._max_pause = max_pause
        self._clock = clock
        self._lock = threading.Lock()
        self._circuits = {}

    def enter(self, host):
        """Ask to call ``host``.

        :return: Permit
        :raise CircuitOpen: the host rests, or its probe is still under way
        """
        now = self._clock()
        with self._lock:
            circuit = self._circuits.setdefault(host, _Circuit())
            if circuit.state != CLOSED:
                if now < circuit.until:
                    raise CircuitOpen(host, circuit.until - now)
                # A probe whose thread died never reports: its lease runs out and
                # the next caller becomes the probe.
                circuit.state = HALF_OPEN
                circuit.generation += 1
                circuit.until = now + circuit.pause
            return Permit(host, circuit.generation)

    def leave(self, permit, ok):
        """Report a call.

        :param ok: True the host works, False it does not, None nothing learnt
            (our own refusal): a probe's place becomes free at once
        """
        now = self._clock()
        with self._lock:
            circuit = self._circuits.get(permit.host)
            if circuit is None or permit.generation != circuit.generation:
                return  # a straggler from before the circuit opened
            if ok:
                circuit.state, circuit.failures, circuit.pause = CLOSED, 0, 0.0
            elif ok is None:
                if circuit.state == HALF_OPEN:
                    circuit.state, circuit.until = OPEN, now
            else:
                circuit.failures += 1
                if circuit.state == HALF_OPEN or circuit.failures >= self._threshold:
                    circuit.pause = min(
                        circuit.pause * 2 or self._pause, self._max_pause
                    )
                    circuit.state = OPEN
                    circuit.until = now + circuit.pause
                    circuit.generation += 1
                    circuit.opened += 1

    def states(self):
        """dict host -> CircuitState, of this process, sorted by host."""
        now = self._clock()
        with self._lock:
            return {
                host: CircuitState(
                    circuit.state,
                    circuit.failures,
                    max(0.0, circuit.until - now) if circuit.state != CLOSED else 0.0,
                    circuit.opened,
                )
                for host, circuit in sorted(self._circuits.items())
            }

    def reset(self, host=None):
        """Forget one host, or all: the operator's "try again now" button."""
        with self._lock:
            if host is None:
                self._circuits.clear()
            else:
                self._circuits.pop(host, None)


#: The breaker of this process, shared by every SafeClient that names no other.
BREAKER = Breaker()
