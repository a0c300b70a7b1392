# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Cells that name one of a list, or say yes, a number, a day: text -> value.

No ``env``: the lists come as a :class:`Catalogue`. What cannot be read is None; the
caller says so, row by row.
"""

import functools
import re
import unicodedata
from datetime import date, timedelta
from typing import NamedTuple

_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\w]+|_", re.UNICODE)
_SPLIT = re.compile(r"[;,|\n]")
_ACTIVITY = re.compile(r"(?:[a-u]\s*)?(\d{2})\.?(\d{0,2})\b", re.IGNORECASE)
_SECTION = re.compile(r"[a-u]", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3}){2,}|(?:\.\d{3}){2,})")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
#: words before the name of a place that say what it is
_PLACE = frozenset(
    "r raion raionul or oras orasul mun municipiul s sat satul com comuna uta "
    "р район г город мун муниципий с село ком коммуна".split()
)
#: a place of this kind is meant rather than a village of the same name
PLACE_ORDER = ("municipality", "town", "commune", "village", "district", "autonomy")
_DATES = (
    (re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[ T].*)?"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})"), (3, 2, 1)),
)
_DAY_ZERO = date(1899, 12, 30)  # of spreadsheets, which think 1900 was a leap year

YES = frozenset("da yes true adevarat 1 x v ok + да истина sim oui acord".split())
NO = frozenset("nu no false fals 0 - нет ложь non refuz".split())
GENDERS = {
    "female": "f fem feminin feminina femeie woman female ж жен женский женщина",
    "male": "m masc masculin barbat male man м муж мужской мужчина",
}
LANGUAGES = {
    "ro": "ro ron rom romana romaneste romanian md moldovenesc румынский молдавский",
    "ru": "ru rus rusa ruseste russian рус русский",
    "en": "en eng engleza english английский",
}
LEGAL_FORMS = {
    "person": ("pf", "persoana fizica", "физлицо", "физическое лицо"),
    "independent": ("activitate independenta", "liber profesionist"),
    "patent": ("patenta", "titular de patenta", "патент"),
    "ii": ("ii", "intreprindere individuala", "ип"),
    "gt": ("gt", "gospodarie taraneasca", "кх", "крестьянское хозяйство"),
    "srl": ("srl", "societate cu raspundere limitata", "ооо", "llc", "ltd"),
    "sa": ("sa", "societate pe actiuni", "ао", "jsc"),
    "cooperative": ("cooperativa", "cooperativa agricola", "кооператив"),
    "partnership": ("snc", "societate in nume colectiv"),
    "state": ("is", "im", "intreprindere de stat", "intreprindere municipala"),
    "ngo": ("ong", "ao", "asociatie obsteasca", "asociatie", "нпо"),
    "public": ("ip", "institutie publica", "primarie", "gimnaziu", "liceu"),
    "other": ("alta", "altele", "другое"),
}


class Place(NamedTuple):
    """A locality; `district`: the normal name of what it lies in, "" of a district."""

    id: int
    kind: str
    district: str
    district_id: int | None


class Catalogue(NamedTuple):
    """What the cells of a file may name.

    :ivar choices: ``{target: {normal text: value}}``
    :ivar places: ``{normal name: [Place]}``
    :ivar activities: ``{code without the dot, or normal name: id}``
    :ivar kinds: ``{target: kind}`` of fields that administrators added; kinds are
        ``char text integer float date boolean choice choices``
    :ivar labels: ``{target: label}`` of the same
    """

    choices: dict
    places: dict
    activities: dict
    kinds: dict
    labels: dict


EMPTY = Catalogue({}, {}, {}, {}, {})


@functools.lru_cache(maxsize=20_000)
def normal(text):
    """Return a text without case, accents, punctuation: what is compared."""
    text = unicodedata.normalize("NFKD", str(text).replace("ё", "е").replace("й", "й"))
    kept = []
    for letter in text:
        if unicodedata.combining(letter):
            # й is a letter, not an и with a mark
            if kept and kept[-1] in "иИ" and letter == "\u0306":
                kept[-1] = "й"
            continue
        kept.append(letter)
    return _SPACES.sub(" ", _WORD.sub(" ", "".join(kept).casefold())).strip()


def words_of(table):
    """Return ``{normal word: key}`` of ``{key: words}``, a text or several."""
    return {
        normal(word): key
        for key, words in table.items()
        for word in (words.split() if isinstance(words, str) else words)
    }


def yes_or_no(text):
    """Return True, False, or None."""
    word = normal(text) or str(text).strip()
    return True if word in YES else False if word in NO else None


def number(text):
    """Return a float, or None: ``1 250,50``, ``1.250,50``, ``1250.5`` are numbers.

    ``1,250`` is one thing here and another there: nobody's guess.
    """
    text = re.sub(r"[\s\u00a0']", "", str(text))
    if "," in text and "." in text:
        thousands = "," if text.rindex(".") > text.rindex(",") else "."
        text = text.replace(thousands, "")
    elif _THOUSANDS.fullmatch(text):
        text = text.replace(",", "").replace(".", "")
    elif _EITHER.fullmatch(text):
        return None
    if not _NUMBER.fullmatch(text) or len(text) > 18:
        return None
    return float(text.replace(",", "."))


def whole(text):
    """Return an int of at most nine digits, or None."""
    value = number(text)
    if value is None or value != int(value) or abs(value) > 999_999_999:
        return None
    return int(value)


def day(text, today=None):
    """Return a date, or None; day first, also as the number a spreadsheet keeps.

    :param date today: nothing later is accepted, when given
    """
    text = str(text).strip()
    found = None
    if text.isascii() and text.isdigit() and len(text) == 5:
        found = _DAY_ZERO + timedelta(days=int(text))
    for pattern, order in _DATES:
        if match := pattern.fullmatch(text):
            try:
                found = date(*(int(match[part]) for part in order))
            except ValueError:
                return None
    if found and found >= date(1900, 1, 1) and (not today or found <= today):
        return found
    return None


def place(text, district, catalogue):
    """Return ``(locality id or None, why not)``: why is "" , "none" or "several".

    :param str text: ``Cojușna``, ``s. Cojușna``, ``Cojușna, r-nul Strășeni``
    :param str district: of another column, or empty
    """
    name, comma, rest = text.partition(",")
    district = _bare(district or (rest if comma else ""))
    found = catalogue.places.get(_bare(name), [])
    if district:
        found = [
            one
            for one in found
            if one.district == district
            or (not one.district and _bare(name) == district)
        ]
    for kind in PLACE_ORDER:
        same = [one for one in found if one.kind == kind]
        if len(same) == 1:
            return same[0].id, ""
        if same:
            return None, "several"
    return None, "none"


def _bare(text):
    """Return the normal name of a place, without what says that it is one."""
    words = normal(text).split()
    if words[:2] == ["r", "nul"]:
        words = words[2:]
    while len(words) > 1 and words[0] in _PLACE:
        words = words[1:]
    return " ".join(words)


def activity(text, catalogue):
    """Return the id of a class of activity, by its code or its whole name, or None."""
    text = text.strip()
    if match := _ACTIVITY.match(text):
        return catalogue.activities.get(match[1] + match[2])
    if _SECTION.fullmatch(text):
        return catalogue.activities.get(text.lower())
    return catalogue.activities.get(normal(text))


def several(text, known):
    """Return ``(values, names that are not known)`` of a list in one cell."""
    values, unknown = [], []
    for part in _SPLIT.split(text):
        part = part.strip()
        if part and normal(part) in known:
            values.append(known[normal(part)])
        elif part:
            unknown.append(part)
    return list(dict.fromkeys(values)), unknown


def own(text, target, catalogue):
    """Return the value of a field that administrators added, or None."""
    kind = catalogue.kinds[target]
    if kind in ("char", "text"):
        return text
    if kind == "integer":
        return whole(text)
    if kind == "float":
        return number(text)
    if kind == "date":
        found = day(text)
        return found.isoformat() if found else None
    if kind == "boolean":
        return yes_or_no(text)
    known = catalogue.choices.get(target, {})
    if kind == "choices":
        values, unknown = several(text, known)
        return None if unknown else values
    return known.get(normal(text))
