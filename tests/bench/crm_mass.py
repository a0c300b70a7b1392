# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Many at once: segments of the million, the stale sweep, an import."""

import asyncio
import base64
import csv
import datetime
import io
import json
import random
import time
from zoneinfo import ZoneInfo

from oda_tools.console import Stop

from . import agents, load
from .crm_ground import MARKETING, Asker
from .million import main_number
from .report import Section, p50_p95

SEGMENT_SECONDS = 2
SWEEP_SECONDS = 60
IMPORT_SECONDS = 180
ROWS = 20_000
FAULTS, DOUBLES = 0.02, 0.05

#: name -> (conditions on the beneficiary, [(kind, has, conditions)])
SEGMENTS = {
    "women in villages, born after 1990": (
        "[('oda_gender', '=', 'female'), ('oda_is_rural', '=', True),"
        " ('oda_birth_year', '>', 1990)]",
        [],
    ),
    "small firms of one district": (
        "[('oda_size_class', '=', 'small'),"
        " ('oda_locality_id', 'child_of', {district})]",
        [],
    ),
    "a word in the name": ("[('name', 'ilike', 'munteanu')]", []),
    "a tag": ("[('category_id', 'in', [{tag}])]", []),
    "an open consultation in a stage": (
        "[]",
        [("consultation", "yes", "[('stage_id', '=', {stage})]")],
    ),
    "talked with in the last 30 days": (
        "[]",
        [("session", "yes", "[('started_at', '>=', '{month_ago}')]")],
    ),
    "never talked with": ("[]", [("session", "no", "[]")]),
    "no consultation, no session": (
        "[]",
        [("consultation", "no", "[]"), ("session", "no", "[]")],
    ),
    "follow a programme, not registered": (
        "[]",
        [("programme", "yes", "[]"), ("registration", "no", "[]")],
    ),
    "women, won consultation, talked with": (
        "[('oda_gender', '=', 'female')]",
        [
            ("consultation", "yes", "[('won_status', '=', 'won')]"),
            ("session", "yes", "[('channel', '=', 'phone')]"),
        ],
    ),
}
_COUNT = ["member_text"]
_PAGE = {"complete_name": {}, "phone": {}, "email": {}, "user_id": {"fields": {}}}


def segments(pair):
    """Exact count and first page of some segments, as a consultant."""
    section = Section(
        "Segments over a million",
        "Saved segments read by a consultant who sees all beneficiaries: the exact "
        "count as their list shows it, and the first page (80, sorted by name) of the "
        "list that the segment opens; time in the server, median of 5.",
    )
    values = {
        "district": _value(pair, "oda_locality WHERE parent_id IS NULL"),
        "tag": _value(pair, "res_partner_category"),
        "stage": _value(
            pair, "crm_stage WHERE id IN (SELECT stage_id FROM oda_bench_stage)"
        ),
        "month_ago": str(datetime.date.today() - datetime.timedelta(days=30)),
    }
    root = Asker(pair.ours[1])
    for name, (domain, parts) in SEGMENTS.items():
        vals = {
            "name": name,
            "shared": True,
            "domain": domain.format(**values),
            "part_ids": [
                [0, 0, {"kind": kind, "has": has, "domain": text.format(**values)}]
                for kind, has, text in parts
            ],
        }
        ids = root.do("oda.segment", "create", (), [vals])
        asked = pair.asker.ask("oda.segment", "action_show", ids)
        members = asked["result"]["domain"]
        count = pair.asker.ask("oda.segment", "read", ids, _COUNT, times=5)
        options = {"specification": _PAGE, "limit": 80, "count_limit": 10_001}
        page = pair.asker.ask(
            "res.partner", "web_search_read", (), members, kwargs=options, times=5
        )
        slow = [p50_p95(one["ms"])[0] / 1000 for one in (count, page)]
        shown = count["result"][0]["member_text"]
        section.add(
            f"{name}: {shown}",
            f"count {slow[0]:.2f} s, page {slow[1]:.2f} s",
            target=f"at most {SEGMENT_SECONDS} s, exact",
            met=max(slow) <= SEGMENT_SECONDS and shown.isdigit(),
        )
    return section


def _value(pair, table):
    return int(pair.ground.psql(pair.ours[0], f"SELECT min(id) FROM {table}"))


