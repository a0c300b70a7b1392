# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""In what two beneficiaries are alike, and how much that weighs.

No ``env``. A person is ``{trait: value}``: a plain value, or a set of them where
there may be several; what is not known is left out or empty.
"""

from typing import NamedTuple


class Trait(NamedTuple):
    """Something two people may have in common.

    :ivar weight: points when it is shared; of a set, for each shared value
    :ivar most: points at most
    :ivar strong: whether it makes people alike by itself; being a woman does not
    """

    name: str
    weight: int
    most: int
    strong: bool


#: best first: what they do, then what they ask for, then where, then who they are
TRAITS = (
    Trait("activity", 6, 6, True),
    Trait("branch", 3, 3, True),
    Trait("programmes", 4, 8, True),
    Trait("instruments", 3, 6, True),
    Trait("locality", 4, 4, True),
    Trait("district", 2, 2, True),
    Trait("tags", 2, 4, True),
    Trait("size", 2, 2, False),
    Trait("legal_form", 1, 1, False),
    Trait("age_group", 1, 1, False),
    Trait("gender", 1, 1, False),
)
#: of two that say the same, the first is told and counted
_IMPLIED = {"activity": "branch", "locality": "district"}


class Shared(NamedTuple):
    """A trait that two people share, the values of it, and its points."""

    trait: str
    values: tuple
    points: int


def compare(one, other):
    """Return what two people share: list of :class:`Shared`, in the order of
    :data:`TRAITS`.

    :param dict one: trait -> value or set of values
    :param dict other: the same
    """
    found, implied = [], set()
    for trait in TRAITS:
        common = _values(one.get(trait.name)) & _values(other.get(trait.name))
        if not common or trait.name in implied:
            continue
        implied.add(_IMPLIED.get(trait.name))
        points = min(trait.weight * len(common), trait.most)
        found.append(Shared(trait.name, tuple(sorted(common)), points))
    return found


def points(shared):
    """Return the points of what is shared, 0 of nothing."""
    return sum(one.points for one in shared)


def _values(value):
    if isinstance(value, (set, frozenset, list, tuple)):
        return set(value)
    return set() if value in (None, False, "") else {value}
