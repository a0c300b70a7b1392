# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Killing a server while it is pushed to, and counting what is left."""

import asyncio
import random
import threading
import time
from dataclasses import dataclass

from . import pushes
from .load import Persistent

RATE = 50  # pushes a second
PREFIX = "kill"

# Every sum must be nothing: (what it counts, SQL).
_DOUBLES = (
    (
        "calls doubled",
        "SELECT count(*) - count(DISTINCT (account_id, callid)) FROM oda_call",
    ),
    (
        "legs doubled",
        "SELECT count(*) - count(DISTINCT (call_id, login)) FROM oda_call_leg",
    ),
    (
        "sessions doubled",
        "SELECT count(*) - count(DISTINCT res_id) FROM oda_consultation_session "
        "WHERE res_model = 'oda.call.leg'",
    ),
    (
        "strangers' cards doubled",
        "SELECT count(*) - count(DISTINCT n.e164) FROM oda_phone n "
        "JOIN res_partner p ON p.id = n.partner_id WHERE p.oda_is_new",
    ),
    (
        "strangers' consultations doubled",
        "SELECT count(*) - count(DISTINCT l.partner_id) FROM crm_lead l "
        "JOIN res_partner p ON p.id = l.partner_id WHERE p.oda_is_new",
    ),
)


@dataclass
class Outcome:
    """What is left after the kills.

    :ivar accepted: pushes answered 200
    :ivar repeated: tries that got no 200 and were made again
    :ivar wrong: sentences; [] when every call is just as it must be
    """

    kills: int
    calls: int
    accepted: int
    repeated: int
    refused: dict
    recovered: float
    wrong: list


def run(psql, port, crash, kills, scripts, uptime=(2, 9), wait=240):
    """Push calls while ``crash()`` kills and restarts the server ``kills`` times.

    :param psql: runs SQL in the server's database, returns text
    :param crash: ends the server by SIGKILL, starts it and waits until it answers
    :param scripts: endless calls, their ids beginning with "kill-"
    :param uptime: seconds the server is left alone between kills, from ... to
    """
    begun = []
    over = threading.Event()
    pusher = Persistent(port)

    def calls():
        for script in scripts:
            begun.append(script)
            yield script.encoded()

    counts = []
    thread = threading.Thread(
        target=lambda: counts.append(
            asyncio.run(pusher.run(calls(), RATE, over.is_set))
        )
    )
    thread.start()
    try:
        chance = random.Random(kills)
        for _kill in range(kills):
            time.sleep(chance.uniform(*uptime))
            crash()
        time.sleep(2)
    finally:
        over.set()
        thread.join(wait)
    assert counts, "the exchange could not get rid of its pushes"
    last = time.monotonic()
    while psql(pushes.WAITING) != "0" and time.monotonic() < last + wait:
        time.sleep(0.25)
    recovered = time.monotonic() - last
    sent = begun[: counts[0]]
    wrong = pushes.faults(psql, PREFIX, sent)
    wrong += [
        f"{count} {what}" for what, sql in _DOUBLES if (count := psql(sql)) != "0"
    ]
    # the same words, not the same row: a repetition much later is an event of its own
    keys = sum(len({str(one) for one in script.pushes}) for script in sent)
    kept = int(
        psql(
            "SELECT count(DISTINCT body) FROM oda_inbound "
            f"WHERE order_key LIKE '{PREFIX}-%'"
        )
    )
    if kept != keys:
        wrong.append(f"{kept} pushes kept, {keys} different ones were answered 200")
    idle = int(
        psql(
            "SELECT count(*) FROM oda_inbound WHERE state <> 'done' "
            f"AND order_key LIKE '{PREFIX}-%'"
        )
    )
    if idle:
        wrong.append(f"{idle} pushes kept but not worked")
    accepted = sum(pusher.accepted.values())
    return Outcome(
        kills, len(sent), accepted, pusher.repeated, pusher.refused, recovered, wrong
    )
