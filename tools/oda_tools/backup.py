# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Backup of database and files, and bringing it back. The key is never in it."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from shlex import quote

from oda_tools import locks, paths, serve, settings, setup, stamps
from oda_tools.console import Stage, Stop, run, say

DUMP = "database.dump"
FILES = "filestore.tar"
# What /oda/health shows; the second line makes running servers forget the old value.
TELL = """
    INSERT INTO ir_config_parameter (key, value) VALUES ('oda.last_backup', '{moment}')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value;
    INSERT INTO orm_signaling_stable DEFAULT VALUES;
"""
MANIFEST = "manifest.json"


def _sha256(file):
    total = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def key_mark():
    """Fingerprint of the clone's key: says which key a backup needs, not the key."""
    return hashlib.sha256(settings.secret_key().encode()).hexdigest()[:16]


def backup():
    """`make backup`: a new folder under .local/backups; returns an exit status."""
    name = paths.database_name()
    with setup.prepare(stages=6) as runtime:
        if name not in runtime.databases():
            raise Stop(f"There is no database {name} yet: make run makes it.")
        # not while another command updates the database
        with locks.setup(), Stage("6/6 backup") as stage:
            target = paths.make_private(paths.BACKUPS) / time.strftime("%Y%m%d-%H%M%S")
            half = target.with_name(target.name + ".new")
            half.mkdir(mode=0o700)
            try:
                _fill(stage, runtime, name, half)
            except BaseException:
                shutil.rmtree(half)
                raise
            half.rename(target)
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            runtime.psql(name, TELL.format(moment=moment))
            size = sum(file.stat().st_size for file in target.iterdir()) / 1e6
            stage.note = f"{size:.0f} MB"
    say(f"\nBackup: {target}")
    say(
        "The key that opens its sealed secrets is not in it: "
        f"{paths.SECRETS}/secret_key (mark {key_mark()}).\n"
        "Keep a copy of the key in another place than the backups."
    )
    return 0


def _fill(stage, runtime, name, folder):
    stage.doing("dumping the database")
    run(
        [
            runtime.cluster.tool("pg_dump"),
            "--format=custom",
            f"--file={folder / DUMP}",
            name,
        ],
        "pg_dump",
        env=runtime.env(),
    )
    # After the dump: then every file that the dump names is there. (The other way
    # round, a file stored in between would be missing.)
    stage.doing("packing the files")
    with tarfile.open(folder / FILES, "w") as archive:
        if (paths.FILESTORE / name).is_dir():
            archive.add(paths.FILESTORE / name, "filestore", filter=_worth_keeping)
    state = stamps.read(f"database-{name}")
    manifest = {
        "database": name,
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "postgresql": runtime.cluster.version,
        "server": stamps.read("server").get("origin"),
        "addons": state.get("addons", {}),
        "platform": state.get("platform"),
        "key_mark": key_mark(),
        "sha256": {file: _sha256(folder / file) for file in (DUMP, FILES)},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _worth_keeping(member):
    """Leave out archives of recordings: they are made again from what is kept."""
    passing = ("filestore/oda_archives", "filestore/oda_incoming")
    return None if member.name.startswith(passing) else member


def restore():
    """`make restore FROM=folder` into ODA_DB; returns an exit status."""
    source, manifest = _checked()
    name = paths.database_name()
    if serve.is_running():
        raise Stop("This clone is being served: stop it first (make stop).")
    with setup.prepare(stages=6) as runtime:
        if name in runtime.databases() and os.environ.get("CONFIRM") != "1":
            raise Stop(
                f"The database {name} exists and would be replaced. Say so with "
                "CONFIRM=1, or restore beside it: ODA_DB=other_name make restore ..."
            )
        with locks.setup(), Stage("6/6 restore") as stage:
            _restore(stage, runtime, source, manifest, name)
            stage.note = f"{name} as of {manifest['made']}"
    if manifest["key_mark"] != key_mark():
        say(
            f"\nThis backup was made with another key (mark {manifest['key_mark']}, "
            f"here {key_mark()}): put that key into {paths.SECRETS}/secret_key, or "
            "enter the secrets of the connector accounts again."
        )
    return 0


def _checked():
    """The backup's folder and manifest, once every hash agrees."""
    given = os.environ.get("FROM", "").strip()
    if not given:
        kept = sorted(p for p in paths.BACKUPS.glob("*") if (p / MANIFEST).exists())
        known = "".join(f"\n    make restore FROM={quote(str(p))}" for p in kept[-5:])
        raise Stop("Restore from which backup?" + (known or " There is none yet."))
    source = Path(given).expanduser().resolve()
    try:
        manifest = json.loads((source / MANIFEST).read_text())
        expected = manifest["sha256"]
    except (OSError, ValueError, KeyError):
        raise Stop(f"{source} is not a backup: no readable {MANIFEST}.") from None
    for file, digest in expected.items():
        if not (source / file).is_file() or _sha256(source / file) != digest:
            raise Stop(
                f"{source / file} is missing or was changed since the backup was made. "
                "Nothing was restored."
            )
    return source, manifest


def _restore(stage, runtime, source, manifest, name):
    """Fill a new database first; the old one goes only when that has worked."""
    fresh = f"{name[:50]}_restoring"
    runtime.dropdb(fresh)
    # made as Odoo makes it: a dump does not say that unaccent is immutable, and
    # the indexes on it could not be made
    runtime.createdb(fresh)
    stage.doing("loading the database")
    tool = [runtime.cluster.tool("pg_restore"), "--no-owner", "--exit-on-error"]
    command = [*tool, "--jobs=2", f"--dbname={fresh}", source / DUMP]
    run(command, "pg_restore", env=runtime.env())
    stage.doing("unpacking the files")
    new = paths.FILESTORE / fresh
    paths.FILESTORE.mkdir(parents=True, exist_ok=True)
    half = paths.LOCAL / "filestore.new"
    shutil.rmtree(half, ignore_errors=True)
    with tarfile.open(source / FILES) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archive.extractall(half, **safe)
    if (half / "filestore").is_dir():
        (half / "filestore").rename(new)
    shutil.rmtree(half, ignore_errors=True)
    runtime.dropdb(name)
    runtime.psql("postgres", f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
    if new.is_dir():
        new.rename(paths.FILESTORE / name)
    stamps.write(
        f"database-{name}", addons=manifest["addons"], platform=manifest["platform"]
    )


def clean():
    """`make clean`: stop, then remove .local; returns an exit status."""
    if paths.LOCAL.is_symlink():
        raise Stop(
            f"{paths.LOCAL} is a link to {paths.LOCAL.resolve()}, outside this clone: "
            "remove it by hand if that is what you want."
        )
    if not paths.LOCAL.exists():
        say("Nothing to remove.")
        return 0
    if serve.stop():
        raise Stop("Something still runs from this clone; nothing was removed.")
    shutil.rmtree(paths.LOCAL)
    say(f"Removed {paths.LOCAL}. Downloads are kept in {paths.cache_dir()}.")
    return 0


def shell():
    """`make shell`: Odoo's Python shell; returns its exit status."""
    name = paths.database_name()
    with setup.prepare(stages=5) as runtime:
        if name not in runtime.databases():
            raise Stop(f"There is no database {name} yet: make run makes it.")
        argv = runtime.odoo_argv(name, "--no-http", "--log-level=warn", command="shell")
        process = subprocess.Popen(argv, env=runtime.env())
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # Ctrl-C belongs to the shell
