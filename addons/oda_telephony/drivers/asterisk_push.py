# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the listener beside an Asterisk says to us, and how it proves that it does.

Both ends are ours: the listener writes with :func:`body` and :func:`signature`, the
connector reads with `wire.parse_body`, :func:`verify`, :func:`envelope` and
:func:`to_event`. A push is one flat JSON object.
"""

import hashlib
import hmac
import json
import math
import re
from datetime import datetime, timezone
from typing import NamedTuple

from .events import DIRECTIONS, KINDS, STATUSES, CallEvent
from .wire import Malformed

HEADER = "X-Oda-Signature"
#: seconds that the signed moment may be off; a replay within it is a known key
TOLERANCE = 600
MAX_AGE = 14 * 24 * 3600  # seconds; the listener forgets what is older
MAX_SECONDS = 24 * 3600
MAX_ID = 96
PRESENCES = ("available", "busy", "dnd", "offline", "unknown")
#: scheme of a recording that is fetched through the account's own ARI
STORED = "ari:stored/"

_ID = re.compile(r"[\x21-\x7e]{1,96}")
_LOGIN = re.compile(r"[\w.+-]{1,64}")
_SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_TEXTS = ("callid", "second_callid", "direction", "phone", "user", "group")
_TEXTS += ("group_name", "did", "ext", "status", "status_raw")


class Envelope(NamedTuple):
    """As `oda_base.connectors.Envelope`, without its module."""

    event_key: str
    order_key: str
    kind: str


# -- the listener's side ---------------------------------------------------------------


def signature(secret, raw, stamp):
    """Return the value of :data:`HEADER` for these bytes.

    :param int stamp: seconds since 1970, of Odoo's clock as the listener knows it
    """
    return f"t={int(stamp)},v1={_digest(secret, raw, int(stamp))}"


def fields_of(event):
    """Return the JSON-able fields of a CallEvent, without key and age."""
    fields = {name: getattr(event, name) for name in _TEXTS if getattr(event, name)}
    fields["kind"] = event.kind
    if event.at:
        fields["at"] = event.at.timestamp()
    for name in ("duration", "wait"):
        if getattr(event, name) is not None:
            fields[name] = getattr(event, name)
    if event.record_url:
        fields["recording"] = event.record_url.removeprefix(STORED)
    return fields


def key_of(fields, *parts):
    """Return a key: the same news, the same key, also from a second listener."""
    meaning = json.dumps([sorted(fields.items()), parts], separators=(",", ":"))
    return hashlib.sha256(meaning.encode()).hexdigest()[:32]


def body(fields, key, age=0.0):
    """Return the bytes of one push."""
    whole = {**fields, "key": key, "age": round(max(0.0, age), 3)}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


# -- the connector's side --------------------------------------------------------------


def verify(secret, header, raw, now):
    """Return '' when the push is signed with `secret` at about `now`, else why not.

    An unset secret refuses everything. `now`: seconds since 1970.
    """
    if not isinstance(secret, str) or not secret.strip():
        return "no secret is set"
    found = _SIGNATURE.fullmatch((header or "").strip())
    if not found:
        return "not signed"
    stamp = int(found[1])
    if not hmac.compare_digest(_digest(secret, raw, stamp), found[2]):
        return "wrong signature"
    if abs(now - stamp) > TOLERANCE:
        return "signed at another time"
    return ""


def contact_token(secret):
    """Return what a dialplan asks with: derived, so that it cannot sign pushes."""
    if not isinstance(secret, str) or not secret.strip():
        return ""
    text = b"oda.contact.lookup"
    return hmac.new(secret.strip().encode(), text, hashlib.sha256).hexdigest()


def envelope(fields):
    """Return the :class:`Envelope`; raise `Malformed` in words."""
    key, kind = fields.get("key", ""), fields.get("kind", "")
    if not re.fullmatch(r"[0-9a-f]{16,64}", key):
        raise Malformed("the key is missing")
    if kind == "presence":
        login = fields.get("login", "").lower()
        if not _LOGIN.fullmatch(login):
            raise Malformed("the login is missing")
        return Envelope(f"ast.{key}", f"presence:{login}", "presence")
    if kind not in KINDS:
        raise Malformed("the kind is not one of ours")
    callid = call_id(fields.get("callid", ""))
    if not callid:
        raise Malformed("the call id is missing")
    return Envelope(f"ast.{key}", callid, kind)


def to_event(fields):
    """Return the :class:`CallEvent` of parsed fields. Never raises.

    Presence comes back as 'ignored': :func:`presence` reads it.
    """
    callid = call_id(fields.get("callid", ""))
    kind = fields.get("kind", "")
    if not callid or kind not in KINDS:
        return CallEvent(kind="ignored", callid=callid, reason="no news of a call")
    notes = list(getattr(fields, "notes", ()))
    user = fields.get("user", "").lower()
    if user and not _LOGIN.fullmatch(user):
        notes.append("impossible login left out")
        user = ""
    name = fields.get("recording", "")
    return CallEvent(
        kind=kind,
        callid=callid,
        second_callid=call_id(fields.get("second_callid", "")) or None,
        direction=_one_of(DIRECTIONS, fields.get("direction")),
        phone=number(fields.get("phone", "")),
        user=user or None,
        group=fields.get("group", "")[:64].lower() or None,
        group_name=fields.get("group_name", "")[:128] or None,
        did=number(fields.get("did", "")) or None,
        ext=fields.get("ext", "")[:32] or None,
        at=_moment(fields.get("at"), notes),
        status=_one_of(STATUSES, fields.get("status")),
        status_raw=fields.get("status_raw", "")[:64] or None,
        duration=_seconds(fields.get("duration"), MAX_SECONDS),
        wait=_seconds(fields.get("wait"), MAX_SECONDS),
        record_url=STORED + name if 0 < len(name) <= 200 else None,
        notes=tuple(notes),
        age=age(fields),
    )


def age(fields):
    """Return the seconds a push waited with the listener, 0.0 when it does not say."""
    return _figure(fields.get("age"), MAX_AGE) or 0.0


def presence(fields):
    """Return `(login, presence)` of a push of that kind."""
    value = _one_of(PRESENCES, fields.get("presence")) or "unknown"
    return fields.get("login", "").lower(), value


def is_login(text):
    """True when a text can be a login, and nothing else can hide in it."""
    return bool(_LOGIN.fullmatch(text))


def number(text):
    """Digits as sent without '+', or a word such as 'anonymous'; '' when empty."""
    text = (text or "").split("@")[0].strip().lower()
    digits = re.sub(r"[^0-9]", "", text)
    if digits and not re.search(r"[^\W\d_]", text):
        return digits[:32]
    return text[:32]


def call_id(text):
    """Return an id that fits an index; '' for none."""
    if _ID.fullmatch(text or ""):
        return text
    return "sha256-" + hashlib.sha256(text.encode()).hexdigest() if text else ""


def _digest(secret, raw, stamp):
    text = f"{stamp}.".encode() + raw
    return hmac.new(secret.strip().encode(), text, hashlib.sha256).hexdigest()


def _one_of(choices, value):
    return value if value in choices else None


def _figure(text, most):
    try:
        figure = float(text or "")
    except ValueError:
        return None
    return figure if math.isfinite(figure) and 0 <= figure <= most else None


def _seconds(text, most):
    figure = _figure(text, most)
    return None if figure is None else int(figure)


def _moment(text, notes):
    figure = _figure(text, 4e9)
    if figure is None:
        return None
    if figure < 1262304000:  # 2010: a machine whose clock battery is dead
        notes.append("start is out of any reason, left out")
        return None
    return datetime.fromtimestamp(figure, timezone.utc)
