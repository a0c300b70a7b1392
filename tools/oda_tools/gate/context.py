# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What every step needs: the server, the addons, this run's databases and folders."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from oda_tools.gate import logcheck, logs
from oda_tools.gate.addons import Catalogue
from oda_tools.gate.databases import Databases
from oda_tools.gate.process import Processes
from oda_tools.gate.report import Report, Result

# Odoo says something for each test; the slowest single one takes far less than this
SILENCE = 240  # seconds


@dataclass
class Context:
    """One run of the gate.

    :ivar runtime: the Runtime (server, cluster, environment)
    :ivar Path root: the clone
    :ivar Path logs: folder for this run's logs
    """

    runtime: object
    root: Path
    catalogue: Catalogue
    databases: Databases
    processes: Processes
    report: Report
    logs: Path

    def log(self, step, subject):
        return self.logs / f"{step}-{subject}.log"

    def shown(self, path):
        """A path as a person in the clone would type it."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def odoo(self, db, *args, log, timeout, command="server"):
        """Run Odoo to its end; returns the Outcome. Output goes to ``log``."""
        if command == "server":
            args = (
                f"--http-port={self.processes.port()}",
                f"--gevent-port={self.processes.port()}",
                "--workers=0",
                "--max-cron-threads=0",
                f"--screenshots={self.logs / 'screenshots'}",
                *args,
            )
        return self.processes.run(
            self.runtime.odoo_argv(db, *args, command=command),
            log,
            timeout=timeout,
            silence=SILENCE,
            env=self.runtime.env({"ODOO_TEST_FAILURE_RETRIES": "0"}),
            cwd=self.root,
            dump=True,
        )

    def end_well(self, result, outcome, what):
        """Count whether the process ended well, with the log's last lines if not."""
        good = outcome.rc == 0 and not outcome.timed_out
        why = (
            f"was stuck and killed after {outcome.seconds:.0f} s (stacks in its log)"
            if outcome.timed_out
            else f"ended with status {outcome.rc}"
        )
        return result.check(good, f"{what} {why}\n{last_lines(result.log)}")

    def judge_log(self, subject, path, expected=()):
        """The log check over one file, as a result of its own."""
        start = time.monotonic()
        result = Result("log", subject, log=path)
        bad = logcheck.check(logs.read(path), expected=expected)
        for record in bad[:20]:
            result.failures.append(logcheck.describe(record, self.shown(path)))
        if len(bad) > 20:
            result.failures.append(f"  ... and {len(bad) - 20} more")
        result.passed = 0 if bad else 1
        result.seconds = time.monotonic() - start
        self.report.add(result)
        return not bad

    def rows(self, db, sql):
        """Rows of a query: lists of strings."""
        text = self.runtime.psql(db, sql)
        return [line.split("|") for line in text.splitlines()]

    def column(self, db, sql):
        """The first column of a query, a set of strings."""
        return {row[0] for row in self.rows(db, sql)}


def last_lines(path, count=40):
    """The lines of a log that matter when something broke.

    The end of the file, preceded by what was logged at WARNING or above before it.
    """
    if path is None or not Path(path).exists():
        return "  (no log)"
    lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    loud = [
        line
        for line in lines[:-count]
        if (head := logs.HEAD.match(line)) and head["level"] in logcheck.BAD
    ][-10:]
    return "\n".join(f"    {line[:300]}" for line in [*loud, *lines[-count:]])


def fresh_folder(path):
    """An empty folder; what was there before is removed."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
