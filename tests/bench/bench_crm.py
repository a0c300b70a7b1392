# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The consultations' screens and sweeps at size, stock crm beside them."""

import statistics

from . import crm_day, crm_ground, crm_layer, crm_mass, crm_screens
from .crm_ground import PERSON, Asker
from .report import Section, p50_p95

KANBAN_RATIO = 1.3
CARD_QUERIES = 40
MOVE_QUERIES = 6
ORPHAN_MS = 200
NAME_MS = 20
SIZE = (
    "100 000 consultations (80 % open), 1 000 000 beneficiaries, 300 000 tasks, "
    "500 000 sessions"
)


class Pair:
    """Both systems, running: ``ours`` and ``stock`` are (database, Process)."""

    def __init__(self, ground, ours, stock):
        self.ground = ground
        self.ours, self.stock = ours, stock
        self.asker = Asker(ours[1], PERSON)
        self.peer = Asker(stock[1], PERSON)
        self.flow = crm_ground.xmlid(ground, ours[0], "oda_crm.flow_ads")
        self.stock_flow = int(
            self.one(
                stock[0], "SELECT id FROM crm_team WHERE name->>'en_US' LIKE '%ads'"
            )
        )

    def one(self, db, sql):
        return self.ground.psql(db, sql).split("\n")[0]


def run(ground):
    with crm_ground.ours(ground) as ours, crm_ground.stock(ground, ours) as stock:
        with (
            ground.server(ours) as our_server,
            ground.server(stock, jobs=False) as stock_server,
        ):
            pair = Pair(ground, (ours, our_server), (stock, stock_server))
            few = int(
                pair.one(
                    ours,
                    f"SELECT id FROM oda_bench_card WHERE many = {crm_layer.FEW}",
                )
            )
            screens = [
                crm_screens.watch(ground, server, PERSON, flow, few)
                for server, flow in (
                    (our_server, pair.flow),
                    (stock_server, pair.stock_flow),
                )
            ]
            yield _kanban(pair, screens)
            yield _queries(pair, screens)
            yield _searches(pair)
            yield crm_day.day(pair)
            yield crm_mass.segments(pair)
            yield crm_mass.sweep(pair)
            yield crm_mass.import_file(pair)


def _kanban(pair, screens):
    section = Section(
        "Kanban of a flow",
        f"{SIZE}; stock crm on the same rows. The requests that Chromium sent once "
        "when the flows' dashboard opened the flow's consultations (views excluded), "
        "each system's own, sent again one after another, a new connection each; both "
        "systems strictly in turn, prefork, 2 workers each. Ours: a consultant with "
        "the first day's matrix of rights, a flow with seven stage rules, stages in "
        "order, next steps; stock: a salesman who sees all documents.",
    )
    count = 10 if pair.ground.quick else 100
    targets = [
        crm_screens.replayed(server, db, PERSON, calls)
        for (db, server), (calls, _card) in zip(
            (pair.ours, pair.stock), screens, strict=True
        )
    ]
    pair.ground.generator.in_turn(targets, 5)
    ours, peer = pair.ground.generator.in_turn(targets, count)
    for place, name in enumerate(("median", "p95")):
        mine, theirs = p50_p95(ours)[place], p50_p95(peer)[place]
        section.add(
            f"kanban open, {name} of {count}",
            f"{mine:.0f} ms",
            f"{theirs:.0f} ms",
            f"{mine / theirs:.2f}",
            f"at most {KANBAN_RATIO}",
            mine / theirs <= KANBAN_RATIO,
        )
    for name, (calls, _card) in zip(("ours", "stock"), screens, strict=True):
        section.note(f"Requests of {name}: {_names(calls)}.")
    return section


def _names(calls):
    return ", ".join(f"{one['model']}.{one['method']}" for one in calls)


def _queries(pair, screens):
    section = Section(
        "Queries of a card and of a move",
        "One call in a warm worker whose environment has read nothing yet, with the "
        "specification that the web client sent for this screen; everything up to the "
        "commit is counted. The card: `web_read` of the form. The move: `web_save` of "
        "the kanban to the next stage; ours is asked for a field, a property and a "
        "done task there.",
    )
    db = pair.ours[0]
    cards = dict(
        row.split("|")
        for row in pair.ground.psql(
            db, "SELECT many, id FROM oda_bench_card"
        ).splitlines()
    )
    cards = {int(many): int(one) for many, one in cards.items()}
    counts = {}
    for place, asker in enumerate((pair.asker, pair.peer)):
        kwargs = crm_screens.only(screens[place][1], "crm.lead", "web_read")
        for many, lead_id in cards.items():
            answer = asker.ask(
                "crm.lead",
                "web_read",
                [lead_id],
                times=4,
                kwargs={"specification": kwargs["specification"]},
                context=kwargs.get("context", {}),
            )
            counts[place, many] = min(answer["queries"])
    few, many = (counts[0, size] for size in (crm_layer.FEW, crm_layer.MANY))
    section.add(
        f"card open, {crm_layer.FEW} sessions and tasks",
        f"{few} queries",
        f"{counts[1, crm_layer.FEW]} queries",
        target=f"at most {CARD_QUERIES}",
        met=few <= CARD_QUERIES,
    )
    section.add(
        f"card open, {crm_layer.MANY} sessions and tasks",
        f"{many} queries",
        f"{counts[1, crm_layer.MANY]} queries",
        target="none per row",
        met=many <= few + 1,
    )
    _moves(pair, screens, section)
    return section


