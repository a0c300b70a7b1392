# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The log check: silent only about what is listed with a reason."""

import pytest
from gate_logs import line, records

from oda_tools.gate import allowed, logcheck

LOADING = "odoo.modules.loading"
TRACE = "Traceback (most recent call last):\n  File x\nKeyError: 'y'"


def bad(*lines, allow=()):
    return logcheck.check(records(*lines), allow)


@pytest.mark.parametrize("level", ["WARNING", "ERROR", "CRITICAL"])
def test_loud_levels_fail(level):
    assert len(bad(line(level, "odoo.addons.oda_crm.models.x", "odd"))) == 1


def test_info_passes():
    assert not bad(line("INFO", "odoo.modules.loading", "Module oda_crm loaded"))


@pytest.mark.parametrize(
    "logger, text",
    [
        ("odoo.registry", "Model attribute '_sql_constraints' is no longer supported"),
        ("odoo.modules.loading", "The models ['oda.x'] have no access rules in module"),
        ("odoo.modules.registry", "PostgreSQL function 'unaccent' is present but"),
        ("py.warnings", "x.py:1: DeprecationWarning: Since 19.0, use record.env.uid"),
        ("odoo.http", "type='json' is a deprecated alias to type='jsonrpc'"),
    ],
)
def test_warnings_of_odoo_about_our_code_fail(logger, text):
    assert bad(line("WARNING", logger, text), allow=allowed.ALLOWED)


def test_traceback_fails_at_any_level():
    assert bad(line("INFO", "odoo.addons.base.models.x", f"reading\n{TRACE}"))


def test_crash_before_logging_fails():
    assert bad(f"$ odoo server\n{TRACE}")
    assert bad(TRACE)


def test_command_line_and_plain_output_pass():
    assert not bad("$ odoo -d x -i ERROR", "Running as user 'root' is a security risk.")


def test_echo_of_a_failed_test_is_not_counted_twice():
    assert not bad(
        line("ERROR", "odoo.addons.oda_x.tests.test_a", f"FAIL: A.test_b\n{TRACE}"),
        line("ERROR", LOADING, "Module oda_x: 1 failures, 0 errors of 2 tests"),
        line("ERROR", LOADING, "At least one test failed when loading the modules."),
    )


def test_echo_of_a_failed_hoot_test_is_not_counted_twice():
    logger = "odoo.addons.web.tests.test_js.WebSuite.test_unit_desktop.browser"
    assert not bad(line("ERROR", logger, '[HOOT] Test "@oda_x/a/b" failed:\nwhy'))
    assert bad(line("ERROR", logger, "HootError: error while registering suite"))


def test_no_echo_outside_tests():
    assert bad(line("ERROR", "odoo.addons.oda_x.models.y", "FAIL: A.test_b"))


def test_allowed_line_passes_only_from_its_logger_and_start():
    allow = [("py.warnings", r"known noise", "why")]
    assert not bad(line("WARNING", "py.warnings", "known noise of 2020"), allow=allow)
    assert bad(line("WARNING", "odoo.http", "known noise"), allow=allow)
    assert bad(line("WARNING", "py.warnings", "not known noise"), allow=allow)


def test_our_own_lines_cannot_be_allowed():
    with pytest.raises(ValueError):
        bad(allow=[("odoo.addons.oda_crm.models.x", "odd", "why")])


def test_line_that_a_system_test_announced_may_be_ours():
    said = line("WARNING", "odoo.addons.oda_base.net.client", "circuit open")
    announced = [["odoo.addons.oda_base.net.client", "circuit", "the test cuts it"]]
    assert not logcheck.check(records(said), expected=announced)
    assert logcheck.check(records(said))


def test_every_allowed_line_has_a_reason():
    assert all(reason and pattern for _logger, pattern, reason in allowed.ALLOWED)


def test_description_names_file_and_line():
    record = bad(line("INFO", "a", "quiet"), line("ERROR", "b.c", "loud"))[0]
    assert "x.log:2: ERROR b.c" in logcheck.describe(record, "x.log")
