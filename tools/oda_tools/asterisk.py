# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A real Asterisk for the sandbox and the tests: fetched, configured, run.

Debian's packages with all they need are unpacked into a folder of their own and run
by their own loader, so that nothing is installed and no root is needed. Everything it
opens is on 127.0.0.1, everything it writes in the folder it is given.
"""

import base64
import contextlib
import hmac
import json
import os
import shutil
import string
import subprocess
import time
import urllib.parse
import urllib.request

from oda_tools import apt, paths, ports, server
from oda_tools.console import Stop, end, run, tail
from oda_tools.runtime import tied

PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm")
MAJOR = "22"
TEMPLATES = paths.ROOT / "sandbox" / "asterisk"
SAMPLES = paths.CONFIG / "asterisk"
#: samples of users, which the sandbox has in its own files
NOT_OURS = ("manager_oda", "ari_oda")
FIRST_AMI, FIRST_HTTP = 15038, 18088


class Missing(Stop):
    """There is no Asterisk to be had here; the text says why."""


def ensure(say=lambda text: None):
    """Return the folder that Asterisk is unpacked in, fetching it when need be.

    :param say: told what is being done
    :raise Missing: in words
    """
    cache = paths.cache_dir() / f"asterisk-{MAJOR}"
    root = cache / "root"
    if _works(root):
        return root
    try:
        record = _packages(cache, say)
    except Stop as stop:
        raise Missing(str(stop)) from None
    say("unpacking Asterisk")
    new = cache / f"root.new-{os.getpid()}"
    try:
        for name in record["files"]:
            run(["dpkg", "-x", cache / "debs" / name, new], f"Unpacking {name}")
        if not _works(new):
            raise Missing(f"the unpacked {record['origin']} does not run here.")
        shutil.rmtree(root, ignore_errors=True)
        with contextlib.suppress(OSError):  # another clone was faster
            new.rename(root)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return root


def _packages(cache, say):
    """The record of complete and unchanged packages, downloading them if need be."""
    debs = cache / "debs"
    with contextlib.suppress(OSError, ValueError, KeyError):
        record = json.loads((debs / "record.json").read_text())
        if all(server.sha256(debs / n) == h for n, h in record["files"].items()):
            return record
    reasons = []
    for archive in apt.archives():
        folder = cache / f"debs.new-{os.getpid()}"
        try:
            return _download(folder, debs, archive, say)
        except Stop as stop:
            reasons.append(str(stop))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise Stop("\n".join(reasons))


def _download(folder, debs, archive, say):
    own = apt.PrivateApt(folder / "apt", ("sid",), archive)
    say("downloading Asterisk (80 MB)")
    own.update()
    own.fetch(PACKAGES, "Downloading Asterisk")
    files = {}
    for file in sorted(own.archives.glob("*.deb")):
        files[file.name] = server.sha256(file)
        file.rename(folder / file.name)
    shutil.rmtree(own.folder)
    version = next(n.split("_")[1] for n in files if n.startswith("asterisk_"))
    record = {"origin": f"Debian package asterisk {version}", "files": files}
    (folder / "record.json").write_text(json.dumps(record, indent=1))
    shutil.rmtree(debs, ignore_errors=True)
    folder.rename(debs)
    return record


def _libraries(root):
    return next(root.glob("usr/lib/*/asterisk")).parent


def command(root):
    """Return the beginning of a command line that runs this Asterisk.

    :raise StopIteration: when there is none in the folder
    """
    libraries = _libraries(root)
    loader = next(libraries.glob("ld-linux*.so.*"))
    search = f"{libraries}:{libraries / 'asterisk'}"
    return [loader, "--library-path", search, root / "usr" / "sbin" / "asterisk"]


def _works(root):
    """Whether an Asterisk of our series runs out of the folder."""
    try:
        answer = subprocess.run(
            [*command(root), "-V"], capture_output=True, text=True, timeout=20
        )
    except (OSError, StopIteration, subprocess.TimeoutExpired):
        return False
    return answer.stdout.startswith(f"Asterisk {MAJOR}.")


class Asterisk:
    """One exchange with files and ports of its own.

    :ivar int ami_port: manager interface on 127.0.0.1
    :ivar int http_port: ARI on 127.0.0.1
    :ivar Path folder: settings, spool, record of calls, log
    :ivar str secret: of the user `oda` of both

    :param values: for the templates of sandbox/asterisk, such as ``contact_url``
    """

    def __init__(self, folder, secret, root=None, ami_port=None, http_port=None):
        self.root = root or ensure()
        self.folder = folder
        self.secret = secret
        self.ami_port = ami_port or ports.free_port(FIRST_AMI)
        self.http_port = http_port or ports.free_port(FIRST_HTTP)
        self.cdr_file = folder / "log" / "cdr-custom" / "oda.csv"
        self.recordings = folder / "spool" / "recording"
        self._process = None

    @property
    def ari_url(self):
        return f"http://127.0.0.1:{self.http_port}/ari"

    @property
    def pid(self):
        return self._process.pid

    def configure(self, contact_url="", contact_token=""):
        """Write the settings: the templates, and the samples that operators copy."""
        for name in ("etc", "log/cdr-custom", "spool/recording", "run", "db", "keys"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {
            "folder": self.folder,
            "modules": _libraries(self.root) / "asterisk" / "modules",
            "data": self.root / "usr" / "share" / "asterisk",
            "ami_port": self.ami_port,
            "http_port": self.http_port,
            "secret": self.secret,
            "contact_url": contact_url,
            "contact_token": contact_token,
        }
        for source in (SAMPLES, TEMPLATES):
            for template in sorted(source.glob("*.conf")):
                if template.stem in NOT_OURS:
                    continue
                text = _Template(template.read_text("utf-8")).safe_substitute(values)
                file = self.folder / "etc" / template.name
                file.touch(mode=0o600)
                file.write_text(text, encoding="utf-8")
        return self

    def start(self):
        """Start it and wait until it takes calls.

        :raise Stop: when it ends or stays silent, with its last lines
        """
        argv = [*command(self.root), "-f", "-C", self.folder / "etc" / "asterisk.conf"]
        with open(self.folder / "asterisk.log", "ab") as log:
            self._process = subprocess.Popen(
                tied(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        limit = time.monotonic() + 30
        while not self._booted():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise Stop(f"Asterisk did not start:\n{self.last_lines()}")
            time.sleep(0.1)
        return self

    def _booted(self):
        """Whether ARI says that all modules are there."""
        request = urllib.request.Request(f"{self.ari_url}/asterisk/info?only=status")
        credentials = base64.b64encode(f"oda:{self.secret}".encode()).decode()
        request.add_header("Authorization", f"Basic {credentials}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    # as a Process of the runtime, for `make run`

    def poll(self):
        return self._process.poll()

    def wait_ready(self, _timeout=0):
        return self

    @property
    def log_path(self):
        return self.folder / "asterisk.log"

    def last_lines(self):
        with contextlib.suppress(OSError):
            return tail((self.folder / "asterisk.log").read_text(errors="replace"))
        return ""

    def kill9(self):
        """As a crash would."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        if self._process is not None:
            end(self._process)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.stop()


