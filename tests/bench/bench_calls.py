# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""From the first push to the last right row: whole calls at full speed."""

import itertools
import time

from . import pushes
from .report import Section, p50_p95

TARGET = 150
CLIENTS = 8
OPEN_EACH = 5


def run(ground):
    section = Section(
        "Calls, end to end",
        "Whole calls (ring, answer, end, record) as fast as they are accepted: 10 % "
        "strangers (each gets a card and a consultation), 27 % known without an open "
        "consultation (an answer opens one), the others known with one; 20 % ring "
        "three phones, 10 % are missed, 5 % of the pushes come twice, in 5 % of the "
        f"calls two are swapped; {CLIENTS} clients with {OPEN_EACH} open calls "
        "each, 2 workers, 1 cron, job runner on, a million beneficiaries. Rate: "
        "distinct events, from the first push until every call, leg, session, card "
        "and consultation was checked to be right.",
    )
    seconds = 6 if ground.quick else 40
    with ground.database() as db:
        scripts = list(itertools.islice(pushes.scripts(11, "e2e"), 100 + seconds * 120))
        with ground.server(db) as server:
            warm = list(itertools.islice(pushes.scripts(12, "warm"), 40))
            ground.generator.play(
                server.port, [one.encoded() for one in warm], CLIENTS, 1, 60
            )
            ground.wait_drained(db)
            encoded = [one.encoded() for one in scripts]
            played, answers = ground.generator.play(
                server.port, encoded, CLIENTS, OPEN_EACH, seconds
            )
            first = min(answer.at for answer in answers)
            pushed = max(answer.at + answer.ms / 1000 for answer in answers)
            drained = ground.wait_drained(db)
            sent = [scripts[number] for number in played]
            wrong = pushes.faults(lambda sql: ground.psql(db, sql), "e2e", sent)
            checked = time.monotonic()
        bad = [answer for answer in answers if answer.status != 200]
        events = sum(len({str(one) for one in script.pushes}) for script in sent)
        rate = events / (drained - first)
        section.add(
            f"{len(sent)} calls, {events} events ({len(answers)} pushes)",
            f"{rate:.0f} events/s",
            target=f"at least {TARGET}/s",
            met=rate >= TARGET and not wrong and not bad,
        )
        section.add(
            "calls with anything wrong",
            str(len(wrong)),
            target="0",
            met=not wrong and not bad,
        )
        p50, p95 = p50_p95([answer.ms for answer in answers])
        section.note(
            f"Taken in at {len(answers) / (pushed - first):.0f} pushes/s (answer "
            f"median {p50:.0f} ms, p95 {p95:.0f} ms); the last was worked "
            f"{drained - pushed:.1f} s after it was accepted; checking took "
            f"{checked - drained:.1f} s. Refused: {len(bad)}, given up: "
            f"{ground.psql(db, pushes.DEAD)}."
        )
        for sentence in wrong[:5]:
            section.note(sentence)
    yield section