def _moves(pair, screens, section):
    db = pair.ours[0]
    for step, name, limit in (
        (1, "stage move, rules and tasks", MOVE_QUERIES),
        (0, "stage move that starts a plan (stock has none)", None),
    ):
        lead = pair.one(
            db,
            "SELECT l.id FROM oda_bench_lead l JOIN crm_lead c ON c.id = l.id "
            f"WHERE l.open AND l.step = {step} AND l.i % 20 = 0 "
            "AND c.expected_revenue > 0 "
            "AND l.id NOT IN (SELECT id FROM oda_bench_card) ORDER BY l.i LIMIT 1",
        )
        pair.ground.psql(
            db,
            "UPDATE mail_activity SET write_date = now() AT TIME ZONE 'UTC', "
            "date_done = current_date WHERE res_model = 'crm.lead' AND NOT active "
            f"AND res_id = {lead}",
        )
        found = []
        for place, (base, _server) in enumerate((pair.ours, pair.stock)):
            asker = (pair.asker, pair.peer)[place]
            stage = pair.one(base, _NEXT_STAGE.format(lead=lead))
            kwargs = crm_screens.only(screens[place][0], "crm.lead", "web_read_group")
            answer = asker.ask(
                "crm.lead",
                "web_save",
                [int(lead)],
                {"stage_id": int(stage)},
                kwargs["unfold_read_specification"],
                times=4,
                context=kwargs.get("context", {}),
            )
            found.append(min(answer["queries"]))
        more = found[0] - found[1]
        section.add(
            name,
            f"{found[0]} queries",
            f"{found[1]} queries",
            f"{more:+}",
            f"at most {limit} more" if limit else "",
            more <= limit if limit else None,
        )


_NEXT_STAGE = """
SELECT s.id FROM crm_lead l JOIN crm_stage now ON now.id = l.stage_id
  JOIN crm_stage s ON s.sequence > now.sequence
  JOIN crm_stage_crm_team_rel r ON r.crm_stage_id = s.id AND r.crm_team_id = l.team_id
 WHERE l.id = {lead} ORDER BY s.sequence LIMIT 1
"""


def _searches(pair):
    section = Section(
        "Orphans and names",
        f"{SIZE}. Time in the server, a warm worker, an environment that has read "
        "nothing yet, median of 10. The nightly anti-join finds tasks that SQL "
        "removed: 60 consultations here. `name_search` as a consultant (stock: a "
        "salesman), limit 100.",
    )
    db = pair.ours[0]
    root = Asker(pair.ours[1])
    _time(section, "`oda_my_orphans`, none", pair.asker, "crm.lead", "oda_my_orphans")
    pair.ground.psql(db, _ORPHAN)
    _time(section, "nightly anti-join", root, "crm.lead", "_oda_flag_again")
    root.do("crm.lead", "_oda_flag_again")
    left = _time(
        section, "`oda_my_orphans`, some", pair.asker, "crm.lead", "oda_my_orphans"
    )["result"]["total"]
    section.note(f"Consultations the dialog asks about: {left}.")
    root.do("crm.lead", "_oda_repair_next_steps")
    for kind, name, limit in (
        ("rare", crm_layer.RARE, NAME_MS),
        ("common", crm_layer.COMMON, None),
    ):
        options = {"times": 10, "kwargs": {"name": name, "limit": 100}}
        ours, peer = (
            one.ask("res.partner", "name_search", (), **options)
            for one in (pair.asker, pair.peer)
        )
        assert kind == "common" or len(ours["result"]) == len(peer["result"]) == 3
        mine, theirs = (statistics.median(one["ms"]) for one in (ours, peer))
        section.add(
            f"name search, a {kind} name",
            f"{mine:.1f} ms",
            f"{theirs:.1f} ms",
            f"{mine / theirs:.3f}",
            f"at most {limit} ms" if limit else "",
            mine <= limit if limit else None,
        )
    return section


# three of the person's own, and others': what SQL cascades would do
_ORPHAN = """
DELETE FROM mail_activity WHERE res_model = 'crm.lead' AND active AND res_id IN (
  SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY i) AS n
                    FROM oda_bench_lead WHERE open) v WHERE n BETWEEN 11 AND 13)
"""


def _time(section, name, asker, model, method):
    answer = asker.ask(model, method, (), times=10)
    ms = statistics.median(answer["ms"])
    section.add(
        name, f"{ms:.0f} ms", target=f"at most {ORPHAN_MS} ms", met=ms <= ORPHAN_MS
    )
    return answer
