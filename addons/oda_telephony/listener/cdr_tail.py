# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Asterisk's file of records, read on from where the last process stopped."""

import os

from ..drivers.asterisk_cdr import row_of_line

MOST = 1 << 20  # bytes of one reading


class CdrTail:
    """Whole lines only; a file that was rotated away is begun anew.

    :param position: of an earlier one, None at the very first: what was written
        before us is not told
    """

    def __init__(self, path, position=None):
        self.path = path
        self._file, self._at = position or (None, None)

    @property
    def position(self):
        """JSON-able place to go on from."""
        return [self._file, self._at]

    def news(self):
        """Return the rows that are new, in order; [] when there is no file."""
        rows = []
        try:
            with open(self.path, "rb") as file:
                facts = os.fstat(file.fileno())
                if self._at is None:
                    self._at = facts.st_size
                elif self._file not in (None, facts.st_ino):
                    rows = self._rest()
                    self._at = 0
                elif facts.st_size < self._at:
                    self._at = 0
                self._file = facts.st_ino
                return rows + self._lines(file)
        except OSError:
            if self._at is None:
                self._at = 0  # not written yet: its first line will be news
            return rows

    def _rest(self):
        """What was written to the old file before it was rotated away."""
        try:
            with open(f"{self.path}.1", "rb") as file:
                same = os.fstat(file.fileno()).st_ino == self._file
                return self._lines(file) if same else []
        except OSError:
            return []

    def _lines(self, file):
        file.seek(self._at)
        whole, line_end, _rest = file.read(MOST).rpartition(b"\n")
        self._at += len(whole) + len(line_end)
        lines = whole.decode("utf-8", "replace").split("\n")
        return [row for row in map(row_of_line, lines) if row]
