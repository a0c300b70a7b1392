# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Calls by chance, pushes spoiled, an outage, a crash: then the history is read.

The exchange is the one of the addon's own tests (`tests/exchange.py` there), with
its history behind HTTP; two accounts share their numbers.
"""

import importlib.util
import json
import random
import re
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode

from oda_tools import paths
from oda_tools.console import Stop

from . import load, pushes
from .million import main_number, unknown_number
from .report import Section

CALLS = 5000  # of both accounts together
KEYS = ("demo", "second")
TOKEN = pushes.TOKEN
_SOURCE = paths.ROOT / "addons" / "oda_telephony" / "tests" / "exchange.py"
_MOMENT = "%Y%m%dT%H%M%SZ"

_ROWS = """
SELECT json_agg(row_to_json(found)) FROM (
SELECT a.key, c.callid, c.state, c.outcome, c.direction, c.phone, c.e164, c.duration,
       c.rating, c.partner_id, m.callid AS main,
       (SELECT p.login FROM oda_pbx_user p
         WHERE p.account_id = c.account_id AND p.user_id = c.user_id) AS answered_by,
       (SELECT json_object_agg(l.login, l.state) FROM oda_call_leg l
         WHERE l.call_id = c.id) AS legs,
       (SELECT json_agg(r.url) FROM oda_recording r WHERE r.call_id = c.id) AS urls,
       (SELECT count(*) FROM oda_consultation_session s
          JOIN oda_call_leg l ON l.id = s.res_id
         WHERE s.res_model = 'oda.call.leg' AND l.call_id = c.id
           AND s.ended_at IS NOT NULL) AS sessions,
       (SELECT count(*) FROM oda_phone n WHERE n.e164 = c.e164) AS owners
  FROM oda_call c JOIN oda_connector_account a ON a.id = c.account_id
  LEFT JOIN oda_call m ON m.id = c.merged_into_id
 WHERE c.callid LIKE 'F%'
) found
"""
_COMPARED = """
SELECT count(*) FROM oda_connector_account
 WHERE key IN ('demo', 'second') AND connector = 'moldcell' AND reconciled_at > '{}'
"""
_FOUND = """
SELECT sum(reconcile_found) || ' found, ' || sum(reconcile_repaired) || ' corrected'
  FROM oda_connector_account WHERE key IN ('demo', 'second')
"""


def _exchange():
    spec = importlib.util.spec_from_file_location("oda_exchange", _SOURCE)
    module = sys.modules["oda_exchange"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Tenant(ThreadingHTTPServer):
    """The address of commands of one exchange; `away` answers 503."""

    def __init__(self, exchange):
        tenant = self
        self.exchange, self.away, self.asked = exchange, True, 0

        class Commands(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length") or 0)
                form = parse_qs(self.rfile.read(length).decode())
                status, text = tenant.answer({k: v[0] for k, v in form.items()})
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        super().__init__(("127.0.0.1", 0), Commands)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, form):
        if form.get("token") != TOKEN:
            return 401, '{"error": "Invalid token"}'
        if self.away:
            return 503, ""
        if form["cmd"] != "history":
            return 200, "[]"
        self.asked += 1
        since, until = (
            datetime.strptime(form[name], _MOMENT).replace(tzinfo=timezone.utc)
            for name in ("start", "end")
        )
        lines = self.exchange.history(since, until).splitlines(keepends=True)
        return 200, "".join(lines[-int(form["limit"]) :])


def run(ground):
    tools = _exchange()
    count = (300 if ground.quick else CALLS) // len(KEYS)
    section = Section(
        "Faults, then the history",
        f"{2 * count} calls of two accounts that share their numbers: pushes lost, "
        "doubled, mixed, minutes late, cut, a fifth of the time nothing at all; one "
        "clock 7 minutes wrong; the server killed in the middle; the exchange away, "
        "then its history is read. Each call is compared with what the exchange has.",
    )
    chance = random.Random(5000)
    numbers = [main_number(10 * chance.randrange(99_999) + 5) for _n in range(800)]
    numbers += [unknown_number(number) for number in range(200)]
    phones = [number.lstrip("+") for number in numbers]
    now = datetime.now(timezone.utc)
    sides = []
    for key, skew in zip(KEYS, (0, 420), strict=True):
        exchange = tools.Exchange(
            f"{key}5000", f"F{key}", now, pushes.AGENTS, phones, skew
        ).make(count)
        sides.append((key, exchange, Tenant(exchange)))
    try:
        wrong, notes = _play(ground, tools, sides, chance)
    finally:
        for *_names, tenant in sides:
            tenant.shutdown()
    section.add(
        f"{2 * count} calls with faults reconciled: wrong",
        str(len(wrong)),
        target="0",
        met=not wrong,
    )
    for note in notes + wrong[:8]:
        section.note(note)
    yield section


def _play(ground, tools, sides, chance):
    _open_hosts(ground, [tenant.server_port for _k, _e, tenant in sides])
    with ground.database() as db:
        for key, _source, tenant in sides:
            ground.psql(
                db,
                "UPDATE oda_connector_account SET create_date = create_date - "
                "interval '2 days', moldcell_address = 'http://127.0.0.1:"
                f"{tenant.server_port}' WHERE key = '{key}'",
            )
        port = ground.runtime.free_port()
        servers = [ground.start(db, port)]
        try:
            requests, meant = _spoiled(tools, sides, chance)
            half = len(requests) // 2
            begin = time.monotonic()
            arrived = _send(ground, port, requests[:half], meant[:half])
            servers.pop().kill9()
            servers.append(ground.start(db, port))
            arrived += _send(ground, port, requests[half:], meant[half:])
            ground.wait_drained(db, 600)
            pushed = time.monotonic() - begin
            _compare_with(ground, db, failing=True)
            for *_names, tenant in sides:
                tenant.away = False
            begin = time.monotonic()
            _compare_with(ground, db)
            took = time.monotonic() - begin
        finally:
            servers.pop().stop()
        wrong = _wrong(tools, ground, db, sides, arrived)
        notes = [
            f"{len(arrived)} of {len(requests)} pushes taken, worked after "
            f"{pushed:.0f} s; history read and worked in {took:.0f} s: "
            + ground.psql(db, _FOUND)
        ]
    return wrong, notes


def _open_hosts(ground, ports):
    """Let this bench's servers be commanded at our loopback ports."""
    text = ground.conf.read_text(encoding="utf-8")
    hosts = " ".join(f"127.0.0.1:{port}" for port in ports)
    ground.conf.write_text(
        re.sub(r"(?m)^(sandbox_hosts\s*=.*)$", rf"\1 {hosts}", text), encoding="utf-8"
    )


