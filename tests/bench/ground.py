# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Databases and servers that the benches stand on."""

import contextlib
import hashlib
import os
import re
import socket
import time
from pathlib import Path

from oda_tools import database, paths, settings
from oda_tools.console import Stage, Stop

from . import million

ADDONS = paths.ROOT / "tests" / "bench" / "addons"
FOLDER = paths.LOCAL / "bench"
TEMPLATE = "oda_bench_million_"
#: one job of a kind at a time, as config/ has it
CHANNELS = "root:4,root.oda_inbound:1,root.oda_outbound:1,root.oda_recording:1"
NO_JOBS = "root:0"


class Ground:
    """What a bench gets: a fresh copy of the million, and servers on it.

    :ivar runtime: the clone's Runtime
    :ivar generator: process that makes the load
    :ivar bool quick: short runs, to see that a bench works; figures mean nothing
    """

    def __init__(self, runtime, generator, quick=False):
        self.runtime = runtime
        self.generator = generator
        self.quick = quick
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.conf = FOLDER / "odoo.conf"
        self._write_conf()

    def _write_conf(self):
        """The clone's settings, with the addon of the peers on the path."""
        text = self.runtime.conf.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(addons_path\s*=.*)$", rf"\1,{ADDONS}", text)
        handle = os.open(self.conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def psql(self, db, sql):
        return self.runtime.psql(db, sql)

    # -- databases ------------------------------------------------------------------

    def _make_base(self, name):
        """A database with everything installed and demo data."""
        self.runtime.createdb(name)
        return self.install(name, ",".join([*settings.our_addons(), "oda_bench"]))

    def install(self, name, modules, demo=True):
        """Install addons (names with commas) in a database."""
        log = FOLDER / "install.log"
        status = self.runtime.run_odoo(
            name,
            *("-i", modules, "--stop-after-init", "--unaccent"),
            *(["--with-demo"] if demo else []),
            *("--max-cron-threads=0", "-c", str(self.conf)),
            log_path=log,
            timeout=1200,
        )
        if status:
            raise Stop(f"Odoo could not install the addons for the bench: {log}")

    def template(self):
        """Name of the kept database with the million; made when the code changed."""
        parts = [*sorted(database.tree_hashes().items())]
        ours = [Path(million.__file__), *sorted(ADDONS.rglob("*.py"))]
        parts += [file.read_bytes() for file in ours]
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:10]
        name = TEMPLATE + digest
        names = self.runtime.databases()
        if name in names:
            return name
        for old in names:
            if old.startswith(TEMPLATE):
                self.runtime.dropdb(old)
        making = "oda_bench_making"
        self.runtime.dropdb(making)
        with Stage("database: addons, demo"):
            self._make_base(making)
        with Stage("database: a million people"):
            million.load(lambda sql: self.psql(making, sql))
        self.psql("postgres", f'ALTER DATABASE "{making}" RENAME TO "{name}"')
        store = paths.FILESTORE
        if (store / making).is_dir():
            (store / making).rename(store / name)
        return name

    @contextlib.contextmanager
    def database(self, keep=False):
        """A copy of the million for one bench."""
        name = f"oda_bench_{os.getpid()}"
        template = self.template()
        self.runtime.dropdb(name)
        with Stage("database: a copy"):
            self.runtime.createdb(name, template=template)
            self.first_start(name)
        try:
            yield name
        finally:
            if not keep:
                self.runtime.dropdb(name)

    def first_start(self, name):
        """Crons of Odoo itself would spoil the figures of whoever is on when they
        run; ours stay."""
        self.psql(
            name,
            "UPDATE ir_cron SET active = false WHERE id NOT IN (SELECT res_id FROM "
            "ir_model_data WHERE model = 'ir.cron' AND module LIKE 'oda\\_%')",
        )

    # -- servers --------------------------------------------------------------------

    @contextlib.contextmanager
    def server(self, db, workers=2, jobs=True):
        """A running server: a Process with ``port`` and ``gevent_port``."""
        port = self.runtime.free_port()
        process = self.start(db, port, workers, jobs)
        try:
            yield process
        finally:
            process.stop()

    def start(self, db, port, workers=2, jobs=True):
        """Start a server on a port and wait until it answers."""
        process = self.runtime.start_odoo(
            db,
            port,
            FOLDER / "server.log",
            workers,
            "--max-cron-threads=1",
            channels=CHANNELS if jobs else NO_JOBS,
            conf=self.conf,
        )
        process.port = port
        process.wait_ready(120)
        if workers:
            self._wait_port(process.gevent_port)
        return process

    @staticmethod
    def _wait_port(port, seconds=60):
        """The websocket's process of a prefork server starts later than the others."""
        limit = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except OSError:
                if time.monotonic() > limit:
                    raise Stop("The websocket's process did not start.") from None
                time.sleep(0.1)

    def wait_drained(self, db, seconds=180):
        """Wait until no push waits; returns the moment (monotonic) it was seen."""
        from .pushes import WAITING

        limit = time.monotonic() + seconds
        while self.psql(db, WAITING) != "0":
            if time.monotonic() > limit:
                why = self.psql(
                    db,
                    "SELECT left(error, 300) FROM oda_inbound WHERE error <> '' "
                    "LIMIT 1",
                )
                raise Stop(f"Pushes still wait after {seconds} s. {why}")
            time.sleep(0.25)
        return time.monotonic()

    def warm(self, port, *requests, count=40):
        """Send each request some times, for registry, caches and statistics."""
        for data in requests:
            answers = self.generator.closed_loop(port, [data] * count, 4)
            bad = {answer.status for answer in answers} - {200}
            if bad:
                raise Stop(f"a warming request was answered {sorted(bad)}")
