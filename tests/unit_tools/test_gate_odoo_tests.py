# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The verdict over Odoo's Python tests: names in the files against names in the log."""

from gate_logs import line, ran, records

from oda_tools.gate import odoo_tests
from oda_tools.gate.counting import Expected
from oda_tools.gate.report import Result

LOGGER = "odoo.addons.oda_x.tests.test_a"


def judge(expected, *lines):
    result = Result("python", "oda_x")
    odoo_tests.judge(result, records(*lines), "oda_x", expected)
    return result


def wanted(*names):
    return Expected(tests={("test_a", name) for name in names})


def test_all_ran():
    result = judge(wanted("A.test_b"), ran("oda_x", "test_a", "A.test_b"))
    assert (result.passed, result.failures, result.expected) == (1, [], 1)


def test_one_did_not_run():
    result = judge(wanted("A.test_b", "A.test_c"), ran("oda_x", "test_a", "A.test_b"))
    assert result.passed == 1
    assert "A.test_c is in the file but did not run" in result.failures[0]


def test_same_name_in_another_addon_does_not_count():
    result = judge(wanted("A.test_b"), ran("oda_xy", "test_a", "A.test_b"))
    assert len(result.failures) == 1


def test_failure_counts_once_whatever_its_subtests():
    result = judge(
        wanted("A.test_b"),
        ran("oda_x", "test_a", "A.test_b"),
        line("ERROR", LOGGER, "FAIL: Subtest A.test_b (n=1)\nTraceback (most recent"),
        line("ERROR", LOGGER, "FAIL: Subtest A.test_b (n=2)\nTraceback (most recent"),
    )
    assert result.passed == 0
    assert len(result.failures) == 1


def test_error_message_of_code_under_test_is_not_a_failed_test():
    result = judge(
        wanted("A.test_b"),
        ran("oda_x", "test_a", "A.test_b"),
        line("ERROR", "odoo.addons.oda_x.models.y", "FAIL: something"),
    )
    assert result.failures == []


def test_skipped_test_is_said_aloud():
    result = judge(
        wanted("A.test_b"),
        ran("oda_x", "test_a", "A.test_b"),
        line("INFO", LOGGER, "skipped A.test_b : no scanner"),
    )
    assert (result.passed, result.skipped, result.failures) == (0, 1, [])
    assert "no scanner" in result.notes[0]


def test_class_that_skips_in_set_up():
    text = f"skipped setUpClass ({LOGGER}.A) : no browser"
    result = judge(wanted("A.test_b"), line("INFO", "odoo.tests.suite", text))
    assert (result.passed, result.skipped, result.failures) == (0, 1, [])
    assert "no browser" in result.notes[0]


def test_broken_set_up_fails_itself_and_its_tests():
    text = f"ERROR: setUpClass ({LOGGER}.A)\nTraceback (most recent call last):"
    result = judge(wanted("A.test_b"), line("ERROR", "odoo.tests.suite", text))
    assert len(result.failures) == 2


def test_problems_of_the_files_fail():
    assert judge(Expected(problems=["not imported"])).failures == ["  not imported"]


def test_tests_made_at_run_time_are_named():
    result = judge(
        wanted("A.test_b"),
        ran("oda_x", "test_a", "A.test_b"),
        ran("oda_x", "test_a", "A.test_b_1"),
    )
    assert (result.passed, result.failures) == (2, [])
    assert "made at run time" in result.notes[0]


def test_a_retried_test_counts_once():
    again = ran("oda_x", "test_a", "A.test_b")
    assert judge(wanted("A.test_b"), again, again).ran == 1
