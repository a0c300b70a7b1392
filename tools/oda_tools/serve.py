# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Serving until Ctrl-C, and stopping from another terminal."""

import contextlib
import fcntl
import json
import os
import signal
import time

from oda_tools import asterisk, cluster, database, locks, paths, ports, sandbox, setup
from oda_tools.console import (
    Stage,
    Stop,
    alive,
    complain,
    say,
    signal_and_wait,
    stop_pid,
)

RECORD = paths.RUN / "serve.json"
LOCK = paths.RUN / "serve.lock"


@contextlib.contextmanager
def _alone():
    """One `make run` at a time in a clone."""
    paths.make_local()
    handle = os.open(LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                f"This clone is already being served{_where()}. Stop it there with "
                "Ctrl-C, or from here with make stop."
            ) from None
        yield
    finally:
        os.close(handle)


def _where():
    record = read_record()
    if not record:
        return ""
    return f" at {record['url']} (process {record['processes'][0]['pid']})"


def is_running():
    """Whether `make run` of this clone runs now (also while it is starting)."""
    if not LOCK.exists():
        return False
    handle = os.open(LOCK, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def run():
    """`make run`: set up, serve, stop everything at the end; returns an exit status."""
    began = time.monotonic()
    paths.check_root()
    paths.database_name()
    with _alone():
        ports.need(paths.http_port(), "ODA_HTTP_PORT", "the web server")
        if sandbox.exists():
            ports.need(paths.sandbox_port(), "ODA_SANDBOX_PORT", "the sandbox")
        _write_record([("set-up", os.getpid())])
        children = []
        runtime = None
        try:
            runtime = setup.prepare(stages=7)
            with locks.setup(), Stage("6/7 database") as stage:
                database.ensure(stage, runtime)
            with Stage("7/7 server") as stage:
                _start(stage, runtime, children)
            return _watch(children, began)
        finally:
            # a second Ctrl-C must not leave half of it running
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for name, child in children:
                say(f"Stopping {name} ...")
                child.stop()
            if runtime:
                say("Stopping PostgreSQL ...")
                runtime.close()
            RECORD.unlink(missing_ok=True)


def _start(stage, runtime, children):
    log = paths.LOGS / "odoo.log"
    if log.exists() and log.stat().st_size > 20_000_000:
        log.rename(log.with_suffix(".log.old"))
    port = paths.http_port()
    if os.environ.get("ODA_ASTERISK") == "1":
        stage.doing("starting Asterisk")
        url, db = f"http://127.0.0.1:{port}", paths.database_name()
        children += asterisk.serve(runtime, db, url, say)
    server = runtime.start_odoo(paths.database_name(), port, log)
    children.append(("Odoo", server))
    if sandbox.exists():
        children.append(("the sandbox", sandbox.start(runtime)))
    _write_record(
        [("set-up", os.getpid()), *((name, child.pid) for name, child in children)]
    )
    for name, child in children:
        stage.doing(f"waiting for {name}")
        child.wait_ready(180)
    stage.note = f"{server.url} answers"


def _announce(began):
    say()
    say(f"  Odoo      http://127.0.0.1:{paths.http_port()}   (admin / admin)")
    if sandbox.exists():
        say(f"  Sandbox   http://127.0.0.1:{paths.sandbox_port()}")
    if os.environ.get("ODA_ASTERISK") == "1":
        say("  Asterisk  make call FROM=+37369123456 VIA=asterisk")
    say(f"  Logs      {paths.LOGS}")
    say(f"\nReady in {time.monotonic() - began:.0f} s. Ctrl-C stops everything.")


def _watch(children, began):
    """Say where to look and wait for Ctrl-C; returns 1 when a child ends by itself."""
    try:
        _announce(began)
        while True:
            time.sleep(0.5)
            for name, child in children:
                if child.poll() is not None:
                    complain(
                        f"{name} ended by itself (exit status {child.poll()}); "
                        f"stopping the rest. Its log is {child.log_path}; the last "
                        f"lines:\n{child.last_lines()}"
                    )
                    return 1
    except KeyboardInterrupt:
        say()
        return 0


# -- who runs, for `make stop` -------------------------------------------------------


def _born(pid):
    """Start time of a process: with the id it names the process beyond doubt."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def _write_record(processes):
    record = {
        "url": f"http://127.0.0.1:{paths.http_port()}",
        "processes": [
            {"name": name, "pid": pid, "born": _born(pid)} for name, pid in processes
        ],
    }
    new = RECORD.with_suffix(".new")
    new.write_text(json.dumps(record))
    new.rename(RECORD)


def read_record():
    """What `make run` wrote about itself, {} when there is nothing."""
    try:
        return json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return {}


def _ours(entry):
    pid, born = entry["pid"], entry["born"]
    return alive(pid) and born is not None and _born(pid) == born


def stop():
    """`make stop`: end what runs from this clone; returns an exit status."""
    if not paths.LOCAL.exists():
        say("Nothing runs: this clone is not set up.")
        return 0
    paths.make_local()
    stopped = []
    entries = [entry for entry in read_record().get("processes", []) if _ours(entry)]
    for entry in entries:
        if not _ours(entry):
            continue
        # the first one is `make run` itself, which stops the others in order
        wait = 60 if entry is entries[0] else 20
        if not signal_and_wait(entry["pid"], signal.SIGTERM, wait):
            stop_pid(entry["pid"], 5)
        stopped.append(entry["name"])
    RECORD.unlink(missing_ok=True)
    left = cluster.Cluster().stop_unless_used()
    if left == "used":
        say("PostgreSQL goes on: another command (make test?) is using it.")
        return 1
    if left == "stopped" or stopped:
        say("Stopped.")
    else:
        say("Nothing was running.")
    return 0
