# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a call of an Asterisk came to: its record (CDR), helped by what was seen."""

from typing import NamedTuple

from .asterisk_cdr import moment, record_of
from .asterisk_push import STORED, number
from .events import CallEvent

#: of a phone that we dialled outside -> our status
DIAL_STATUS = {
    "ANSWER": "answered",
    "BUSY": "busy",
    "NOANSWER": "cancelled",
    "CANCEL": "cancelled",
    "CHANUNAVAIL": "failed",
    "CONGESTION": "failed",
}
#: Q.850; of what is not here nothing is said
_CAUSES = {
    1: "failed",
    3: "failed",
    16: "cancelled",
    17: "busy",
    18: "cancelled",
    19: "cancelled",
    20: "failed",
    21: "busy",
    27: "failed",
    28: "failed",
    34: "failed",
    38: "failed",
    41: "failed",
    42: "failed",
    58: "failed",
}


def outcome_of_cause(cause):
    """Return our status of an outgoing call that nobody answered, by hangup cause."""
    return _CAUSES.get(int(cause)) if str(cause).isdecimal() else None


class Told(NamedTuple):
    """`event`: the history; `more`: histories that carry further recordings;
    `legs`: (kind, login, channel, moment) of phones as the record has them."""

    event: CallEvent
    more: tuple
    legs: tuple


def event_of(call, kind, login=None, recording=None, **record):
    """Return a CallEvent with all that is known of the call.

    :param record: `status`, `raw`, `at`, `seconds` and `wait` of a history
    """
    seconds, wait = record.get("seconds"), record.get("wait")
    return CallEvent(
        kind=kind,
        callid=call.id,
        direction=call.direction,
        phone=call.phone,
        user=login,
        group=f"g_{call.group.lower()}" if call.group else None,
        group_name=call.group or None,
        did=call.did or None,
        at=moment(record.get("at")),
        status=record.get("status"),
        status_raw=record.get("raw"),
        duration=None if seconds is None else max(0, round(seconds)),
        wait=None if wait is None else max(0, round(wait)),
        record_url=STORED + recording if recording else None,
    )


def history_of(call, habits):
    """Return what the call came to as :class:`Told`; None: one among ourselves.

    What the record does not tell (or cannot: of a call that Asterisk died in there is
    none) is filled in with what its channels showed.
    """
    record = record_of(call.rows.values(), habits, call.outsiders)
    if record is None and not call.direction:
        return None
    legs = []
    if record:
        call.direction = call.direction or record.direction
        call.phone = call.phone or number(record.phone)
        call.did = call.did or number(record.did or "")
        for login, name, answer, end in record.legs:
            if answer:
                legs.append(("answered", login, name, answer))
            legs.append(("ended" if answer else "leg_ended", login, name, end))
    event = _of_record(call, record) if record else _of_events(call)
    # One history carries one recording: further ones come after it.
    more = [
        event_of(call, "history", recording=name, status=event.status)
        for name in call.recordings[1:]
        if event.record_url
    ]
    return Told(event, tuple(more), tuple(legs))


def _talks(call):
    """(first answer, login) of all who talked, in the order of time."""
    return sorted((start, login) for login, (start, _end) in call.talks.items())


def _sound(call, status):
    """Nothing was said in a call that nobody answered."""
    return call.recordings[0] if call.recordings and status == "answered" else None


def _of_record(call, record):
    talks, wait = _talks(call), record.wait
    if talks and record.status == "answered":
        # Asterisk counts from its own answer (a queue's, the clicker's phone), and its
        # clock need not be ours
        wait = talks[0][0] - call.started
    return event_of(
        call,
        "history",
        login=record.user or call.caller or (talks[0][1] if talks else None),
        status=record.status,
        raw=record.raw,
        at=record.start,
        seconds=record.end - record.start,
        wait=wait,
        recording=_sound(call, record.status),
    )


def _of_events(call):
    talks = _talks(call)
    status = "missed" if call.direction == "in" else call.status or "cancelled"
    if talks:
        status = "answered"
    elif status == "answered":
        status = "failed"  # the client's phone was lifted, nobody was there
    return event_of(
        call,
        "history",
        login=talks[0][1] if talks else call.caller or None,
        status=status,
        raw="events",
        at=call.started,
        seconds=(call.over or call.seen) - call.started,
        wait=talks[0][0] - call.started if talks else None,
        recording=_sound(call, status),
    )
