# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The database of `make run`: made with demo data, updated when addons change."""

import re
import threading

from oda_tools import paths, settings, stamps
from oda_tools.console import Stop, say, tail

LANGUAGES = "ro_RO,ru_RU"
# where changes need no update of the database
IGNORED = {"__pycache__", "tests", "readme"}
BARE = ("base", "web", "crm", "queue_job")


def ensure(stage, runtime):
    """Have the database exist and match the addons in the folder.

    Its stamp names the addons it holds and their hashes; a stamp that says
    "making" marks a half-made database, which is made again.

    :raise Stop: with Odoo's last words when it refuses
    """
    name = paths.database_name()
    stamp = f"database-{name}"
    state = stamps.read(stamp)
    wanted = tree_hashes()
    platform = stamps.digest(stamps.read("server").get("origin"), *_oca_pins())
    there = name in runtime.databases()
    if there and state.get("making"):
        stage.doing("removing the half-made database")
        runtime.dropdb(name)
        there = False
    if not there:
        stamps.write(stamp, making=True)
        _create(stage, runtime, name, list(wanted))
    else:
        _update(stage, runtime, name, state, wanted, platform)
    _check(runtime, name, wanted)
    stamps.write(stamp, addons=wanted, platform=platform)


def tree_hashes():
    """Hash of each of our addons, tests and documents left out: {name: hash}."""
    folders = [paths.ADDONS / name for name in settings.our_addons()]
    folders += sorted(m.parent for m in paths.SERVER_ADDONS.glob("*/__manifest__.py"))
    return {folder.name: _tree_hash(folder) for folder in folders}


def _tree_hash(folder):
    parts = []
    for file in sorted(folder.rglob("*")):
        inner = file.relative_to(folder)
        if file.is_file() and not IGNORED & set(inner.parts):
            parts += [inner, file]
    return stamps.digest(*(str(p) if not p.is_absolute() else p for p in parts))


def _oca_pins():
    text = (paths.ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("odoo-addon-")]


def _create(stage, runtime, name, addons):
    stage.doing(f"making {name}")
    modules = ",".join([*BARE, *addons])
    options = ["--unaccent", "--with-demo", f"--load-language={LANGUAGES}"]
    _odoo(stage, runtime, name, "-i", modules, *options)
    stage.note = f"{name}: made with demo data"


def _update(stage, runtime, name, state, wanted, platform):
    """Install what is new and update what changed, in one run of Odoo."""
    held = state.get("addons", {})
    if not state:
        # not made by us (a restored or foreign database): bring all up to date
        held = dict.fromkeys(_installed(runtime, name), "")
    new = [addon for addon in wanted if addon not in held]
    kept = [addon for addon in wanted if addon in held]
    changed = [addon for addon in kept if held[addon] != wanted[addon]]
    if state.get("platform", platform) != platform:
        changed = ["base"]
    if not new and not changed:
        stage.note = f"{name}: up to date"
        return
    arguments = ["--with-demo"]
    arguments += ["-i", ",".join(new)] if new else []
    arguments += ["-u", ",".join(changed)] if changed else []
    stage.doing(f"{name}: updating {' '.join(new + changed)}")
    _odoo(stage, runtime, name, *arguments)
    stage.note = f"{name}: updated {' '.join(new + changed)}"


def _odoo(stage, runtime, name, *arguments):
    """Run Odoo to its end, its progress on the stage's line."""
    log = paths.LOGS / f"database-{name}.log"
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(stage, log, done), daemon=True)
    log.unlink(missing_ok=True)
    watcher.start()
    try:
        # the job runner and crons must not work on a database in the making
        extra = ("--stop-after-init", "--max-cron-threads=0", "--no-http")
        status = runtime.run_odoo(name, *arguments, *extra, log_path=log)
    finally:
        done.set()
        watcher.join()
    text = log.read_text(encoding="utf-8", errors="replace")
    if status:
        raise Stop(
            f"Odoo could not load the database {name}. {_reason(text)} Whole log: {log}"
        )
    if "demo data failed to install" in text:
        say(f"Some demo data could not be loaded; see {log}")


def _reason(text):
    """What Odoo's log names as the error, in its own words."""
    errors = re.findall(r"^[\w.]+(?:Error|Exception|Missing\w*): .+$", text, re.M)
    if errors:
        return f"Odoo says: {errors[-1][:500]}"
    return f"The last lines:\n{tail(text, 15)}\n"


def _watch(stage, log, done):
    """Show which module Odoo is at ("Loading module crm (31/72)")."""
    place = 0
    while not done.wait(0.5):
        try:
            with open(log, encoding="utf-8", errors="replace") as file:
                file.seek(place)
                text = file.read()
                place = file.tell()
        except OSError:
            continue
        for line in text.splitlines():
            before, sign, after = line.partition("Loading module ")
            if sign:
                stage.doing(after.strip())
            elif "odoo.tools.translate" in line or "loading translation" in line:
                stage.doing("translations")


def _installed(runtime, name):
    rows = runtime.psql(
        name, "SELECT name FROM ir_module_module WHERE state = 'installed'"
    )
    return rows.splitlines()


def _check(runtime, name, wanted):
    """Refuse a database that looks made but is not what we need."""
    volatile = runtime.psql(
        name,
        "SELECT provolatile FROM pg_proc WHERE proname = 'unaccent' AND pronargs = 1",
    )
    if volatile != "i":
        raise Stop(
            f"The database {name} has no immutable unaccent(), so searches by name "
            "would be slow. It was not made by this command: remove it with make "
            "clean, or choose another name (ODA_DB)."
        )
    lacking = set(wanted) - set(_installed(runtime, name))
    if lacking:
        raise Stop(
            f"These addons are not installed in {name}: {', '.join(sorted(lacking))}. "
            f"See {paths.LOGS / f'database-{name}.log'}."
        )
