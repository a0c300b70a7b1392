# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The suite's own Odoo, PostgreSQL and sandbox, for tests and benches.

::

    with Runtime.prepare(dev=True) as runtime:
        runtime.createdb("t_crm", template="tpl")
        code = runtime.run_odoo("t_crm", "-i", "oda_crm", "--stop-after-init",
                                log_path=folder / "crm.log")
        server = runtime.start_odoo("t_crm", runtime.free_port(), folder / "web.log")
        server.wait_ready(60)
        server.kill9()
"""

import atexit
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from oda_tools import paths, ports
from oda_tools.console import Stop, end, tail

# What Odoo itself does to a database that it makes (service/db.py): an unaccent
# that is not immutable would make every trigram index useless.
PREPARE_DATABASE = """
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE EXTENSION IF NOT EXISTS unaccent;
    ALTER FUNCTION unaccent(text) IMMUTABLE;
    GRANT CREATE ON SCHEMA public TO public;
"""


def tied(argv):
    """``argv`` so that the process ends when we are killed (even by kill -9).

    The kernel ties a child to the thread that started it: only done from the main
    thread, which lives as long as we do.
    """
    main = threading.current_thread() is threading.main_thread()
    if main and shutil.which("setpriv"):
        return ["setpriv", "--pdeathsig=TERM", "--", *map(str, argv)]
    return [str(part) for part in argv]


class Process:
    """A server that we started, in a session of its own, its output in a log file.

    :ivar int pid: its process id
    :ivar str url: where it answers, without a slash at the end
    :ivar Path log_path: its output
    """

    def __init__(self, argv, url, log_path, env, health, cwd=None):
        self.url = url
        self.log_path = log_path
        self._health = url + health
        with open(log_path, "ab") as log:
            self._popen = subprocess.Popen(
                tied(argv),
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def poll(self):
        """Exit status, None while it runs."""
        return self._popen.poll()

    def is_ready(self):
        """Whether it answers its health address with 200 now."""
        try:
            # straight to loopback, whatever proxy the environment names
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(self._health, timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def wait_ready(self, timeout=120):
        """Wait until it answers; returns itself.

        :raise Stop: when it ends or stays silent, with its last lines
        """
        limit = time.monotonic() + timeout
        while not self.is_ready():
            if self.poll() is not None:
                raise Stop(f"The server ended at start:\n{self.last_lines()}")
            if time.monotonic() > limit:
                raise Stop(
                    f"No answer from {self._health} in {timeout} s:\n"
                    f"{self.last_lines()}"
                )
            time.sleep(0.1)
        return self

    def last_lines(self, count=12):
        with open(self.log_path, "rb") as file:
            file.seek(max(0, os.path.getsize(self.log_path) - 20_000))
            return tail(file.read().decode(errors="replace"), count)

    def stop(self, wait=30):
        """End it as an operator does (SIGTERM); returns its exit status."""
        end(self._popen, wait)
        self._kill_group()
        return self._popen.returncode

    def kill9(self):
        """SIGKILL to it and all its children at once, as a crash would."""
        self._kill_group()
        self._popen.wait()

    def _kill_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.stop()


class Runtime:
    """Everything needed to run Odoo on this clone, prepared.

    :ivar Cluster cluster: own PostgreSQL server, running
    :ivar Path conf: settings file for Odoo
    """

    def __init__(self, cluster, conf):
        self.cluster = cluster
        self.conf = conf
        self._closed = False
        atexit.register(self.close)

    @classmethod
    def prepare(cls, dev=False):
        """Run the set-up stages that are still needed and start the cluster.

        :param bool dev: also what tests and lint need (Chromium, pytest ...)
        :raise Stop: one paragraph in words
        """
        from oda_tools import setup  # the stages import the rooms above

        return setup.prepare(dev=dev)

    def close(self):
        """Let go of the cluster; it stops when no other command uses it."""
        if not self._closed:
            self._closed = True
            self.cluster.release()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    # -- environment ----------------------------------------------------------------

    @property
    def python(self):
        """The venv's interpreter."""
        return paths.PYTHON

    def env(self, extra=None):
        """Environment for Odoo, pytest and client tools: a dict.

        Holds PGHOST, PGPORT, PGUSER and PGPASSWORD of the own cluster. Settings of
        the person's shell that would reach into Odoo (PG*, ODOO_*, PYTHONPATH) are
        left out.
        """
        foreign = ("PG", "ODOO_", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MAKE")
        env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        env["PATH"] = os.pathsep.join(
            [
                str(paths.VENV / "bin"),
                str(self.cluster.tool("psql").parent),
                env.get("PATH", os.defpath),
            ]
        )
        env.update(self.cluster.env())
        env.update(extra or {})
        return env

    @staticmethod
    def free_port():
        """A TCP port that is free on 127.0.0.1 now."""
        return ports.free_port()

    # -- databases ------------------------------------------------------------------

    def psql(self, db, sql):
        """Rows as text: fields split by ``|``, rows by line breaks. Raises Stop."""
        return self.cluster.psql(db, sql)

    def databases(self):
        """Names of all databases but the cluster's own, sorted."""
        rows = self.psql(
            "postgres",
            "SELECT datname FROM pg_database WHERE NOT datistemplate"
            " AND datname <> 'postgres' ORDER BY 1",
        )
        return rows.splitlines()

    def createdb(self, name, template=None):
        """Make a database: empty, prepared as Odoo does, or a copy with its files.

        :param str template: database to copy (nobody may be connected to it)
        """
        if template:
            self.psql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            self._copy_filestore(template, name)
            return
        self.psql(
            "postgres",
            f"CREATE DATABASE \"{name}\" ENCODING 'unicode' LC_COLLATE 'C'"
            " TEMPLATE template0",
        )
        self.psql(name, PREPARE_DATABASE)

    def dropdb(self, name):
        """Remove a database, its connections and its files; fine when there is none."""
        self.psql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(paths.FILESTORE / name, ignore_errors=True)

    def _copy_filestore(self, source, target):
        # files of the store never change (named by their hash): links are enough
        shutil.rmtree(paths.FILESTORE / target, ignore_errors=True)
        if (paths.FILESTORE / source).is_dir():
            store = paths.FILESTORE
            shutil.copytree(store / source, store / target, copy_function=os.link)

    # -- Odoo -----------------------------------------------------------------------

    def odoo_argv(self, db, *args, conf=None, command="server"):
        """Command line of Odoo on a database: a list of str."""
        argv = [self.python, paths.LAUNCHER, command, "-c", conf or self.conf]
        return [str(part) for part in (*argv, "-d", db, *args)]

    def run_odoo(self, db, *args, log_path, env=None, timeout=None):
        """Run Odoo until it ends by itself (give ``--stop-after-init``).

        A free HTTP port is chosen unless one is given. Output goes to ``log_path``
        (replaced); the caller reads it for warnings.

        :param dict env: added to the environment
        :param float timeout: seconds, after which it is killed
        :return: exit status; -9 after a timeout
        """
        if not any(str(arg).startswith(("--http-port", "-p")) for arg in args):
            args += (f"--http-port={self.free_port()}",)
        args += (f"--gevent-port={self.free_port()}",)
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                tied(self.odoo_argv(db, *args)),
                env=self.env(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                return process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return process.wait()
            except BaseException:
                end(process)
                raise

    def start_odoo(
        self, db, port, log_path, workers=0, *args, env=None, channels=None, conf=None
    ):
        """Start a web server on a database; returns a Process at once (not yet ready).

        With ``workers=0`` the websocket shares the port; with workers it listens on
        ``gevent_port`` of the result.

        :param args: more options for Odoo
        :param str channels: queue_job channels instead of the settings file's;
            "root:0" starts no job runner
        """
        gevent_port = self.free_port()
        extra = {
            "ODOO_QUEUE_JOB_HOST": "127.0.0.1",
            "ODOO_QUEUE_JOB_PORT": str(port),
            **({"ODOO_QUEUE_JOB_CHANNELS": channels} if channels else {}),
            **(env or {}),
        }
        argv = self.odoo_argv(
            db,
            f"--http-port={port}",
            f"--gevent-port={gevent_port}",
            f"--workers={workers}",
            *args,
            conf=conf,
        )
        url = f"http://127.0.0.1:{port}"
        process = Process(argv, url, log_path, self.env(extra), "/web/health")
        process.gevent_port = gevent_port
        return process

    def start_sandbox(self, port, odoo_url, log_path=None, env=None):
        """Start the sandbox of outside services; returns a Process (not yet ready)."""
        return Process(
            [self.python, "-m", "sandbox", "--port", port, "--odoo", odoo_url],
            f"http://127.0.0.1:{port}",
            log_path or paths.LOGS / "sandbox.log",
            self.env({"PYTHONPATH": str(paths.ROOT), **(env or {})}),
            "/",
            cwd=paths.ROOT,
        )
