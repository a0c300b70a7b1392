# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Rules of this house that no linter knows; each is a function giving sentences."""

import ast
import re
import subprocess
import time

from oda_tools.gate import po
from oda_tools.gate.report import Result

LICENCE = "# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html)."
LONGEST = 400
CODE = (".py", ".js", ".xml", ".scss", ".css")
LANGUAGES = ("ro", "ru")
TEXT = (*CODE, ".md", ".rst", ".toml", ".cfg", ".conf", ".yml", ".json", ".txt", ".sh")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)


def files(root):
    """Files of the project: tracked ones and new ones that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
    )
    if listed.returncode:
        # an unpacked archive: everything but hidden folders
        found = (p for p in root.rglob("*") if p.is_file())
        return sorted(p for p in found if not _hidden(p.relative_to(root)))
    names = listed.stdout.decode(errors="replace").split("\0")
    return sorted(root / name for name in names if name and (root / name).is_file())


def _hidden(path):
    return any(part.startswith(".") for part in path.parts)


def _read(path):
    return path.read_text(encoding="utf-8", errors="replace")


def is_test(path):
    """Whether a file serves only tests."""
    return "tests" in path.parts or path.name.startswith("test_")


def sudo_reasons(root, paths):
    """Each ``sudo()`` says why, on its line or in the comment above its statement."""
    for path in paths:
        inner = path.relative_to(root)
        if inner.suffix != ".py" or inner.parts[0] != "addons" or is_test(inner):
            continue
        text = _read(path)
        for number in unexplained_sudo(text):
            yield f"{inner}:{number}: sudo() without '# sudo: why'"


def unexplained_sudo(text):
    """Line numbers of ``sudo()`` calls in a Python source that give no reason."""
    lines, found = text.splitlines(), []
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    for start, number in _sudo_calls(tree):
        first = start
        while first > 1 and lines[first - 2].strip().startswith("#"):
            first -= 1
        if not any("# sudo:" in line for line in lines[first - 1 : number]):
            found.append(number)
    return sorted(set(found))


def _sudo_calls(tree):
    """(first line of the statement, line of the call) of each ``.sudo(...)``."""
    starts = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt):
            for node in ast.walk(statement):
                # the walk goes from outer to inner statements: the inner one wins
                starts[node] = statement.lineno
    for node, start in starts.items():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "sudo":
                yield start, node.func.end_lineno


def licence(root, paths):
    """The licence is the first line of each Python file that is not empty."""
    for path in paths:
        if path.suffix == ".py":
            text = _read(path)
            first = text.removeprefix("#!/usr/bin/env python3\n").split("\n", 1)[0]
            if text.strip() and first != LICENCE:
                yield f"{path.relative_to(root)}: the first line is not the licence"


def machine_paths(root, paths):
    """No file carries a path of the machine it was written on."""
    homes = r"/(?:home|Users)/[a-z][\w.-]*/"
    pattern = re.compile(rf"{re.escape(str(root))}\b|{homes}")
    for path in paths:
        if path.suffix in TEXT or path.name in ("Makefile", "run"):
            for number, line in enumerate(_read(path).splitlines(), 1):
                if pattern.search(line):
                    yield f"{path.relative_to(root)}:{number}: path of a machine"


def translations(root, paths):
    """Where an addon has translations, Romanian and Russian are complete."""
    folders = {p.parent for p in paths if p.parent.name == "i18n"}
    for folder in sorted(folders):
        for language in LANGUAGES:
            file = folder / f"{language}.po"
            inner = file.relative_to(root)
            if not file.is_file():
                yield f"{inner} is missing"
                continue
            for line, text, why in po.faults(_read(file)):
                yield f"{inner}:{line}: {why}: {text[:60]!r}"


def anchor(heading):
    """The anchor that web renderers of Markdown give a heading."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def links(root, paths):
    """Links between our documents lead somewhere."""
    anchors = {}
    for path in (p for p in paths if p.suffix == ".md"):
        for found in LINK.finditer(FENCE.sub("", _read(path))):
            target = found[1]
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            name, _, part = target.partition("#")
            goal = (path.parent / name).resolve() if name else path
            inner = path.relative_to(root)
            if not goal.exists():
                yield f"{inner}: broken link {target}"
            elif part and goal.suffix == ".md":
                if goal not in anchors:
                    text = FENCE.sub("", _read(goal))
                    anchors[goal] = {anchor(h[1]) for h in HEADING.finditer(text)}
                if part not in anchors[goal]:
                    yield f"{inner}: no heading for {target}"


def long_files(root, paths):
    """Files above LONGEST lines that are no tests (a note, not a failure)."""
    for path in paths:
        inner = path.relative_to(root)
        if path.suffix in CODE and not is_test(inner) and "lib" not in inner.parts:
            count = _read(path).count("\n")
            if count > LONGEST:
                yield f"{inner}: {count} lines"


RULES = (sudo_reasons, licence, machine_paths, translations, links)


def run(context):
    """All rules as one result, a check each."""
    start = time.monotonic()
    result = Result("house", "rules of this house")
    paths = files(context.root)
    for rule in RULES:
        found = list(rule(context.root, paths))
        more = [f"... and {len(found) - 30} more"] * (len(found) > 30)
        lines = "\n".join(f"  {text}" for text in [*found[:30], *more])
        result.check(not found, f"  {rule.__doc__.splitlines()[0]}\n{lines}")
    result.notes += [f"long: {text}" for text in long_files(context.root, paths)]
    result.seconds = time.monotonic() - start
    context.report.add(result)