def sweep(pair):
    """The hourly sweep when nearly everything stands still: the worst there is."""
    section = Section(
        "Stale sweep",
        "100 000 consultations, of which nearly all of the 80 000 open ones stand "
        "still for the first time: found, noted, marked, responsible people told, "
        "committed; then the same two working days later, when all of them are "
        "reminded of again. In working time, as the cron's user.",
    )
    root = Asker(pair.ours[1])
    day = datetime.date.today()
    day += datetime.timedelta(days=8 - day.isoweekday())  # the next Monday
    for name, later in (("first sweep", 0), ("two days later", 2)):
        at = datetime.datetime.combine(
            day + datetime.timedelta(days=later),
            datetime.time(10),
            ZoneInfo("Europe/Chisinau"),
        ).astimezone(datetime.timezone.utc)
        begin = time.monotonic()
        root.do("oda.stale", "_oda_reset")
        reset = time.monotonic() - begin
        found = root.do("oda.stale", "_oda_sweep", now=f"at:{at:%Y-%m-%dT%H:%M:%S}")
        seconds = time.monotonic() - begin
        section.add(
            f"{name}: {found} reminded of",
            f"{seconds:.1f} s",
            target=f"at most {SWEEP_SECONDS} s",
            met=seconds <= SWEEP_SECONDS and found > 50_000,
        )
        section.note(f"{name}: of this forgetting those that moved: {reset:.1f} s.")
    return section


# -- import ---------------------------------------------------------------------------


def _csv():
    """A file of contacts: (bytes, rows with a fault, rows known or repeated)."""
    chance = random.Random(3)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["Nume", "Telefon", "E-mail", "Localitate", "Funcția"])
    faults = doubles = 0
    for number in range(ROWS):
        name = f"Import Munteanu {number}"
        phone = f"+37376{number:06d}"
        mail = f"import{number}@example.org"
        kind = chance.random()
        if kind < FAULTS / 2:
            mail, faults = f"import{number}@@example", faults + 1
        elif kind < FAULTS:
            name, faults = "", faults + 1
        elif kind < FAULTS + DOUBLES:
            phone, doubles = main_number(10 * number + 5), doubles + 1
        writer.writerow([name, phone, mail, "Chișinău", "director"])
    return out.getvalue().encode(), faults, doubles


def import_file(pair):
    """From the upload of a file to the last contact, as a person of marketing."""
    data, faults, doubles = _csv()
    section = Section(
        "Import",
        f"{ROWS} contacts as CSV, {faults} with a fault, {doubles} known already (by "
        "phone), beside a million beneficiaries: uploaded, read, judged, previewed, "
        "created by the job; prefork, 2 workers, job runner on.",
    )
    db, server = pair.ours
    cookie = agents.session(server.url, db, MARKETING)
    begin = time.monotonic()
    vals = {"name": "bench.csv", "file": base64.b64encode(data).decode()}
    ids = _rpc(server, cookie, "create", [[vals]])
    sent = time.monotonic() - begin
    _rpc(server, cookie, "action_read", [ids])
    _wait(server, cookie, ids, "reading", begin)
    counts = _rpc(server, cookie, "read", [ids, _PREVIEW])[0]
    read = time.monotonic() - begin
    _rpc(server, cookie, "action_run", [ids])
    found = _wait(server, cookie, ids, "running", begin)
    seconds = time.monotonic() - begin
    done = _rpc(server, cookie, "read", [ids, _DONE])[0]
    section.add(
        f"{done['created_count']} created, {done['updated_count']} filled in, "
        f"{done['refused_count']} refused",
        f"{seconds:.0f} s",
        target=f"at most {IMPORT_SECONDS} s",
        met=seconds <= IMPORT_SECONDS
        and found["state"] == "done"
        and done["refused_count"] == faults,
    )
    section.note(
        f"Upload {sent:.1f} s, reading and judging {read - sent:.1f} s (errors "
        f"{counts['error_count']}, known {counts['duplicate_count']}), creating "
        f"{seconds - read:.1f} s. {done['message'] or ''}"
    )
    return section


def _wait(server, cookie, ids, state, begin):
    """Wait until an import is no longer in a state; how far it is then."""
    while (found := _rpc(server, cookie, "get_progress", [ids]))["state"] == state:
        if time.monotonic() - begin > 900:
            raise Stop("The import does not come to an end.")
        time.sleep(0.5)
    return found


_PREVIEW = ["error_count", "duplicate_count"]
_DONE = ["created_count", "updated_count", "refused_count", "message"]


def _rpc(server, cookie, method, args):
    params = {"model": "oda.import", "method": method, "args": args, "kwargs": {}}
    body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
    data = load.post(
        f"/web/dataset/call_kw/oda.import/{method}", body, "application/json", cookie
    )
    status, answer = asyncio.run(load.send(server.port, data, timeout=600))
    found = json.loads(answer.partition(b"\r\n\r\n")[2]) if status else {}
    if "result" not in found:
        raise Stop(f"oda.import.{method}: {status} {str(found)[:2000]}")
    return found["result"]
