# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Nothing lost, nothing doubled: kill -9 under load."""

from . import crash, pushes
from .report import Section

KILLS = 20


def run(ground):
    section = Section(
        "kill -9 under load",
        f"The whole server (2 workers, cron, job runner, websocket) is killed {KILLS} "
        f"times, 2 ... 9 s after its start, under {crash.RATE} pushes/s of whole calls "
        "(10 % strangers, 20 % ring three phones, 5 % of the pushes twice, 5 % of the "
        "calls in disorder); the exchange repeats what was not answered 200. At the "
        "end every call is compared with what it must have become.",
    )
    kills = 3 if ground.quick else KILLS
    with ground.database() as db:
        servers = []
        port = ground.runtime.free_port()

        def again():
            servers.pop().kill9()
            servers.append(ground.start(db, port))

        servers.append(ground.start(db, port))
        try:
            outcome = crash.run(
                lambda sql: ground.psql(db, sql),
                port,
                again,
                kills,
                pushes.scripts(23, crash.PREFIX),
            )
        finally:
            if servers:
                servers.pop().stop()
    wrong = len(outcome.wrong)
    section.add(
        f"{outcome.kills} kills, {outcome.calls} calls, {outcome.accepted} pushes "
        "answered 200: lost, doubled or wrong",
        str(wrong),
        target="0",
        met=not wrong,
    )
    section.note(
        f"Tries repeated: {outcome.repeated} (statuses {outcome.refused}, 0 = no "
        f"answer); the inbox was empty {outcome.recovered:.1f} s after the last push."
    )
    for sentence in outcome.wrong[:8]:
        section.note(sentence)
    yield section
