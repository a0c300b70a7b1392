# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Packages of the operating system: only the missing ones, by apt."""

import ctypes.util
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from oda_tools import cluster, paths
from oda_tools.console import Stop, run, say, why

FINISH = "\nStopping as soon as the system's package manager is through ..."
DROP_IN = Path("/etc/postgresql-common/createcluster.d/oda-no-main-cluster.conf")


class Need(NamedTuple):
    """One thing the suite needs from the system.

    :ivar tuple packages: Debian names, the first one that apt knows is installed
    :ivar present: callable that finds it however it was installed, or None
    :ivar bool required: whether set-up stops without it
    :ivar bool dev: needed for tests only
    """

    packages: tuple
    present: object = None
    required: bool = True
    dev: bool = False


def _command(*names):
    return lambda: any(shutil.which(name) for name in names)


def _venv():
    # Debian's python3 without python3-venv has the module, but cannot use it
    importlib.invalidate_caches()
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


PYTHON_VENV = f"python3.{sys.version_info.minor}-venv"
NEEDS = (
    Need(("python3-venv", PYTHON_VENV), _venv),
    Need(("libmagic1", "libmagic1t64"), lambda: ctypes.util.find_library("magic")),
    Need(("postgresql",), lambda: cluster.bin_dir() is not None),
    Need(("wkhtmltopdf",), _command("wkhtmltopdf"), required=False),
    Need(("fonts-dejavu-core",), required=False),
    Need(("fonts-liberation", "fonts-liberation2"), required=False),
    Need(("git",), _command("git"), required=False),
    Need(("chromium",), _command("chromium", "google-chrome"), dev=True),
)


def _installed(names):
    """Those of the package names that dpkg has installed: a set."""
    if not shutil.which("dpkg-query"):
        return set()
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Package}\n", *names],
        capture_output=True,
        text=True,
    )
    return {line[3:] for line in answer.stdout.splitlines() if line.startswith("ii")}


def missing(dev=False):
    """What is not there yet: a list of Need."""
    wanted = [need for need in NEEDS if dev or not need.dev]
    have = _installed([name for need in wanted for name in need.packages])
    # a package may be there and still be too old: then asking the thing itself wins
    return [
        need
        for need in wanted
        if not (need.present() if need.present else have & set(need.packages))
    ]


def ensure(stage, dev=False):
    """Install what is missing; says so on the stage's line.

    :raise Stop: without the right or the network to install something required
    """
    lacking = missing(dev)
    if DROP_IN.exists() and os.geteuid() == 0:
        # left by a set-up that was killed
        _allow_main_cluster([])
    if not lacking:
        stage.note = "all there"
        return
    required = [need for need in lacking if need.required]
    names = " ".join(need.packages[0] for need in lacking)
    if not shutil.which("apt-get"):
        if required:
            raise Stop(
                "This machine has no apt. Install by its own means what Debian calls "
                f"{names}, then run the same command again."
            )
        stage.note = f"without {names} (no apt here)"
        return
    prefix = _root_prefix(stage)
    if prefix is None:
        if required:
            raise Stop(
                f"These system packages are missing: {names}. You are neither root "
                "nor allowed to use sudo without a password here; ask an "
                f"administrator to run\n    apt-get install {names}\nand then run "
                "the same command again."
            )
        stage.note = f"without {names} (not root)"
        return
    stage.doing(f"installing {names}")
    _install(prefix, lacking, stage)
    still = [need for need in missing(dev) if need.required]
    if still:
        raise _unusable(still)
    stage.note = f"installed {names}"


def _unusable(still):
    if any("postgresql" in need.packages for need in still):
        return Stop(
            f"The PostgreSQL this system offers is older than {cluster.OLDEST}. "
            "Install a newer one (see apt.postgresql.org) and run the same command "
            "again."
        )
    names = " ".join(need.packages[0] for need in still)
    return Stop(f"These system packages are still missing after installing: {names}.")


def _root_prefix(stage):
    """[] for root, the sudo command for others, None when neither works."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    quiet = subprocess.run(["sudo", "-n", "true"], capture_output=True)
    if quiet.returncode == 0:
        return ["sudo", "-n"]
    if sys.stdin.isatty():
        with stage.silent():
            say("\nInstalling system packages needs your password:")
            allowed = subprocess.run(["sudo", "-v"]).returncode == 0
        return ["sudo"] if allowed else None
    return None


def _install(prefix, lacking, stage):
    log = paths.LOGS / "setup.log"
    env = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    apt = [*prefix, *env, "apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0"]
    # the lists may be fresh already; asking first saves a minute on a slow line
    said = ""
    if not all(_known(need) for need in lacking if need.required):
        said = run([*apt, "update"], "Reading the package lists", log=log)
    names = [name for need in lacking if (name := _known(need))]
    unknown = [n.packages[0] for n in lacking if n.required and not _known(n)]
    if unknown:
        # apt-get update calls it a success when no list could be fetched
        raise Stop(
            f"apt knows no package {' '.join(unknown)}. "
            + (why(said) or "Install it by hand and run the same command again.")
        )
    if not names:
        return
    install = [*apt, "install", "--no-install-recommends"]
    fetch, command = [*install, "--download-only", *names], [*install, *names]
    guard = "postgresql" in names and not _installed(["postgresql-common"])
    guard = guard or DROP_IN.exists()
    try:
        if guard:
            _forbid_main_cluster(prefix)
        what = "Downloading system packages"
        try:
            run(fetch, what, log=log)
        except Stop as failure:
            stage.doing("second attempt")
            if "dpkg --configure -a" in str(failure):
                # an installation was cut off before: finish what it began
                run([*prefix, *env, "dpkg", "--configure", "-a"], "dpkg", log=log)
            else:
                # lists older than the mirror
                run([*apt, "update"], "Reading the package lists", log=log)
            run(fetch, what, log=log)
        # under sudo the tool must stay on the terminal that knows the password
        finish = "" if prefix else FINISH
        run(command, "Installing system packages", log=log, finish=finish)
    finally:
        if guard:
            _allow_main_cluster(prefix)


def _forbid_main_cluster(prefix):
    """Keep the package from making and starting a machine-wide cluster."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("# removed again when the installation ends\n")
        file.write("create_main_cluster = false\n")
        file.flush()
        where = [*prefix, "install", "-D", "-m", "644", file.name, str(DROP_IN)]
        run(where, "Preparing the PostgreSQL package")


def _allow_main_cluster(prefix):
    subprocess.run([*prefix, "rm", "-f", DROP_IN])
    tidy = [*prefix, "rmdir", "--ignore-fail-on-non-empty", DROP_IN.parent]
    subprocess.run(tidy, capture_output=True)


def _known(need):
    """The first of the package's names that apt can install, None if none."""
    for name in need.packages:
        answer = subprocess.run(
            ["apt-cache", "policy", name],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        if "Candidate:" in answer.stdout and "Candidate: (none)" not in answer.stdout:
            return name
    return None
