# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Install-only: each addon alone on what it depends on, with a silent log."""

from oda_tools.database import BARE, LANGUAGES
from oda_tools.gate.report import Result

INSTALLED = "SELECT name FROM ir_module_module WHERE state = 'installed'"
STUCK = (
    "SELECT name, state FROM ir_module_module"
    " WHERE state IN ('to install', 'to upgrade', 'to remove')"
)


def ground(context):
    """The kept template with what every addon stands on; returns its name or None."""
    catalogue = context.catalogue
    modules = catalogue.settled(
        set().union(*(catalogue.closure(n) for n in catalogue.common_ground()))
    ) - set(catalogue.ours)
    manifests = [catalogue.all[n].path / "__manifest__.py" for n in modules]
    name = context.databases.ground_name(modules, manifests)
    result = Result("ground", f"{len(modules)} modules")
    if context.databases.has(name):
        result.notes.append("kept from an earlier run")
        result.passed = 1
        context.report.add(result)
        return name
    log = result.log = context.log("ground", "base")
    made = context.databases.remember("ground")
    wanted = ",".join(sorted(catalogue.common_ground()))
    # Odoo makes the database itself: its unaccent must be immutable
    arguments = ("--unaccent", "-i", wanted, "--stop-after-init")
    outcome = context.odoo(made, *arguments, log=log, timeout=900)
    good = context.end_well(result, outcome, "Odoo installing the ground")
    if good:
        marks = context.column(
            made, "SELECT provolatile FROM pg_proc WHERE proname = 'unaccent'"
        )
        good = result.check(marks and "i" in marks, "  unaccent is not immutable")
    if good:
        context.databases.keep_as_ground(made, name)
    result.seconds = outcome.seconds
    context.report.add(result)
    context.judge_log("ground", log)
    return name if good else None


def run(context, addon, source, timeout=600):
    """Install one addon in a copy of ``source``; returns the database or None.

    The result stays untouched: tests work in copies of it.
    """
    log = context.log("install", addon.name)
    result = Result("install", addon.name, log=log)
    database = context.databases.clone(source, f"in_{addon.name}")
    arguments = ("-i", addon.name, "--stop-after-init", "--no-http")
    outcome = context.odoo(database, *arguments, log=log, timeout=timeout)
    good = context.end_well(result, outcome, "Odoo installing it")
    result.seconds = outcome.seconds
    if good:
        good = _only_what_it_names(context, addon, database, result)
    context.report.add(result)
    context.judge_log(f"install {addon.name}", log)
    return database if good else None


def _only_what_it_names(context, addon, database, result):
    """Exactly its dependencies are installed, no sibling, nothing half done."""
    catalogue = context.catalogue
    installed = context.column(database, INSTALLED)
    ground_closure = set().union(
        *(catalogue.closure(name) for name in catalogue.common_ground())
    )
    may = catalogue.settled(catalogue.closure(addon.name) | ground_closure)
    good = result.check(addon.name in installed, "  it is not installed")
    absent = catalogue.closure(addon.name) - installed
    good &= result.check(not absent, f"  dependencies not installed: {sorted(absent)}")
    strangers = installed - may
    good &= result.check(not strangers, f"  installed unasked: {sorted(strangers)}")
    stuck = context.rows(database, STUCK)
    return good & result.check(not stuck, f"  left half done: {stuck}")


def full_arguments(names):
    """Options that make the database of ``make run`` with these addons."""
    options = ("--unaccent", "--with-demo", f"--load-language={LANGUAGES}")
    modules = ",".join((*BARE, *names))
    return (*options, "--no-http", "--stop-after-init", "-i", modules)


def full(context, timeout=1200):
    """All addons together with demo data, as ``make run`` has it; the name or None."""
    names = context.catalogue.order()
    log = context.log("full", "all")
    result = Result("full", "all addons, demo data", log=log)
    database = context.databases.remember("full")
    arguments = full_arguments(names)
    outcome = context.odoo(database, *arguments, log=log, timeout=timeout)
    good = context.end_well(result, outcome, "Odoo installing all addons")
    if good:
        absent = set(names) - context.column(database, INSTALLED)
        good = result.check(not absent, f"  not installed: {sorted(absent)}")
    result.seconds = outcome.seconds
    context.report.add(result)
    context.judge_log("full", log)
    return database if good else None
