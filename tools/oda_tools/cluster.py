# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The clone's own PostgreSQL cluster under ``.local/pg``.

PostgreSQL refuses to run as root; for root the cluster belongs to an ordinary
account. Existing clusters of the machine are never looked at.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from oda_tools import locks, paths, ports
from oda_tools.console import Stop, alive, run, say, signal_and_wait, tail, why

OLDEST = 13
SUPERUSER = "oda"
FIRST_PORT = 15432
# CapBnd bit numbers; either one lets an account pass through a closed folder
CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))


def bin_dir(version=None):
    """Directory of the server's programs: the newest, or one major version.

    :return: a Path, None when there is none that is new enough
    """
    found = {}
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        if folder.parent.name.isdecimal() and (folder / "initdb").exists():
            found[int(folder.parent.name)] = folder
    config = shutil.which("pg_config")
    if config and not found:
        answer = subprocess.run([config, "--version"], capture_output=True, text=True)
        digits = answer.stdout.replace("PostgreSQL", "").split(".")[0].strip()
        place = subprocess.run([config, "--bindir"], capture_output=True, text=True)
        folder = Path(place.stdout.strip())
        if digits.isdecimal() and (folder / "initdb").exists():
            found[int(digits)] = folder
    if version is not None:
        return found.get(version)
    newest = max(found, default=0)
    return found[newest] if newest >= OLDEST else None


def _account():
    """The ordinary account that owns the cluster when we are root: (uid, gid)."""
    if paths.PG_DATA.exists() and paths.PG_DATA.stat().st_uid:
        entry = paths.PG_DATA.stat()
        return entry.st_uid, entry.st_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise Stop("There is no account (postgres, nobody) to run PostgreSQL as.")


def _prefix():
    """What to put before a server command so that it does not run as root: a list.

    A clone in a closed folder (/root, mode 700) is passed through with one
    capability, and only when the account cannot reach the folder without it.
    """
    if os.geteuid():
        return []
    uid, gid = _account()
    plain = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    if not shutil.which("setpriv"):
        raise Stop("The command setpriv (package util-linux) is missing.")
    bound = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            bound = int(line.split()[1], 16)
    ways = [plain]
    for name, bit in CAPABILITIES:
        if bound >> bit & 1:
            ways.append([*plain, f"--inh-caps=+{name}", f"--ambient-caps=+{name}"])
    probe = paths.PG_DATA if paths.PG_DATA.exists() else paths.PG
    for way in ways:
        test = subprocess.run([*way, "ls", probe], capture_output=True)
        if not test.returncode:
            return way
    raise Stop(
        f"PostgreSQL cannot run as root, and its own account cannot enter "
        f"{paths.PG}: a folder above is closed to others. Move the clone, for example "
        "to /opt or /srv, or open the folder (chmod o+x)."
    )


