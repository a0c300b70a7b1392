# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Two databases with the same consultations: ours, and one of stock Odoo's crm."""

import asyncio
import contextlib
import json
import os
import subprocess

from odoo import release

from oda_tools import paths
from oda_tools.console import Stage, Stop

from . import crm_layer, load
from .million import _INDEXES, _INDEXES_BACK

STOCK = "crm,event,contacts,oda_bench_count"
#: the consultant who opens things; member of the flow "ads"
PERSON = "bench01"
MARKETING = "benchmarketing"
PROPERTIES = [
    {"name": "plan", "string": "Business plan", "type": "text"},
    {"name": "jobs", "string": "Jobs", "type": "integer"},
]


class Asker:
    """Runs methods in a server's process and learns their time and queries."""

    def __init__(self, server, login=None):
        self.port = server.port
        self.login = login

    def ask(self, model, method, ids=(), *args, **options):
        """The whole answer of the route ``/oda_bench/call``; see there.

        ``options`` may hold ``kwargs``, ``context``, ``times``, ``commit``,
        ``loud``, ``login``.
        """
        body = {
            "login": self.login,
            "model": model,
            "method": method,
            "ids": list(ids),
            "args": args,
            **options,
        }
        data = load.post("/oda_bench/call", json.dumps(body), "application/json")
        status, answer = asyncio.run(load.send(self.port, data, timeout=600))
        head, _blank, text = answer.partition(b"\r\n\r\n")
        if status != 200:
            raise Stop(f"{model}.{method}: status {status}: {text[-1500:]!r}")
        return json.loads(text)

    def do(self, model, method, ids=(), *args, **kwargs):
        """Run a method and commit; its result."""
        answer = self.ask(model, method, ids, *args, kwargs=kwargs, commit=True)
        return answer["result"]


@contextlib.contextmanager
def ours(ground):
    """A copy of the million with consultations, tasks and rules: its name."""
    with ground.database() as db:
        with ground.server(db, 0, jobs=False) as server:
            _configure(ground, db, Asker(server))
        with Stage("database: 100 000 consultations, 300 000 tasks"):
            crm_layer.load(lambda sql: ground.psql(db, sql))
        yield db


def _configure(ground, db, asker):
    """Rules, a plan, people in the flows: by the ORM, as an administrator would."""
    # The demo's own rules ask for what these consultations do not have.
    theirs = ground.psql(db, "SELECT id FROM oda_stage_rule").split()
    asker.do("oda.stage.rule", "write", list(map(int, theirs)), {"active": False})
    call = xmlid(ground, db, "mail.mail_activity_data_call")
    users = ground.psql(
        db, "SELECT id FROM res_users WHERE login LIKE 'bench__' ORDER BY login"
    ).splitlines()
    for place, kind in enumerate(crm_layer.FLOWS):
        flow = xmlid(ground, db, f"oda_crm.flow_{kind}")
        asker.do(
            "crm.team",
            "write",
            [flow],
            {
                "lead_properties_definition": PROPERTIES,
                "member_ids": [[4, int(one)] for one in users[place::3]],
            },
        )
        stages = asker.do("crm.team", "_oda_stages", [flow])
        demands = [
            (0, {"kind": "field", "path": "partner_id.phone"}),
            (0, {"kind": "field", "path": "contact_name"}),
            (1, {"kind": "property", "path": "lead_properties.plan"}),
            (1, {"kind": "task", "activity_type_id": call}),
            (2, {"kind": "property", "path": "lead_properties.jobs"}),
            (2, {"kind": "field", "path": "partner_id.oda_locality_id"}),
            (3, {"kind": "field", "path": "expected_revenue", "strict": True}),
        ]
        asker.do(
            "oda.stage.rule",
            "create",
            (),
            [
                {"team_id": flow, "stage_id": stages[step], "sequence": at, **vals}
                for at, (step, vals) in enumerate(demands)
            ],
        )
        plan = {
            "name": f"Welcome {kind}",
            "res_model": "crm.lead",
            "template_ids": [[0, 0, {"activity_type_id": call, "summary": "Welcome"}]],
        }
        [plan] = asker.do("mail.activity.plan", "create", (), [plan])
        line = {"plan_id": plan, "stage_id": stages[1], "team_id": flow}
        asker.do("oda.stage.plan", "create", (), [line])
    for model in ("crm.tag", "res.partner.category"):
        names = [{"name": f"Bench {number}"} for number in range(3)]
        asker.do(model, "create", (), names)
    asker.do("oda.programme", "create", (), [{"name": "Bench", "code": "BENCH"}])
    day = {"date_begin": "2030-01-10 08:00:00", "date_end": "2030-01-10 12:00:00"}
    asker.do("event.event", "create", (), [{"name": "Bench day", **day}])
    groups = [[6, 0, [xmlid(ground, db, "oda_base.group_marketing")]]]
    person = {"name": "Marketing", "login": MARKETING, "password": MARKETING}
    person |= {"group_ids": groups, "tz": "Europe/Chisinau"}
    asker.ask(
        "res.users",
        "create",
        (),
        [person],
        commit=True,
        context={"no_reset_password": True},
    )


