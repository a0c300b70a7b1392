# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Single values as PBX Moldcell writes them, in pushes and in its history alike.

Nothing here raises: what cannot be understood is None, and `notes` (a list of words)
says so.
"""

import hashlib
import re
from datetime import datetime, timedelta, timezone

MAX_ID = 96  # a longer call id is replaced by its hash, to fit an index
MAX_SECONDS = 24 * 3600  # nobody talks longer; a bigger figure is a fault

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

_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ]?(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d{1,9})?"
    r" ?(Z|UTC|[+-]?\d\d:?(?:\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_EARLIEST = datetime(2010, 1, 1, tzinfo=timezone.utc)


def status_of(raw):
    """Return our word for a status of its history, None for an unknown one."""
    return STATUSES.get(re.sub(r"[\s_-]", "", raw.lower()))


def call_id_of(value):
    """Return the id of a call as we keep it; '' when there is none."""
    value = value or ""
    if len(value) <= MAX_ID:
        return value
    return "sha256-" + hashlib.sha256(value.encode()).hexdigest()


def login_of(value):
    """`Ana@tenant.example` -> `ana`; nothing -> None."""
    return (value or "").split("@")[0].strip().lower()[:64] or None


def number_of(value):
    """Digits as sent (a form may turn '+' into a space), or a word; None if empty."""
    value = (value or "").split("@")[0].strip().lower()
    value = value.removeprefix("sip:").removeprefix("tel:")
    digits = re.sub(r"[^0-9]", "", value)
    if digits and not re.search(r"[^\W\d_]", value):
        return digits[:32]
    return value[:32] or None


def seconds_of(value, name, notes):
    """Whole seconds, or None; an impossible figure is noted and left out."""
    if not value:
        return None
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", value):
        seconds = int(value.split(".")[0])
        if seconds <= MAX_SECONDS:
            return seconds
    notes.append(f"impossible {name} left out")
    return None


def link_of(value, notes):
    if not value:
        return None
    if re.match(r"https?://[^\s/]+", value, re.IGNORECASE):
        return value
    notes.append("recording link is not a web address, left out")
    return None


def moment_of(value, notes, now=None):
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
