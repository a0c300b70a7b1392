# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The rules of a flow as a grid: what is asked (rows) at which stage (columns).

A grid is a list of `Cell` in the order of answering: by stage, then by place. Nothing
here reads the database.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

#: rules a flow may have; a card that asks for more is read by nobody
MOST_CELLS = 300
#: letters of a condition
LONGEST_CONDITION = 10_000
_LONGEST_WHAT = 200


class Cell(NamedTuple):
    """One rule: `what` (a field's path, a property's name, an id) asked at a stage.

    `id` is the rule's, None before it is saved; it tells no grid from another.
    """

    id: int | None
    stage: int
    kind: str
    what: str
    mandatory: bool = True
    strict: bool = False
    condition: str = ""


def parse(told: Any) -> list[Cell]:
    """Return the cells that a browser (or the journal) tells.

    :param told: list of dicts with the names of `Cell`
    :raise ValueError: not such a list; the text is for developers
    """
    if not isinstance(told, list) or len(told) > MOST_CELLS:
        raise ValueError(f"not a list of at most {MOST_CELLS} cells")
    return [_cell(one) for one in told]


def _cell(told: Any) -> Cell:
    if not isinstance(told, Mapping):
        raise ValueError("a cell is not a dict")
    id_, stage = told.get("id"), told.get("stage")
    kind, what = told.get("kind"), told.get("what")
    condition = told.get("condition") or ""
    fits = (
        (id_ is None or id_ is False or _is_id(id_))
        and _is_id(stage)
        and isinstance(kind, str)
        and isinstance(what, str)
        and 0 < len(what) <= _LONGEST_WHAT
        and isinstance(condition, str)
        and len(condition) <= LONGEST_CONDITION
    )
    if not fits:
        raise ValueError("a cell has a value of a wrong kind")
    return Cell(
        id_ or None,
        stage,
        kind,
        what,
        bool(told.get("mandatory", True)),
        bool(told.get("strict")),
        condition.strip(),
    )


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**31


def ordered(cells: Iterable[Cell], stages: Sequence[int]) -> list[Cell]:
    """Return cells by stage; within a stage as they come. Foreign stages are last."""
    place = {stage: at for at, stage in enumerate(stages)}
    return sorted(cells, key=lambda cell: place.get(cell.stage, len(place)))


def facts(cells: Iterable[Cell]) -> list[tuple]:
    """Return what tells one grid from another: all but the ids, in order."""
    return [tuple(cell[1:]) for cell in cells]


def told(cells: Iterable[Cell]) -> list[dict]:
    """Return cells for browsers and for the journal; `parse` reads them back."""
    return [cell._asdict() for cell in cells]


def numbers(cells: Iterable[Cell]) -> list[int]:
    """Return the place of each cell in its stage, from 1."""
    count: Counter[int] = Counter()
    result = []
    for cell in cells:
        count[cell.stage] += 1
        result.append(count[cell.stage])
    return result


def twice(cells: Iterable[Cell]) -> Cell | None:
    """Return a cell that asks at a stage what another one asks there, or None.

    The same thing may be asked under two different conditions.
    """
    seen = set()
    for cell in cells:
        key = (cell.stage, cell.kind, cell.what, cell.condition)
        if key in seen:
            return cell
        seen.add(key)
    return None


class Change(NamedTuple):
    """One difference: added, removed, moved, changed, or reordered (a whole stage)."""

    verb: str
    cell: Cell
    was: Cell | None = None


def _pairs(before: Sequence[Cell], after: Sequence[Cell]) -> dict[int, Cell]:
    """Return `{index in after: the cell it was}`: by id, else by what and where.

    What was removed and made again has another id, and is the same for people.
    """
    by_id = {cell.id: cell for cell in before if cell.id}
    pairs = {
        index: by_id[cell.id] for index, cell in enumerate(after) if cell.id in by_id
    }
    taken = {id(cell) for cell in pairs.values()}
    free: dict[tuple, list[Cell]] = {}
    for cell in before:
        if id(cell) not in taken:
            free.setdefault((cell.stage, cell.kind, cell.what), []).append(cell)
    for index, cell in enumerate(after):
        if index not in pairs and (same := free.get(cell[1:4])):
            pairs[index] = same.pop(0)
    return pairs


