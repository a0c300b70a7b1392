# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""docs/requirements.md names only code and tests that exist.

In the columns "code" and "test" each `…` is a file (of the root, of `addons/`, or of
the folder named before it in the cell), with `*` if need be, and what stands in it:
`file.py::Class::method`; `::Class` alone is in the file named before it.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "requirements.md"
#: of issue 3; nobody may lose one without a word
CRM = (
    "III.1 III.2 III.3 III.4 III.5 III.6 III.7 III.8 III.10 IV.0 IV.a1 IV.a2 "
    "IV.c1 IV.c2 IV.c3 IV.d2 IV.d3 IV.e1 IV.e2 IV.e3 IV.e4 IV.e5 IV.m1 IV.m2 IV.m3 VI"
).split()


def rows(text):
    """``[(first cell, {column: cell})]`` of all tables with a column "test"."""
    found, header = [], None
    for line in text.splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if header is None:
            header = cells
        elif "test" in header and set(line) - set("|-: "):
            found.append((cells[0], dict(zip(header, cells, strict=True))))
    return found


def evidence(cell):
    """``[(pattern of files, [names in them])]`` of one cell."""
    found, folder = [], ""
    for token in re.findall(r"`([^`]+)`", cell):
        name, *inside = token.split("::")
        if not name:
            name = found[-1][0].rpartition("/")[2]
        if "/" in name:
            folder = name.rpartition("/")[0]
        else:
            name = f"{folder}/{name}" if folder else name
        found.append((name, inside))
    return found


def untrue(root, pattern, names):
    """What of one piece of evidence is not there, in words; None when all is."""
    files = [*root.glob(pattern), *(root / "addons").glob(pattern)]
    if not files:
        return f"no file {pattern}"
    text = "\n".join(path.read_text() for path in files if path.is_file())
    for name in names:
        stem = re.escape(name).replace(r"\*", r"\w*")
        if not re.search(rf"\b(?:class|def) {stem}\b|\b{stem} = ", text):
            return f"no {name} in {pattern}"
    return None


CLAIMS = [
    (requirement, piece)
    for requirement, cells in rows(PAGE.read_text())
    for column in ("code", "test")
    for piece in evidence(cells.get(column, ""))
]


@pytest.mark.parametrize(("requirement", "piece"), CLAIMS)
def test_named_code_and_tests_exist(requirement, piece):
    assert untrue(ROOT, *piece) is None, requirement


def test_each_row_has_code_test_and_state():
    for requirement, cells in rows(PAGE.read_text()):
        assert cells.get("state"), requirement
        if not cells["state"].startswith("open"):
            assert evidence(cells["test"]), requirement


def test_no_requirement_is_forgotten():
    named = {
        one
        for requirement, _cells in rows(PAGE.read_text())
        for one in re.split(r",\s*", requirement)
    }
    assert not set(CRM) - named


def test_what_is_not_there_is_noticed(tmp_path):
    folder = tmp_path / "addons" / "x" / "tests"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text("class TestA:\n    def test_b(self): ...\n")
    cell = "`x/tests/test_a.py::TestA::test_b`, `::TestA`, `test_*.py::test_*`"
    pieces = evidence(cell)
    assert [untrue(tmp_path, *piece) for piece in pieces] == [None] * 3
    for cell in ("`x/tests/test_c.py`", "`x/tests/test_a.py::TestA::test_c`"):
        assert untrue(tmp_path, *evidence(cell)[0])
