# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""My day at size: what the first page of everybody's morning costs the server."""

import statistics

from . import crm_ground
from .crm_ground import PERSON, Asker
from .report import Section

DAY_QUERIES = {"mine": 25, "team": 15, "flows": 12}
HEAD = "benchhead"


def day(pair):
    """The section; makes a head, who sees all."""
    section = Section(
        "My day",
        "The one request of the page, in a warm worker whose environment has read "
        "nothing yet, median of 10: a consultant's lanes, a head's team and flows. "
        "Stock has no such page.",
    )
    (db, server), root = pair.ours, Asker(pair.ours[1])
    group = crm_ground.xmlid(pair.ground, db, "oda_base.group_head")
    root.ask(
        "res.users",
        "create",
        (),
        [{"name": "Head", "login": HEAD, "group_ids": [[6, 0, [group]]]}],
        commit=True,
        context={"no_reset_password": True},
    )
    for view, most in DAY_QUERIES.items():
        asker = Asker(server, PERSON if view == "mine" else HEAD)
        answer = asker.ask("oda.my.day", "oda_my_day", (), view, times=10)
        assert answer["result"]["view"] == view
        # the first ones fill the worker's caches
        queries, ms = min(answer["queries"]), statistics.median(answer["ms"])
        section.add(
            f"my day, {view}",
            f"{ms:.0f} ms, {queries} queries",
            target=f"at most {most} queries",
            met=queries <= most,
        )
    return section
