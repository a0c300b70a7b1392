# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Odoo's log file as records: a header line and what follows it."""

import re
from dataclasses import dataclass

HEAD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "
    r"(?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>[\w.\-]+): (?P<text>.*)$"
)
TRACEBACK = "Traceback (most recent call last)"


@dataclass
class Record:
    """One entry.

    :ivar str level: "" for output that is no log record (a crash before logging)
    :ivar str text: the message, further lines included
    :ivar int line: number of its first line, from 1
    """

    level: str
    logger: str
    text: str
    line: int


def parse(lines):
    """Records of an iterable of lines, in order."""
    records = []
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\n")
        head = HEAD.match(line)
        if head:
            record = Record(head["level"], head["logger"], head["text"], number)
            records.append(record)
        elif line.startswith("$ "):
            records.append(Record("", "", "", number))
        elif records:
            records[-1].text += "\n" + line
        else:
            records.append(Record("", "", line, number))
    return records


def read(path):
    """Records of a log file."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return parse(file)
