# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who is calling? The exchange's question at a million beneficiaries."""

import json
import random
import statistics

from . import load, pushes
from .million import main_number, second_number, unknown_number
from .report import Section, p50_p95

RATIO = 1.5
STOCK = "res_partner__phone_sanitized_index"


def run(ground):
    with ground.database() as db:
        yield from _round_trip(ground, db)
        yield from _lookup(ground, db)


def _numbers(count, seed=1):
    """(number, whether it is somebody's): 20 % are nobody's, a fifth second ones."""
    chance = random.Random(seed)
    for _place in range(count):
        i = chance.randrange(1, 99_990)
        kind = chance.random()
        if kind < 0.2:
            yield unknown_number(i), False
        elif kind < 0.36:
            yield second_number(10 * i + chance.choice((1, 2))), True
        else:
            yield main_number(10 * i + chance.randint(5, 9)), True


def _round_trip(ground, db):
    section = Section(
        "Caller lookup, round trip",
        "`contact` push (1 000 000 beneficiaries, 1 300 000 numbers, 500 000 talks, "
        "200 000 open consultations; 80 % of the numbers known) beside a stock Odoo "
        "route that answers `{}` to the same bytes; one client, requests strictly "
        "alternating, a new connection each.",
    )
    count = 200 if ground.quick else 2000
    for workers, name in ((2, "prefork, 2 workers"), (0, "threaded")):
        with ground.server(db, workers, jobs=False) as server:
            requests = []
            for place, (number, _known) in enumerate(_numbers(count)):
                body = pushes.contact(number, f"ask-{place}")
                requests += [load.post("/oda_bench/empty", _body(body)), body]
            ground.warm(server.port, requests[0], requests[1])
            answers = ground.generator.closed_loop(server.port, requests)
        assert all(answer.status == 200 for answer in answers)
        peer = p50_p95([answer.ms for answer in answers if answer.index % 2 == 0])
        ours = p50_p95([answer.ms for answer in answers if answer.index % 2])
        for place, label in enumerate(("median", "p95")):
            ratio = ours[place] / peer[place]
            target = f"at most {RATIO}" if place else ""
            section.add(
                f"{name}, {label}, {count} pairs",
                f"{ours[place]:.1f} ms",
                f"{peer[place]:.1f} ms",
                f"{ratio:.2f}",
                target,
                ratio <= RATIO if target else None,
            )
    yield section


def _body(request):
    return request.partition(b"\r\n\r\n")[2]


def _lookup(ground, db):
    section = Section(
        "Caller lookup, in the server",
        "Time of the search alone, as superuser, in one transaction of a warm worker, "
        "the ways in turn by 20 numbers. Stock has no index on `phone_sanitized` "
        "(our addon adds one), so that index is dropped from this copy first and made "
        'again for the second half; ours uses neither. "Found" is the share of '
        "people that are found by a number of theirs, in whatever form it was typed.",
    )
    ways = ("phone_sanitized", "phone_mobile_search", "_lookup", "_lookup_sql")
    rounds = 2 if ground.quick else 10
    with ground.server(db, 2, jobs=False) as server:
        definition = ground.psql(db, f"SELECT pg_get_indexdef('{STOCK}'::regclass)")
        ground.psql(db, f"DROP INDEX {STOCK}; ANALYZE res_partner")
        bare = _ask(ground, server, ways, rounds)
        ground.psql(db, f"{definition}; ANALYZE res_partner")
        indexed = _ask(ground, server, ways, rounds)
    base = statistics.median(bare["_lookup"][0])
    for label, found in (("", bare), (", with our index", indexed)):
        for way in ways[:2]:
            stock = statistics.median(found[way][0])
            ours = statistics.median(found["_lookup"][0])
            section.add(
                f"`_lookup` beside stock `{way} =`{label}",
                f"{ours:.2f} ms, finds {found['_lookup'][1]:.0%}",
                f"{stock:.2f} ms, finds {found[way][1]:.0%}",
                f"{ours / stock:.3f}",
            )
    sql = statistics.median(bare["_lookup_sql"][0])
    section.add("`_lookup_sql` (what a ringing phone runs)", f"{sql:.2f} ms")
    section.note(
        f"p95 of `_lookup`: {p50_p95(bare['_lookup'][0])[1]:.2f} ms "
        f"(median {base:.2f})."
    )
    yield section


def _ask(ground, server, ways, rounds):
    """{way: (times in ms, share of known numbers that were found)}."""
    times = {way: [] for way in ways}
    hits = {way: [] for way in ways}
    ground.warm(server.port, *(_question(way, ["+37369000000"]) for way in ways))
    for number in range(rounds):
        asked = list(_numbers(20, seed=number))
        for way in ways:
            request = _question(way, [one for one, _known in asked])
            answer = _answer(server.port, request)
            times[way] += answer["ms"]
            hits[way] += [
                bool(ids)
                for (_one, known), ids in zip(asked, answer["found"], strict=True)
                if known
            ]
    return {way: (times[way], statistics.mean(hits[way])) for way in ways}


def _question(way, numbers):
    return load.post(
        "/oda_bench/lookup",
        f"way={way}&numbers="
        + "+".join(number.replace("+", "%2B") for number in numbers),
    )


def _answer(port, request):
    import asyncio

    status, answer = asyncio.run(load.send(port, request, timeout=120))
    assert status == 200, answer[:300]
    return json.loads(answer.partition(b"\r\n\r\n")[2])
