# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""An exchange that exists on paper: calls, what is pushed of them, what it keeps.

Standard library only: the tests of this addon and `make bench ONLY=faults` share it.
The truth is what a :class:`Call` says at its end; pushes and history are made of it,
and :class:`Mischief` spoils the pushes the way networks and exchanges do.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

PEOPLE = ("ana", "igor")
STATUSES = {"answered": "Success", "missed": "Missed", "cancelled": "Cancel"}
STATUSES |= {"busy": "Busy", "failed": "NotAvailable"}
#: fields that a push may lack and still be one
_SPARE = ("direction", "diversion", "ext", "groupRealName", "user", "phone")
_SPARE_HISTORY = ("wait", "ext", "diversion", "group", "start", "duration", "link")


@dataclass
class Call:
    """One call id of the exchange; verbs return the pushes they cause.

    :ivar legs: login -> 'ringing', 'talking', 'done', 'lost' or 'no_answer'
    """

    callid: str
    phone: str
    start: datetime
    direction: str = "in"
    did: str = "37322200100"
    legs: dict = field(default_factory=dict)
    outcome: str = ""
    talker: str = ""
    wait: int = 0
    talk: int = 0
    url: str = ""
    second: str = ""
    rating: int = 0
    pushes: list = field(default_factory=list)

    def _event(self, kind, user, **more):
        push = {"cmd": "event", "type": kind, "callid": self.callid, "user": user}
        push |= {"phone": self.phone, "direction": self.direction}
        push |= {"diversion": self.did, "ext": "701", **more}
        self.pushes.append(push)
        return push

    def ring(self, *users):
        for user in users:
            self.legs[user] = "ringing"
            self._event("INCOMING", user, groupRealName="Call centru")

    def dial(self, user):
        self.direction, self.legs[user] = "out", "ringing"
        self._event("OUTGOING", user)

    def stop(self, user):
        """One phone stops ringing, the others go on."""
        self.legs[user] = "no_answer"
        self._event("CANCELLED", user)

    def answer(self, user, after):
        self.talker, self.wait = user, after
        self.legs[user] = "talking"
        self._event("ACCEPTED", user)
        for other, state in self.legs.items():
            if state == "ringing":
                self.legs[other] = "lost"
                self._event("CANCELLED", other)
            elif state == "no_answer":
                self.legs[other] = "lost"

    def hang_up(self, after, recorded=True):
        """The talk is over."""
        self.talk = max(1, after)
        self.outcome = "answered"
        self.legs[self.talker] = "done"
        self._event("COMPLETED", self.talker)
        if recorded:
            self.url = f"https://demo.pbx.moldcell.md/records/{self.callid}.mp3"

    def fail(self, outcome, after):
        """Nobody talked: missed, or for a call of ours cancelled, busy, failed."""
        self.outcome, self.wait = outcome, after
        for user, state in self.legs.items():
            if state == "ringing":
                self.legs[user] = "no_answer"
                self._event("CANCELLED", user)

    def transfer(self, callid, user, after):
        """Pass the talk on; return the second call, already ringing."""
        self.second = callid
        start = self.start + timedelta(seconds=self.wait + after)
        child = Call(callid, self.phone, start, did=self.did)
        self._event("TRANSFERRED", user, second_callid=callid)
        self.hang_up(after)
        child.ring(user)
        return child

    def rate(self, mark):
        self.rating = mark
        push = {"cmd": "rating", "callid": self.callid, "rating": str(mark)}
        self.pushes.append(push)

    def record(self, total=True, switch=False):
        """Push the record of the finished call.

        :param bool total: the duration counts from the first ring, as printed;
            some tenants tell the talk alone
        :param bool switch: a missed call as the switch itself tells it
        """
        push = {
            "cmd": "history",
            "type": self.direction,
            "status": STATUSES[self.outcome],
            "callid": self.callid,
            "phone": self.phone,
            "user": self.talker or next(iter(self.legs), "pbx"),
            "diversion": self.did,
            "start": self.start.strftime("%Y%m%dT%H%M%SZ"),
            "duration": str(self.talk + (self.wait if total else 0)),
            "wait": str(self.wait),
        }
        if switch and self.outcome == "missed":
            push |= {"status": "missed", "user": "pbx", "group": "g_1b2c"}
        if self.url:
            push["link"] = self.url
        self.pushes.append(push)

    def row(self):
        """Return the CSV row of its history."""
        kind = "missed" if self.outcome == "missed" else self.direction
        zone = timezone(timedelta(hours=2))
        cells = (
            self.callid,
            kind,
            self.phone,
            self.talker or next(iter(self.legs), "pbx"),
            self.did,
            self.start.astimezone(zone).isoformat(timespec="seconds"),
            str(self.wait),
            str(self.talk),
            self.url,
        )
        quality = f",{self.rating}" if self.rating else ""
        return ",".join(cells) + quality


