# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A served Odoo with demo data and the sandbox beside it, for whole-system tests."""

import json
import os
import re
import time
from pathlib import Path


class System:
    """Odoo and the sandbox on free ports over a database of their own.

    :ivar str url: Odoo's address
    :ivar str sandbox_url: the sandbox's address, None in a clone without it
    :ivar str db: the database
    :ivar odoo: the server's process (``pid``, ``kill9()``)
    """

    def __init__(self, runtime):
        self.runtime = runtime
        self.db = f"oda_test_{os.getpid()}_system"
        folder = os.environ.get("ODA_TEST_LOGS") or ".local/test-logs"
        self.logs = Path(folder).resolve()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.port = runtime.free_port()
        self.sandbox_port = runtime.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = None
        self.odoo = self.sandbox = None
        self._conf = self.logs / "system.conf"
        self._starts = 0

    def __enter__(self):
        try:
            self._make_database()
            self._write_conf()
            self.start()
            self._start_sandbox()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error):
        for process in (self.sandbox, self.odoo):
            if process is not None and process.poll() is None:
                process.stop()
        self._conf.unlink(missing_ok=True)
        if not os.environ.get("ODA_KEEP"):
            self.runtime.dropdb(self.db)

    # -- what tests use -------------------------------------------------------------

    def psql(self, sql):
        """Run SQL in the database; rows as text, fields split by ``|``."""
        return self.runtime.psql(self.db, sql)

    def start(self):
        """Start Odoo and wait until it answers."""
        self._starts += 1
        log = self.logs / f"system-odoo-{self._starts}.log"
        self.odoo = self.runtime.start_odoo(self.db, self.port, log, conf=self._conf)
        self.odoo.wait_ready(120)

    def restart(self, crash=False):
        """End Odoo, as an operator does or with SIGKILL, and start it again."""
        self.odoo.kill9() if crash else self.odoo.stop()
        self.start()

    def expect_log(self, logger, pattern, reason):
        """Say beforehand that a test provokes a warning or error in the server's log.

        :param str logger: its exact name
        :param str pattern: regular expression, matched at the start of the message
        :param str reason: why it is right that the server says so
        """
        line = json.dumps([logger, pattern, reason])
        with open(self.logs / "system-expected.jsonl", "a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def wait_for(self, sql, wanted, seconds=30):
        """Wait until a query gives ``wanted`` (text, or a function of it).

        :return: the query's last answer
        :raise AssertionError: when it does not come
        """
        limit = time.monotonic() + seconds
        while True:
            found = self.psql(sql)
            if wanted(found) if callable(wanted) else found == wanted:
                return found
            assert time.monotonic() < limit, f"waited {seconds} s: {found!r} for {sql}"
            time.sleep(0.2)

    # -- making ---------------------------------------------------------------------

    def _make_database(self):
        template = os.environ.get("ODA_TEST_TEMPLATE")
        if template:
            self.runtime.createdb(self.db, template=template)
        else:
            self._install()
        # Odoo looks the company up at its paid service when an administrator first
        # logs in: a test sends nothing out
        self.psql("UPDATE res_company SET iap_enrich_auto_done = true")

    def _install(self):
        from oda_tools.gate.install import full_arguments
        from oda_tools.settings import our_addons

        log = self.logs / "system-database.log"
        arguments = full_arguments(our_addons())
        status = self.runtime.run_odoo(self.db, *arguments, log_path=log)
        assert status == 0, f"Odoo could not make the database, see {log}"

    def _write_conf(self):
        """The clone's settings with this sandbox's port among the allowed hosts."""
        text = Path(self.runtime.conf).read_text(encoding="utf-8")
        host = f"127.0.0.1:{self.sandbox_port}"
        text = re.sub(r"(?m)^sandbox_hosts\s*=.*$", f"sandbox_hosts = {host}", text)
        handle = os.open(self._conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)

    def _start_sandbox(self):
        from oda_tools import paths

        if not (paths.ROOT / "sandbox" / "__main__.py").exists():
            return
        self.sandbox = self.runtime.start_sandbox(
            self.sandbox_port, self.url, self.logs / "system-sandbox.log"
        )
        self.sandbox.wait_ready(30)
        self.sandbox_url = self.sandbox.url
