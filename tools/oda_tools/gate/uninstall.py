# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Uninstalls every addon from a full database and looks for what it left behind.

Done as an administrator does it: a running server, the button of the Apps screen.
"""

import http.cookiejar
import json
import time
import urllib.error
import urllib.request

from oda_tools.gate.report import Result

OWN_MODELS = """
    SELECT m.model FROM ir_model m
      JOIN ir_model_data d ON d.model = 'ir.model' AND d.res_id = m.id
     GROUP BY m.model HAVING bool_and(d.module = '{addon}')"""
OWN_COLUMNS = """
    SELECT c.table_name || '.' || c.column_name
      FROM (SELECT f.model, f.name FROM ir_model_fields f
              JOIN ir_model_data d ON d.model = 'ir.model.fields' AND d.res_id = f.id
             GROUP BY f.model, f.name HAVING bool_and(d.module = '{addon}')) own
      JOIN information_schema.columns c
        ON c.table_schema = 'public' AND c.table_name = replace(own.model, '.', '_')
       AND c.column_name = own.name"""
OWN_RELATIONS = """
    SELECT r.name FROM ir_model_relation r JOIN ir_module_module m ON m.id = r.module
     GROUP BY r.name HAVING bool_and(m.name = '{addon}')"""
OWN_CONSTRAINTS = """
    SELECT c.name FROM ir_model_constraint c JOIN ir_module_module m ON m.id = c.module
     GROUP BY c.name HAVING bool_and(m.name = '{addon}')"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
COLUMNS = """
    SELECT table_name || '.' || column_name FROM information_schema.columns
     WHERE table_schema = 'public'"""
# objects that live beside the ORM, which Odoo itself never removes
BESIDE = """
    SELECT 'function ' || p.proname FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE '%oda\\_%'
    UNION SELECT 'trigger ' || t.tgname FROM pg_trigger t
     WHERE NOT t.tgisinternal AND t.tgname LIKE '%oda\\_%'
    UNION SELECT 'relation ' || c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE '%oda\\_%'
    UNION SELECT 'type ' || t.typname FROM pg_type t
     WHERE t.typnamespace = 'public'::regnamespace AND t.typname LIKE 'oda\\_%'
    UNION SELECT 'parameter ' || key FROM ir_config_parameter WHERE key LIKE 'oda%'
    UNION SELECT 'cron ' || cron_name FROM ir_cron WHERE cron_name LIKE 'ODA%'
    UNION SELECT 'model ' || model FROM ir_model WHERE model LIKE 'oda.%'"""


