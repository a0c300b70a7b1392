# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""State numbers of people and companies: normalised, and checked where it can be.

Pure Python. Moldova gives people an IDNP and companies an IDNO, both of 13 digits with
one check digit; Romania a CNP and a CUI. Neither IDNP nor IDNO holds a birth date.
"""

import re
import unicodedata

from stdnum.exceptions import ValidationError as NumberError
from stdnum.md import idno
from stdnum.ro import cnp, cui

PERSON, FIRM = "person", "firm"
LENGTH = 13  # digits of IDNP and IDNO
FIRM_DIGIT = "1"  # every IDNO begins with it, no IDNP does
FOREIGN = re.compile(r"[0-9A-Z]{4,20}")
# Countries whose numbers are checked; of others only the form is.
HOME, ROMANIA = "MD", "RO"
NOISE = re.compile(r"[\s\-‐-―−./\\_]+")

# What may be wrong, for the model to put in words.
FORM, SIZE, CHECK, OF_FIRM, OF_PERSON = "form", "size", "check", "of_firm", "of_person"


class IdentityError(ValueError):
    """The number is not one; ``args[0]`` is one of the reasons above."""


def normal(text):
    """Return the bare number that ``text`` shows: no spaces, dashes, lower case.

    Accepts str, int or anything false; a float of a spreadsheet (``2001…0.0``) is
    read as the whole number it was. ``""`` when there is nothing.
    """
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    text = unicodedata.normalize("NFKC", str(text)) if text or text == 0 else ""
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = re.sub(r"^(\d{13})\.0+$", r"\1", text.strip())
    text = NOISE.sub("", text).upper()
    return re.sub(r"^(IDNP|IDNO|CNP|CUI|CIF)[:#№]?(?=\w)", "", text)


def looks_like(text):
    """The number when ``text`` may be an IDNP or IDNO someone searches, else None."""
    number = normal(text) if isinstance(text, str) else ""
    return number if re.fullmatch(r"[0-9]{13}", number) else None


def check(text, kind, country=HOME):
    """Return the normalised number; raise :class:`IdentityError` for a wrong one.

    :param kind: ``person`` (IDNP, CNP) or ``firm`` (IDNO, CUI)
    :param country: ISO code of where the person lives or the firm is; empty: Moldova.
        Moldova's numbers are right everywhere, as her citizens live everywhere.
    """
    number = normal(text)
    try:
        return _moldovan(number, kind)
    except IdentityError as error:
        if country in (None, False, "", HOME):
            raise
        if country == ROMANIA:
            return _romanian(number, kind)
        if number.isascii() and number.isdigit() and len(number) == LENGTH:
            raise  # a mistyped number of ours, not a foreign one
        if not FOREIGN.fullmatch(number):
            raise IdentityError(FORM) from error
        return number


def _moldovan(number, kind):
    if not (number.isascii() and number.isdigit()):
        raise IdentityError(FORM)
    if len(number) != LENGTH:
        raise IdentityError(SIZE)
    if number[-1] != idno.calc_check_digit(number[:-1]) or len(set(number)) == 1:
        raise IdentityError(CHECK)
    if kind == PERSON and number.startswith(FIRM_DIGIT):
        raise IdentityError(OF_FIRM)
    if kind == FIRM and not number.startswith(FIRM_DIGIT):
        raise IdentityError(OF_PERSON)
    return number


def _romanian(number, kind):
    try:
        return (cnp if kind == PERSON else cui).validate(number)
    except NumberError as error:
        raise IdentityError(CHECK) from error
