# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""ruff and pylint-odoo over the sources, as two results."""

import re

from oda_tools.gate.context import last_lines
from oda_tools.gate.report import Result

PLACES = ("addons", "tools", "sandbox", "tests")
FINDING = re.compile(r"^\S+\.(py|pyi|md|toml):\d+:\d+: ")


def _findings(log, limit=30):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [line for line in lines if FINDING.match(line)]
    more = [f"... and {len(found) - limit} more"] * (len(found) > limit)
    return len(found), "\n".join(f"  {line}" for line in [*found[:limit], *more])


def _run(context, name, argv, subject):
    log = context.log("lint", name)
    result = Result(name, subject, log=log)
    outcome = context.processes.run(
        argv, log, timeout=900, env=context.runtime.env(), cwd=context.root
    )
    count, text = _findings(log)
    text = f"  {count} findings\n{text}" if count else last_lines(log)
    result.check(outcome.rc == 0, text)
    result.seconds = outcome.seconds
    context.report.add(result)


def ruff(context):
    """Style, import order, complexity, unsafe markup: see ruff.toml."""
    python = context.runtime.python
    places = [p for p in PLACES if (context.root / p).is_dir()]
    argv = [python, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    _run(context, "ruff", [*argv, *places], " ".join(places))


def pylint(context, addons=None):
    """pylint with the Odoo plugin: see .pylintrc.

    :param addons: the addons to look at, all when None
    """
    addons = list(addons or context.catalogue.ours.values())
    if not addons:
        return
    argv = [context.runtime.python, "-m", "pylint", f"--rcfile={_rcfile(context)}"]
    subject = addons[0].name if len(addons) == 1 else f"{len(addons)} addons"
    _run(context, "pylint", [*argv, *(addon.path for addon in addons)], subject)


def _rcfile(context):
    return context.root / ".pylintrc"