DEMO_SECRET = "demo-asterisk-secret"


def serve(runtime, db, odoo_url, say):
    """`make run` with ODA_ASTERISK=1: an Asterisk and its listener, both running.

    To be called before Odoo starts: the demo channel learns where they are.
    :return: list of (name, process); empty when there is no Asterisk to be had, said
    """
    from oda_tools.listener import Listener

    folder = paths.LOCAL / "asterisk"
    try:
        exchange = Asterisk(folder, DEMO_SECRET)
    except Missing as missing:
        say(f"Without Asterisk: {missing}")
        return []
    runtime.psql(
        db,
        f"UPDATE oda_connector_account SET ari_url = '{exchange.ari_url}', "
        f"ast_recordings = '{exchange.recordings}' "
        "WHERE connector = 'asterisk' AND key = 'demo'",
    )
    token = hmac.new(DEMO_SECRET.encode(), b"oda.contact.lookup", "sha256").hexdigest()
    exchange.configure(f"{odoo_url}/oda/in/asterisk/demo/contact", token).start()
    listener = Listener(folder / "listener", exchange, odoo_url, DEMO_SECRET).start()
    return [("Asterisk", exchange), ("its listener", listener)]


def call(number, port=FIRST_HTTP):
    """Ring the sandbox's queue from outside; returns the call's id."""
    query = urllib.parse.urlencode(
        {
            "endpoint": "Local/37322200102@from-trunk",
            "context": "caller",
            "extension": "s",
            "priority": 1,
            "callerId": number,
            "timeout": 60,
        }
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/ari/channels?{query}", method="POST"
    )
    user = base64.b64encode(f"oda:{DEMO_SECRET}".encode()).decode()
    request.add_header("Authorization", f"Basic {user}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)["id"]
    except OSError:
        raise Stop(
            "No Asterisk answers: it runs while ODA_ASTERISK=1 make run does."
        ) from None


class _Template(string.Template):
    """`@{name}`: a dollar is the dialplan's own sign."""

    delimiter = "@"
