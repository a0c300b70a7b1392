# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A row of a file about a person or company -> what to create, and what is wrong.

No ``env``: columns are guessed from their headers, cells are judged one by one.
"""

import re
from datetime import date
from typing import NamedTuple

from stdnum.exceptions import ValidationError as StdnumError
from stdnum.md import idno as md_idno

from odoo.addons.oda_base import phone as numbers

from . import import_values
from .import_headers import SYNONYMS
from .import_values import normal
from .spreadsheet import unguard
from .tables import Formula

TARGETS = tuple(SYNONYMS)

CONSENTS = ("consent_processing", "consent_news", "consent_calls", "consent_sms")
#: cells that name one of a list, or say yes, a number, a day: see `import_values`
LISTED = frozenset(CONSENTS) | frozenset(
    "legal_form activity locality district gender lang tags staff founded "
    "consent_source consent_at".split()
)

#: legal forms of which the row is a firm, not a person
FIRMS = frozenset("ii gt srl sa cooperative partnership state ngo public".split())

OK, WARNING, ERROR = "ok", "warning", "error"
NAME_MAX = 250  # characters
EMAIL_MAX = 254  # RFC 5321
_EMAIL = re.compile(
    r"[^@\s<>\"',;:\\()\[\]]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}"
)
_SPACES = re.compile(r"\s+")


class Verdict(NamedTuple):
    """What became of a row.

    :ivar state: `OK`, `WARNING` or `ERROR`
    :ivar words: tuple of ``(code, value)``, in order of the columns
    :ivar clean: ``{target: value}`` ready to be stored; `birth` as ISO date or year,
        days as ISO dates, records as ids
    :ivar e164: tuple of the numbers, for finding doubles
    """

    state: str
    words: tuple
    clean: dict
    e164: tuple


# === COLUMNS ===#


_KNOWN = {
    normal(word): target
    for target, words in SYNONYMS.items()
    for word in reversed(words)
}
_KNOWN.update({target: target for target in TARGETS if "_" not in target})


def guess_columns(headers, remembered=None, available=TARGETS, own=None):
    """Return a target (or None) for each header; none is given twice.

    :param remembered: ``{normal(header): target or None}``: what people chose before
    :param available: targets that can be stored here
    :param own: ``{normal(label): target}`` of fields that administrators added
    """
    known = _KNOWN | (own or {}) | (remembered or {})
    taken, found = set(), []
    for header in headers:
        target = known.get(normal(header))
        if target == "phone" and "phone" in taken:
            target = "phone2"
        if target not in available or target in taken:
            target = None
        if target:
            taken.add(target)
        found.append(target)
    # A column "Prenume" beside one called "Nume" is the first name.
    if "first_name" in taken and "last_name" not in taken and "name" in taken:
        if "last_name" in available:
            found[found.index("name")] = "last_name"
    return found


# === CELLS ===#


def tidy(text):
    """Return a text in one line without what nobody sees."""
    text = "".join(c for c in unguard(str(text)) if c.isprintable() or c.isspace())
    return _SPACES.sub(" ", text).strip()


def judge_email(text):
    """Return the address in small letters, or None when it is none."""
    address = tidy(text).removeprefix("mailto:").strip("<>").lower()
    return address if len(address) <= EMAIL_MAX and _EMAIL.fullmatch(address) else None


def judge_identity(text):
    """Return the 13 digits of an IDNP or IDNO, or None when they do not add up."""
    try:
        return md_idno.validate(text)
    except (StdnumError, ValueError):
        return None


def judge_date(text, today=None):
    """Return an ISO date, or a year of four digits, or None.

    Takes ``2001-05-17``, ``17.05.2001``, ``17/05/2001`` (day first), a year, and the
    number a spreadsheet keeps for a day. A day to come is no birthday.
    """
    today = today or date.today()
    text = tidy(text)
    if text.isascii() and text.isdigit() and len(text) == 4:
        return text if 1900 <= int(text) <= today.year else None
    day = import_values.day(text, today)
    return day.isoformat() if day else None


def judge(cells, regions=("MD", "RO"), today=None, catalogue=import_values.EMPTY):
    """Return the `Verdict` on one row.

    :param cells: ``{target: text}``; a `Formula` is never taken
    :param regions: country codes whose national numbers may be meant
    :param catalogue: what cells may name, an `import_values.Catalogue`
    """
    words, clean, e164 = [], {}, []
    failed = False
    for target, raw in cells.items():
        text = tidy(raw)
        if not text:
            continue
        if isinstance(raw, Formula) or (text[0] in "=@" and target != "note"):
            words.append(("formula", text[:60]))
            failed = True
            continue
        if target in LISTED or target in catalogue.kinds:
            remark = _listed(target, raw, text, cells, catalogue, clean, today)
            words += [remark] if remark else []
            continue
        value = text
        if target in ("phone", "phone2"):
            number = numbers.parse(text, *regions)
            value = number.international if number.e164 else None
            if number.e164:
                e164.append(number.e164)
        elif target == "email":
            value = judge_email(text)
        elif target in ("idnp", "idno"):
            value = judge_identity(text)
        elif target == "birth":
            value = judge_date(text, today)
        elif target == "note":
            value = unguard(str(raw)).strip()
        if value is None:
            words.append((target if target != "phone2" else "phone", text[:60]))
            failed = True
            continue
        clean[target] = value
    _name(clean, bool(cells.get("first_name") or cells.get("last_name")))
    if not clean.get("name") and not failed:
        words.append(("nameless", ""))
        failed = True
    elif len(clean.get("name", "")) > NAME_MAX:
        words.append(("long_name", str(NAME_MAX)))
        failed = True
    if not failed and not e164 and not clean.get("email"):
        words.append(("unreachable", ""))
    state = ERROR if failed else WARNING if words else OK
    return Verdict(state, tuple(words), clean, tuple(dict.fromkeys(e164)))


def _listed(target, raw, text, cells, catalogue, clean, today):
    """Put what a cell names into `clean`; return the remark, or None.

    Who this person is does not hang on it: what cannot be read is left out, and said.
    """
    value, more = None, text[:60]
    if target == "district":
        if tidy(cells.get("locality", "")):
            return None  # read with the locality
        value, _why = import_values.place(text, "", catalogue)
        target = "locality" if value else target
    elif target == "locality":
        district = tidy(cells.get("district", ""))
        value, why = import_values.place(text, district, catalogue)
        clean.setdefault("city", tidy(cells.get("city", "")) or text)
        if why == "several":
            return ("localities", more)
    elif target == "activity":
        value = import_values.activity(text, catalogue)
    elif target == "tags":
        value, unknown = import_values.several(text, catalogue.choices.get(target, {}))
        if unknown:
            clean.update({target: value} if value else {})
            return (target, ", ".join(unknown)[:60])
    elif target in ("staff", "founded"):
        value = import_values.whole(text)
        if value is not None and value < 0:
            value = None
    elif target in CONSENTS:
        value = import_values.yes_or_no(text)
        if value and not catalogue.choices.get("consent_yes"):
            return ("consent_yes", more)
    elif target == "consent_at":
        found = import_values.day(text, today or date.today())
        value = found.isoformat() if found else None
    elif target in catalogue.kinds:
        kind = catalogue.kinds[target]
        cell = unguard(str(raw)).strip() if kind == "text" else text
        value = import_values.own(cell, target, catalogue)
        more = f"{catalogue.labels.get(target, target)}: {more}"
    else:
        value = catalogue.choices.get(target, {}).get(normal(text))
    if value is None:
        return ("own" if target in catalogue.kinds else target, more)
    clean[target] = value
    return None


def _name(clean, is_person):
    """Make one name of two; a company alone is a name too."""
    first, last = clean.pop("first_name", ""), clean.pop("last_name", "")
    if not clean.get("name") and (first or last):
        clean["name"] = f"{first} {last}".strip()
    if not clean.get("name") and clean.get("company"):
        clean["name"] = clean.pop("company")
        clean["is_company"] = "1"
    # Beside a firm of its own column the row is of somebody who works there.
    if clean.get("legal_form") in FIRMS and not is_person and not clean.get("company"):
        clean["is_company"] = "1"


def keys(verdict):
    """Return what makes two rows the same: numbers, address, identity."""
    found = [("phone", number) for number in verdict.e164]
    found += [
        (kind, verdict.clean[kind])
        for kind in ("email", "idnp", "idno")
        if verdict.clean.get(kind)
    ]
    return found
