# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Phone numbers as people type them and as exchanges send them: one E.164.

Pure Python: no ``env``, no database. Every function here accepts whatever the
outside world sends and never raises; a number that cannot be dialled from the
whole world gets no ``e164`` and therefore never matches anybody.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

DEFAULT_REGION = "MD"
RAW_MAX = 128  # characters looked at; what follows cannot be part of a number
DIGITS_MAX = 32  # digits kept of something that is not a number
SHORT_MAX = 6  # digits; an extension (701), an emergency (112), a service (14098)
E164_MAX = 15  # digits, ITU-T E.164
NUMBER_MIN = 7  # digits; less than that is not worth offering to the library

KINDS = ("mobile", "fixed", "other", "short", "anonymous", "invalid")

_ANONYMOUS = frozenset(
    "anonymous anonim anonymous.invalid ascuns asterisk blocked hidden necunoscut"
    " null none private privat restricted secret unavailable unknown withheld"
    " аноним неизвестный скрытый".split()
)
_SCHEME = re.compile(r"^\s*(?:tel|sips?|callto|wtai)\s*:\s*", re.IGNORECASE)
# What people write before a number. Any other word in front (a name, "pbx",
# "SIP/") makes the text something else than a phone number.
_LABEL = re.compile(
    r"^(?:(?:tel|telefon|phone|mob|mobil|mobile|cel|gsm|fax|nr|no|whatsapp|viber"
    r"|telegram|acasă|acasa|serviciu|тел|телефон|моб|факс)\b[\s.:№]*)+",
    re.IGNORECASE,
)
_RUN = re.compile(r"[+(]?[\d\s().\-/+]*")
_EXTENSION = re.compile(
    r"(?:ext(?:ension)?|int(?:erior)?|доб|вн|x|#)[\s.:=]*(\d{1,6})\b", re.IGNORECASE
)
# A second number in the same field, not a separator inside the first one.
_SECOND = re.compile(r"\s/\s|\s{2,}|(?<=\d)\s*(?=\+)|/(?=\s*[+0])")
_SPREADSHEET = re.compile(r"^\s*(\+?\d{7,15})\.0+\s*$")

_KIND_OF_TYPE = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
}

# Area code -> place. Official names; longest code wins.
_AREAS_MD = {
    "210": "Grigoriopol",
    "215": "Dubăsari",
    "216": "Camenca",
    "219": "Dnestrovsc",
    "22": "Chișinău",
    "230": "Soroca",
    "231": "Bălți",
    "235": "Orhei",
    "236": "Ungheni",
    "237": "Strășeni",
    "241": "Cimișlia",
    "242": "Ștefan Vodă",
    "243": "Căușeni",
    "244": "Călărași",
    "246": "Edineț",
    "247": "Briceni",
    "248": "Criuleni",
    "249": "Glodeni",
    "250": "Florești",
    "251": "Dondușeni",
    "252": "Drochia",
    "254": "Rezina",
    "256": "Rîșcani",
    "258": "Telenești",
    "259": "Fălești",
    "262": "Sîngerei",
    "263": "Leova",
    "264": "Nisporeni",
    "265": "Anenii Noi",
    "268": "Ialoveni",
    "269": "Hîncești",
    "271": "Ocnița",
    "272": "Șoldănești",
    "273": "Cantemir",
    "291": "Ceadîr-Lunga",
    "293": "Vulcănești",
    "294": "Taraclia",
    "297": "Basarabeasca",
    "298": "Comrat",
    "299": "Cahul",
    "533": "Tiraspol",
    "552": "Bender",
    "555": "Rîbnița",
    "557": "Slobozia",
}


@dataclass(frozen=True, slots=True)
class ParsedNumber:
    """What a raw text says.

    :ivar e164: ``+37369123456``, or None when it must match nobody
    :ivar kind: one of :data:`KINDS`
    :ivar digits: the ASCII digits: of ``e164`` when there is one, else as typed
        (at most ``DIGITS_MAX``); good for a partial search
    :ivar international: for people to read: ``+373 69 123 456``, or the cleaned text
    :ivar extension: digits typed after "ext.", "int.", "#"…, or ``""``
    """

    e164: str | None
    kind: str
    digits: str
    international: str
    extension: str = ""


def parse(raw, region=DEFAULT_REGION, second=None) -> ParsedNumber:
    """Return the :class:`ParsedNumber` of ``raw``.

    :param raw: str, bytes, int, None or anything else; at most ``RAW_MAX``
        characters are looked at
    :param region: ISO 3166 code whose national form is tried first
    :param second: another region to try when the first finds nothing (a
        subscriber abroad, the country of the number that was called)

    Never raises. An unknown region is treated as no hint at all.
    """
    return _parse(_clean(raw), _region(region), _region(second))


def e164(raw, region=DEFAULT_REGION, second=None) -> str | None:
    """Shorthand: the E.164 form, or None."""
    return parse(raw, region, second).e164


def looks_like_number(text) -> bool:
    """True when a search term is worth parsing: digits and separators only."""
    text = _clean(text)
    digits = sum(char.isdigit() for char in text)
    return NUMBER_MIN <= digits <= E164_MAX + 2 and bool(_RUN.fullmatch(text))


