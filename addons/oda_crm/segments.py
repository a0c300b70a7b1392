# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a segment means: reading, judging and composing its conditions.

A condition is a domain as Odoo's own widget writes it: a Python list in text. It is
read, never evaluated: literals and a few given names only. No `env` here.
"""

import ast
from typing import Any, NamedTuple

MAX_TEXT = 20_000  # characters of one domain
MAX_LEAVES = 500  # conditions of one domain, those of sub-domains included
MAX_DEPTH = 30  # brackets in brackets

AND, OR, NOT = "&", "|", "!"
SUB_OPERATORS = ("any", "not any")
#: Everything a person may ask. `any!` is not here: it looks past the access rules.
OPERATORS = frozenset(
    "= != <> == < > <= >= in like ilike =like =ilike child_of parent_of any".split()
) | {"not in", "not like", "not ilike", "not =like", "not =ilike", "not any"}

NAMES = {"True": True, "False": False, "None": None}
NAMES |= {"true": True, "false": False, "null": None}

#: Why a text is no domain; the model has the words.
TOO_LONG, UNREADABLE, MALFORMED, OPERATOR = "too_long", "text", "shape", "operator"


class SegmentError(ValueError):
    """A text that is no domain; `reason` is one of the constants above."""

    def __init__(self, reason, detail=""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class Leaf(NamedTuple):
    """One condition: `path` is dotted; `depth` counts the sub-domains around it."""

    path: str
    operator: str
    value: Any
    depth: int


def parse(text, names=None):
    """Read the text of a domain.

    :param str text: e.g. ``[("city", "=", "Cahul"), ("user_id", "=", uid)]``; empty
        text is the empty domain
    :param dict names: further names that may stand for a value, e.g. ``{"uid": 7}``
    :return: list, well formed, of tuples and of ``& | !``
    :raise SegmentError: anything else
    """
    text = (text or "").strip()
    if len(text) > MAX_TEXT:
        raise SegmentError(TOO_LONG)
    if not text:
        return []
    try:
        tree = ast.parse(text, mode="eval")
        value = _value(tree.body, {**NAMES, **(names or {})}, 0)
    except SegmentError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise SegmentError(UNREADABLE) from None
    if not isinstance(value, (list, tuple)):
        raise SegmentError(MALFORMED)
    domain = _normal(value)
    if sum(1 for _leaf in leaves(domain)) > MAX_LEAVES:
        raise SegmentError(TOO_LONG)
    return domain


def _value(node, names, depth):
    if depth > MAX_DEPTH:
        raise SegmentError(TOO_LONG)
    if isinstance(node, ast.Constant) and isinstance(
        node.value, (str, int, float, bool, type(None))
    ):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, (ast.List, ast.Tuple)):
        values = [_value(item, names, depth + 1) for item in node.elts]
        return values if isinstance(node, ast.List) else tuple(values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand, names, depth + 1)
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            return -number
    raise SegmentError(UNREADABLE)


def _normal(domain):
    """The domain with tuples for conditions; refuses what is none."""
    result = [item if item in (AND, OR, NOT) else _condition(item) for item in domain]
    _check_arity(result)
    return result


def _check_arity(domain):
    """Every operator has its operands; conditions side by side are all meant."""
    expected = 0
    for item in domain:
        if item == NOT:
            expected = max(expected, 1)
        elif item in (AND, OR):
            expected = max(expected, 1) + 1
        else:
            expected = max(expected, 1) - 1
    if expected:
        raise SegmentError(MALFORMED)


def _condition(item):
    if not isinstance(item, (list, tuple)) or len(item) != 3:
        raise SegmentError(MALFORMED)
    path, operator, value = item
    if path in (0, 1) and operator == "=" and value == 1 and not isinstance(path, bool):
        return (path, "=", 1)  # Odoo's own "nothing" and "everything"
    if not isinstance(path, str) or not path or not isinstance(operator, str):
        raise SegmentError(MALFORMED)
    operator = " ".join(operator.lower().split())
    if operator not in OPERATORS:
        raise SegmentError(OPERATOR, operator)
    if operator in SUB_OPERATORS:
        if not isinstance(value, (list, tuple)):
            raise SegmentError(MALFORMED)
        value = _normal(value)
    return (path, operator, value)


def leaves(domain, depth=0):
    """Yield each condition as a :class:`Leaf`, those of sub-domains with full path."""
    for item in domain:
        if not isinstance(item, tuple) or not isinstance(item[0], str):
            continue
        path, operator, value = item
        yield Leaf(path, operator, value, depth)
        if operator in SUB_OPERATORS:
            for leaf in leaves(value, depth + 1):
                yield leaf._replace(path=f"{path}.{leaf.path}")


class Part(NamedTuple):
    """A condition on what hangs on a beneficiary.

    `relation` is the field of the beneficiary that leads there, `has` whether
    there must be such a thing or must not, `domain` a parsed domain over it.
    """

    relation: str
    has: bool
    domain: list


def compose(own, parts):
    """One domain: the own conditions, and every part as a set-based sub-query.

    :param list own: a parsed domain over beneficiaries
    :param parts: iterable of :class:`Part`
    :return: list, a domain over beneficiaries
    """
    pieces = [own] if own else []
    pieces += [
        [(part.relation, "any" if part.has else "not any", part.domain)]
        for part in parts
    ]
    result = []
    for piece in pieces:
        result += [*_explicit(piece)]
    return [AND] * (len(pieces) - 1) + result


def _explicit(domain):
    """The domain as one operand: the & between neighbours written out."""
    operands, expected = 0, 0
    for item in domain:
        if not expected:
            operands += 1
        if item == NOT:
            expected = max(expected, 1)
        elif item in (AND, OR):
            expected = max(expected, 1) + 1
        else:
            expected = max(expected, 1) - 1
    return [AND] * (operands - 1) + list(domain)


def similar(values):
    """The domain of those who are like somebody.

    :param dict values: field -> what that person has: a plain value must be the
        same, of a list at least one must be there; empty ones count for nothing
    :return: list, a domain in the order of the fields
    """
    return [
        (name, "in", sorted(value))
        if isinstance(value, (list, tuple, set))
        else (name, "=", value)
        for name, value in values.items()
        if value not in (None, "", False, [], (), set())
    ]
