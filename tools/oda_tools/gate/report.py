# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the run found: a result a step, printed as it comes and again at the end."""

import threading
import time
from dataclasses import dataclass, field

ORDER = (
    "ruff",
    "pylint",
    "house",
    "ground",
    "install",
    "python",
    "hoot",
    "full",
    "pytest",
    "log",
    "uninstall",
)


@dataclass
class Result:
    """The outcome of one step.

    :ivar str stage: one of ORDER
    :ivar str subject: the addon or suite
    :ivar int passed: tests (or checks) that passed
    :ivar list failures: a text for each one that failed, shown at the end
    :ivar list notes: skipped tests and the like, said aloud but not failing
    :ivar int expected: tests found in the files, None where nothing is counted
    :ivar int ran: tests the log shows
    :ivar float seconds: how long it took
    :ivar log: path of the log to look into
    """

    stage: str
    subject: str
    passed: int = 0
    failures: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    skipped: int = 0
    expected: int | None = None
    ran: int | None = None
    seconds: float = 0.0
    log: object = None

    def check(self, good, text):
        """Count one check; ``text`` says what is wrong when it is not good."""
        if good:
            self.passed += 1
        else:
            self.failures.append(text)
        return bool(good)


class Report:
    """Collects results from several threads and prints them."""

    def __init__(self, say):
        self.say = say
        self.results = []
        self.start = time.monotonic()
        self._lock = threading.Lock()

    def add(self, result):
        with self._lock:
            self.results.append(result)
            self.say(self._line(result))
            for text in result.failures:
                # Named at once: whoever keeps only the middle of this output
                # still learns what failed, and why.
                lines = [line for line in text.splitlines() if line.strip()]
                for line in lines[:2] + lines[2:][-4:]:
                    self.say(f"       {line.strip()[:160]}")
            for note in result.notes:
                self.say(f"       {note}")

    @staticmethod
    def _line(result):
        word = "FAIL" if result.failures else "ok"
        counted = ""
        if result.expected is not None:
            counted = f"  {result.ran} of {result.expected} tests ran"
        if result.skipped:
            counted += f", {result.skipped} skipped"
        failed = f", {len(result.failures)} failed" if result.failures else ""
        return (
            f"{word:<5}{result.stage:<10}{result.subject:<24}"
            f"{result.seconds:>7.1f} s  {result.passed} passed{failed}{counted}"
        )

    @property
    def passed(self):
        return sum(result.passed for result in self.results)

    @property
    def failed(self):
        return sum(len(result.failures) for result in self.results)

    def finish(self):
        """Print failures, counts, times and the closing line; returns exit status.

        The closing line stands alone: "N passed, N failed".
        """
        rank = {stage: number for number, stage in enumerate(ORDER)}
        self.results.sort(key=lambda r: (rank.get(r.stage, 99), r.subject))
        for result in self.results:
            for text in result.failures:
                self.say(f"\nFAIL {result.stage} {result.subject}")
                self.say(text)
            if result.failures and result.log:
                self.say(f"  log: {result.log}")
        self._counts()
        self._times()
        nothing = not self.passed and not self.failed
        if nothing:
            self.say("Nothing was tested: that is a failure too.")
        self.say(f"{self.passed} passed, {self.failed + nothing} failed")
        return 1 if self.failed or nothing else 0

    def _counts(self):
        counted = [r for r in self.results if r.expected is not None]
        if counted:
            self.say("\nTests, as found in the files and as run")
            self.say(f"{'':<36}{'files':>7}{'ran':>7}{'passed':>8}{'skipped':>9}")
        for r in counted:
            self.say(
                f"  {r.stage:<10}{r.subject:<24}{r.expected:>7}{r.ran:>7}"
                f"{r.passed:>8}{r.skipped:>9}"
            )

    def _times(self):
        total = time.monotonic() - self.start
        sums = {}
        for result in self.results:
            sums[result.stage] = sums.get(result.stage, 0) + result.seconds
        self.say("\nWhere the time went (steps run side by side)")
        for stage in sorted(sums, key=lambda s: rank_of(s)):
            self.say(f"  {stage:<12}{sums[stage]:>8.1f} s")
        self.say(f"  {'all, by clock':<12}{total:>7.1f} s\n")


def rank_of(stage):
    return ORDER.index(stage) if stage in ORDER else len(ORDER)