def _spoiled(tools, sides, chance):
    """Return the requests in order of arrival, and `(key, push)` of each."""
    both = []
    for key, exchange, _tenant in sides:
        spoiled = tools.Mischief().spoil(list(exchange.calls.values()), chance)
        both += [
            (place / len(spoiled), key, push) for place, push in enumerate(spoiled)
        ]
    both.sort(key=lambda one: one[0])
    requests = [
        load.post(f"/oda/in/moldcell/{key}", urlencode({**push, "crm_token": TOKEN}))
        for _place, key, push in both
    ]
    return requests, [(key, push) for _place, key, push in both]


def _send(ground, port, requests, meant):
    answers = ground.generator.closed_loop(port, requests, 4)
    odd = {answer.status for answer in answers} - {200, 400}
    if odd:
        raise Stop(f"pushes were answered {sorted(odd)}")
    return [meant[answer.index] for answer in answers if answer.status == 200]


def _compare_with(ground, db, failing=False, seconds=600):
    """Have the cron compare both accounts, and wait for its end."""
    begin = ground.psql(db, "SELECT now() AT TIME ZONE 'UTC'")
    ground.psql(
        db,
        "UPDATE oda_connector_account SET reconcile_next_at = NULL; UPDATE ir_cron "
        "SET nextcall = now() AT TIME ZONE 'UTC' WHERE id = (SELECT res_id FROM "
        "ir_model_data WHERE module = 'oda_telephony' AND name = 'cron_reconcile'); "
        "NOTIFY cron_trigger",
    )
    until = time.monotonic() + seconds
    query = _COMPARED.format(begin)
    if failing:
        query = query.replace(f"reconciled_at > '{begin}'", "reconcile_failures > 0")
    while ground.psql(db, query) != str(len(KEYS)):
        if time.monotonic() > until:
            raise Stop(f"The histories were not read within {seconds} s.")
        time.sleep(0.5)


def _wrong(tools, ground, db, sides, arrived):
    """Return what is not as the exchanges have it, as sentences."""
    rows = json.loads(ground.psql(db, _ROWS) or "[]") or []
    found = {(row["key"], row["callid"]): row for row in rows}
    wrong = (
        [f"{len(rows) - len(found)} calls doubled"] if len(rows) > len(found) else []
    )
    for key, exchange, _tenant in sides:
        taken = [push for one, push in arrived if one == key]
        truth, merged = tools.expected(exchange, taken)
        for callid, one in truth.items():
            row = found.pop((key, callid), None)
            if row is None:
                wrong.append(f"{callid}: lost")
            else:
                wrong += _differences(row, one)
        for callid, main in merged.items():
            row = found.pop((key, callid), {})
            if row.get("main") != main:
                wrong.append(f"{callid}: not a part of {main}")
    return wrong + [f"{callid}: not of an exchange" for _key, callid in found]


def _differences(row, one):
    legs = row["legs"] or {}
    talkers = {login for login, state in legs.items() if state == "done"}
    known = row["e164"] and row["partner_id"]
    right = {
        "state": (row["state"], "ended"),
        "outcome": (row["outcome"], one.outcome),
        "direction": (row["direction"], one.direction),
        "phone": (row["phone"], one.phone),
        "rating": (row["rating"], one.rating),
        "duration": (row["duration"], one.duration),
        "answered by": (row["answered_by"] or "", (one.talkers or ("",))[0]),
        "talkers": (talkers, set(one.talkers)),
        "legs": (legs, {login: one.legs.get(login) for login in legs}),
        "recordings": (set(row["urls"] or ()), one.urls),
        "sessions": (row["sessions"], len(set(one.talkers)) if known else 0),
    }
    if one.direction == "in" and row["e164"]:
        right["cards"] = (row["owners"], 1)
        right["card"] = (bool(row["partner_id"]), True)
    return [
        f"{row['callid']}: {name} is {is_!r}, not {should!r}"
        for name, (is_, should) in right.items()
        if is_ != should
    ]
