# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Asterisk's own record of calls (CDR): its rows, and the history they make up.

A call is several rows: one a phone that was dialled, one more after a transfer. Rows
come from the file that `cdr_custom.conf` writes (:func:`row_of_line`) or from the
manager's Cdr event (:func:`row_of_message`); both name the call by `linkedid`.
"""

import csv
import math
from dataclasses import dataclass
from datetime import datetime, timezone

#: columns of the file, in its order: config/asterisk/cdr_custom.conf writes them
COLUMNS = (
    "linkedid",
    "uniqueid",
    "channel",
    "dstchannel",
    "src",
    "dst",
    "context",
    "disposition",
    "start",
    "answer",
    "end",
)
#: the same in the manager's event; the last three are of cdr_manager.conf's mappings
_MESSAGE = {
    "linkedid": "OdaLinkedid",
    "uniqueid": "UniqueID",
    "channel": "Channel",
    "dstchannel": "DestinationChannel",
    "src": "Source",
    "dst": "Destination",
    "context": "DestinationContext",
    "disposition": "Disposition",
    "start": "OdaStart",
    "answer": "OdaAnswer",
    "end": "OdaEnd",
}
_EARLIEST, _LATEST = 1262304000.0, 4e9  # 2010: before that a clock is not set


@dataclass(frozen=True)
class Row:
    """One row; moments are seconds since 1970, `answer` 0.0 when nobody answered."""

    linkedid: str
    uniqueid: str
    channel: str
    dstchannel: str
    src: str
    dst: str
    context: str
    disposition: str
    start: float
    answer: float
    end: float

    @property
    def answered(self):
        return self.disposition.upper() == "ANSWERED" and self.answer > 0

    @property
    def key(self):
        return f"{self.uniqueid}|{self.dstchannel}|{self.start}"


@dataclass(frozen=True)
class Record:
    """What rows of one call amount to; None where they do not say.

    `legs`: (login, channel, answered or None, end) of each phone that was dialled,
    in the order of time.
    """

    direction: str
    phone: str
    did: str | None
    status: str
    raw: str
    user: str | None
    start: float
    end: float
    wait: float | None
    legs: tuple


def row_of_line(line):
    """Return the :class:`Row` of a line of the file, None when it is none."""
    try:
        cells = next(csv.reader([line], strict=True), [])
    except csv.Error:
        return None
    return _row(dict(zip(COLUMNS, cells, strict=False))) if cells else None


def row_of_message(message):
    """Return the :class:`Row` of a Cdr event, None without the mappings."""
    return _row({name: message.get(theirs, "") for name, theirs in _MESSAGE.items()})


def _row(cells):
    start, end = _moment(cells.get("start")), _moment(cells.get("end"))
    if not cells.get("linkedid") or not start or not end or end < start:
        return None
    texts = {name: cells.get(name, "")[:200] for name in COLUMNS[:8]}
    return Row(**texts, start=start, answer=_moment(cells.get("answer")), end=end)


def _moment(text):
    try:
        moment = float(text or 0)
    except ValueError:
        return 0.0
    good = math.isfinite(moment) and _EARLIEST < moment < _LATEST
    return moment if good else 0.0


def record_of(rows, habits, outsiders=()):
    """Return the :class:`Record` of a call's rows; None: a call among ourselves.

    :param outsiders: names of channels known to be clients'; a row of a call that was
        passed on names the context it was passed to, not where it came in
    """
    rows = sorted(rows, key=lambda row: (row.start, row.answer, row.dstchannel))
    clients = {
        row.channel
        for row in rows
        if row.channel in outsiders or habits.outside(row.channel, row.context)
    }
    inward = [row for row in rows if row.channel in clients]
    outward = [row for row in rows if habits.outside(row.dstchannel)]
    if inward:
        return _inward(rows, inward, habits)
    return _outward(outward, habits) if outward else None


def _inward(rows, inward, habits):
    legs = []
    for row in rows:
        login = habits.login(row.dstchannel)
        if login:
            answer = row.answer if row.answered else None
            legs.append((login, row.dstchannel, answer, row.end))
    talks = sorted((leg for leg in legs if leg[2]), key=lambda leg: leg[2])
    logins = {leg[0] for leg in legs} | {"s"}
    elsewhere = [r for r in inward if r.answered and habits.outside(r.dstchannel)]
    start = min(row.start for row in inward)
    wait = talks[0][2] - start if talks else None
    return Record(
        direction="in",
        phone=inward[0].src,
        did=next((r.dst for r in inward if r.dst not in logins), None) or None,
        # Asterisk itself answers for a queue or a menu: only a phone counts.
        status="answered" if talks or elsewhere else "missed",
        raw=(talks and "ANSWERED") or inward[-1].disposition,
        user=talks[0][0] if talks else None,
        start=start,
        end=max(row.end for row in inward),
        wait=wait,
        legs=tuple(legs),
    )


_OUTWARD = {"ANSWERED": "answered", "BUSY": "busy", "NO ANSWER": "cancelled"}


def _outward(rows, habits):
    answered = [row for row in rows if row.answered]
    row = (answered or rows)[-1]
    start = min(one.start for one in rows)
    raw = row.disposition.upper()
    return Record(
        direction="out",
        phone=row.dst,
        did=None,
        status=_OUTWARD.get(raw, "failed"),
        raw=raw,
        user=habits.login(row.channel),
        start=start,
        end=max(one.end for one in rows),
        wait=row.answer - start if answered else None,
        legs=(),
    )


def moment(seconds):
    """Return seconds since 1970 as an aware datetime in UTC, None for none."""
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds else None
