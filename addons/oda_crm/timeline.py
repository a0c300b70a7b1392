# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Order and paging of a timeline made of several sources; reading of one of them.

Pure Python. An entry is a dict with at least ``at`` (naive UTC datetime), ``kind``
(str) and ``id`` (int, unique within its kind). Newest first; at equal times kinds and
ids decide, so that a page ends at one place and the next begins right after it.
"""

import heapq
from datetime import datetime

from lxml import etree, html

LIMIT_MAX = 100
AFTER, WITHIN, BEFORE = 1, 0, -1  # where a kind stands at the cursor's instant


class CursorError(ValueError):
    """What came as the cursor of a page is none of ours."""


def key(entry):
    """The place of an entry; greater is newer."""
    return entry["at"], entry["kind"], entry["id"]


def cursor_of(entry):
    """JSON-able cursor: ``[ISO time with microseconds, kind, id]``."""
    return [entry["at"].isoformat(), entry["kind"], entry["id"]]


def read_cursor(value):
    """Cursor as it comes from outside -> ``(datetime, kind, id)`` or None.

    Raises :class:`CursorError` for anything that :func:`cursor_of` would not make.
    """
    if value in (None, False):
        return None
    try:
        at, kind, number = value
        at = datetime.fromisoformat(at)
    except (TypeError, ValueError) as error:
        raise CursorError(str(value)[:100]) from error
    whole = isinstance(number, int) and not isinstance(number, bool)
    if at.tzinfo or not isinstance(kind, str) or not whole or abs(number) >= 2**31:
        raise CursorError(str(value)[:100])
    return at, kind, number


def read_limit(value, default=30):
    """Page size as it comes from outside -> 1..``LIMIT_MAX``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return default
    return min(value, LIMIT_MAX)


def side(kind, cursor):
    """Of the entries of ``kind`` at the cursor's very instant: which still come?

    ``AFTER``: all of them, ``WITHIN``: those with a smaller id, ``BEFORE``: none.
    """
    if kind == cursor[1]:
        return WITHIN
    return AFTER if kind < cursor[1] else BEFORE


def page(sources, limit):
    """Merge what the sources gave -> ``(entries, cursor of the next page or None)``.

    :param sources: lists of entries, each newest first and with more than ``limit``
        entries when its source has more
    """
    merged = heapq.merge(*sources, key=key, reverse=True)
    entries = [entry for entry, _place in zip(merged, range(limit + 1), strict=False)]
    if len(entries) <= limit:
        return entries, None
    return entries[:limit], cursor_of(entries[limit - 1])


def task_result(body):
    """``(summary, result)`` of a done task, out of the message that tells of it.

    :param body: HTML that core writes when a task is closed
    :returns: texts, ``""`` where there is none; None when the HTML is another one
    """
    try:
        root = html.fragment_fromstring((body or "").strip())
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    head = root.find("p")
    if head is None or not head.findall("span"):
        return None
    spans = [span.text_content().strip() for span in head.findall("span")]
    summary = spans[spans.index(":") + 1] if ":" in spans[:-1] else ""
    for block in root.findall("div"):
        title = block.find("div")
        if title is not None and "fw-bold" in title.get("class", "").split():
            title.text = None
            lines = [line.strip() for line in block.xpath(".//text()")]
            return summary, "\n".join(filter(None, lines))
    return summary, ""
