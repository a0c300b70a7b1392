# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What PBX Moldcell keeps of its calls, pulled: rows into our events.

Two shapes of the same columns: CSV without a header (`crm_api.wcgp`) and JSON
(`crmapi/v1`). There the duration is the talk alone while a push counts from the first
ring; here both are brought to the latter. Nothing here raises but ValueError where
the whole answer is not what was asked for.
"""

import csv
import json

from .events import CallEvent, is_person
from .moldcell_values import (
    DIRECTIONS,
    call_id_of,
    link_of,
    login_of,
    moment_of,
    number_of,
    seconds_of,
    status_of,
)
from .wire import clean

#: rows one answer may hold: a longer one is not what was asked for
MAX_ROWS = 20_000


def history_csv(text, now=None):
    """Return the events of a pulled cmd=history, for reconciliation.

    Rows: UID,type,client,account,via,start,wait,duration,record[,quality]. The last
    column is left alone: nobody says whether it is the client's mark or the line's. A
    row that makes no sense is 'ignored' with a reason.
    """
    events = []
    for line in _lines(text)[:MAX_ROWS]:
        events += _csv_events(line, now)
    return [event for event in events if event.callid.lower() != "uid"]


def rows_of_csv(text):
    """Return how many calls the text tells of: a full page means that there is more."""
    return len(_lines(text))


def _lines(text):
    lines = text.replace("\x00", "").lstrip("\ufeff").split("\n")
    return [line.strip() for line in lines if line.strip()]


def _csv_events(line, now):
    try:
        row = next(csv.reader([line]), [])
    except csv.Error:
        row = []
    notes = []
    row = [clean(cell, notes) for cell in row]
    if len(row) < 8 or not row[0]:
        return [CallEvent(kind="ignored", callid="", reason="not a row of history")]
    uid, kind, client, account, via, start, wait, talk, *rest = row
    values = {"uid": uid, "type": kind, "client": client, "user": account}
    values |= {"start": start, "wait": wait, "duration": talk}
    values["record"] = rest[0] if rest else ""
    # One column for both: the number dialled, or the one that was shown.
    direction = DIRECTIONS.get(kind.lower())
    values["telnum" if direction == "out" else "diversion"] = via
    return _events(values, notes, now)


def history_json(text, now=None):
    """Return the events of GET /crmapi/v1/history/json.

    An empty period is `null` there. A row with a `rating` gives a second event, of
    that kind. ValueError: the answer is no list of calls.
    """
    events = []
    for row in json_rows(text)[:MAX_ROWS]:
        notes = []
        values = {
            name: clean(str(value), notes)
            for name, value in (row.items() if isinstance(row, dict) else ())
            if isinstance(value, (str, int, float)) and not isinstance(value, bool)
        }
        if not values.get("uid"):
            reason = "not a row of history"
            events.append(CallEvent(kind="ignored", callid="", reason=reason))
        else:
            events += _events(values, notes, now)
    return events


def json_rows(text):
    """Return the list in a JSON answer; `null` and nothing at all are an empty one.

    ValueError: it is something else. A list may come in an envelope ("items").
    """
    text = text.strip()
    if not text:
        return []
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("not a list") from None
    if isinstance(data, dict):
        data = next((data[key] for key in ("items", "data") if key in data), data)
    if data is None:
        return []
    if not isinstance(data, list):
        raise ValueError("not a list")
    return data


def _events(values, notes, now):
    """Return the one or two events of a row, given as text by column name."""
    callid = call_id_of(values["uid"])
    kind = values.get("type", "").lower()
    direction = DIRECTIONS.get(kind)
    if direction == "internal":
        reason = "a call between employees"
        return [CallEvent(kind="ignored", callid=callid, reason=reason)]
    if direction not in ("in", "out"):
        reason = "unknown type of call"
        return [CallEvent(kind="ignored", callid=callid, reason=reason)]
    wait = seconds_of(values.get("wait"), "wait", notes)
    talk = seconds_of(values.get("duration"), "duration", notes)
    user = login_of(values.get("user"))
    group = login_of(values.get("group"))
    if user and user.startswith("g_"):
        group = group or user
    record = CallEvent(
        kind="history",
        callid=callid,
        direction=direction,
        phone=number_of(values.get("client")) or "",
        user=user,
        group=group,
        group_name=values.get("group_name") or None,
        did=number_of(values.get("diversion")),
        telnum=number_of(values.get("telnum")),
        at=moment_of(values.get("start"), notes, now),
        status=_status(values.get("status"), kind, direction, talk),
        status_raw=(values.get("status") or kind)[:64],
        duration=None if talk is None else talk + (wait or 0),
        wait=wait,
        record_url=link_of(values.get("record"), notes),
        notes=tuple(notes),
    )
    mark = values.get("rating", "")
    if mark not in ("1", "2", "3", "4", "5"):
        return [record]
    return [record, CallEvent(kind="rating", callid=callid, rating=int(mark))]


def _status(raw, kind, direction, talk):
    """Return what became of it; the CSV has no column for that."""
    if raw and (status := status_of(raw)):
        return status
    if kind == "missed":
        return "missed"
    if direction == "in" or talk:
        return "answered"
    # The weakest word there is: a push that knows busy or failed outranks it.
    return "cancelled"


def find_dialled(events, user, phones, since, until):
    """Return the outgoing call of `user` to one of `phones` begun in a span, or None.

    :param events: of a pulled history
    :param set phones: digits of the number in its spellings
    :param datetime since, until: aware; of several the earliest
    """
    found = [
        event
        for event in events
        if event.kind == "history"
        and event.direction == "out"
        and event.phone in phones
        and event.user == user
        and is_person(event.user)
        and event.at
        and since <= event.at <= until
    ]
    return min(found, key=lambda event: event.at, default=None)
