# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Odoo 19's source in ``.local/odoo``: given, cached, Debian's or upstream's.

Whatever its origin it ends up as ``.local/odoo/usr/lib/python3/dist-packages/odoo``.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from oda_tools import mirrors, paths, stamps
from oda_tools.console import Stop, run, say, why

SERIES = "19.0"
UPSTREAM = "https://github.com/odoo/odoo.git"
# The package links fonts and scripts to these; all from sid but for FontAwesome,
# whose version 4 files left Debian after release 12.
PACKAGES = (
    "odoo-19",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-glyphicons-halflings",
    "fonts-font-awesome/bookworm",
)
LAYOUT = 1


def ensure(stage):
    """Have the server's source in place; says on the stage's line what it took.

    :raise Stop: when no origin works, with the reason of each
    """
    given = os.environ.get("ODOO_SOURCE", "").strip()
    key = stamps.digest(LAYOUT, given, *PACKAGES)
    stamp = stamps.read("server")
    if stamp.get("key") == key and _is_series(paths.server_package()):
        stage.note = stamp["origin"]
        return
    new = paths.LOCAL / "odoo.new"
    _remove(new)
    package = new / paths.server_package().relative_to(paths.SERVER)
    package.mkdir(parents=True)
    if given:
        origin = _link(Path(given).expanduser(), package)
    else:
        origin = _fetch(stage, new, package)
    if not _is_series(package):
        raise Stop(f"{origin} is not Odoo {SERIES} (its odoo/release.py says so).")
    _remove(paths.SERVER)
    new.rename(paths.SERVER)
    stamps.write("server", key=key, origin=origin)
    stage.note = origin if given else f"{origin}, kept in {paths.cache_dir()}"


def _remove(folder):
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _is_series(package):
    """Whether the folder's odoo/release.py declares the series we are made for."""
    try:
        text = (package / "odoo" / "release.py").read_text()
    except OSError:
        return False
    found = re.search(r"^version_info = \((\d+), (\d+)", text, re.M)
    return bool(found) and ".".join(found.groups()) == SERIES


def _link(source, package):
    """Use a source that the person already has, by links to it."""
    if not (source / "odoo" / "release.py").exists():
        raise Stop(
            f"ODOO_SOURCE={source} holds no odoo/release.py. Give the folder of an "
            f"Odoo {SERIES} checkout, or the one that holds the odoo package."
        )
    for name in ("odoo", "addons"):
        if (source / name).is_dir():
            (package / name).symlink_to((source / name).resolve())
    return f"ODOO_SOURCE {source}"


def _fetch(stage, new, package):
    """Take the source from the cache, filling the cache first when need be."""
    cache = paths.cache_dir() / f"odoo-{SERIES}"
    stage.doing("checking the cache")
    record = _checked(cache) or _download(stage, cache)
    for name in record["files"]:
        file = cache / name
        stage.doing(f"unpacking {name[:40]}")
        if file.suffix == ".deb":
            run(["dpkg", "-x", file, new], f"Unpacking {name}")
        else:
            with tarfile.open(file) as archive:
                archive.extractall(package, **_safely())
    return record["origin"]


def _safely():
    # the argument appeared in maintenance releases of each Python
    return {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def _checked(cache):
    """The record of a complete and unchanged download, else None."""
    try:
        record = json.loads((cache / "record.json").read_text())
    except (OSError, ValueError):
        return None
    if any(name.endswith(".deb") for name in record["files"]):
        if not shutil.which("dpkg"):
            return None
    for name, expected in record["files"].items():
        if not (cache / name).is_file() or sha256(cache / name) != expected:
            say(f"{cache / name} is damaged or was changed; downloading again.")
            return None
    return record


def sha256(file):
    total = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _download(stage, cache):
    """Fill the cache from the first origin that works; returns its record."""
    reasons = []
    for name, origin in (("Debian's package", _debian), ("upstream's git", _git)):
        folder = cache.with_name(f"{cache.name}.new-{os.getpid()}")
        _remove(folder)
        folder.mkdir(parents=True)
        try:
            text = origin(stage, folder)
        except Stop as failure:
            reasons.append(f"  {name}: {failure}")
            _remove(folder)
            continue
        except BaseException:
            _remove(folder)
            raise
        files = sorted(file for file in folder.iterdir() if file.is_file())
        record = {"origin": text, "files": {f.name: sha256(f) for f in files}}
        (folder / "record.json").write_text(json.dumps(record, indent=1))
        _remove(cache)
        folder.rename(cache)
        return record
    cause = why(" ".join(reasons))
    raise Stop(
        f"Odoo {SERIES} could not be fetched from anywhere. {cause} "
        "With a copy of your own, name its folder: ODOO_SOURCE=... make run.\n"
        + (f"  Details: {paths.LOGS / 'setup.log'}" if cause else "\n".join(reasons))
    )


def _debian(stage, folder):
    """Download the package by apt, with lists and cache of its own."""
    if not shutil.which("apt-get"):
        raise Stop("this machine has no apt.")
    archives = mirrors.debian_archives()
    if not archives:
        raise Stop("this machine's apt sources name no Debian archive.")
    reasons = []
    for uri, kept in archives:
        try:
            return _debian_from(stage, folder, uri, kept)
        except Stop as failure:
            reasons.append(str(failure))
    raise Stop("\n".join(reasons))


def _debian_from(stage, folder, uri, kept):
    apt = folder / "apt"
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    stanza = mirrors.stanza(uri, kept, ("sid", "bookworm"))
    (apt / "parts" / "odoo.sources").write_text(stanza)
    options = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": apt / "parts",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "2",
        # a dated mirror's list of sid is out of its validity, by design
        "Acquire::Check-Valid-Until": "false",
    }
    command = ["apt-get", "-q"]
    command += [f"-o{name}={value}" for name, value in options.items()]
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    log = paths.LOGS / "setup.log"
    stage.doing("reading Debian's package lists")
    run([*command, "update"], "Reading the list of sid", env=env, log=log)
    stage.doing("downloading Debian's odoo-19 (122 MB)")
    what = "Downloading odoo-19 and its companions"
    run([*command, "download", *PACKAGES], what, env=env, cwd=folder, log=log)
    shutil.rmtree(apt)
    version = subprocess.run(
        ["dpkg-deb", "-f", next(folder.glob("odoo-19_*.deb")), "Version"],
        capture_output=True,
        text=True,
    )
    return f"Debian package odoo-19 {version.stdout.strip()}"


def _git(stage, folder):
    """Download upstream's branch, without history."""
    if not shutil.which("git"):
        raise Stop("git is not installed.")
    stage.doing(f"downloading upstream's branch {SERIES} by git (about 300 MB)")
    tree = folder / "tree"
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    command = ["git", "clone", "--quiet", "--depth=1", f"--branch={SERIES}"]
    run([*command, UPSTREAM, tree], "git clone", env=env, log=paths.LOGS / "setup.log")
    head = run(["git", "-C", tree, "rev-parse", "--short=12", "HEAD"], "git", env=env)
    stage.doing("packing for the cache")
    with tarfile.open(folder / "odoo.tar.gz", "w:gz", compresslevel=3) as archive:
        for name in ("odoo", "addons", "LICENSE"):
            archive.add(tree / name, name)
    shutil.rmtree(tree)
    return f"upstream git branch {SERIES} at {head.strip()}"