def xmlid(ground, db, name):
    """The id behind an external name."""
    module, _dot, name = name.partition(".")
    found = ground.psql(
        db,
        "SELECT res_id FROM ir_model_data "
        f"WHERE module = '{module}' AND name = '{name}'",
    )
    return int(found)


# -- the same rows in stock Odoo ----------------------------------------------------

_CLEAN = """
SET session_replication_role = replica;
DELETE FROM crm_stage;
DELETE FROM crm_lead;
"""
_PEOPLE = """
SET session_replication_role = replica;
INSERT INTO res_groups_users_rel (uid, gid)
SELECT u.id, d.res_id FROM res_users u, ir_model_data d
 WHERE u.login LIKE 'bench__' AND (d.module, d.name) IN
       (('base', 'group_user'), ('sales_team', 'group_sale_salesman_all_leads'));
INSERT INTO res_company_users_rel (cid, user_id)
SELECT company_id, id FROM res_users WHERE login LIKE 'bench__';
"""


@contextlib.contextmanager
def stock(ground, db):
    """A database of stock Odoo's crm with the rows of ``db``: its name."""
    name = f"oda_bench_stock_{os.getpid()}"
    ground.runtime.dropdb(name)
    ground.runtime.createdb(name, template=_stock_base(ground))
    try:
        with ground.server(name, 0, jobs=False) as server:
            flows = _make_flows(ground, db, name, Asker(server))
        with Stage("database: the same rows in stock crm"):
            _copy_all(ground, db, name, flows)
        yield name
    finally:
        ground.runtime.dropdb(name)


def _stock_base(ground):
    """Name of the kept empty database of stock Odoo, made when there is none."""
    base = f"oda_bench_stock_{release.version}"
    if base not in ground.runtime.databases():
        making = "oda_bench_stock_making"
        ground.runtime.dropdb(making)
        with Stage("database: stock crm"):
            ground.runtime.createdb(making)
            ground.install(making, STOCK, demo=False)
            ground.first_start(making)
        ground.psql("postgres", f'ALTER DATABASE "{making}" RENAME TO "{base}"')
        store = paths.FILESTORE
        if (store / making).is_dir():
            (store / making).rename(store / base)
    return base


def _make_flows(ground, db, name, asker):
    """Make our flows and stages; ``{column: {id of ours: id there}}``."""
    ground.psql(name, _CLEAN)
    teams, stages = {}, {}
    for kind in crm_layer.FLOWS:
        ours = xmlid(ground, db, f"oda_crm.flow_{kind}")
        vals = {"name": f"Flow {kind}", "lead_properties_definition": PROPERTIES}
        [there] = asker.do("crm.team", "create", (), [vals])
        teams[ours] = there
        rows = ground.psql(
            db,
            "SELECT DISTINCT stage_id, s.sequence, s.is_won FROM oda_bench_stage "
            f"JOIN crm_stage s ON s.id = stage_id WHERE team_id = {ours} ORDER BY 2",
        )
        for row in rows.splitlines():
            stage, sequence, won = row.split("|")
            vals = {
                "name": f"Stage {sequence}",
                "sequence": int(sequence),
                "is_won": won == "t",
                "team_ids": [[4, there]],
            }
            [stages[int(stage)]] = asker.do("crm.stage", "create", (), [vals])
    return {"team_id": teams, "crm_team_id": teams, "stage_id": stages}


