# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Calls as PBX Moldcell tells of them, and what must have become of each."""

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timezone
from urllib.parse import urlencode

from . import load
from .million import main_number, unknown_number

PATH = "/oda/in/moldcell/demo"
TOKEN = "demo-moldcell-secret"
AGENTS = tuple(f"bench{number:02d}" for number in range(1, 21))


def encode(fields):
    """One push as the bytes of its HTTP request."""
    return load.post(PATH, urlencode({**fields, "crm_token": TOKEN}))


def contact(number, callid):
    """The question "who is calling?", asked while the caller waits."""
    return encode({"cmd": "contact", "phone": number.lstrip("+"), "callid": callid})


def event(kind, callid, number, agent):
    """A live event, as fields."""
    return {
        "cmd": "event",
        "type": kind,
        "callid": callid,
        "phone": number.lstrip("+"),
        "user": agent,
        "direction": "in",
        "diversion": "37322200100",
    }


def history(callid, number, agent, status, started=None):
    """The exchange's own record of a call, as fields."""
    started = started or datetime.now(timezone.utc)
    return {
        "cmd": "history",
        "type": "in",
        "status": status,
        "callid": callid,
        "phone": number.lstrip("+"),
        "user": agent,
        "diversion": "37322200100",
        "start": started.strftime("%Y%m%dT%H%M%SZ"),
        "duration": "65" if status == "Success" else "0",
        "wait": "5",
    }


@dataclass
class Script:
    """One call: what is sent, and what must be in the database afterwards.

    :ivar pushes: fields of each push in the order of sending
    :ivar legs: {login: state}
    """

    callid: str
    number: str
    stranger: bool
    outcome: str
    answered_by: str | None
    legs: dict
    pushes: list = field(default_factory=list)

    def encoded(self):
        return [encode(fields) for fields in self.pushes]


def _somebody(chance):
    """A number that exactly one of the million has; 7 in 10 have an open consultation
    (i % 10 is 5: see million.py), the others get one when they are answered."""
    last = 5 if chance.random() < 0.7 else chance.randint(6, 9)
    return main_number(10 * chance.randrange(99_999) + last)


def scripts(
    seed,
    prefix,
    known=_somebody,
    agents=AGENTS,
    stranger=0.1,
    ring_all=0.2,
    missed=0.1,
    twice=0.05,
    mixed=0.05,
):
    """Endless calls of a realistic mix; the same seed gives the same calls.

    :param known: function of a random.Random: the number of a known caller
    :param agents: logins at the exchange, each with a person behind it
    :param stranger: share of calls from numbers that nobody has (every fifth of
        them calls again with the next one, so that two calls race for one card)
    :param ring_all: share that rings three phones, two of which lose
    :param missed: share that nobody answers
    :param twice: share of pushes that come twice
    :param mixed: share of calls of which two pushes come in the wrong order
    """
    chance = random.Random(seed)
    start = datetime.now(timezone.utc)
    unknown = chance.randrange(900_000)
    again = None
    number = 0
    while True:
        number += 1
        callid = f"{prefix}-{number}"
        new = chance.random() < stranger
        if new and again:
            phone, again = again, None
        elif new:
            unknown = (unknown + 1) % 999_983
            phone = unknown_number(unknown)
            again = phone if chance.random() < 0.2 else None
        else:
            phone = known(chance)
        rings = chance.sample(agents, 3 if chance.random() < ring_all else 1)
        script = _script(callid, phone, new, rings, chance.random() < missed, start)
        if chance.random() < mixed:
            place = chance.randrange(len(script.pushes) - 1)
            one, other = script.pushes[place : place + 2]
            script.pushes[place : place + 2] = [other, one]
        script.pushes = [
            fields
            for one in script.pushes
            for fields in ([one, one] if chance.random() < twice else [one])
        ]
        yield script


def _script(callid, phone, stranger, rings, missed, start):
    pushes = [event("INCOMING", callid, phone, agent) for agent in rings]
    if missed:
        pushes += [event("CANCELLED", callid, phone, agent) for agent in rings]
        pushes.append(history(callid, phone, rings[0], "Missed", start))
        legs = dict.fromkeys(rings, "no_answer")
        return Script(callid, phone, stranger, "missed", None, legs, pushes)
    winner, *losers = rings
    pushes.append(event("ACCEPTED", callid, phone, winner))
    pushes += [event("CANCELLED", callid, phone, agent) for agent in losers]
    pushes.append(event("COMPLETED", callid, phone, winner))
    pushes.append(history(callid, phone, winner, "Success", start))
    legs = {winner: "done", **dict.fromkeys(losers, "lost")}
    return Script(callid, phone, stranger, "answered", winner, legs, pushes)


# -- checking ------------------------------------------------------------------------

_CALLS = """
SELECT json_agg(row_to_json(found)) FROM (
SELECT c.callid, c.state, c.outcome, c.outcome_source AS source, c.e164,
       c.partner_id, c.lead_id,
       (SELECT p.login FROM oda_pbx_user p
         WHERE p.account_id = c.account_id AND p.user_id = c.user_id) AS answered_by,
       (SELECT json_object_agg(l.login, l.state) FROM oda_call_leg l
         WHERE l.call_id = c.id) AS legs,
       (SELECT count(*) FROM oda_call_leg l WHERE l.call_id = c.id) AS leg_count,
       (SELECT count(*) FROM oda_consultation_session s
          JOIN oda_call_leg l ON l.id = s.res_id
         WHERE s.res_model = 'oda.call.leg' AND l.call_id = c.id
           AND s.ended_at IS NOT NULL) AS sessions,
       (SELECT count(*) FROM oda_phone n WHERE n.e164 = c.e164) AS owners,
       (SELECT count(*) FROM crm_lead l
         WHERE l.partner_id = c.partner_id AND l.active) AS leads,
       EXISTS (SELECT FROM oda_phone n WHERE n.e164 = c.e164
                  AND n.partner_id = c.partner_id) AS right_person
  FROM oda_call c WHERE c.callid LIKE '{prefix}-%'
) found
"""
WAITING = "SELECT count(*) FROM oda_inbound WHERE state IN ('new', 'retry')"
DEAD = "SELECT count(*) FROM oda_inbound WHERE state = 'dead'"


def faults(psql, prefix, expected):
    """What is wrong in the database after these calls: a list of sentences.

    :param psql: runs SQL, returns text
    :param expected: the Script of every call that was sent to its end
    """
    rows = json.loads(psql(_CALLS.format(prefix=prefix)) or "[]") or []
    found = {}
    wrong = []
    for row in rows:
        if row["callid"] in found:
            wrong.append(f"{row['callid']}: two rows")
        found[row["callid"]] = row
    wanted = {script.callid: script for script in expected}
    wrong += [f"{callid}: not sent by us" for callid in found.keys() - wanted.keys()]
    for callid, script in wanted.items():
        row = found.get(callid)
        if row is None:
            wrong.append(f"{callid}: lost")
            continue
        answered = script.outcome == "answered"
        right = {
            "state": "ended",
            "outcome": script.outcome,
            "source": "history",
            "e164": script.number,
            "answered_by": script.answered_by,
            "legs": script.legs,
            "leg_count": len(script.legs),
            "sessions": int(answered),
            "owners": 1,
            "right_person": True,
        }
        if script.stranger or answered:
            right["leads"] = 1
        wrong += [
            f"{callid}: {name} is {row[name]!r}, not {value!r}"
            for name, value in right.items()
            if row[name] != value
        ]
    return wrong
