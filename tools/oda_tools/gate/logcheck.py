# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The verdict over a server log: nothing at WARNING or above, no traceback."""

import re

from oda_tools.gate import logs
from oda_tools.gate.allowed import ALLOWED

BAD = ("WARNING", "ERROR", "CRITICAL")

# A failed test is counted as a failed test; its echo in the log is not a second fault.
ECHOES = (
    re.compile(r"(FAIL|ERROR): "),
    re.compile(r"Module \w+: \d+ failures, \d+ errors of \d+ tests"),
    re.compile(r"At least one test failed when loading the modules"),
    re.compile(r"\[HOOT\] Test \".*\" failed"),
    re.compile(r"Some tests failed: see above for details"),
    re.compile(r"\d+ failed, \d+ error\(s\) of \d+ tests when loading database"),
)


def _echo(record):
    of_tests = ".tests." in record.logger or record.logger.startswith(
        ("odoo.tests", "odoo.modules.loading", "odoo.service.server", "odoo.registry")
    )
    return of_tests and any(echo.match(record.text) for echo in ECHOES)


def _allowed(record, allowed):
    return any(
        record.logger == logger and re.match(pattern, record.text)
        for logger, pattern, _reason in allowed
    )


def suspects(record):
    """Whether a record alone would fail the gate."""
    if not record.level:
        return logs.TRACEBACK in record.text
    return record.level in BAD or logs.TRACEBACK in record.text


def check(records, allowed=ALLOWED, expected=()):
    """Records that fail the gate, in order.

    :param records: of :func:`oda_tools.gate.logs.parse`
    :param allowed: (logger, pattern, reason) triples, none of them ours
    :param expected: further ones, which whole-system tests provoke on purpose
        (``System.expect_log``); these may be ours
    """
    ours = tuple(e for e in allowed if e[0].startswith("odoo.addons.oda_"))
    if ours:
        raise ValueError(f"our own log lines cannot be allowed: {ours}")
    known = (*allowed, *expected)
    return [
        record
        for record in records
        if suspects(record) and not _echo(record) and not _allowed(record, known)
    ]


def describe(record, path, lines=12):
    """A few readable lines about a record: where it is and its first lines."""
    text = record.text.splitlines() or [""]
    more = [f"    ... {len(text) - lines} more lines"] if len(text) > lines else []
    head = f"  {path}:{record.line}: {record.level or 'OUTPUT'} {record.logger}"
    return "\n".join([head, *(f"    {line}" for line in text[:lines]), *more])
