# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""How many pushes a second are kept, beside a bare INSERT of the same bytes."""

import itertools
import random
import statistics

from . import load, pushes
from .million import main_number
from .report import Section

SHARE = 0.7
CLIENTS = 8


def run(ground):
    section = Section(
        "Inbox intake",
        "Distinct `INCOMING` pushes answered 200 a second, verified, parsed, keyed and "
        "stored once, beside a stock Odoo route that inserts the same fields as one "
        f"row; {CLIENTS} clients, rounds of both in turn, median of the rounds. With "
        "the job runner on, our rounds share the machine with the work on what came "
        "in, the bare rounds do not (the inbox is emptied before each): the target "
        "is for the intake alone, job runner off.",
    )
    rounds, seconds = (1, 2) if ground.quick else (5, 6)
    with ground.database() as db:
        for workers, name in ((2, "prefork, 2 workers"), (0, "threaded")):
            for jobs in (False, True):
                ours, peer = _measure(ground, db, workers, jobs, rounds, seconds)
                ratio = ours / peer
                section.add(
                    f"{name}, {'drain running' if jobs else 'job runner off'}",
                    f"{ours:.0f}/s",
                    f"{peer:.0f}/s",
                    f"{ratio:.0%}",
                    "" if jobs else f"at least {SHARE:.0%}",
                    None if jobs else ratio >= SHARE,
                )
        lost = ground.psql(db, pushes.DEAD)
        section.note(f"Pushes given up: {lost}.")
    yield section


def _measure(ground, db, workers, jobs, rounds, seconds):
    ours, peer = [], []
    names = itertools.count()
    with ground.server(db, workers, jobs=jobs) as server:
        bodies = _incoming(f"warm-{workers}-{jobs}", 80)
        ground.warm(server.port, bodies[0], _bare(bodies[0]))
        for _round in range(rounds):
            events = _incoming(f"in-{workers}-{jobs}-{next(names)}", seconds * 1500)
            if jobs:
                ground.wait_drained(db)
            peer.append(_rate(ground, server, map(_bare, events), seconds))
            ours.append(_rate(ground, server, events, seconds))
        if jobs:
            ground.wait_drained(db)
    if not jobs:
        # what was taken in is not wanted in the next measurement's drain
        ground.psql(db, "TRUNCATE oda_inbound, oda_bench_row")
    return statistics.median(ours), statistics.median(peer)


def _rate(ground, server, requests, seconds):
    answers = ground.generator.closed_loop(server.port, requests, CLIENTS, seconds)
    bad = [answer for answer in answers if answer.status != 200]
    assert not bad, f"{len(bad)} of {len(answers)} not accepted: {bad[:3]}"
    first = min(answer.at for answer in answers)
    last = max(answer.at + answer.ms / 1000 for answer in answers)
    return len(answers) / (last - first)


def _incoming(prefix, count):
    chance = random.Random(prefix)
    return [
        pushes.encode(
            pushes.event(
                "INCOMING",
                f"{prefix}-{number}",
                main_number(10 * chance.randrange(99_999) + chance.randint(5, 9)),
                chance.choice(pushes.AGENTS),
            )
        )
        for number in range(count)
    ]


def _bare(request):
    return load.post("/oda_bench/insert", request.partition(b"\r\n\r\n")[2])
