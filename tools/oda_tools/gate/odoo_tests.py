# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Python tests of one addon: run in a copy of its own database, compared by name."""

import re

from oda_tools.gate import logs
from oda_tools.gate.counting import python_tests
from oda_tools.gate.report import Result

STARTING = re.compile(r"Starting (\S+) \.\.\.")
FAILED = re.compile(r"(?:FAIL|ERROR): (?:Subtest )?(\S+)")
CLASS_FAILED = re.compile(r"(?:FAIL|ERROR): (setUpClass|tearDownClass) \((\S+)\)")
SKIPPED = re.compile(r"skipped (\S+) : (.*)")
CLASS_SKIPPED = re.compile(r"skipped setUpClass \((\S+)\) : (.*)")
SHOWN = 40


class Ran:
    """What a log says about the tests of one addon.

    :ivar set started: (file without .py, "Class.test_method")
    :ivar dict failed: the same -> text
    :ivar dict skipped: the same -> reason
    :ivar dict broken: "setUpClass of module.Class" -> text
    """

    def __init__(self, records, addon):
        self.started, self.failed, self.skipped = set(), {}, {}
        self.broken, self.classes_skipped = {}, {}
        prefix = f"odoo.addons.{addon}.tests."
        for record in records:
            if record.logger.startswith(prefix):
                self._own(record, record.logger.removeprefix(prefix))
            elif record.logger.startswith("odoo.tests"):
                self._of_class(record, prefix)

    def _own(self, record, file):
        if found := STARTING.match(record.text):
            self.started.add((file, found[1]))
        elif record.level == "ERROR" and (found := FAILED.match(record.text)):
            self.failed.setdefault((file, found[1]), record.text)
        elif found := SKIPPED.match(record.text):
            self.skipped[file, found[1]] = found[2].strip()

    def _of_class(self, record, prefix):
        if found := CLASS_SKIPPED.match(record.text):
            where = found[1].removeprefix(prefix)
            self.classes_skipped[tuple(where.split(".", 1))] = found[2].strip()
        elif found := CLASS_FAILED.match(record.text):
            where = found[2].removeprefix(prefix)
            self.broken[f"{found[1]} of {where}"] = record.text
        elif record.level == "ERROR" and re.match("(FAIL|ERROR): ", record.text):
            self.broken[record.text.splitlines()[0]] = record.text


def judge(result, records, addon, expected):
    """Fill a Result from a log and from what the files promise.

    :param Result result: filled in place
    :param records: of the log
    :param expected: an :class:`oda_tools.gate.counting.Expected`
    """
    ran = Ran(records, addon)
    for file, name in expected.tests - ran.started:
        reason = ran.classes_skipped.get((file, name.partition(".")[0]))
        if reason is not None:
            ran.skipped[file, name] = reason
    missing = expected.tests - ran.started - set(ran.skipped)
    result.expected, result.ran = len(expected.tests), len(ran.started)
    result.skipped = len(ran.skipped)
    result.failures += [f"  {text}" for text in expected.problems]
    for (file, _name), text in sorted(ran.failed.items()):
        result.failures.append(f"  {addon}/tests/{file}.py {shortened(text)}")
    for name, text in sorted(ran.broken.items()):
        result.failures.append(f"  {name}\n    {shortened(text)}")
    for file, name in sorted(missing):
        result.failures.append(
            f"  {addon}/tests/{file}.py {name} is in the file but did not run "
            "(no Odoo test class, both phases excluded by tags, or setUpClass failed)"
        )
    for (file, name), reason in sorted(ran.skipped.items()):
        result.notes.append(f"skipped: {file}.{name}: {reason}")
    if expected.excluded:
        result.notes.append(f"not run, tagged -standard: {len(expected.excluded)}")
    generated = ran.started - expected.tests
    if generated:
        names = ", ".join(sorted(name for _file, name in generated)[:5])
        result.notes.append(f"{len(generated)} tests made at run time: {names}")
    result.passed += len(ran.started - set(ran.failed) - set(ran.skipped))
    return ran


def shortened(text):
    """A traceback of at most SHOWN lines, its end kept."""
    lines = text.splitlines()
    if len(lines) > SHOWN:
        lines = [lines[0], f"... {len(lines) - SHOWN} lines ...", *lines[1 - SHOWN :]]
    return "\n".join(f"    {line}" for line in lines).strip()


def run(context, addon, database, timeout=1200):
    """Update ``addon`` in a copy of ``database`` with its tests on.

    An update runs both phases (at_install, post_install) and proves on the way that
    its data files can be loaded twice.

    :return: the copy; HOOT goes on in it, the assets are made there already
    """
    log = context.log("python", addon.name)
    result = Result("python", addon.name, log=log)
    expected = python_tests(addon.path)
    copy = context.databases.clone(database, f"py_{addon.name}")
    arguments = ("-u", addon.name, "--test-tags", f"/{addon.name}")
    outcome = context.odoo(copy, *arguments, log=log, timeout=timeout)
    judge(result, logs.read(log), addon.name, expected)
    if outcome.timed_out or (outcome.rc and not result.failures):
        context.end_well(result, outcome, "Odoo with the tests")
    result.seconds = outcome.seconds
    context.report.add(result)
    context.judge_log(f"python {addon.name}", log)
    return copy
