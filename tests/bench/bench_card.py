# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""From the exchange's push to the card on a consultant's screen."""

import http.client
import random
import time
from urllib.parse import urlencode

from . import agents, pushes
from .million import main_number
from .report import Section, p50_p95

TARGET = 700


def run(ground):
    section = Section(
        "Ring to card",
        "20 agents connected: one in Chromium, whose screen is watched, 19 logged-in "
        "websocket clients; a million beneficiaries; each ring is a known caller, "
        "1 ... 2 s after the card before it was taken away. Time from just before the "
        "push's connection is opened until the card was painted.",
    )
    with ground.database() as db:
        plan = ((2, "prefork, 2 workers", 100), (0, "threaded", 50))
        for workers, name, rings in plan:
            if ground.quick:
                rings = 5
            with ground.server(db, workers) as server:
                _measure(ground, db, server, workers, name, rings, section)
    yield section


def _measure(ground, db, server, workers, name, rings, section):
    if workers:
        # a browser needs one address for pages and websocket, as nginx gives
        with agents.proxy(ground.runtime, server) as url:
            times, answers, doubt = _rings(db, server.port, url, rings)
    else:
        times, answers, doubt = _rings(db, server.port, server.url, rings)
    p50, p95 = p50_p95(times)
    section.add(f"{name}, median of {rings} rings", f"{p50:.0f} ms")
    section.add(
        f"{name}, p95",
        f"{p95:.0f} ms",
        target=f"at most {TARGET} ms",
        met=p95 <= TARGET,
    )
    section.note(
        f"{name}: slowest {max(times):.0f} ms; the push itself was answered after "
        f"{p50_p95(answers)[0]:.0f} ms (median); the clocks agree to {doubt:.1f} ms."
    )


def _rings(db, port, url, count):
    """Ring; (times to the card in ms, times to the answer in ms, clock doubt in ms)."""
    chance = random.Random(count)
    times, answers, doubts = [], [], []
    watched, *others = pushes.AGENTS
    with agents.listeners(url, db, others) as heard:
        with agents.screen(url, watched) as screen:
            for number in range(-3, count):
                if number % 10 == 0 or number == -3:
                    doubts.append(screen.align() * 1000)
                time.sleep(chance.uniform(1, 2))
                person = 10 * chance.randrange(99_999) + 5
                phone = main_number(person)
                callid = f"ring-{port}-{number}"
                began, answered = _push(
                    port, pushes.event("INCOMING", callid, phone, watched)
                )
                painted, text = screen.wait_card()
                assert f" {person}" in text, f"not the card of {person}: {text}"
                if number >= 0:  # the first ones load the page's code
                    times.append((painted - began) * 1000)
                    answers.append((answered - began) * 1000)
                _push(port, pushes.event("CANCELLED", callid, phone, watched))
                _push(port, pushes.history(callid, phone, watched, "Missed"))
                screen.wait_no_card()
        broken = [one.failed for one in heard if one.failed]
        assert not broken, f"{len(broken)} agents lost their connection: {broken[0]}"
        strays = sum(len(one.heard) for one in heard)
        assert not strays, f"{strays} news came to agents they do not concern"
    return times, answers, max(doubts)


def _push(port, fields):
    """Send a push; (epoch seconds just before the connection, after the answer)."""
    body = urlencode({**fields, "crm_token": pushes.TOKEN})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    began = time.time()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", pushes.PATH, body, kind)
    status = connection.getresponse().status
    answered = time.time()
    connection.close()
    assert status == 200, status
    return began, answered
