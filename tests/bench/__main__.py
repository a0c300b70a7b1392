# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""All benches, or the one that ONLY names; the report goes to docs/performance.md.

Run by ``make bench`` with the venv's Python. ``QUICK=1`` takes short runs, to see
that the benches work, and leaves the page alone.
"""

import importlib
import os
import sys

from oda_tools.console import Stop, complain, say
from oda_tools.runtime import Runtime

from . import load, report
from .ground import Ground

BENCHES = (
    "contact",
    "intake",
    "calls",
    "card",
    "crm",
    "faults",
    "archive",
    "kill9",
)


def run(runtime, only="", quick=False):
    """Run benches and write the report; returns how many targets were missed."""
    names = [name for name in only.replace(",", " ").split()] or list(BENCHES)
    unknown = set(names) - set(BENCHES)
    if unknown:
        raise Stop(f"ONLY={only}: the benches are {', '.join(BENCHES)}.")
    sections = []
    with load.generator() as generator:
        ground = Ground(runtime, generator, quick)
        say(report.machine(runtime))
        for name in names:
            say(f"\n{name}")
            bench = importlib.import_module(f"{__package__}.bench_{name}")
            sections += bench.run(ground)
    command = "make bench" + (f" ONLY={only}" if only else "")
    if not quick:
        report.append(sections, command, runtime)
        say(f"\nWritten to {report.PAGE.relative_to(report.ROOT)}.")
    missed = [figure for section in sections for figure in section.missed]
    for figure in missed:
        say(f"Not met: {figure.name}: {figure.ours} (target {figure.target})")
    return len(missed)


def main():
    try:
        with Runtime.prepare(dev=True) as runtime:
            only, quick = os.environ.get("ONLY", ""), bool(os.environ.get("QUICK"))
            return 1 if run(runtime, only, quick) else 0
    except Stop as stop:
        complain(stop)
        return stop.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
