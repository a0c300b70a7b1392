# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Where everything of one clone lives, and the settings from the environment."""

import os
from pathlib import Path

from oda_tools.console import Stop

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
ADDONS = ROOT / "addons"
SERVER_ADDONS = ROOT / "tools" / "server_addons"
LAUNCHER = ROOT / "tools" / "odoo"
CONFIG = ROOT / "config"

SERVER = LOCAL / "odoo"
VENV = LOCAL / "venv"
PYTHON = VENV / "bin" / "python"
PG = LOCAL / "pg"
PG_DATA = PG / "data"
DATA_DIR = LOCAL / "data"
FILESTORE = DATA_DIR / "filestore"
CONF = LOCAL / "odoo.conf"
SECRETS = LOCAL / "secret"
STAMPS = LOCAL / "stamps"
RUN = LOCAL / "run"
LOGS = LOCAL / "log"
BACKUPS = LOCAL / "backups"


def cache_dir():
    """Downloads shared by all clones of this user (checked by hash before use)."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "oda"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        # an account without a home: then each clone downloads for itself
        folder = LOCAL / "cache"
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _port(variable, default):
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Stop(f"{variable}={text!r} is not a port: give a number from 1 to 65535.")
    return int(text)


def http_port():
    """Port of the web server on 127.0.0.1."""
    return _port("ODA_HTTP_PORT", 8069)


def sandbox_port():
    """Port of the sandbox of outside services on 127.0.0.1."""
    return _port("ODA_SANDBOX_PORT", 8070)


def database_name():
    """Name of the database of `make run`."""
    name = os.environ.get("ODA_DB") or "oda"
    if not name.replace("_", "").isalnum() or not name.isascii() or len(name) > 63:
        raise Stop(
            f"ODA_DB={name!r} is not usable as a database name: use Latin letters, "
            "digits and underscores, 63 at most."
        )
    return name


def check_root():
    """Refuse a folder name that Odoo's comma-separated addons path cannot carry."""
    for sign in ',"\n':
        if sign in str(ROOT):
            raise Stop(
                f"The folder {ROOT} has {sign!r} in its name, which Odoo's settings "
                "cannot express. Move the clone to a folder without it."
            )


def make_private(path):
    """Create a directory only its owner may enter; returns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def make_local():
    """Create ``.local`` and refuse one that belongs to another user."""
    LOCAL.mkdir(exist_ok=True)
    owner = LOCAL.stat().st_uid
    if owner != os.geteuid():
        raise Stop(
            f"{LOCAL} was set up by another user (uid {owner}, you are uid "
            f"{os.geteuid()}). Run the command as that user, or remove the folder "
            "as that user (make clean) and start again."
        )
    for path in (STAMPS, RUN):
        path.mkdir(exist_ok=True)
    # people's data and keys are for the owner's eyes alone
    for path in (LOGS, DATA_DIR, SECRETS):
        make_private(path)


def server_package():
    """Folder that holds the server's ``odoo`` package (and, from git, ``addons``)."""
    return SERVER / "usr" / "lib" / "python3" / "dist-packages"
