# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Odoo's settings of this clone: ``.local/odoo.conf``, made from config/."""

import base64
import os
import secrets
import string

from oda_tools import paths


def secret_key():
    """The clone's Fernet key (urlsafe base64 of 32 bytes), made on first use."""
    file = paths.make_private(paths.SECRETS) / "secret_key"
    if not file.exists():
        new = file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        new.rename(file)
    return file.read_text().strip()


def addons_path():
    """Folders with addons, ours last; the server's own are found by itself."""
    package = paths.server_package()
    folders = [package / "addons", package / "odoo" / "addons", paths.SERVER_ADDONS]
    if our_addons():
        folders.append(paths.ADDONS)
    return [folder for folder in folders if folder.is_dir()]


def our_addons():
    """Technical names of the addons in addons/, sorted; [] when there are none yet."""
    if not paths.ADDONS.is_dir():
        return []
    return sorted(m.parent.name for m in paths.ADDONS.glob("*/__manifest__.py"))


def write(cluster):
    """Write ``.local/odoo.conf`` (readable by its owner only); returns its path."""
    template = (paths.CONFIG / "odoo.sandbox.conf").read_text(encoding="utf-8")
    text = string.Template(template).substitute(
        addons_path=",".join(map(str, addons_path())),
        data_dir=paths.DATA_DIR,
        db_name=paths.database_name(),
        db_port=cluster.port,
        db_user=cluster.env()["PGUSER"],
        db_password=cluster.password(),
        http_port=paths.http_port(),
        sandbox_port=paths.sandbox_port(),
        secret_key=secret_key(),
    )
    new = paths.CONF.with_suffix(".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    new.rename(paths.CONF)
    return paths.CONF
