# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""HOOT: what the files hold against what Odoo's runner says it ran."""

import pytest
from gate_logs import line, records

from oda_tools.gate import hoot
from oda_tools.gate.addons import Addon
from oda_tools.gate.report import Result

LOGGER = "odoo.addons.web.tests.test_js.WebSuite.test_unit_desktop.browser"
SOURCE = """
import { describe, expect, test } from "@odoo/hoot";

test("plain", () => {});
// test("commented out", () => {});
/* test("also commented out") */
test.tags("desktop");
test('only "wide"', async () => {
    expect(regex.test("no test")).toBe(true);
});
describe("group", () => {
    test.tags("mobile");
    test("only narrow", () => {});
    test.skip("later", () => {});
});
for (const x of [1, 2]) {
    test(`number ${x}`, () => {});
}
"""


def log(*texts, level="INFO"):
    return records(*(line(level, LOGGER, text) for text in texts))


def passed(name):
    return f'[HOOT] Test "{name}" passed (assertions: 1 / time: 3 ms)'


def suites(*names):
    tests = [hoot.JsTest("@oda_x/a", name, frozenset()) for name in names]
    return hoot.Suites(tests)


def judge(found, all_suites, preset="desktop"):
    result = Result("hoot", "oda_x")
    hoot.judge(result, found, all_suites, preset)
    return result


def test_names_tags_and_skips_are_read():
    tests = hoot.read_file(SOURCE, "@oda_x/a")
    assert [(t.name, sorted(t.tags), t.skipped) for t in tests] == [
        ("plain", [], False),
        ('only "wide"', ["desktop"], False),
        ("only narrow", ["mobile"], False),
        ("later", [], True),
        (None, [], False),
    ]


def test_tag_for_the_whole_file():
    text = 'describe.current.tags("desktop");\ntest("a", () => {});\n'
    (test,) = hoot.read_file(text, "@oda_x/a")
    assert test.runs_in("desktop") and not test.runs_in("mobile")


def test_all_passed():
    found = log(
        passed("@oda_x/a/one"),
        passed("@oda_x/a/group/two"),
        "[HOOT] Passed 2 tests (4 assertions, total time: 00:00:01)",
    )
    result = judge(found, suites("one", "two"))
    assert (result.passed, result.failures, result.ran) == (2, [], 2)


def test_silent_runner_fails():
    result = judge(log("[HOOT] Starting test suites"), suites("one"))
    assert any("no summary" in text for text in result.failures)


def test_zero_tests_fail():
    found = log("no tests to run", "[HOOT] Passed 0 tests (0 assertions)")
    result = judge(found, suites("one"))
    assert result.passed == 0
    assert any("did not pass" in text for text in result.failures)


def test_test_of_the_same_name_elsewhere_does_not_count():
    found = log(passed("@web/a/one"), "[HOOT] Passed 1 tests (1 assertions, total: 0)")
    assert judge(found, suites("one")).failures


def test_computed_names_are_counted():
    computed = hoot.Suites([hoot.JsTest("@oda_x/a", None, frozenset())] * 2)
    found = log(passed("@oda_x/a/n 1"), "[HOOT] Passed 1 tests (1 assertions)")
    assert any("2 tests in the files" in x for x in judge(found, computed).failures)


def test_failed_tests_are_counted_once():
    found = log(passed("@oda_x/a/one")) + records(
        line("ERROR", LOGGER, '[HOOT] Test "@oda_x/a/two" failed:\nexpected 3'),
        line("INFO", LOGGER, "[HOOT] Failed 1 tests (1 passed, total time: 0)"),
    )
    result = judge(found, suites("one", "two"))
    assert (result.passed, len(result.failures)) == (1, 1)


@pytest.fixture
def addon(tmp_path):
    def make(text, assets):
        file = tmp_path / "oda_x" / "static" / "tests" / "calls" / "a.test.js"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        manifest = {"assets": {"web.assets_unit_tests": assets}}
        return hoot.read(Addon("oda_x", tmp_path / "oda_x", manifest))

    return make


def test_suite_is_named_as_the_runner_names_it(addon):
    found = addon('test("a", () => {});', ["oda_x/static/tests/**/*.test.js"])
    assert found.tests[0].suite == "@oda_x/calls/a"
    assert not found.problems


def test_file_outside_the_bundle_is_a_problem(addon):
    found = addon('test("a", () => {});', [])
    assert "never runs" in found.problems[0]
    assert not found.tests


def test_file_without_tests_and_only_are_problems(addon):
    found = addon('test.only("a", () => {});', ["oda_x/static/tests/**/*"])
    assert "only()" in found.problems[0]