def _memory():
    """shared_buffers in MB: a quarter of the machine's memory, 1 GB at most."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(64, min(1024, total // 4))


class Cluster:
    """Own PostgreSQL server; ``start`` is idempotent, several commands may share it."""

    def __init__(self):
        self._users = locks.Shared("cluster.lock")

    # -- making ---------------------------------------------------------------------

    def ensure(self):
        """Make the cluster when there is none; a half-made one is made again."""
        if self._bin() is None:
            raise Stop(
                f"PostgreSQL {OLDEST} or newer is needed and was not found. Install "
                "the package postgresql and run the same command again."
            )
        if (paths.PG_DATA / "PG_VERSION").exists():
            return
        paths.PG.mkdir(exist_ok=True)
        half = paths.PG / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        password = paths.PG / "password.new"
        password.touch(mode=0o600)
        password.write_text(self.password() + "\n")
        if not os.geteuid():
            os.chown(half, *_account())
            os.chown(password, *_account())
        try:
            run(
                [
                    *_prefix(),
                    self._bin() / "initdb",
                    f"--pgdata={half}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                ],
                "Making the PostgreSQL cluster",
                env=self._server_env(),
                cwd="/",
                log=paths.LOGS / "setup.log",
            )
        finally:
            password.unlink()
        half.rename(paths.PG_DATA)

    def password(self):
        """The password of the cluster's superuser, made on first use."""
        file = paths.make_private(paths.SECRETS) / "pg_password"
        if not file.exists():
            new = file.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(24))
            new.rename(file)
        return file.read_text().strip()

    def _bin(self):
        version = paths.PG_DATA / "PG_VERSION"
        if not version.exists():
            return bin_dir()
        major = int(version.read_text().split(".")[0])
        place = bin_dir(major)
        if place is None:
            raise Stop(
                f"The data in {paths.PG} belongs to PostgreSQL {major}, which is no "
                f"longer installed. Install postgresql-{major} again, or save what "
                "you need and remove everything with make clean."
            )
        return place

    @property
    def version(self):
        """Major version of the cluster, as text."""
        return (paths.PG_DATA / "PG_VERSION").read_text().strip()

    def tool(self, name):
        """Path of a client program (psql, pg_dump ...) of the right version."""
        return self._bin() / name

    def _server_env(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        env["LC_ALL"] = "C.UTF-8"
        return env

    # -- running --------------------------------------------------------------------

    @property
    def port(self):
        """The cluster's port: the running server's, else the stored one, else None."""
        return self._running()[1] or self._stored_port()

    def _stored_port(self):
        try:
            return int((paths.PG / "port").read_text())
        except (OSError, ValueError):
            return None

    def _running(self):
        """(pid, port) of our server, (None, None) when it does not run.

        The id in postmaster.pid may by now belong to somebody else (the machine
        was restarted): only a process that works in our directory counts.
        """
        try:
            lines = (paths.PG_DATA / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
            if alive(pid) and Path(os.readlink(f"/proc/{pid}/cwd")) == paths.PG_DATA:
                return pid, port
        except (OSError, ValueError, IndexError):
            pass
        return None, None

    def _drop_stale_pid(self):
        """Remove postmaster.pid when its id now belongs to a stranger.

        PostgreSQL sees by itself that an id is dead, but not that it was reused.
        """
        file = paths.PG_DATA / "postmaster.pid"
        try:
            pid = int(file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if alive(pid) and self._running()[0] is None:
            file.unlink()

    def start(self):
        """Start unless it runs; wait until it answers. Keeps it running for us.

        :raise Stop: with the server's last words when it does not come up
        """
        self._users.hold()
        if self._running()[0] is None:
            self._drop_stale_pid()
            for attempt in range(3):
                port = self._stored_port()
                if port is None or not ports.is_free(port):
                    port = ports.free_port(FIRST_PORT + attempt)
                    (paths.PG / "port").write_text(f"{port}\n")
                said = self._launch(port)
                if said is None:
                    break
                if "could not bind" not in said and "still in use" not in said:
                    self._failed(said)
                time.sleep(1)
            else:
                self._failed(said)
        self._wait_ready()

    def _failed(self, said):
        raise Stop(
            f"PostgreSQL did not start. {why(said)} Its log is "
            f"{paths.PG / 'log'}; the last lines:\n{tail(said)}"
        )

    def _launch(self, port):
        """Start the server; None when it listens, else what it said."""
        log = paths.PG / "log"
        if log.exists() and log.stat().st_size > 10_000_000:
            log.rename(log.with_suffix(".old"))
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            # no socket file: its path could pass the 107 characters it may have
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": f"{_memory()}MB",
            "max_wal_size": "2GB",
            "random_page_cost": 1.1,
            # Odoo's many short queries only lose by it
            "jit": "off",
            "log_line_prefix": "%m [%p] %d ",
        }
        argv = [*_prefix(), self._bin() / "postgres", "-D", paths.PG_DATA]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        with open(log, "ab") as file:
            begin = file.tell()
            # a session of its own: Ctrl-C at the terminal is for us, who stop the
            # server only after everybody who uses it
            process = subprocess.Popen(
                [str(part) for part in argv],
                env=self._server_env(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            if process.poll() is not None:
                return log.read_bytes()[begin:].decode(errors="replace")
            if self._answers(port) and self._running()[0]:
                return None
            time.sleep(0.1)
        return "It did not answer within 60 s."

    def _answers(self, port):
        probe = subprocess.run(
            [self._bin() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)],
            env=self._server_env(),
        )
        return probe.returncode == 0

    def _wait_ready(self):
        limit = time.monotonic() + 60
        while not self._answers(self.port or 1):
            if time.monotonic() > limit:
                raise Stop(f"PostgreSQL does not answer; see {paths.PG / 'log'}.")
            time.sleep(0.2)

    def release(self):
        """We need it no longer; it stops when no other command of the clone does."""
        self._users.leave(self.stop)

    def stop(self):
        """Stop the server whoever uses it."""
        pid = self._running()[0]
        if pid and not signal_and_wait(pid, signal.SIGINT, 60):
            say("PostgreSQL takes long to stop; ending it, it will recover by itself.")
            signal_and_wait(pid, signal.SIGQUIT, 10)

    def stop_unless_used(self):
        """Stop it when no command of this clone uses it: "stopped", "off" or "used"."""
        if self._running()[0] is None:
            return "off"
        self._users.hold()
        self.release()
        return "used" if self._running()[0] else "stopped"

    # -- using ----------------------------------------------------------------------

    def env(self):
        """Environment that makes libpq and Odoo talk to this cluster: a dict."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.password(),
        }

    def psql(self, database, sql):
        """Run SQL (one or more statements); returns the rows as text.

        Fields are separated by ``|``, rows by a line break, no header.

        :raise Stop: with the server's message
        """
        answer = subprocess.run(
            [self.tool("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database],
            env={**self._server_env(), **self.env()},
            input=sql,
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            raise Stop(f"Database {database}: {answer.stderr.strip()}")
        return answer.stdout.strip()