def _copy_all(ground, db, name, flows):
    people = "(SELECT partner_id FROM res_users WHERE login LIKE 'bench__')"
    tables = {
        "res_users": "login LIKE 'bench__'",
        "crm_team_member": f"crm_team_id IN ({_list(flows['team_id'])}) AND user_id "
        "IN (SELECT id FROM res_users WHERE login LIKE 'bench__')",
        "res_partner": f"id > (SELECT id FROM oda_bench_base) OR id IN {people}",
        "crm_tag": "true",
        "crm_lead": "id IN (SELECT id FROM oda_bench_lead)",
        "crm_tag_rel": "lead_id IN (SELECT id FROM oda_bench_lead)",
        "mail_activity": "res_model = 'crm.lead' AND res_id IN "
        "(SELECT id FROM oda_bench_lead)",
        "mail_message": "model = 'crm.lead' AND res_id IN "
        "(SELECT id FROM oda_bench_lead)",
    }
    same = {
        "activity_type_id": _by_xmlid(ground, db, name, "mail.activity.type"),
        "subtype_id": _by_xmlid(ground, db, name, "mail.message.subtype"),
        "res_model_id": {
            xmlid(ground, db, "crm.model_crm_lead"): xmlid(
                ground, name, "crm.model_crm_lead"
            )
        },
    }
    ground.psql(name, _INDEXES.format(tables=", ".join(f"'{one}'" for one in tables)))
    for table, where in tables.items():
        _copy(ground, db, name, table, where, {**flows, **same})
    ground.psql(name, _INDEXES_BACK)
    ground.psql(name, _PEOPLE)
    ground.psql(name, "VACUUM ANALYZE")


def _by_xmlid(ground, db, name, model):
    sql = (
        "SELECT module || '.' || name, res_id FROM ir_model_data "
        f"WHERE model = '{model}'"
    )
    ours, there = (
        dict(row.split("|") for row in ground.psql(one, sql).splitlines())
        for one in (db, name)
    )
    return {ours[key]: there[key] for key in ours if key in there}


def _list(ids):
    return ", ".join(map(str, ids))


def _copy(ground, db, name, table, where, mapped):
    """Copy rows with the columns that both databases have, ids translated."""
    sql = (
        "SELECT column_name FROM information_schema.columns "
        f"WHERE table_name = '{table}' ORDER BY 1"
    )
    ours, there = (ground.psql(one, sql).splitlines() for one in (db, name))
    columns = [one for one in there if one in ours]
    chosen = []
    for column in columns:
        if column in mapped:
            whens = " ".join(f"WHEN {a} THEN {b}" for a, b in mapped[column].items())
            chosen.append(f"CASE {column} {whens} END")
        else:
            chosen.append(f'"{column}"')
    quoted = ", ".join(f'"{column}"' for column in columns)
    out = f"COPY (SELECT {', '.join(chosen)} FROM {table} WHERE {where}) TO STDOUT"
    into = f"COPY {table} ({quoted}) FROM STDIN"
    psql = [ground.runtime.cluster.tool("psql"), "-Xq", "-v", "ON_ERROR_STOP=1"]
    env = ground.runtime.env()
    replica = ["-c", "SET session_replication_role = replica"]
    with subprocess.Popen(
        [*psql, "-d", db, "-c", out], stdout=subprocess.PIPE, env=env
    ) as source:
        done = subprocess.run(
            [*psql, "-d", name, *replica, "-c", into], stdin=source.stdout, env=env
        )
    if done.returncode or source.returncode:
        raise Stop(f"{table} could not be copied")
