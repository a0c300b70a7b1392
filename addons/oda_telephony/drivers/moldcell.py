# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""PBX Moldcell (ITooLabs Communications Server): its pushes into our events.

No network and no database here: bytes in, values out. Order of use for a push:
:func:`parse_body`, :func:`verify`, :func:`envelope`; later, from the stored bytes,
:func:`parse_body` again and :func:`to_event`. Only the first and the third refuse
(:class:`Malformed`, whose text is fit to be shown); the rest never raise.
"""

import hashlib
import hmac
import json
import re
from typing import NamedTuple

from .events import CallEvent, ContactQuery, is_person
from .moldcell_history import history_csv
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

#: cmd=event `type` -> kind. CANCELLED is about one phone, never about the call.
EVENT_KINDS = {
    "INCOMING": "ringing",
    "ACCEPTED": "answered",
    "CANCELLED": "leg_ended",
    "COMPLETED": "ended",
    "OUTGOING": "outgoing",
    "TRANSFERRED": "transferred",
}
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
    callid = call_id_of(fields.get("callid"))
    if cmd not in COMMANDS:
        everything = sorted(kv for kv in fields.items() if kv[0] != "crm_token")
        key = f"unknown.{_digest(everything)}"
        return Envelope(key, callid or key, "unknown")
    if not callid:
        raise Malformed("the field callid is missing")
    user = login_of(fields.get("user"))
    if cmd == "history":
        meaning = [fields.get(name, "") for name in HISTORY_FIELDS]
        meaning[1] = meaning[1].lower()
    elif cmd == "event":
        meaning = [_event_type(fields), call_id_of(fields.get("second_callid"))]
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
    callid = call_id_of(fields.get("callid"))
    if not callid:
        return CallEvent(kind="ignored", callid="", reason="no call id")
    notes = list(getattr(fields, "notes", ()))
    user = login_of(fields.get("user"))
    group = login_of(fields.get("group"))
    if not group and user and user.startswith("g_"):
        group = user
    common = {
        "callid": callid,
        "phone": number_of(fields.get("phone")) or "",
        "user": user,
        "group": group,
        "group_name": fields.get("groupRealName") or None,
        "did": number_of(fields.get("diversion")),
        "ext": fields.get("ext") or None,
        "telnum": number_of(fields.get("telnum")),
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
        "second_callid": call_id_of(fields.get("second_callid")) or None,
    }


def _history(fields, notes, now):
    # Here `type` is the direction, unlike in cmd=event.
    kind = fields.get("type", "").lower()
    direction = DIRECTIONS.get(kind)
    if direction == "internal":
        return _ignored("a call between employees")
    raw = fields.get("status", "") or ("missed" if kind == "missed" else "")
    status = status_of(raw)
    if not status:
        notes.append("unknown status")
    return {
        "kind": "history",
        "direction": direction,
        "status": status,
        "status_raw": raw[:64] or None,
        "at": moment_of(fields.get("start"), notes, now),
        "duration": seconds_of(fields.get("duration"), "duration", notes),
        "wait": seconds_of(fields.get("wait"), "wait", notes),
        "record_url": link_of(fields.get("link"), notes),
    }


def _rating(fields):
    value = fields.get("rating", "")
    if value not in ("1", "2", "3", "4", "5"):
        return _ignored("the rating is not from 1 to 5")
    return {"kind": "rating", "rating": int(value)}


# -- answers -------------------------------------------------------------------------


def contact_query(fields):
    """Return the :class:`ContactQuery` of a cmd=contact push."""
    return ContactQuery(
        phone=number_of(fields.get("phone")) or "",
        callid=call_id_of(fields.get("callid")),
        did=number_of(fields.get("diversion")),
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
    if is_person(login_of(responsible)) and re.fullmatch(
        r"[\w.@+-]{1,128}", responsible
    ):
        answer["responsible"] = responsible
    return answer
