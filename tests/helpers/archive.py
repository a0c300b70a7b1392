# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""An archive of recordings that is killed while it is made, and what must come out."""

import hashlib
import http.cookiejar
import json
import os
import random
import time
import urllib.request
import zipfile
from pathlib import Path

COUNT, SIZE = 90, 3 * 1024 * 1024  # recordings, bytes each
PART_MB = 10
KILL_AT = (2, 9, 17)  # parts that are done when the server is killed
PERSON, PASSWORD = "archivist", "archivist-of-the-tests"
PATIENCE = 240  # seconds


class Rpc:
    """A logged-in person's JSON-RPC."""

    def __init__(self, url, db, login, password):
        self._url = url
        jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(jar)
        )
        user = {"db": db, "login": login, "password": password}
        self._post("/web/session/authenticate", user)

    def _post(self, path, params):
        body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
        request = urllib.request.Request(
            self._url + path, body, {"Content-Type": "application/json"}
        )
        with self._opener.open(request, timeout=60) as answer:
            found = json.load(answer)
        assert "error" not in found, found["error"]
        return found["result"]

    def call(self, model, method, *args, **kwargs):
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)


def make_recordings(psql, filestore, count=COUNT, size=SIZE, seed=5):
    """Store recordings as the fetch leaves them; returns their SHA-256."""
    chance = random.Random(seed)
    psql(
        "INSERT INTO oda_connector_account (name, connector, key, company_id, active, "
        "recording_announced) SELECT '{\"en_US\": \"crash\"}', 'moldcell', 'crash', "
        "min(id), false, 'none' FROM res_company "
        "WHERE NOT EXISTS (SELECT 1 FROM oda_connector_account WHERE key = 'crash')"
    )
    digests = []
    for number in range(count):
        content = chance.randbytes(size)
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        digests.append(hashlib.sha256(content).hexdigest())
        path = Path(filestore, sha1[:2], sha1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        psql(
            f"""
            WITH account AS (
                SELECT id, company_id FROM oda_connector_account WHERE key = 'crash'
            ), call AS (
                INSERT INTO oda_call (account_id, company_id, callid, direction, e164,
                                      started_at, state, outcome, version)
                SELECT id, company_id, 'crash-{number}', 'in', '+37369000111',
                       (now() AT TIME ZONE 'UTC') - interval '{number} min', 'ended',
                       'answered', 1
                  FROM account RETURNING id, account_id, company_id, started_at
            ), recording AS (
                INSERT INTO oda_recording (call_id, account_id, company_id, started_at,
                                           state, size, sha256, mimetype, duration)
                SELECT id, account_id, company_id, started_at, 'stored', {size},
                       '{digests[-1]}', 'audio/mpeg', 60 FROM call RETURNING id
            )
            INSERT INTO ir_attachment (name, type, res_model, res_id, res_field,
                                       store_fname, checksum, file_size, mimetype)
            SELECT 'audio', 'binary', 'oda.recording', id, 'audio',
                   '{sha1[:2]}/{sha1}', '{sha1}', {size}, 'audio/mpeg' FROM recording
            """
        )
    return digests


def ask_for_it(url, db):
    """Let a person with the right ask for an archive of all of it; return its id."""
    admin = Rpc(url, db, "admin", "admin")

    def group(name):
        module, name = name.split(".")
        found = admin.call(
            "ir.model.data",
            "search_read",
            [["module", "=", module], ["name", "=", name]],
            ["res_id"],
        )
        return found[0]["res_id"]

    groups = [
        group("oda_base.group_supervisor"),
        group("oda_telephony.group_recording_archive"),
    ]
    admin.call(
        "res.users",
        "create",
        {
            "name": "Archivist",
            "login": PERSON,
            "password": PASSWORD,
            "group_ids": [[6, 0, groups]],
        },
    )
    companies = admin.call("res.company", "search", [], order="id", limit=1)
    admin.call(
        "res.company", "write", companies, {"oda_recording_archive_part_mb": PART_MB}
    )
    archivist = Rpc(url, db, PERSON, PASSWORD)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    before = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    archive = archivist.call(
        "oda.recording.archive", "create", {"date_from": before, "date_to": today}
    )
    archivist.call("oda.recording.archive", "action_start", [archive])
    return archive


def crash(psql, restart, filestore, archive):
    """Kill the server at each of `KILL_AT`; return what is wrong at the end.

    :param psql: callable(sql) -> text
    :param restart: callable: kill -9 and start again
    :return: (list of sentences, number of kills)
    """
    folder = Path(filestore, "oda_archives", str(archive))
    wrong, kills, kept = [], 0, {}
    for wanted in KILL_AT:
        if _wait(psql, archive, lambda parts, state, n=wanted: parts >= n) != "running":
            break
        restart()
        kills += 1
        # what the facts say is done must be there, and must not be made again
        for name in _done(psql, archive):
            kept.setdefault(name, (folder / name).stat().st_mtime_ns)
    state = _wait(psql, archive, lambda _parts, state: state != "running")
    if state != "done":
        words = psql(f"SELECT words FROM oda_recording_archive WHERE id = {archive}")
        return [f"the archive is {state}: {words}"], kills
    for name, moment in kept.items():
        if (folder / name).stat().st_mtime_ns != moment:
            wrong.append(f"{name} was done and was written again")
    if left := [path.name for path in folder.iterdir() if path.suffix != ".zip"]:
        wrong.append(f"left lying about: {left}")
    if running := _workers():
        wrong.append(f"processes that nobody waits for: {running}")
    return wrong + _content(psql, folder, archive), kills


def contents(folder):
    """Return the SHA-256 of each recording in the parts of a folder."""
    found = []
    for path in sorted(Path(folder).glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            found += [
                hashlib.sha256(archive.read(name)).hexdigest()
                for name in archive.namelist()
                if name != "manifest.csv"
            ]
    return found


def _content(psql, folder, archive):
    wrong = []
    rows = psql(
        "SELECT lpad(number::text, 3, '0'), sha256 FROM oda_recording_archive_part "
        f"WHERE archive_id = {archive}"
    )
    for row in rows.splitlines():
        number, sha256 = row.split("|")
        if (
            hashlib.sha256((folder / f"{number}.zip").read_bytes()).hexdigest()
            != sha256
        ):
            wrong.append(f"part {number} is not what its checksum says")
    asked = psql(
        "SELECT r.sha256 FROM oda_recording r JOIN oda_recording_archive_item i "
        f"ON i.recording_id = r.id WHERE i.archive_id = {archive}"
    ).split()
    if sorted(asked) != sorted(contents(folder)):
        wrong.append("what is in the files is not what was asked for")
    return wrong


def _done(psql, archive):
    found = psql(
        "SELECT lpad(number::text, 3, '0') || '.zip' FROM oda_recording_archive_part "
        f"WHERE archive_id = {archive} AND state = 'done'"
    )
    return found.split()


def _wait(psql, archive, enough):
    limit = time.monotonic() + PATIENCE
    while True:
        state, parts = psql(
            "SELECT a.state, count(p.id) FILTER (WHERE p.state = 'done') "
            "FROM oda_recording_archive a "
            "LEFT JOIN oda_recording_archive_part p ON p.archive_id = a.id "
            f"WHERE a.id = {archive} GROUP BY a.state"
        ).split("|")
        if state != "running" or enough(int(parts), state):
            return state
        assert time.monotonic() < limit, f"{parts} parts after {PATIENCE} s"
        time.sleep(0.02)


def _workers(patience=5):
    limit = time.monotonic() + patience
    while True:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "cmdline").read_bytes()
                    parent = int(
                        (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                    )
                except OSError:
                    continue
                if b"archive_worker.py" in words and parent in (1, os.getppid()):
                    found.append(int(entry.name))
        if not found or time.monotonic() > limit:
            return found
        time.sleep(0.2)