class Web:
    """A browser's view of the server: a session, JSON calls, plain pages."""

    def __init__(self, url):
        self.url = url
        self._new_session()

    def _new_session(self):
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
        )

    def status(self, path, timeout=60):
        """HTTP status of a page, 0 when there is no answer."""
        try:
            with self._opener.open(self.url + path, timeout=timeout) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def call(self, path, params, timeout=300):
        """A JSON-RPC call; the result.

        :raise RuntimeError: with the server's error text
        """
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        request = urllib.request.Request(
            self.url + path, body.encode(), {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=timeout) as answer:
            data = json.load(answer)
        if "error" in data:
            detail = data["error"].get("data") or {}
            raise RuntimeError(detail.get("message") or str(data["error"]))
        return data["result"]

    def login(self, db, login="admin", password="admin"):
        """Start a session afresh."""
        self._new_session()
        found = self.call(
            "/web/session/authenticate",
            {"db": db, "login": login, "password": password},
        )
        if not found.get("uid"):
            raise RuntimeError(f"{login} could not log in")

    def uninstall(self, addon):
        """Press the button; blocks until the registry is loaded again."""
        model = "ir.module.module"
        found = self._kw(model, "search", [[["name", "=", addon]]])
        self._kw(model, "button_immediate_uninstall", [found])

    def _kw(self, model, method, args):
        return self.call(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": {}},
        )


def run(context, source, names, timeout=900):
    """Uninstall ``names`` (dependents first) in a copy of ``source``."""
    start = time.monotonic()
    log = context.log("uninstall", "all")
    database = context.databases.clone(source, "uninstall")
    server, web = _serve(context, database, log)
    try:
        for name in names:
            if time.monotonic() - start > timeout or server.poll() is not None:
                result = Result("uninstall", name, log=log)
                result.check(False, "  the server ended or time is over")
                context.report.add(result)
                break
            _one(context, web, database, name, log)
    finally:
        context.processes.kill(server, grace=15)
    _afterwards(context, database, log)
    context.judge_log("uninstall", log)
    context.databases.drop(database)


def _serve(context, database, log):
    port = context.processes.port()
    argv = context.runtime.odoo_argv(
        database,
        f"--http-port={port}",
        f"--gevent-port={context.processes.port()}",
        "--workers=0",
        "--max-cron-threads=0",
    )
    env = context.runtime.env({"ODOO_QUEUE_JOB_CHANNELS": "root:0"})
    server = context.processes.start(argv, log, env=env, cwd=context.root)
    web = Web(f"http://127.0.0.1:{port}")
    limit = time.monotonic() + 120
    while web.status("/web/login") != 200 and server.poll() is None:
        if time.monotonic() > limit:
            break
        time.sleep(0.3)
    return server, web


def _one(context, web, database, name, log):
    result = Result("uninstall", name, log=log)
    start = time.monotonic()
    before = _belongings(context, database, name)
    try:
        web.login(database)
        web.uninstall(name)
        result.passed += 1
    except (RuntimeError, OSError, ValueError) as error:
        result.failures.append(f"  it could not be uninstalled: {error}")
    left = _leftovers(context, database, name, before)
    result.check(not left, "  left behind:\n" + "\n".join(f"    {x}" for x in left))
    status = web.status("/web/login")
    result.check(status == 200, f"  /web/login answers {status} afterwards")
    result.seconds = time.monotonic() - start
    context.report.add(result)


def _belongings(context, database, name):
    """What only this addon owns: {kind: set of names}."""
    column = context.column
    models = column(database, OWN_MODELS.format(addon=name))
    return {
        "model": models,
        "table": {model.replace(".", "_") for model in models}
        | column(database, OWN_RELATIONS.format(addon=name)),
        "column": column(database, OWN_COLUMNS.format(addon=name)),
        "constraint": column(database, OWN_CONSTRAINTS.format(addon=name)),
    }


def _leftovers(context, database, name, before):
    column = context.column
    now = {
        "model": column(database, "SELECT model FROM ir_model"),
        "table": column(database, TABLES),
        "column": column(database, COLUMNS),
        "constraint": column(database, "SELECT conname FROM pg_constraint")
        | column(database, TABLES),
    }
    left = [
        f"{kind} {item}" for kind in before for item in sorted(before[kind] & now[kind])
    ]
    state = column(
        database, f"SELECT state FROM ir_module_module WHERE name = '{name}'"
    )
    if state != {"uninstalled"}:
        left.append(f"module state {', '.join(sorted(state))}")
    ids = column(
        database,
        f"SELECT module || '.' || name || ' (' || model || ')' FROM ir_model_data"
        f" WHERE module = '{name}'",
    )
    return left + [f"external id {item}" for item in sorted(ids)[:20]]


def _afterwards(context, database, log):
    """A fresh process must load what remains, and nothing of ours lies about."""
    result = Result("uninstall", "nothing left of ours", log=log)
    start = time.monotonic()
    outcome = context.odoo(database, "--stop-after-init", log=log, timeout=180)
    context.end_well(result, outcome, "Odoo after everything was uninstalled")
    left = sorted(context.column(database, BESIDE) - {"relation oda_debian_assets"})
    text = "\n".join(f"    {item}" for item in left)
    result.check(not left, f"  left behind beside the ORM:\n{text}")
    result.seconds = time.monotonic() - start
    context.report.add(result)
