# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Judging stage rules: what is answered, what is missing, what comes next.

Plain values in and out: the models read the database, this decides.
"""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

LEAST_REASON = 10  # letters of a reason for overriding

# Not for str.strip: joiners, marks of direction, byte order mark, soft hyphen.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MEDIA = re.compile(r"<\s*(?:img|video|audio|iframe|object|embed|svg)\b", re.I)
_TAG = re.compile(r"<[^>]*>")
_NUMBERS = frozenset({"integer", "float", "monetary"})
_TEXTS = frozenset({"char", "text"})


class Rule(NamedTuple):
    """One demand of a flow.

    `stage` is the id of the stage that cannot be left without it; rules of a plan
    come in the order of their stages and, within a stage, of their answering.
    """

    id: int
    stage: int
    kind: str
    name: str
    type: str = ""
    mandatory: bool = True
    strict: bool = False
    condition: Any = None


class Item(NamedTuple):
    """One missing answer, for the screen: `order` is its place in its stage, from 1."""

    kind: str
    name: str
    label: str
    stage: int
    order: int
    mandatory: bool = True


def is_answered(type_: str, value: Any, strict: bool = False) -> bool:
    """Return whether a value is an answer to a question of this field type.

    :param type_: type of an Odoo field or property
    :param value: as read: False or None for nothing, a recordset or a list for many
    :param strict: a zero or an unticked box is no answer either
    """
    if type_ == "boolean":
        return value is True if strict else value is not None
    if type_ in _NUMBERS:
        if value is None or isinstance(value, bool):
            return False
        return bool(value) or not strict
    if type_ in _TEXTS:
        return isinstance(value, str) and bool(visible(value))
    if type_ == "html":
        return bool(value) and has_content(str(value))
    return bool(value)


def visible(text: str) -> str:
    """Return a text without what cannot be seen: edges, joiners, marks."""
    return _INVISIBLE.sub("", text).strip()


def has_content(markup: str) -> bool:
    """Return whether HTML shows anything: a word, a picture, a frame."""
    markup = _COMMENT.sub("", markup)
    if _MEDIA.search(markup):
        return True
    return bool(visible(html.unescape(_TAG.sub("", markup))))


def enough_reason(reason: Any) -> bool:
    """Return whether a reason for overriding says something: ten letters at least."""
    return (
        isinstance(reason, str)
        and sum(letter.isalpha() for letter in reason) >= LEAST_REASON
    )


def place(stages: Sequence[int], stage: int | None) -> int:
    """Return the place of a stage in its flow, -1 for none or for a foreign one."""
    return stages.index(stage) if stage in stages else -1


def step(stages: Sequence[int], before: int | None, after: int | None) -> str:
    """Name a move: stay, next, skip or back; entering at the first is next."""
    if before == after:
        return "stay"
    distance = place(stages, after) - place(stages, before)
    if distance == 1:
        return "next"
    return "skip" if distance > 1 else "back"


def missing(rules: Sequence[Rule], answers: Collection[int]) -> list[Rule]:
    """Return the mandatory rules without an answer, in order.

    :param answers: ids of the answered rules
    """
    return [rule for rule in rules if rule.mandatory and rule.id not in answers]


def before_stage(
    rules: Sequence[Rule], stages: Sequence[int], stage: int | None
) -> list[Rule]:
    """Return the rules of all stages that come before this one."""
    known = set(stages[: max(place(stages, stage), 0)])
    return [rule for rule in rules if rule.stage in known]


def out_of_order(
    rules: Sequence[Rule],
    before: Collection[int],
    after: Collection[int],
    touched: Collection[int] | None = None,
) -> tuple[Rule, Rule] | None:
    """Return `(answered too early, to answer first)`, or None when in order.

    :param rules: those of one stage, in order
    :param before: ids answered before the write
    :param after: ids answered after it; several new ones are judged together
    :param touched: ids the person answered by hand; what followed by itself
        (a phone that came with the beneficiary) is nobody's haste
    """
    first_open = None
    for rule in rules:
        if not rule.mandatory:
            continue
        if rule.id not in after:
            first_open = first_open or rule
        elif first_open and rule.id not in before:
            if touched is None or rule.id in touched:
                return rule, first_open
    return None


def merge_kept(
    kept: Mapping[str, Any] | None, flow: int, answers: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what is kept of all flows with the answers of the one that is left."""
    said = {key: value for key, value in (answers or {}).items() if value is not None}
    result = dict(kept or {})
    if said:
        result[str(flow)] = said
    return result


def shown(definition: Mapping[str, Any], value: Any) -> str:
    """Return a property's value in words, empty when there is none.

    :param definition: of a property: `type`, and `selection` or `tags` as
        `[key, label, …]`
    """
    type_ = definition.get("type")
    if type_ == "boolean":
        return "" if value is None else ("✓" if value else "✗")
    if value is None or value is False or value in ("", []):
        return ""
    options = {one[0]: one[1] for one in definition.get(type_) or ()} if type_ in (
        "selection",
        "tags",
    ) else {}  # fmt: skip
    values = value if isinstance(value, (list, tuple)) else [value]
    return ", ".join(str(options.get(one, one)) for one in values)


_SHAPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "float": (int, float),
    "monetary": (int, float),
    "char": (str,),
    "text": (str,),
    "html": (str,),
    "date": (str,),
    "datetime": (str,),
    "selection": (str,),
    "many2one": (int,),
    "tags": (list, tuple),
    "many2many": (list, tuple),
}


def fits(definition: Mapping[str, Any], value: Any) -> bool:
    """Return whether a stored value is of the type of its property.

    None and False are nothing and fit everywhere.
    """
    type_ = definition.get("type", "")
    if value is None or value is False:
        return True
    if value is True:
        return type_ == "boolean"
    if type_ not in _SHAPES:
        return type_ == "separator"
    if not isinstance(value, _SHAPES[type_]):
        return False
    if type_ == "date":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))
    if type_ == "datetime":
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", value))
    if type_ == "selection":
        return value in [one[0] for one in definition.get("selection") or ()]
    if type_ == "tags":
        known = [one[0] for one in definition.get("tags") or ()]
        return all(one in known for one in value)
    if type_ == "many2many":
        return all(isinstance(one, int) for one in value)
    return True