def locality(number) -> str | None:
    """The place a Moldovan fixed line belongs to (``Bălți``), else None.

    ``number`` is an E.164 string. Mobile numbers belong to no place.
    """
    if not isinstance(number, str) or not number.startswith("+373"):
        return None
    for size in (3, 2):
        if place := _AREAS_MD.get(number[4 : 4 + size]):
            return place
    return None


def _clean(raw) -> str:
    """Any object -> text with ASCII digits, plain spaces, no invisible marks."""
    if isinstance(raw, (bytes, bytearray)):
        raw = bytes(raw[: RAW_MAX * 4]).decode("utf-8", "replace")
    elif isinstance(raw, bool):
        return ""
    elif isinstance(raw, float):
        raw = f"{raw:.0f}" if raw.is_integer() and 0 < raw < 1e16 else ""
    elif isinstance(raw, int):
        raw = str(raw) if 0 <= raw < 10**DIGITS_MAX else ""
    if not isinstance(raw, str):
        return ""
    # NFKC folds full-width digits, non-breaking spaces and superscripts.
    text = unicodedata.normalize("NFKC", raw[: RAW_MAX * 2])
    return "".join(map(_clean_char, text)).strip()[:RAW_MAX].rstrip()


def _clean_char(char: str) -> str:
    if char.isascii():
        # a control character is a separator: "069\t123456", a pasted new line
        return char if char.isprintable() else " "
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Cf", "Cc", "Cs", "Co", "Cn", "Mn"):
        # right-to-left marks, zero-width joiners, halves of surrogate pairs…;
        # a combining mark left alone by NFKC cannot be part of a number either
        return ""
    if category == "Pd" or char == "\N{MINUS SIGN}":
        return "-"
    if category.startswith("Z"):
        return " "
    return char


@lru_cache(maxsize=256)
def _region(code) -> str | None:
    if not isinstance(code, str):
        return None
    code = code.strip().upper()[:2]
    return code if code in phonenumbers.SUPPORTED_REGIONS else None


@lru_cache(maxsize=16384)
def _parse(text: str, region: str | None, second: str | None) -> ParsedNumber:
    if not text or text.strip("<>\"' ").casefold() in _ANONYMOUS:
        return ParsedNumber(None, "anonymous", "", text)
    body = _SCHEME.sub("", text).partition("@")[0]
    if sheet := _SPREADSHEET.match(body):
        body = sheet[1]
    body = _LABEL.sub("", body)
    run = _RUN.match(body)[0].strip()
    digits = _digits(run)
    if digits:
        found = _EXTENSION.search(body, len(run))
        for candidate in _candidates(run):
            number = _number(candidate, region, second)
            if number:
                return _parsed(number, found[1] if found else "")
    digits = digits or _digits(text)
    rest = body[len(run) :].strip() if digits else text
    # "112" is short; "12 Maria" or "flat 4" is not a number at all
    is_short = bool(digits) and len(digits) <= SHORT_MAX and not rest
    return ParsedNumber(None, "short" if is_short else "invalid", digits, text)


def _parsed(number, extension: str) -> ParsedNumber:
    code = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    shown = _shown(code) or phonenumbers.format_number(
        number, PhoneNumberFormat.INTERNATIONAL
    )
    kind = _KIND_OF_TYPE.get(phonenumbers.number_type(number), "other")
    return ParsedNumber(code, kind, code[1:], shown, extension)


def _shown(code: str) -> str:
    """Moldovan numbers as Moldova writes them: +373 69 123 456, +373 231 22 110."""
    if not code.startswith("+373") or len(code) != 12:
        return ""
    national = code[4:]
    if national[0] in "67" or national.startswith("22"):
        groups = (national[:2], national[2:5], national[5:])
    else:
        groups = (national[:3], national[3:5], national[5:])
    return " ".join(("+373", *groups))


def _digits(text: str) -> str:
    return "".join(char for char in text if "0" <= char <= "9")[:DIGITS_MAX]


def _candidates(run: str):
    """The whole run, then the first of several numbers written in one field."""
    yield run
    first = _SECOND.split(run, maxsplit=1)[0].strip()
    if first and first != run:
        yield first


def _number(candidate: str, region: str | None, second: str | None):
    """A valid PhoneNumber for the candidate, or None."""
    digits = _digits(candidate)
    if not NUMBER_MIN <= len(digits) <= E164_MAX + 4:
        return None
    plus = candidate.startswith("+") or candidate.startswith("(+")
    if "+" in candidate.lstrip("(+"):
        return None
    if plus and not digits.startswith("0"):
        return _valid("+" + digits, None)
    if digits.startswith("00"):
        # 00 is dialled from both countries, whatever the hint says
        return _valid("+" + digits[2:], None)
    for hint in dict.fromkeys((region, second)):
        if hint and (number := _valid(digits, hint)):
            return number
    if digits.startswith("0"):
        return None
    # A missing "+". Exact digits only: a fiscal code of 13 digits must not
    # become an Egyptian subscriber by dropping a trunk zero.
    number = _valid("+" + digits, None)
    if number and _parsed(number, "").digits == digits:
        return number
    return None


def _valid(text: str, region: str | None):
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
