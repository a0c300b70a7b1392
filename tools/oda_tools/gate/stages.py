# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What ``make test`` does, and in which order.

::

    lint: ruff, pylint, house          (beside everything else)
    ground -> install A -> python A -> hoot A
                        -> install B -> python B -> hoot B     (B depends on A)
    full (all addons, demo data) -> pytest tests/system, uninstall
    pytest tests/* (the rest)

Each addon is installed in a copy of its dependency's database, so that it is tested
with what it depends on and nothing else. Two steps run at a time. Each server log is
judged as soon as it is complete.
"""

import contextlib
import fcntl
import os
import traceback
from pathlib import Path

from oda_tools import console, paths
from oda_tools.gate import (
    databases,
    hoot,
    house,
    install,
    odoo_tests,
    pytests,
    uninstall,
)
from oda_tools.gate import lint as linters
from oda_tools.gate.addons import AddonError, Catalogue
from oda_tools.gate.context import Context, fresh_folder
from oda_tools.gate.process import Processes
from oda_tools.gate.report import Report, Result
from oda_tools.gate.scheduler import Scheduler, Step

WIDTH = 2


def lint(runtime, addon="", root=None):
    """``make lint``: style and static checks only.

    :param runtime: a prepared Runtime
    :param str addon: only this addon's pylint; the rest is quick
    :return: exit status
    """
    root = Path(root or paths.ROOT)
    return _run(_context(runtime, root, None, "lint-logs"), addon, _lint_steps)


def test(runtime, addon="", root=None, addons_path=None):
    """``make test``: everything, or one addon with the static checks.

    :param runtime: a prepared Runtime (with the development tools)
    :param str addon: only this addon's install, Python and HOOT tests
    :param Path root: the clone (another one in the gate's own tests)
    :param addons_path: folders of addons that are not ours
    :return: exit status: 0 when nothing failed
    :raise console.Stop: when it cannot start, in words
    """
    root = Path(root or paths.ROOT)
    with _alone(root):
        context = _context(runtime, root, addons_path, "test-logs")
        return _run(context, addon, _all_steps)


@contextlib.contextmanager
def _alone(root):
    """One ``make test`` at a time in a clone: they would share logs and a CPU."""
    (root / ".local").mkdir(exist_ok=True)
    with open(root / ".local" / "test.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise console.Stop("Another make test runs in this clone.") from None
        yield


def _run(context, addon, steps):
    chosen = _chosen(context.catalogue, addon)
    scheduler = Scheduler(
        steps(context, chosen, bool(addon)),
        WIDTH,
        _blocked(context.report),
        _broken(context.report),
    )
    try:
        context.databases.drop_orphans()
        scheduler.run()
    except KeyboardInterrupt:
        console.say("\nInterrupted: ending what runs and dropping its databases.")
        return 130
    finally:
        context.processes.close()
        scheduler.wait(10)
        kept = context.databases.drop_all()
        if kept:
            console.say(f"Databases kept: {', '.join(kept)}")
    return context.report.finish()


def _context(runtime, root, addons_path, logs):
    try:
        catalogue = Catalogue(root / "addons", addons_path or _other_folders())
        catalogue.order()
    except AddonError as error:
        raise console.Stop(str(error)) from None
    return Context(
        runtime=runtime,
        root=root,
        catalogue=catalogue,
        databases=databases.Databases(runtime, bool(os.environ.get("ODA_KEEP"))),
        processes=Processes(),
        report=Report(console.say),
        logs=fresh_folder(root / ".local" / logs),
    )


def _other_folders():
    """Folders with the addons that are not ours: the server's, Debian's cure, OCA's."""
    from oda_tools import settings

    found = [f for f in settings.addons_path() if f != paths.ADDONS]
    package = next((f.parent for f in found if f.parent.name == "odoo"), None)
    if package:
        found.append(package / "addons")
    return [*found, *paths.VENV.glob("lib/python3*/site-packages/odoo/addons")]


def _chosen(catalogue, addon):
    if not addon:
        return list(catalogue.order())
    if addon not in catalogue.ours:
        known = ", ".join(sorted(catalogue.ours)) or "none"
        raise console.Stop(f"There is no addon {addon!r}. Known: {known}.")
    return [addon]


def _failed(report, step, text):
    stage, _, subject = step.name.partition(" ")
    report.add(Result(stage, subject or "-", failures=[text]))


def _blocked(report):
    def blocked(step, cause):
        _failed(report, step, f"  not run, because {cause} failed")

    return blocked


def _broken(report):
    def broken(step, error):
        if isinstance(error, console.Stop):
            _failed(report, step, f"  {error}")
        else:
            lines = "".join(traceback.format_exception(error)).splitlines()
            _failed(report, step, "\n".join(f"  {line}" for line in lines))

    return broken


def _lint_steps(context, chosen, single):
    only = [context.catalogue.ours[name] for name in chosen] if single else None
    return [
        Step("ruff", lambda: linters.ruff(context), rank=0),
        Step("house", lambda: house.run(context), rank=1),
        Step("pylint", lambda: linters.pylint(context, only), rank=60),
    ]


class _Plan:
    """Builds the steps; remembers the databases that steps hand to each other."""

    def __init__(self, context):
        self.context = context
        self.made = {}
        self.steps = []

    def add(self, name, run, after=(), rank=0):
        self.steps.append(Step(name, run, tuple(after), rank))

    def _keep(self, name, database):
        self.made[name] = database
        return bool(database)

    def ground(self):
        self.add("ground", lambda: self._keep("ground", install.ground(self.context)))

    def addon(self, name, tested):
        context, addon = self.context, self.context.catalogue.ours[name]
        parent = context.catalogue.parent(name)
        source = f"install {parent}" if parent else "ground"
        own, python = f"install {name}", f"python {name}"
        self.add(
            own,
            lambda: self._keep(own, install.run(context, addon, self.made[source])),
            # the next addon's database comes first: it lets two more steps start
            after=[source],
            rank=10,
        )
        if tested:
            self.add(
                python,
                lambda: self._keep(
                    python, odoo_tests.run(context, addon, self.made[own])
                ),
                after=[own],
                rank=30,
            )
            self.add(
                f"hoot {name}",
                lambda: hoot.run(context, addon, self.made[python]),
                after=[python],
                rank=40,
            )

    def whole(self):
        """The full database and what needs it."""
        context = self.context
        names = list(reversed(context.catalogue.order()))
        self.add("full", lambda: self._keep("full", install.full(context)), rank=20)
        self.add(
            "uninstall all",
            lambda: uninstall.run(context, self.made["full"], names),
            after=["full"],
            rank=50,
        )

    def pytests(self):
        for folder in pytests.folders(self.context.root):
            slow = folder.name == "system"
            after = ["full"] if slow and self.context.catalogue.ours else []
            self.add(
                f"pytest {folder.name}",
                lambda folder=folder, after=after: pytests.run(
                    self.context,
                    folder,
                    {"ODA_TEST_TEMPLATE": self.made["full"]} if "full" in after else {},
                ),
                after=after,
                rank=25 if slow else 55,
            )


def _all_steps(context, chosen, single):
    plan = _Plan(context)
    if context.catalogue.ours:
        plan.ground()
    needed = set(chosen).union(*map(context.catalogue.our_closure, chosen))
    for name in context.catalogue.order():
        if name in needed:
            plan.addon(name, name in chosen)
    if not single:
        if context.catalogue.ours:
            plan.whole()
        plan.pytests()
    return [*_lint_steps(context, chosen, single), *plan.steps]
