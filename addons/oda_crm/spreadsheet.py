# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Cells that a spreadsheet would run: made text on the way out, restored coming in.

No ``env``. A cell that begins like a formula gets one apostrophe in front, and so
does one that looks as if it had been guarded already; coming in, one apostrophe is
taken away from exactly these. Hence ``unguard(guard(x)) == x`` for every text.
"""

import re

# What Excel, LibreOffice and Google Sheets take for the beginning of a formula; tab
# and line ends hide one behind them; the wide forms are taken for the narrow ones.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def guard(value):
    """Return a cell that no spreadsheet runs; anything but text as it is."""
    if isinstance(value, str) and _FORMULA.match(value):
        return "'" + value
    return value


def unguard(value):
    """Return what `guard` was given."""
    if isinstance(value, str) and _GUARDED.match(value):
        return value[1:]
    return value
