# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""PBX Moldcell (ITooLabs Communications Server): its pushes into our events.

No network and no database here: bytes in, values out. Order of use for a push:
:func:`parse_body`, :func:`verify`, :func:`envelope`; later, from the stored bytes,
:func:`parse_body` again and :func:`to_event`. Only the first and the third refuse
(:class:`Malformed`, whose text is fit to be shown); the rest never raise.
"""

import csv
import hashlib
import hmac
import json
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from .events import CallEvent, ContactQuery, is_person
from .wire import Fields, Malformed, clean, parse_body

__all__ = [
    "Envelope",
    "Fields",
    "Malformed",
    "contact_answer",
    "contact_query",
    "envelope",
    "history_csv",
    "parse_body",
    "to_event",
    "token",
    "verify",
]

MAX_ID = 96  # a longer call id is replaced by its hash, to fit an index
MAX_SECONDS = 24 * 3600  # nobody talks longer; a bigger figure is a fault

#: cmd=event `type` -> kind. CANCELLED is about one phone, never about the call.
EVENT_KINDS = {
    "INCOMING": "ringing",
    "ACCEPTED": "answered",
    "CANCELLED": "leg_ended",
    "COMPLETED": "ended",
    "OUTGOING": "outgoing",
    "TRANSFERRED": "transferred",
}
#: cmd=history `status` (casing is unstable on the wire, so: lower) -> status.
STATUSES = {
    "success": "answered",
    "missed": "missed",
    "cancel": "cancelled",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "busy": "busy",
    "notavailable": "failed",
    "notallowed": "failed",
    "notfound": "failed",
}
DIRECTIONS = {"in": "in", "out": "out", "internal": "internal", "missed": "in"}
#: Fields whose change makes a replayed history a new one. Flags are not among them.
HISTORY_FIELDS = (
    "type",
    "status",
    "phone",
    "diversion",
    "ext",
    "group",
    "groupRealName",
    "telnum",
    "start",
    "duration",
    "wait",
    "link",
)
COMMANDS = ("event", "history", "contact", "rating")

_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ]?(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d{1,9})?"
    r" ?(Z|UTC|[+-]?\d\d:?(?:\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_EARLIEST = datetime(2010, 1, 1, tzinfo=timezone.utc)


class Envelope(NamedTuple):
    """`event_key` the same push, the same key; `order_key` one call, one key;
    `kind` one of :data:`COMMANDS` or 'unknown'."""

    event_key: str
    order_key: str
    kind: str


# -- who sent it, and is it the same one ---------------------------------------------


def token(fields):
    """Return the shared token the push carries, '' when none."""
    return fields.get("crm_token", "")


def verify(fields, expected):
    """True only when the push carries `expected`, compared in constant time.

    An unset token (None, False, '', blanks) refuses everything.
    """
    if not isinstance(expected, str) or not expected.strip():
        return False
    given = token(fields).encode("utf-8", "surrogatepass")
    return hmac.compare_digest(given, expected.strip().encode("utf-8", "surrogatepass"))


def envelope(fields, body=b""):
    """Return the push's :class:`Envelope`; raise :class:`Malformed`.

    `body` is in the common driver signature and not used: the key is made of the
    fields' values, so a form whose fields come in another order is the same push. A
    history that says something new is a new push. The token is never part of a key.
    """
    cmd = fields.get("cmd", "").lower()
    if not cmd:
        raise Malformed("the field cmd is missing")
    callid = _call_id(fields, "callid")
    if cmd not in COMMANDS:
        everything = sorted(kv for kv in fields.items() if kv[0] != "crm_token")
        key = f"unknown.{_digest(everything)}"
        return Envelope(key, callid or key, "unknown")
    if not callid:
        raise Malformed("the field callid is missing")
    user = _login(fields.get("user"))
    if cmd == "history":
        meaning = [fields.get(name, "") for name in HISTORY_FIELDS]
        meaning[1] = meaning[1].lower()
    elif cmd == "event":
        meaning = [_event_type(fields), _call_id(fields, "second_callid")]
    else:
        meaning = [fields.get("rating", ""), fields.get("phone", "")]
    label = f"event.{_event_type(fields)[:16]}" if cmd == "event" else cmd
    return Envelope(f"{label}.{_digest([cmd, callid, user, meaning])}", callid, cmd)


def _digest(parts):
    """128 bits over an unambiguous encoding: no separator to be forged inside."""
    encoded = json.dumps(parts, separators=(",", ":")).encode()
    return hashlib.sha256(encoded).hexdigest()[:32]


# -- fields -> events ----------------------------------------------------------------


def to_event(fields, now=None):
    """Return the :class:`CallEvent` of parsed fields. Never raises.

    What cannot be understood becomes kind 'ignored' with a reason; a doubtful value
    is left out and noted. `now`: aware, to tell a date of the future (default: clock).
    """
    cmd = fields.get("cmd", "").lower()
    callid = _call_id(fields, "callid")
    if not callid:
        return CallEvent(kind="ignored", callid="", reason="no call id")
    notes = list(getattr(fields, "notes", ()))
    user = _login(fields.get("user"))
    group = _login(fields.get("group"))
    if not group and user and user.startswith("g_"):
        group = user
    common = {
        "callid": callid,
        "phone": _number(fields.get("phone")) or "",
        "user": user,
        "group": group,
        "group_name": fields.get("groupRealName") or None,
        "did": _number(fields.get("diversion")),
        "ext": fields.get("ext") or None,
        "telnum": _number(fields.get("telnum")),
    }
    if cmd == "event":
        special = _live(fields)
    elif cmd == "history":
        special = _history(fields, notes, now)
    elif cmd == "rating":
        special = _rating(fields)
    elif cmd == "contact":
        special = _ignored("a lookup, answered while the phone rang")
    else:
        special = _ignored("a command this version does not know")
    return CallEvent(**common, **special, notes=tuple(notes))


def _ignored(reason):
    return {"kind": "ignored", "reason": reason}


def _event_type(fields):
    return fields.get("type", "").upper()


def _live(fields):
    kind = EVENT_KINDS.get(_event_type(fields))
    if not kind:
        return _ignored("a kind of event this version does not know")
    direction = DIRECTIONS.get(fields.get("direction", "").lower())
    if direction == "internal":
        return _ignored("a call between employees")
    # Older deployments send no direction; these two kinds imply it.
    implied = {"ringing": "in", "outgoing": "out"}.get(kind)
    return {
        "kind": kind,
        "direction": direction or implied,
        "second_callid": _call_id(fields, "second_callid") or None,
    }


def _history(fields, notes, now):
    # Here `type` is the direction, unlike in cmd=event.
    kind = fields.get("type", "").lower()
    direction = DIRECTIONS.get(kind)
    if direction == "internal":
        return _ignored("a call between employees")
    raw = fields.get("status", "") or ("missed" if kind == "missed" else "")
    status = STATUSES.get(re.sub(r"[\s_-]", "", raw.lower()))
    if not status:
        notes.append("unknown status")
    return {
        "kind": "history",
        "direction": direction,
        "status": status,
        "status_raw": raw[:64] or None,
        "at": _moment(fields.get("start"), notes, now),
        "duration": _seconds(fields.get("duration"), "duration", notes),
        "wait": _seconds(fields.get("wait"), "wait", notes),
        "record_url": _link(fields.get("link"), notes),
    }


def _rating(fields):
    value = fields.get("rating", "")
    if value not in ("1", "2", "3", "4", "5"):
        return _ignored("the rating is not from 1 to 5")
    return {"kind": "rating", "rating": int(value)}


def _call_id(fields, name):
    value = fields.get(name, "")
    if len(value) <= MAX_ID:
        return value
    return "sha256-" + hashlib.sha256(value.encode()).hexdigest()


def _login(value):
    """`Ana@tenant.example` -> `ana`; nothing -> None."""
    return (value or "").split("@")[0].strip().lower()[:64] or None


def _number(value):
    """Digits as sent (a form may turn '+' into a space), or a word; None if empty."""
    value = (value or "").split("@")[0].strip().lower()
    value = value.removeprefix("sip:").removeprefix("tel:")
    digits = re.sub(r"[^0-9]", "", value)
    if digits and not re.search(r"[^\W\d_]", value):
        return digits[:32]
    return value[:32] or None


def _seconds(value, name, notes):
    """Whole seconds, or None; an impossible figure is noted and left out."""
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", value):
        seconds = int(value.split(".")[0])
        if seconds <= MAX_SECONDS:
            return seconds
    notes.append(f"impossible {name} left out")
    return None


def _link(value, notes):
    if not value:
        return None
    if re.match(r"https?://[^\s/]+", value, re.IGNORECASE):
        return value
    notes.append("recording link is not a web address, left out")
    return None


def _moment(value, notes, now=None):
    """Aware UTC moment, or None. Without a zone it is UTC, as the spec has it."""
    value = (value or "").strip()
    if not value:
        return None
    found = _MOMENT.fullmatch(value)
    try:
        if found:
            *parts, zone = found.groups()
            moment = datetime(*(int(part or 0) for part in parts), tzinfo=_zone(zone))
        elif re.fullmatch(r"[0-9]{10}", value):
            moment = datetime.fromtimestamp(int(value), timezone.utc)
        else:
            raise ValueError
        if not found or not found[7]:
            notes.append("start has no zone, read as UTC")
        moment = moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        notes.append("start is not a date, left out")
        return None
    # A PBX with a dead clock battery lives in 1970; do not let it move a call there.
    latest = (now or datetime.now(timezone.utc)) + timedelta(days=1)
    if not _EARLIEST <= moment <= latest:
        notes.append("start is out of any reason, left out")
        return None
    return moment


def _zone(zone):
    if not zone or zone.upper() in ("Z", "UTC"):
        return timezone.utc
    # A '+' not escaped in a form arrives as a space: no sign is a plus.
    sign = -1 if zone[0] == "-" else 1
    digits = re.sub(r"[^0-9]", "", zone).ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


# -- answers and pulled history ------------------------------------------------------


def contact_query(fields):
    """Return the :class:`ContactQuery` of a cmd=contact push."""
    return ContactQuery(
        phone=_number(fields.get("phone")) or "",
        callid=_call_id(fields, "callid"),
        did=_number(fields.get("diversion")),
    )


def contact_answer(name=None, responsible=None):
    """Return the JSON object to answer cmd=contact with; {} when nobody is known.

    Give `responsible` (PBX login or ext) only when sure: the PBX transfers the live
    call there. Without it the PBX goes on with its own plan. `name` is what phones
    show: one line, at most 80 characters.
    """
    answer = {}
    name = clean(name or "", [])
    if name:
        answer["contact_name"] = name if len(name) <= 80 else f"{name[:79].rstrip()}…"
    responsible = (responsible or "").strip()
    if is_person(_login(responsible)) and re.fullmatch(r"[\w.@+-]{1,128}", responsible):
        answer["responsible"] = responsible
    return answer


def history_csv(text, now=None):
    """Return the events of a pulled cmd=history, one per row, for reconciliation.

    Rows: UID,type,client,account,via,start,wait,duration,record[,quality]. There the
    duration is the talk alone while a push counts from the first ring; here both are
    brought to the latter. A row that makes no sense is 'ignored' with a reason.
    """
    events = []
    for line in text.replace("\x00", "").lstrip("\ufeff").split("\n"):
        line = line.strip()
        if line:
            events.append(_csv_event(line, now))
    return [event for event in events if event.callid.lower() != "uid"]


def _csv_event(line, now):
    try:
        row = next(csv.reader([line]), [])
    except csv.Error:
        row = []
    notes = []
    row = [clean(cell, notes) for cell in row]
    if len(row) < 8 or not row[0]:
        return CallEvent(kind="ignored", callid="", reason="not a row of history")
    uid, kind, client, account, via, start, wait, talk, *rest = row
    callid = _call_id({"callid": uid}, "callid")
    direction = DIRECTIONS.get(kind.lower())
    if direction not in ("in", "out"):
        return CallEvent(kind="ignored", callid=callid, reason="unknown type of call")
    wait = _seconds(wait, "wait", notes)
    talk = _seconds(talk, "duration", notes)
    if kind.lower() == "missed":
        status = "missed"
    elif direction == "in" or talk:
        status = "answered"
    else:
        # The weakest word there is: a push that knows busy or failed outranks it.
        status = "cancelled"
    user = _login(account)
    return CallEvent(
        kind="history",
        callid=callid,
        direction=direction,
        phone=_number(client) or "",
        user=user,
        group=user if user and user.startswith("g_") else None,
        did=_number(via) if direction == "in" else None,
        telnum=_number(via) if direction == "out" else None,
        at=_moment(start, notes, now),
        status=status,
        status_raw=kind[:64],
        duration=None if talk is None else talk + (wait or 0),
        wait=wait,
        record_url=_link(rest[0] if rest else "", notes),
        notes=tuple(notes),
    )
