# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A real nginx for the tests: the machine's own, else Debian's package unpacked.

Nothing is installed: the package would start a server on port 80.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from oda_tools import paths


def find():
    """Return (path of nginx, "") or (None, why there is none)."""
    if found := os.environ.get("ODA_NGINX") or shutil.which("nginx"):
        return found, ""
    folder = paths.cache_dir() / "nginx"
    program = folder / "usr" / "sbin" / "nginx"
    if not program.exists():
        if why := _unpack(folder):
            return None, why
    with contextlib.suppress(OSError):
        if subprocess.run([program, "-V"], capture_output=True).returncode == 0:
            return str(program), ""
    return None, "the nginx of Debian's package does not run here"


def _unpack(folder):
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return "no nginx on this machine, and no apt to fetch it with"
    with tempfile.TemporaryDirectory() as scratch:
        fetched = subprocess.run(
            ["apt-get", "-q", "download", "nginx"],
            cwd=scratch,
            capture_output=True,
            text=True,
            timeout=120,
        )
        package = next(Path(scratch).glob("nginx_*.deb"), None)
        if fetched.returncode or not package:
            return "no nginx on this machine, and apt could not fetch it"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg", "-x", package, folder], check=True)
    return ""


class Nginx:
    """nginx with a configuration of its own folder, in the foreground."""

    def __init__(self, program, folder, sites):
        """`sites`: text of what Debian keeps in sites-enabled."""
        self.program, self.folder = program, Path(folder)
        for name in ("logs", "body", "proxy"):
            (self.folder / name).mkdir(exist_ok=True)
        conf = self.folder / "nginx.conf"
        conf.write_text(
            f"pid {self.folder}/nginx.pid;\nerror_log {self.folder}/logs/error.log;\n"
            "worker_processes 1;\nevents { worker_connections 64; }\n"
            "http {\n"
            f"access_log {self.folder}/logs/access.log;\n"
            f"client_body_temp_path {self.folder}/body;\n"
            f"proxy_temp_path {self.folder}/proxy;\n"
            f"fastcgi_temp_path {self.folder}/proxy;\n"
            f"uwsgi_temp_path {self.folder}/proxy;\n"
            f"scgi_temp_path {self.folder}/proxy;\n"
            f"{sites}\n}}\n"
        )
        self._command = [program, "-p", str(self.folder), "-c", str(conf)]
        # Before it has read its configuration it writes to its built-in place.
        self._command += ["-e", str(self.folder / "logs" / "start.log")]
        self._process = None

    def check(self):
        """Return (well, what `nginx -t` says)."""
        done = subprocess.run([*self._command, "-t"], capture_output=True, text=True)
        return done.returncode == 0, done.stderr

    def __enter__(self):
        self._process = subprocess.Popen([*self._command, "-g", "daemon off;"])
        return self

    def __exit__(self, *exc):
        self._process.terminate()
        self._process.wait(10)
