# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The virtual environment ``.local/venv``, by pip under the person's own settings."""

import os
import shutil
import subprocess
import sys

from oda_tools import paths, stamps
from oda_tools.console import run

LAYOUT = 1
LOG = paths.LOGS / "setup.log"


def ensure(stage, dev=False):
    """Have the environment hold what the requirements file lists.

    Only what is not yet there is installed, so an interrupted run goes on.
    """
    name = "requirements-dev.txt" if dev else "requirements.txt"
    lists = [paths.ROOT / "requirements.txt"]
    if dev:
        lists.append(paths.ROOT / name)
    # what the folder is called counts too: an environment cannot be moved
    key = stamps.digest(LAYOUT, sys.version, sys.executable, paths.ROOT, *lists)
    stamp = "python-dev" if dev else "python"
    if stamps.read(stamp).get("key") == key and _works():
        stage.note = stamps.read(stamp)["note"]
        return
    _make(stage)
    _link_server()
    _install(stage, name)
    note = f"Python {sys.version.split()[0]}, {_count()} packages"
    stamps.write(stamp, key=key, note=note)
    stage.note = note


def _works():
    """Whether the environment runs and belongs to this folder and this Python."""
    if not paths.PYTHON.exists():
        return False
    code = "import pip, sys; print(sys.prefix, sys.version, sep='|')"
    answer = subprocess.run([paths.PYTHON, "-c", code], capture_output=True, text=True)
    return answer.stdout.strip() == f"{paths.VENV}|{sys.version}"


def _make(stage):
    if _works():
        return
    stage.doing("making the environment")
    shutil.rmtree(paths.VENV, ignore_errors=True)
    # a set-up may itself be started from another environment: take the real Python
    real = os.path.join(sys.base_prefix, "bin", os.path.basename(sys.executable))
    python = real if os.path.exists(real) else sys.executable
    run([python, "-m", "venv", paths.VENV], "Making the Python environment", log=LOG)


def _site_packages():
    return next(paths.VENV.glob("lib/python3.*/site-packages"))


def _link_server():
    """Make ``import odoo`` find the server's source; OCA addons land beside it."""
    file = _site_packages() / "oda-odoo-server.pth"
    file.write_text(f"{paths.server_package()}\n", encoding="utf-8")


def _install(stage, name):
    """pip install; its chatter goes to the log, the package to the stage's line."""
    stage.doing("installing packages")
    pip = [paths.PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    install = ["install", "--no-deps", "--requirement", paths.ROOT / name]
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    what = "Installing Python packages (pip)"
    run([*pip, *install], what, env=env, log=LOG, seen=_seen(stage))


def _seen(stage):
    """Turn pip's lines into a count on the stage's line."""
    count = 0

    def line(text):
        nonlocal count
        if text.startswith(("Collecting ", "Processing ")):
            count += 1
            stage.doing(f"package {count}: {text.split()[1].split('==')[0]}")
        elif text.startswith("Installing collected"):
            stage.doing(f"unpacking {count} packages")

    return line


def _count():
    return len(list(_site_packages().glob("*.dist-info")))
