# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Figures, their targets, and the page they are written to."""

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"


def percentile(values, share):
    """The value that ``share`` (0 ... 1) of the values do not exceed."""
    ordered = sorted(values)
    place = max(0, min(len(ordered) - 1, -(-len(ordered) * share // 1) - 1))
    return ordered[int(place)]


def p50_p95(values):
    """(median, 95th percentile)."""
    return statistics.median(values), percentile(values, 0.95)


@dataclass
class Figure:
    """One line of the report.

    :ivar target: in words, "" when there is none
    :ivar met: None when there is no target
    """

    name: str
    ours: str
    peer: str = "-"
    ratio: str = "-"
    target: str = ""
    met: bool | None = None


@dataclass
class Section:
    """What one bench has to say: figures, and how they were taken."""

    title: str
    how: str
    figures: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    load_average: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(self, *arguments, **values):
        figure = Figure(*arguments, **values)
        self.figures.append(figure)
        print("  " + _line(figure), flush=True)

    def note(self, text):
        self.notes.append(text)
        print("  " + text, flush=True)

    @property
    def missed(self):
        return [figure for figure in self.figures if figure.met is False]

    def markdown(self):
        lines = [f"### {self.title}", "", self.how]
        lines += [f"Load average of the machine before it: {self.load_average:.1f}."]
        if self.figures:
            lines += ["", "| | ours | stock Odoo | ratio | target | met |"]
            lines += ["|---|---|---|---|---|---|"]
            lines += [
                f"| {f.name} | {f.ours} | {f.peer} | {f.ratio} | {f.target or '-'} | "
                f"{_met(f)} |"
                for f in self.figures
            ]
        lines += ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines)


def _met(figure):
    return "-" if figure.met is None else "yes" if figure.met else "**no**"


def _line(figure):
    parts = [f"{figure.name}: {figure.ours}"]
    if figure.peer != "-":
        parts.append(f"stock Odoo {figure.peer}")
    if figure.ratio != "-":
        parts.append(f"ratio {figure.ratio}")
    if figure.target:
        parts.append(f"target {figure.target}: {'met' if figure.met else 'NOT met'}")
    return ", ".join(parts)


def machine(runtime):
    """One sentence on what the figures were taken on."""
    from odoo import release

    model = platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    postgres = runtime.psql("postgres", "SHOW server_version").split()[0]
    fsync = runtime.psql("postgres", "SHOW fsync")
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GB, "
        f"Python {platform.python_version()}, PostgreSQL {postgres} (fsync {fsync}), "
        f"Odoo {release.version}; client, server and PostgreSQL share the machine"
    )


def revision():
    """Short name of the commit that is measured, with a mark for edits since."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip() or "unknown"


def append(sections, command, runtime):
    """Add one run to docs/performance.md."""
    now = datetime.now(timezone.utc)
    lines = [
        "",
        f"## {now:%Y-%m-%d %H:%M} UTC, `{command}`, commit {revision()}",
        "",
        machine(runtime) + ".",
        "",
        "\n\n".join(section.markdown() for section in sections),
        "",
    ]
    with open(PAGE, "a", encoding="utf-8") as file:
        file.write("\n".join(lines))
