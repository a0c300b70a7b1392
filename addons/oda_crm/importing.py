# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A row of a file about a person or company -> what to create, and what is wrong.

No ``env``: columns are guessed from their headers, cells are judged one by one.
"""

import re
import unicodedata
from datetime import date, timedelta
from typing import NamedTuple

from stdnum.exceptions import ValidationError as StdnumError
from stdnum.md import idno as md_idno

from odoo.addons.oda_base import phone as numbers

from .spreadsheet import unguard
from .tables import Formula

#: what a column may hold -> the headers people give it, in Romanian, Russian, English
SYNONYMS = {
    "name": (
        "nume",
        "numele",
        "nume prenume",
        "nume si prenume",
        "numele prenumele",
        "prenume nume",
        "nume complet",
        "denumire",
        "denumirea",
        "beneficiar",
        "persoana",
        "contact",
        "имя",
        "фио",
        "ф и о",
        "фамилия имя",
        "фамилия имя отчество",
        "название",
        "наименование",
        "бенефициар",
        "клиент",
        "name",
        "full name",
        "display name",
        "client",
        "customer",
        "beneficiary",
    ),
    "first_name": ("prenume", "prenumele", "first name", "given name", "имя отчество"),
    "last_name": ("nume de familie", "familia", "last name", "surname", "фамилия"),
    "phone": (
        "telefon",
        "telefonul",
        "tel",
        "nr telefon",
        "numar telefon",
        "numar de telefon",
        "telefon mobil",
        "mobil",
        "gsm",
        "телефон",
        "тел",
        "номер телефона",
        "мобильный",
        "мобильный телефон",
        "phone",
        "phone number",
        "mobile",
        "mobile phone",
        "cell",
    ),
    "phone2": (
        "telefon 2",
        "alt telefon",
        "telefon fix",
        "telefon serviciu",
        "телефон 2",
        "другой телефон",
        "рабочий телефон",
        "phone 2",
        "other phone",
        "work phone",
    ),
    "email": (
        "email",
        "e mail",
        "mail",
        "posta electronica",
        "adresa de email",
        "почта",
        "эл почта",
        "электронная почта",
        "имейл",
        "email address",
    ),
    "idnp": ("idnp", "cod personal", "идентификационный номер", "персональный код"),
    "idno": ("idno", "cod fiscal", "фискальный код", "fiscal code", "tax id"),
    "company": (
        "companie",
        "compania",
        "intreprindere",
        "intreprinderea",
        "firma",
        "organizatie",
        "компания",
        "фирма",
        "предприятие",
        "организация",
        "company",
        "company name",
        "organisation",
        "organization",
    ),
    "function": ("functie", "functia", "post", "должность", "job position", "position"),
    "street": ("adresa", "strada", "адрес", "улица", "address", "street"),
    "city": (
        "oras",
        "orasul",
        "localitate",
        "localitatea",
        "город",
        "населенный пункт",
        "city",
        "town",
        "locality",
    ),
    "zip": ("cod postal", "индекс", "почтовый индекс", "zip", "postal code"),
    "ref": ("referinta", "cod", "код", "reference", "ref", "id"),
    "website": ("site", "pagina web", "сайт", "website"),
    "birth": (
        "data nasterii",
        "data nastere",
        "anul nasterii",
        "an nastere",
        "дата рождения",
        "год рождения",
        "birth date",
        "date of birth",
        "birthday",
        "birth year",
    ),
    "note": (
        "nota",
        "note",
        "comentariu",
        "observatii",
        "заметка",
        "комментарий",
        "notes",
        "comment",
    ),
}
TARGETS = tuple(SYNONYMS)

OK, WARNING, ERROR = "ok", "warning", "error"
NAME_MAX = 250  # characters
EMAIL_MAX = 254  # RFC 5321
_EMAIL = re.compile(
    r"[^@\s<>\"',;:\\()\[\]]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}"
)
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\w]+|_", re.UNICODE)
_DATES = (
    (re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[ T].*)?"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})"), (3, 2, 1)),
)
_DAY_ZERO = date(1899, 12, 30)  # of spreadsheets, which think 1900 was a leap year


class Verdict(NamedTuple):
    """What became of a row.

    :ivar state: `OK`, `WARNING` or `ERROR`
    :ivar words: tuple of ``(code, value)``, in order of the columns
    :ivar clean: ``{target: text}`` ready to be stored; `birth` as ISO date or year
    :ivar e164: tuple of the numbers, for finding doubles
    """

    state: str
    words: tuple
    clean: dict
    e164: tuple


# === COLUMNS ===#


def normal(header):
    """Return a header without case, accents, punctuation: what is compared."""
    text = unicodedata.normalize(
        "NFKD", str(header).replace("ё", "е").replace("й", "й")
    )
    kept = []
    for letter in text:
        if unicodedata.combining(letter):
            # й is a letter, not an и with a mark
            if kept and kept[-1] in "иИ" and letter == "\u0306":
                kept[-1] = "й"
            continue
        kept.append(letter)
    return _SPACES.sub(" ", _WORD.sub(" ", "".join(kept).casefold())).strip()


_KNOWN = {
    normal(word): target
    for target, words in SYNONYMS.items()
    for word in reversed(words)
}
_KNOWN.update({target: target for target in TARGETS if "_" not in target})


def guess_columns(headers, remembered=None, available=TARGETS):
    """Return a target (or None) for each header; none is given twice.

    :param remembered: ``{normal(header): target or None}``: what people chose before
    :param available: targets that can be stored here
    """
    remembered = remembered or {}
    taken, found = set(), []
    for header in headers:
        key = normal(header)
        target = remembered[key] if key in remembered else _KNOWN.get(key)
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
    if text.isascii() and text.isdigit() and len(text) <= 5:
        number = int(text)
        if 1900 <= number <= today.year:
            return str(number)
        if 10_000 <= number <= (today - _DAY_ZERO).days:
            return (_DAY_ZERO + timedelta(days=number)).isoformat()
        return None
    for pattern, order in _DATES:
        if match := pattern.fullmatch(text):
            try:
                day = date(*(int(match[part]) for part in order))
            except ValueError:
                return None
            return day.isoformat() if date(1900, 1, 1) <= day <= today else None
    return None


def judge(cells, regions=("MD", "RO"), today=None):
    """Return the `Verdict` on one row.

    :param cells: ``{target: text}``; a `Formula` is never taken
    :param regions: country codes whose national numbers may be meant
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
    _name(clean)
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


def _name(clean):
    """Make one name of two; a company alone is a name too."""
    first, last = clean.pop("first_name", ""), clean.pop("last_name", "")
    if not clean.get("name") and (first or last):
        clean["name"] = f"{first} {last}".strip()
    if not clean.get("name") and clean.get("company"):
        clean["name"] = clean.pop("company")
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
