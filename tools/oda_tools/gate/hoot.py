# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""HOOT tests (JavaScript) of one addon, in Odoo's own headless Chromium.

Odoo's runner ignores a filter that names no suite and then runs everything, and is
content with nothing to run: so the files are read first and the names compared after.
"""

import fnmatch
import re
from dataclasses import dataclass, field

from oda_tools.gate import logs
from oda_tools.gate.odoo_tests import shortened
from oda_tools.gate.report import Result

COMMENTS = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
CALL = re.compile(
    r"""^[ \t]*test(?P<kind>\.skip|\.todo|\.only|\.debug)?
        (?P<tags>\.tags\((?P<inner>[^)]*)\)\s*;?\s*
            (?:test(?P<kind2>\.skip|\.todo|\.only|\.debug)?)?)?
        \(\s*(?P<quote>["'`])(?P<name>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
FILE_TAGS = re.compile(r"describe\.current\.tags\(([^)]*)\)")
PASSED_TEST = re.compile(r'\[HOOT\] Test "(.*)" passed \(assertions: ?(\d+)')
SUMMARY = re.compile(r"^(?:\[HOOT\] )?(Passed|Failed) (\d+) tests \((\d+)")
FAILED_TEST = re.compile(r'\[HOOT\] Test "(.*?)" failed')
PRESETS = {
    "desktop": ("mobile", "WebSuite.test_unit_desktop"),
    "mobile": ("desktop", "MobileWebSuite.test_unit_mobile"),
}


@dataclass(frozen=True)
class JsTest:
    """One ``test("name", ...)``: suite is "@addon/path", name None if computed."""

    suite: str
    name: str | None
    tags: frozenset
    skipped: bool = False

    def runs_in(self, preset):
        return not self.skipped and PRESETS[preset][0] not in self.tags


@dataclass
class Suites:
    """The HOOT tests of an addon and what is wrong with its files."""

    tests: list = field(default_factory=list)
    problems: list = field(default_factory=list)


def _strings(text):
    return {found[1] for found in re.finditer(r"[\"'`]([^\"'`]+)[\"'`]", text or "")}


def read_file(text, suite):
    """Tests of one source text; ``suite`` as HOOT names the file."""
    text = COMMENTS.sub("", text)
    shared = set()
    for tags in FILE_TAGS.finditer(text):
        shared |= _strings(tags[1])
    found = []
    for call in CALL.finditer(text):
        name = call["name"]
        if call["quote"] == "`" and "${" in name:
            name = None
        elif "\\" in name:
            name = re.sub(r"\\(.)", r"\1", name)
        kinds = {call["kind"], call["kind2"]}
        tags = frozenset(shared | _strings(call["inner"]))
        found.append(JsTest(suite, name, tags, ".skip" in kinds or "skip" in tags))
    return found


def read(addon):
    """The HOOT tests in ``static/tests`` of an addon; a :class:`Suites`."""
    result, folder = Suites(), addon.path / "static" / "tests"
    bundled = addon.manifest.get("assets", {}).get("web.assets_unit_tests", [])
    patterns = [entry for entry in bundled if isinstance(entry, str)]
    for file in sorted(folder.rglob("*.test.js")):
        asset = f"{addon.name}/{file.relative_to(addon.path)}"
        if not any(_matches(asset, pattern) for pattern in patterns):
            result.problems.append(
                f"  {asset} is in no web.assets_unit_tests entry: it never runs"
            )
            continue
        inner = str(file.relative_to(folder)).removesuffix(".test.js")
        text = file.read_text(encoding="utf-8")
        tests = read_file(text, f"@{addon.name}/{inner}")
        if not tests:
            result.problems.append(f"  {asset} has no test")
        if re.search(r"\btest\.(only|debug)\b", COMMENTS.sub("", text)):
            result.problems.append(f"  {asset} uses only() or debug()")
        result.tests += tests
    return result


def _matches(asset, pattern):
    pattern = pattern.lstrip("/")
    return fnmatch.fnmatch(asset, pattern) or fnmatch.fnmatch(
        asset, pattern.replace("**/", "")
    )


def judge(result, records, suites, preset):
    """Fill a Result from the log with what one preset did."""
    wanted = [test for test in suites.tests if test.runs_in(preset)]
    own = [r for r in records if r.logger.endswith(f"{PRESETS[preset][1]}.browser")]
    lines = [record.text.partition("\n")[0] for record in own]
    passed = {found[1] for line in lines if (found := PASSED_TEST.match(line))}
    summary = next((found for line in lines if (found := SUMMARY.match(line))), None)
    failures = []
    if not summary:
        failures.append(f"  HOOT ({preset}) gave no summary: it did not run to its end")
    failed = int(summary[2]) if summary and summary[1] == "Failed" else 0
    total = int(summary[3] if failed else summary[2]) if summary else 0
    if failed:
        bad = [r for r in own if r.level == "ERROR" and r.text.startswith("[HOOT]")]
        failures += [f"  {shortened(record.text)}" for record in bad]
        failures += ["  a HOOT test failed; see the log"] * (failed - len(bad))
    said = " ".join(failures)
    for test in wanted:
        if test.name and not any(_is(full, test) for full in passed):
            if not failed or f'/{test.name}"' not in said:
                failures.append(
                    f'  {test.suite}: "{test.name}" is in the file but did not pass '
                    f"({preset})"
                )
    if total + failed < len(wanted) and not failures:
        failures.append(f"  {len(wanted)} tests in the files, {total} ran ({preset})")
    result.failures += failures
    result.expected = (result.expected or 0) + len(wanted)
    result.ran = (result.ran or 0) + total + failed
    result.passed += total
    extra = total + failed - len(wanted)
    if extra > 0 and all(test.name for test in wanted):
        strangers = [f for f in passed if not any(_is(f, t) for t in wanted)]
        result.notes.append(f"{extra} tests made at run time: {strangers[:3]}")


def _is(full, test):
    return full.startswith(f"{test.suite}/") and full.endswith(f"/{test.name}")


def run(context, addon, database, timeout=900):
    """Desktop preset, and the mobile one when a test is tagged for it.

    :param str database: where the addon is installed; dropped at the end
    """
    suites = read(addon)
    # an unbundled file leaves the filter without a suite: everything would run
    alive = [test for test in suites.tests if not test.skipped]
    if suites.tests or suites.problems:
        _run(context, addon, suites, database if alive else None, timeout)
    context.databases.drop(database)


def _run(context, addon, suites, database, timeout):
    log = context.log("hoot", addon.name)
    result = Result("hoot", addon.name, log=log, expected=0, ran=0)
    result.failures += suites.problems
    for test in suites.tests:
        if test.skipped:
            result.skipped += 1
            result.notes.append(f"skipped: {test.suite}: {test.name}")
    if database:
        mobile = any("mobile" in test.tags for test in suites.tests)
        presets = ["desktop", "mobile"] if mobile else ["desktop"]
        tags = ",".join(f"/web:{PRESETS[p][1]}[@{addon.name}]" for p in presets)
        arguments = ("--test-tags", tags, "--stop-after-init")
        outcome = context.odoo(database, *arguments, log=log, timeout=timeout)
        result.seconds = outcome.seconds
        records = logs.read(log)
        for preset in presets:
            judge(result, records, suites, preset)
        if outcome.timed_out or (outcome.rc and not result.failures):
            context.end_well(result, outcome, "Odoo with HOOT")
    context.report.add(result)
    if database:
        context.judge_log(f"hoot {addon.name}", log)
