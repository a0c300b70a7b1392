# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What every PBX driver produces, whatever the PBX calls it.

A driver turns foreign bytes into these values and never leaks its own field names;
`callstate` turns a stream of them into the state of one call.
"""

from dataclasses import dataclass
from datetime import datetime

#: Kinds of :class:`CallEvent`.
#: ringing      a person's phone started to ring
#: answered     that person picked up
#: leg_ended    that phone stopped ringing (caller gone, or somebody else picked up)
#: ended        that person's talk is over; without a user, the whole call is over
#: outgoing     a person's call to a client is being dialled
#: transferred  the call is passed to `user` (and goes on as `second_callid`, if any)
#: history      the PBX's own record of the finished call: authoritative
#: rating       the client's mark for the talk
#: ignored      understood enough to know that it changes nothing; `reason` says why
KINDS = (
    "ringing",
    "answered",
    "leg_ended",
    "ended",
    "outgoing",
    "transferred",
    "history",
    "rating",
    "ignored",
)
DIRECTIONS = ("in", "out", "internal")
STATUSES = ("answered", "missed", "cancelled", "busy", "failed")

#: Login a driver gives to the switch itself (IVR, queue without a person).
SWITCH = "pbx"
#: Logins of groups start so. A driver with other habits translates to this one.
GROUP_PREFIX = "g_"


def is_person(login):
    """True when the normalised login can be a human, not the switch or a group."""
    return bool(login) and login != SWITCH and not login.startswith(GROUP_PREFIX)


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """One push (or one line of a pulled history) in our own words.

    `callid`      the PBX's id of the call, the same for all its legs
    `phone`       the client: digits as sent without '+', or a word (`anonymous`)
    `user`        PBX login, lower case, without `@tenant`; see :func:`is_person`
    `did`         our number that was dialled, digits
    `at`          aware UTC moment the call began, only where the PBX told it
    `status`      what the PBX's own record says, mapped; `status_raw` as it was sent
    `duration`    seconds from the first ring to the hang-up; `wait` seconds of ringing
    `record_url`  http(s) address of the recording. Not checked against any host list
    `reason`      why an `ignored` one is ignored, in words
    `notes`       what was doubtful in the input and left out, in words
    `age`         seconds that lay between what happened and its push, where it is told
    """

    kind: str
    callid: str
    second_callid: str | None = None
    direction: str | None = None
    phone: str = ""
    user: str | None = None
    group: str | None = None
    group_name: str | None = None
    did: str | None = None
    ext: str | None = None
    telnum: str | None = None
    at: datetime | None = None
    status: str | None = None
    status_raw: str | None = None
    duration: int | None = None
    wait: int | None = None
    record_url: str | None = None
    rating: int | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    age: float = 0.0


@dataclass(frozen=True)
class ContactQuery:
    """The PBX asks, while it holds a live call: who is this number?

    `phone` and `did` as in :class:`CallEvent`.
    """

    phone: str
    callid: str
    did: str | None = None
