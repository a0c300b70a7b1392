# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The real sandbox process, facing a tiny CRM that records what it is sent."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
FAST = {
    "recording_delay": 0,
    "history_delay": 0.05,
    "manager_answer": 0.05,
    "push_slow": 0.2,
    "retry_base": 0.02,
}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(condition, seconds=8.0):
    """Return the first true value of ``condition()``; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail("waited in vain")


class Receiver:
    """The CRM. ``contact`` is its answer to a lookup, ``statuses`` what it answers to
    the next pushes (then 200), ``delay`` makes it slow (seconds)."""

    def __init__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer(200, b'{"status": "pass"}')

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = receiver.take(self.path, self.headers, body)
                self._answer(status, json.dumps(answer).encode())

            def _answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.clear()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def clear(self):
        self.got, self.contact, self.statuses, self.delay = [], {}, [], 0

    def take(self, path, headers, body):
        kind = headers["Content-Type"].split(";")[0]
        decode = json.loads if kind == "application/json" else _form
        fields = decode(body.decode())
        status = self.statuses.pop(0) if self.statuses else 200
        self.got.append({"path": path, "kind": kind, "fields": fields, "http": status})
        if self.delay:
            time.sleep(self.delay)
        return status, self.contact if fields["cmd"] == "contact" else {}

    def pushes(self, cmd=None):
        """Fields of what arrived, in order, lookups left out unless asked for."""
        rows = [row["fields"] for row in self.got]
        return [
            row
            for row in rows
            if (row["cmd"] == cmd if cmd else row["cmd"] != "contact")
        ]

    def told(self):
        """Short form: ``["INCOMING ana", ..., "history Success ana"]``."""
        return [
            f"{push['type']} {push['user']}"
            if push["cmd"] == "event"
            else f"history {push['status']} {push['user']}"
            for push in self.pushes()
        ]


def _form(text):
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))


class Sandbox:
    def __init__(self, odoo):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(self.port), "--odoo", odoo],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_for(self._up, 20)

    def _up(self):
        assert self.process.poll() is None, self.process.stdout.read()
        try:
            return self.get("/api/state").ok
        except requests.ConnectionError:
            return False

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=10, **options)

    def post(self, path, data=None, expect=200):
        answer = requests.post(self.url + path, json=data or {}, timeout=10)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def settings(self, **values):
        return self.post("/api/moldcell/settings", values)

    def call(self, **order):
        order.setdefault("from", "+37369123456")
        return self.post("/api/moldcell/call", order)["callid"]

    def act(self, callid, verb, expect=200, **data):
        return self.post(f"/api/moldcell/calls/{callid}/{verb}", data, expect)

    def state_of(self, callid):
        calls = self.get("/api/moldcell/calls").json()
        return next(call for call in calls if call["callid"] == callid)

    def tenant(self, cmd, method="post", **params):
        params = {"token": "demo-moldcell-secret", "cmd": cmd, **params}
        place = "data" if method == "post" else "params"
        return requests.request(
            method,
            f"{self.url}/sys/crm_api.wcgp",
            timeout=10,
            allow_redirects=False,
            **{place: params},
        )

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is not None:
            return ""
        self.process.send_signal(how)
        try:
            output, _none = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return output


@pytest.fixture(scope="session")
def crm_server():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(scope="session")
def process(crm_server):
    sandbox = Sandbox(crm_server.url)
    yield sandbox
    output = sandbox.stop()
    assert sandbox.process.returncode == 0
    assert "Traceback" not in output, output


@pytest.fixture
def crm(crm_server):
    crm_server.clear()
    return crm_server


@pytest.fixture
def sandbox(process, crm):
    process.post("/api/reset")
    process.settings(**FAST)
    yield process
    process.post("/api/reset")


@pytest.fixture
def start_sandbox():
    """Start a process of its own, facing nobody; stopped at the end of the test."""
    started = []

    def start():
        started.append(Sandbox(f"http://127.0.0.1:{free_port()}"))
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.stop()


@pytest.fixture
def until():
    return wait_for