def difference(before: Sequence[Cell], after: Sequence[Cell]) -> list[Change]:
    """Return what changed between two grids, for people to read."""
    pairs = _pairs(before, after)
    kept = {id(cell) for cell in pairs.values()}
    changes = [Change("removed", cell) for cell in before if id(cell) not in kept]
    for index, cell in enumerate(after):
        was = pairs.get(index)
        if was is None:
            changes.append(Change("added", cell))
        elif was.stage != cell.stage:
            changes.append(Change("moved", cell, was))
        elif was[4:] != cell[4:]:
            changes.append(Change("changed", cell, was))
    place = {id(cell): at for at, cell in enumerate(before)}
    for stage in dict.fromkeys(cell.stage for cell in after):
        staying = [
            place[id(pairs[index])]
            for index, cell in enumerate(after)
            if cell.stage == stage and index in pairs and pairs[index].stage == stage
        ]
        if staying != sorted(staying):
            first = next(cell for cell in after if cell.stage == stage)
            changes.append(Change("reordered", first))
    return changes


def rebase(
    base: Sequence[Cell], mine: Sequence[Cell], theirs: Sequence[Cell]
) -> list[Cell]:
    """Return their grid with what I changed since the base put on top of it."""
    was_mine, was_theirs = _pairs(base, mine), _pairs(base, theirs)
    mine_of = {id(was): mine[index] for index, was in was_mine.items()}
    theirs_of = {id(was): theirs[index] for index, was in was_theirs.items()}
    base_of = {index: was for index, was in was_theirs.items()}
    result: list[Cell] = []
    for index, cell in enumerate(theirs):
        was = base_of.get(index)
        if was is None:
            result.append(cell)
        elif (kept := mine_of.get(id(was))) is not None:
            changed = kept[1:] != was[1:]
            result.append(kept._replace(id=cell.id) if changed else cell)
    there = {cell[1:4] + cell[6:] for cell in result}
    for index, cell in enumerate(mine):
        was = was_mine.get(index)
        new = was is None
        revived = was is not None and id(was) not in theirs_of and cell[1:] != was[1:]
        if (new or revived) and cell[1:4] + cell[6:] not in there:
            result.insert(_at(result, cell, mine, index), cell._replace(id=None))
    for stage in {change.cell.stage for change in difference(base, mine)
                  if change.verb in ("reordered", "moved")}:  # fmt: skip
        result = _in_my_order(result, mine, stage)
    return result


def _at(cells: list[Cell], cell: Cell, mine: Sequence[Cell], index: int) -> int:
    """Return where a cell goes, so that it keeps the number it has in mine."""
    number = sum(one.stage == cell.stage for one in mine[:index])
    same = [at for at, one in enumerate(cells) if one.stage == cell.stage]
    if number < len(same):
        return same[number]
    return same[-1] + 1 if same else len(cells)


def _in_my_order(cells: list[Cell], mine: Sequence[Cell], stage: int) -> list[Cell]:
    """Return cells with those of one stage in my order, what I do not know last."""
    order = {cell[1:4] + cell[6:]: at for at, cell in enumerate(mine)}
    places = [at for at, cell in enumerate(cells) if cell.stage == stage]
    mine_first = sorted(
        (cells[at] for at in places),
        key=lambda cell: order.get(cell[1:4] + cell[6:], len(order)),
    )
    result = list(cells)
    for at, cell in zip(places, mine_first, strict=True):
        result[at] = cell
    return result


def due(
    cells: Sequence[Cell], stages: Sequence[int], stage: int, deeds: Collection[str]
) -> list[int]:
    """Return the indexes of the cells that must be answered to leave a stage.

    :param deeds: kinds that are judged at their own stage only
    """
    if stage not in stages:
        return []
    behind = set(stages[: stages.index(stage) + 1])
    return [
        index
        for index, cell in enumerate(cells)
        if cell.stage in behind and (cell.kind not in deeds or cell.stage == stage)
    ]


def more_asked(
    stages: Sequence[int],
    before: Sequence[Cell],
    after: Sequence[Cell],
    deeds: Collection[str],
) -> dict[int, list[int]]:
    """Return `{stage: indexes in after}` of what only the new grid demands there.

    The last stage is not left any more: nothing is demanded there.
    """
    found = {}
    for stage in stages[:-1]:
        known = {
            _demand(before[index])
            for index in due(before, stages, stage, deeds)
            if before[index].mandatory
        }
        new = [
            index
            for index in due(after, stages, stage, deeds)
            if after[index].mandatory and _demand(after[index]) not in known
        ]
        if new:
            found[stage] = new
    return found


def _demand(cell: Cell) -> tuple:
    return cell.kind, cell.what, cell.strict, cell.condition
