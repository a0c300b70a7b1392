# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A call inside the exchange: a state machine without clock, network or tasks.

Every verb takes ``now`` (epoch seconds) and returns the pushes that the exchange
sends because of it, in order: dicts of form fields without ``crm_token``.
"""

from dataclasses import dataclass, field
from datetime import datetime, timezone

from .directory import GROUPS, HOST, KEY, USERS

# What each event carries besides cmd, type, callid, phone and user, when known.
_EVENT_FIELDS = {
    "INCOMING": ("ext", "diversion", "direction", "groupRealName"),
    "ACCEPTED": ("ext", "direction"),
    "CANCELLED": ("ext", "direction"),
    "COMPLETED": ("direction",),
    "OUTGOING": ("telnum", "direction"),
    "TRANSFERRED": ("ext", "direction"),
}
OUT_FAILURES = ("Cancel", "Busy", "NotAvailable", "NotAllowed", "NotFound")


class WrongState(Exception):
    """The verb does not fit the state of the call; the text says why."""


@dataclass
class Leg:
    """One employee's telephone. state: ringing, talking, done, lost."""

    user: str
    since: float
    state: str = "ringing"


@dataclass
class Call:
    """One call of the exchange.

    state: ``routing`` (asking the CRM), ``manager`` (outgoing: the employee's own
    telephone rings first), ``ringing``, ``talking``, ``ended``.
    status: as in ``history`` (Success, Missed, Cancel, Busy ...), set at the end.
    talk: seconds to claim as talked instead of the real ones (demo, tests), or None.
    """

    callid: str
    direction: str
    phone: str
    did: str
    started: float
    faults: frozenset = frozenset()
    group: str | None = None
    state: str = "routing"
    legs: list = field(default_factory=list)
    user: str = ""
    answered: float | None = None
    ended: float | None = None
    status: str = ""
    talk: int | None = None
    root: str = ""
    key: str = KEY
    rating: int = 0
    skew: float = 0.0
    second: str = ""
    contact: dict | None = None

    # -- verbs ---------------------------------------------------------------
    def ring(self, users, now, group=None):
        """Incoming: let these telephones ring, all at once."""
        self._need("routing", "ringing")
        self.state = "ringing"
        self.group = group
        pushes = []
        for user in users:
            self.legs.append(Leg(user, now))
            pushes.append(self._event("INCOMING", user))
        if users and not group:
            self.user = users[0]
        return pushes

    def unring(self, now):
        """Stop the ringing telephones without ending the call (fallback follows)."""
        self._need("ringing")
        return self._drop_legs("done")

    def dial(self, user, now):
        """Outgoing: the employee's telephone rings; the CRM hears nothing yet."""
        self._need("routing")
        self.state = "manager"
        self.user = user
        self.legs.append(Leg(user, now))
        return []

    def manager_answers(self, now):
        """Outgoing: the employee lifted the receiver, the client is being dialled."""
        self._need("manager")
        self.state = "ringing"
        self.legs[0].state = "talking"
        return [self._event("OUTGOING", self.user)]

    def answer(self, by, now):
        """The call becomes a talk.

        :param by: login that picks up; None = the first that rings; for an outgoing
            call it is always the client who picks up
        """
        self._need("ringing")
        if self.direction == "out":
            by = self.user
            winner = self.legs[0]
        else:
            ringing = [leg for leg in self.legs if leg.state == "ringing"]
            by = by or ringing[0].user
            winner = next((leg for leg in ringing if leg.user == by), None)
            if not winner:
                raise WrongState(f"La {by} nu sună acest apel.")
        self.state = "talking"
        self.user = by
        self.answered = now
        winner.state = "talking"
        return [self._event("ACCEPTED", by), *self._drop_legs("lost")]

    def hangup(self, now):
        """The employee puts the receiver down (or refuses, or cancels his dialling)."""
        return self._finish(now, "Cancel")

    def client_hangup(self, now, status="Busy"):
        """The client hangs up; unanswered outgoing calls get the given status."""
        return self._finish(now, status)

    def give_up(self, now):
        """Nobody picked up for too long."""
        return self._finish(now, "NotAvailable")

    def transfer(self, second, user, users, now, group=None):
        """Pass a talk on.

        :param str second: id of the new call
        :param str user: whom it is passed to, a login or a group id with its host
        :param users: logins whose telephones ring
        :return: (new Call, pushes)
        """
        self._need("talking")
        child = Call(
            callid=second,
            direction="in" if self.direction == "out" else self.direction,
            phone=self.phone,
            did=self.did,
            started=now,
            faults=self.faults,
            root=self.root,
            key=self.key,
            skew=self.skew,
            contact=self.contact,
        )
        moved = self._event("TRANSFERRED", user, second_callid=second)
        self.second = second
        done = self._finish(now, "")
        return child, [moved, *done, *child.ring(users, now, group)]

    def rate(self, mark):
        """The client's mark for the talk, 1 to 5."""
        self._need("ended")
        self.rating = mark
        fields = {"cmd": "rating", "callid": self.callid, "phone": self.phone}
        return [{**fields, "user": self.user, "rating": str(mark)}]

    # -- what is told about it -----------------------------------------------
    @property
    def wait_seconds(self):
        """Seconds it rang."""
        until = self.answered or self.ended or self.started
        return max(0, round(until - self.started))

    @property
    def talk_seconds(self):
        """Seconds talked: 0 unless answered and over, then at least 1."""
        if not self.answered or not self.ended:
            return 0
        if self.talk is not None:
            return self.talk
        return max(1, round(self.ended - self.answered))

    def history(self, link=""):
        """Fields of the ``history`` push.

        :param str link: address of the recording, empty when there is none
        """
        missed = self.status == "Missed"
        user = self.user
        if not user and self.group:
            user = f"{GROUPS[self.group].id}@{HOST}"
        user = user or "pbx"
        fields = {
            "cmd": "history",
            "type": "out" if self.direction == "out" else "in",
            "status": self.status,
            "callid": self.callid,
            "phone": self.phone,
            "user": user,
        }
        if user in USERS:
            fields["ext"] = USERS[user].ext
        if self.group:
            fields["group"] = GROUPS[self.group].id
            fields["groupRealName"] = GROUPS[self.group].real_name
        if missed and "missed_pbx" in self.faults:
            # Seen live: the switch itself as the user, status in lower case.
            fields |= {"status": "missed", "user": "pbx", "missedStatus": "2"}
            fields.setdefault("group", GROUPS["callcentre"].id)
            fields.pop("ext", None)
        if self.direction == "out":
            fields["telnum"] = USERS[self.user].telnum
        else:
            fields["diversion"] = self.did
        began = datetime.fromtimestamp(self.started + self.skew, timezone.utc)
        fields["start"] = began.strftime("%Y%m%dT%H%M%SZ")
        duration = self.talk_seconds
        if "duration_total" in self.faults:
            duration += self.wait_seconds
        fields["duration"] = str(duration)
        if not missed:
            fields["wait"] = str(self.wait_seconds)
        if link:
            fields["link"] = link
        return fields

    def _event(self, kind, user, **extra):
        person = USERS.get(user)
        values = {
            "ext": person.ext if person else "",
            "telnum": person.telnum if person else "",
            "diversion": self.did,
            "direction": self.direction,
            "groupRealName": GROUPS[self.group].real_name if self.group else "",
        }
        fields = {"cmd": "event", "type": kind, "callid": self.callid}
        fields |= extra
        fields |= {"phone": self.phone, "user": user}
        fields |= {name: values[name] for name in _EVENT_FIELDS[kind] if values[name]}
        return fields

    # -- inside --------------------------------------------------------------
    def _need(self, *states):
        if self.state not in states:
            words = {
                "routing": "Apelul încă se direcționează.",
                "manager": "Telefonul angajatului încă sună.",
                "ringing": "Apelul încă sună.",
                "talking": "La apel deja s-a răspuns.",
                "ended": "Apelul s-a încheiat.",
            }
            raise WrongState(words[self.state])

    def _drop_legs(self, state):
        ringing = [leg for leg in self.legs if leg.state == "ringing"]
        for leg in ringing:
            leg.state = state
        return [self._event("CANCELLED", leg.user) for leg in ringing]

    def _finish(self, now, status):
        self._need("routing", "manager", "ringing", "talking")
        before, self.state, self.ended = self.state, "ended", now
        if before == "talking":
            self.status = "Success"
            pushes = [self._event("COMPLETED", self.user)]
        elif self.direction == "out":
            self.status = status
            # While only the employee's telephone rang, the CRM heard of no call.
            told = before == "ringing"
            pushes = [self._event("CANCELLED", self.user)] if told else []
        else:
            self.status = "Missed"
            pushes = self._drop_legs("done")
        for leg in self.legs:
            if leg.state != "lost":
                leg.state = "done"
        return pushes