class Exchange:
    """Calls of one account; its clock may be wrong by `skew` seconds."""

    def __init__(self, seed, prefix, now, people=PEOPLE, phones=(), skew=0):
        self.chance = random.Random(seed)
        self.prefix, self.people, self.phones = prefix, people, tuple(phones)
        self.begin = now - timedelta(hours=3) + timedelta(seconds=skew)
        self.calls = {}

    def make(self, count):
        """Make calls of a realistic mix, all over by ten minutes before now."""
        for number in range(count):
            at = self.begin + timedelta(hours=2.5) * (number / max(count, 1))
            self._script(f"{self.prefix}-{number}", at.replace(microsecond=0))
        return self

    def _script(self, callid, at):
        chance = self.chance
        call = self.calls[callid] = Call(callid, chance.choice(self.phones), at)
        dice = chance.random()
        if dice < 0.25:
            call.dial(chance.choice(self.people))
            if chance.random() < 0.6:
                call.answer(next(iter(call.legs)), chance.randint(2, 20))
                call.hang_up(chance.randint(1, 300), chance.random() < 0.8)
            else:
                outcome = chance.choice(("cancelled", "busy", "failed"))
                call.fail(outcome, chance.randint(1, 40))
        else:
            if dice > 0.95:
                call.phone = "anonymous"
            rings = chance.sample(
                self.people, chance.randint(1, min(3, len(self.people)))
            )
            call.ring(*rings)
            if chance.random() < 0.3:
                call.fail("missed", chance.randint(1, 60))
            else:
                self._talk(call, chance.choice(rings))
        for one in (call, self.calls.get(call.second)):
            if one:
                one.record(chance.random() < 0.7, chance.random() < 0.3)
        if call.outcome == "answered" and chance.random() < 0.1:
            call.rate(chance.randint(1, 5))

    def _talk(self, call, user):
        chance = self.chance
        call.answer(user, chance.randint(1, 30))
        others = [one for one in self.people if one != user]
        if others and chance.random() < 0.1:
            child = call.transfer(
                f"{call.callid}-b", chance.choice(others), chance.randint(5, 60)
            )
            self.calls[child.callid] = child
            child.answer(next(iter(child.legs)), chance.randint(1, 9))
            child.hang_up(chance.randint(1, 120))
        else:
            call.hang_up(chance.randint(1, 600), chance.random() < 0.8)

    def history(self, since, until):
        """Return the CSV of calls begun in a span (aware moments)."""
        rows = [
            call.row()
            for call in self.calls.values()
            if call.outcome and since <= call.start < until
        ]
        return "".join(f"{row}\r\n" for row in rows)


@dataclass
class Mischief:
    """Shares, 0 to 1, of what goes wrong with pushes on their way."""

    twice: float = 0.1
    mixed: float = 0.2
    late: float = 0.1
    partial: float = 0.05
    lost: float = 0.1
    outage: tuple = (0.4, 0.6)  # part of the time in which nothing arrives

    def spoil(self, calls, chance):
        """Return the pushes that arrive, in order of arrival: `[fields]`."""
        arriving = []
        for number, call in enumerate(calls):
            when = number / max(len(calls), 1)
            for step, push in enumerate(call.pushes):
                if self.outage[0] <= when < self.outage[1]:
                    continue
                if chance.random() < self.lost:
                    continue
                at = number * 10 + step
                if chance.random() < self.mixed:
                    at += chance.uniform(-3, 3)
                if chance.random() < self.late:
                    at += chance.uniform(20, 400)
                copies = 2 if chance.random() < self.twice else 1
                for copy in range(copies):
                    one = self._broken(push, chance)
                    arriving.append((at + copy * chance.uniform(0, 30), one))
        arriving.sort(key=lambda pair: pair[0])
        return [push for _at, push in arriving]

    def _broken(self, push, chance):
        if chance.random() >= self.partial:
            return push
        spare = _SPARE_HISTORY if push["cmd"] == "history" else _SPARE
        gone = chance.choice(spare)
        return {name: value for name, value in push.items() if name != gone}


@dataclass
class Expected:
    """What must be in the database about one call that stands for itself."""

    callid: str
    outcome: str
    talkers: tuple
    legs: dict
    duration: int
    urls: set
    phone: str
    direction: str
    rating: int


def expected(exchange, arrived):
    """Return `{callid: Expected}` and `{merged callid: main callid}`.

    :param arrived: the pushes that arrived: what only they can tell (that two ids
        are one call; why a call of ours was not answered) cannot be known without
    """
    told = {
        (push["callid"], push.get("second_callid"))
        for push in arrived
        if push.get("type") == "TRANSFERRED"
    }
    records = {
        push["callid"]: push["status"] for push in arrived if push["cmd"] == "history"
    }
    merged = {second: callid for callid, second in told if second}
    rated = {push["callid"] for push in arrived if push["cmd"] == "rating"}
    found = {}
    for callid, call in exchange.calls.items():
        if callid in merged:
            continue
        parts = [call] + [
            exchange.calls[one] for one, main in merged.items() if main == callid
        ]
        outcome = call.outcome
        if outcome in ("busy", "failed") and callid not in records:
            outcome = "cancelled"  # its history has no better word
        found[callid] = Expected(
            callid,
            outcome,
            tuple(one.talker for one in parts if one.talker),
            {login: state for one in parts for login, state in one.legs.items()},
            call.wait + call.talk,
            {one.url for one in parts if one.url},
            call.phone,
            call.direction,
            call.rating if callid in rated else 0,
        )
    return found, merged
