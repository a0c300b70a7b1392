# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The process itself: start, page, state, reset, stop."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "sandbox"


def test_page_asks_nothing_of_strangers(sandbox):
    page = sandbox.get("/")
    assert page.headers["Content-Security-Policy"] == "default-src 'self'"
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert linked
    for address in linked:
        assert address.startswith("/static/")
        assert sandbox.get(address).status_code == 200
    for double in sandbox.get("/api/state").json()["doubles"]:
        assert sandbox.get(f"/static/panels/{double['name']}.js").status_code == 200


def test_state_is_sent_only_when_new(sandbox):
    state = sandbox.get("/api/state").json()
    rev = state["rev"]
    assert sandbox.get(f"/api/state?since={rev}").status_code == 204
    sandbox.call(to="ana")
    newer = sandbox.get(f"/api/state?since={rev}").json()
    (moldcell,) = newer["doubles"]
    assert moldcell["title"] == "PBX Moldcell"
    assert moldcell["state"]["calls"]


def test_status_of_odoo(sandbox, crm, until):
    sandbox.call(to="ana")
    until(lambda: crm.got)
    world = until(lambda: _answered(sandbox))
    assert world["up"] is True
    assert world["last_answer"]["status"] == 200


def _answered(sandbox):
    world = sandbox.get("/api/state").json()["world"]
    return world if world["last_answer"] else None


def test_reset_forgets_everything(sandbox, crm, until):
    sandbox.settings(push_slow=5)
    sandbox.call(to="ana", faults=["slow"], auto={"answer_after": 0.3})
    sandbox.post("/api/moldcell/reset")
    assert sandbox.get("/api/moldcell/calls").json() == []
    assert sandbox.get("/api/moldcell/pushes").json() == []
    assert sandbox.get("/api/moldcell/settings").json()["push_slow"] == 3


def test_bodies_that_are_not_json(sandbox):
    for body in (b"{", b"[]", b"1", b"\xff"):
        answer = requests.post(
            f"{sandbox.url}/api/moldcell/call", data=body, timeout=10
        )
        assert answer.status_code == 400
        assert answer.json()["error"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stops_cleanly_and_survives_an_absent_odoo(how, start_sandbox, until):
    sandbox = start_sandbox()
    sandbox.settings(retry_base=0.01)
    callid = sandbox.call(auto={"answer_after": 0.05})
    until(lambda: sandbox.state_of(callid)["state"] == "talking")
    row = until(lambda: _failed(sandbox))
    assert row["attempts"] == 4
    output = sandbox.stop(how)
    assert sandbox.process.returncode == 0
    assert "Traceback" not in output, output


def _failed(sandbox):
    log = sandbox.get("/api/moldcell/pushes").json()
    rows = (row for row in log if row["fields"]["cmd"] == "event")
    return next((row for row in rows if row["state"] == "failed"), None)


def test_port_taken_is_said_in_words(sandbox):
    command = [sys.executable, "-m", "sandbox", "--port", str(sandbox.port)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "cannot listen" in done.stdout
    assert "Traceback" not in done.stderr


def test_no_file_grows_too_long():
    for path in SOURCES.rglob("*"):
        if path.suffix in (".py", ".js", ".css", ".html"):
            assert len(path.read_text().splitlines()) <= 400, path
