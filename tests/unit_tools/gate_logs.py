# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Makes log records as Odoo writes them, for the gate's own tests."""

from oda_tools.gate import logs

STAMP = "2026-01-02 03:04:05,678 99"


def line(level, logger, text):
    """One log entry; ``text`` may have several lines."""
    return f"{STAMP} {level} some_db {logger}: {text} "


def records(*lines):
    """The records of a log made of these entries."""
    return logs.parse("\n".join(lines).splitlines())


def ran(addon, file, name):
    """The entry that Odoo writes when a test starts."""
    return line("INFO", f"odoo.addons.{addon}.tests.{file}", f"Starting {name} ...")
