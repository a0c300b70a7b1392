# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What may be answered to an instrument of each kind."""

import math
from datetime import date

KINDS = ("tick", "one", "several", "number", "text", "date")
TEXT_MAX = 100_000  # characters
NUMBER_MAX = 1e15  # beyond it a float counts no units any more


class BadAnswer(ValueError):
    """`reason`: 'tick', 'one', 'several', 'number', 'text', 'date' or 'long'."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def normalise(kind, raw, options=()):
    """Return a raw answer as it is kept, None when it is no answer at all.

    tick -> True; one -> option id; several -> sorted option ids; number -> float
    (0 is an answer); text -> str without spaces around; date -> datetime.date.

    :param raw: anything that came over RPC
    :param options: ids of the options that may be chosen
    :raise BadAnswer: it is not of this kind
    """
    if raw is None or (raw is False and kind != "number"):
        return None
    return _READERS[kind](raw, frozenset(options))


def _tick(raw, _options):
    if raw is not True:
        raise BadAnswer("tick")
    return True


def _one(raw, options):
    if isinstance(raw, bool) or not isinstance(raw, int) or raw not in options:
        raise BadAnswer("one")
    return raw


def _several(raw, options):
    if not isinstance(raw, (list, tuple)):
        raise BadAnswer("several")
    try:
        chosen = {_one(each, options) for each in raw}
    except BadAnswer as error:
        raise BadAnswer("several") from error
    return sorted(chosen) or None


def _number(raw, _options):
    if raw is False or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        raise BadAnswer("number")
    if not math.isfinite(raw) or abs(raw) > NUMBER_MAX:
        raise BadAnswer("number")
    return float(raw)


def _text(raw, _options):
    if not isinstance(raw, str):
        raise BadAnswer("text")
    text = raw.replace("\0", "").strip()
    if len(text) > TEXT_MAX:
        raise BadAnswer("long")
    return text or None


def _date(raw, _options):
    if isinstance(raw, date):
        return date(raw.year, raw.month, raw.day)
    if raw == "":
        return None
    if not isinstance(raw, str):
        raise BadAnswer("date")
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise BadAnswer("date") from error


_READERS = {
    "tick": _tick,
    "one": _one,
    "several": _several,
    "number": _number,
    "text": _text,
    "date": _date,
}
