# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who can do what: the matrix level x department x subject, as plain Python.

No ``env``. A *row* says what people of one level may do with one subject; a row of
a department replaces the general row of its level for the people of that department
and of the departments under it. Whoever has no row may do nothing.
"""

from typing import NamedTuple

#: how far a right reaches, from narrow to wide
SCOPES = ("none", "own", "team", "department", "all")
#: what a right is about
BENEFICIARY, CONSULTATION = SUBJECTS = ("beneficiary", "consultation")
#: levels a person may hold (groups of oda_base), in the order of the screen
LEVELS = (
    "consultant",
    "lead",
    "head",
    "supervisor",
    "marketing",
    "admin",
    "auditor",
    "cashier",
    "accountant",
    "connector",
)
#: each implies those before it: only the highest one counts, so that the row of
#: heads is what heads may do, also where it is narrower than that of consultants
LADDER = ("consultant", "lead", "head")
#: shown in the matrix, never changed: what these do stands in other rooms
FIXED_LEVELS = ("cashier", "accountant", "connector")
#: looks at everything and touches nothing
READ_ONLY_LEVELS = ("auditor",)

SCOPE_RIGHTS = ("see", "edit", "delete")
YES_NO_RIGHTS = ("import", "export", "merge")
RIGHTS = ("see", "edit", "import", "export", "delete", "merge")
#: rights that change something
CHANGING = ("edit", "import", "delete", "merge")


class Row(NamedTuple):
    """One row of the matrix.

    :ivar department: id, or None for the general row of the level
    :ivar values: ``{right: scope}`` of :data:`SCOPE_RIGHTS`, ``{right: bool}`` of
        :data:`YES_NO_RIGHTS`
    """

    level: str
    subject: str
    department: int | None
    values: dict


def rank(scope):
    """Return how wide a scope is, 0 to 4; an unknown one is as narrow as none."""
    return SCOPES.index(scope) if scope in SCOPES else 0


def widest(scopes):
    """Return the widest of some scopes, ``"none"`` of none."""
    return max(scopes, key=rank, default="none")


def narrower(one, other):
    """Return the narrower of two scopes."""
    return min(one, other, key=rank)


def counting_levels(levels):
    """Return the levels that count out of those a person holds, in order."""
    held = [level for level in LEVELS if level in levels]
    top = next((level for level in reversed(LADDER) if level in held), None)
    return tuple(level for level in held if level not in LADDER or level == top)


def consistent(values):
    """Return the values of a row with what contradicts itself taken away.

    What is not seen is not edited nor deleted; to import or to merge is to edit; to
    export is to see.
    """
    see = values.get("see") or "none"
    edit = narrower(values.get("edit") or "none", see)
    return {
        "see": see,
        "edit": edit,
        "delete": narrower(values.get("delete") or "none", see),
        "import": bool(values.get("import")) and edit != "none",
        "export": bool(values.get("export")) and see != "none",
        "merge": bool(values.get("merge")) and edit != "none",
    }


def locked(level):
    """Return the rights of a level that the matrix does not let anybody change."""
    if level in FIXED_LEVELS:
        return RIGHTS
    return CHANGING if level in READ_ONLY_LEVELS else ()


def row_for(rows, level, subject, departments):
    """Return the row that holds for a level: of the nearest department, or general.

    :param departments: ids of the person's department and of those above it,
        nearest first
    """
    mine = {
        row.department: row
        for row in rows
        if row.level == level and row.subject == subject
    }
    for department in (*departments, None):
        if department in mine:
            return mine[department]
    return None


def judge(rows, levels, subject, departments=()):
    """Return ``{right: scope or bool}``: what a person may do with a subject.

    The strongest of the rows of the levels that count; see :func:`row_for`.
    """
    chosen = [
        consistent(row.values)
        for level in counting_levels(levels)
        if (row := row_for(rows, level, subject, departments))
    ]
    result = {
        right: widest(values[right] for values in chosen) for right in SCOPE_RIGHTS
    }
    for right in YES_NO_RIGHTS:
        result[right] = any(values[right] for values in chosen)
    return result
