# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The state classifier of localities (CUATM): its codes, its names, how people type.

Pure Python. A statistical code has seven digits, ``DD UU S VV``: district, unit of the
first level (00 the district itself), a further unit put in later (S), village in it.
"""

import csv
import re
import unicodedata
from typing import NamedTuple

CODE = re.compile(r"[0-9]{7}")
DISTRICT, MUNICIPALITY, AUTONOMY = "district", "municipality", "autonomy"
TOWN, SECTOR, COMMUNE, VILLAGE = "town", "sector", "commune", "village"
KINDS = (DISTRICT, MUNICIPALITY, AUTONOMY, TOWN, SECTOR, COMMUNE, VILLAGE)
TOPS = (DISTRICT, MUNICIPALITY, AUTONOMY)
RURAL = (COMMUNE, VILLAGE)
# Official short forms, as in an address.
SHORT = {
    DISTRICT: "r. ",
    MUNICIPALITY: "mun. ",
    AUTONOMY: "",
    TOWN: "or. ",
    SECTOR: "sect. ",
    COMMUNE: "com. ",
    VILLAGE: "s. ",
}
MARK = "|"  # before each spelling that a search may begin with


class Place(NamedTuple):
    """A row of the classifier: ``district`` two digits, ``code`` seven or none."""

    district: str
    code: str
    kind: str
    name: str
    name_ru: str
    region: str

    @property
    def is_top(self):
        """Whether it is a district, not something in one."""
        return self.kind in TOPS and self.code in ("", f"{self.district}00000")

    @property
    def unit(self):
        """Code of the commune or town that a village belongs to; "" of others."""
        inside = self.code and not self.code.endswith("00")
        return f"{self.code[:5]}00" if inside else ""


def read(lines):
    """Read the classifier's file: an iterable of lines in, a list of places out."""
    return [Place(**row) for row in csv.DictReader(lines)]


def fold(text):
    """Lower case, without accents of any script and without what is not a letter.

    ``fold("Șoldănești, r.")`` is ``"soldanesti r"``; ё is е, as people type it.
    """
    text = unicodedata.normalize("NFD", (text or "").lower())
    # й is a letter of its own, not an accented и; it comes apart like one
    text = text.replace("и\u0306", "й")
    text = "".join(one for one in text if not unicodedata.combining(one))
    return " ".join(re.findall(r"[^\W_]+", text))


def spellings(name):
    """Folded spellings of a Romanian name: with î inside words, and with â.

    The state writes Hîncești, most people Hâncești, and in haste hancesti.
    """
    modern = re.sub(r"(?<=\w)î(?=\w)", "â", name or "")
    return list(dict.fromkeys(filter(None, (fold(name), fold(modern)))))


def words(name, name_ru, code, around):
    """What a search looks in: ``|spelling|spelling|… around``, all folded."""
    heads = [*spellings(name), *spellings(name_ru), code or ""]
    marked = MARK.join(["", *filter(None, dict.fromkeys(heads))])
    inside = " ".join(one for text in around for one in spellings(text))
    return f"{marked} {inside}".strip()


def full_name(name, kind, *around):
    """Name as in an address: ``s. Picus, com. Ochiul Roș, r. Anenii Noi``.

    ``around`` are the full names of what it is in, nearest first; empty ones are left
    out.
    """
    return ", ".join(filter(None, [f"{SHORT.get(kind, '')}{name or ''}", *around]))


def rank(kind, is_top, in_unit):
    """Order in which places are offered: towns, districts, sectors, then villages."""
    if kind == TOWN or (kind == MUNICIPALITY and not is_top):
        return 0
    if is_top:
        return 1
    if kind == SECTOR:
        return 2
    return 4 if in_unit else 3


def faults(places):
    """What is wrong with a list of places: sentences for whoever edits the file."""
    seen, names, codes, found = set(), set(), {one.code for one in places}, []
    tops = {one.district for one in places if one.is_top}
    for one in places:
        label = f"{one.code or one.district} {one.name}"
        if one.code in seen - {""}:
            found.append(f"{label}: the code comes twice")
        if (one.district, one.unit, one.kind, one.name, one.is_top) in names:
            found.append(f"{label}: the name comes twice")
        seen.add(one.code)
        names.add((one.district, one.unit, one.kind, one.name, one.is_top))
        if one.kind not in KINDS or one.district not in tops:
            found.append(f"{label}: no such kind or district")
        if one.code and not CODE.fullmatch(one.code):
            found.append(f"{label}: a code has seven digits")
        if not one.code and not one.is_top:
            found.append(f"{label}: a locality without a code")
        if one.code and one.code[:2] != one.district:
            found.append(f"{label}: the code is of another district")
        if one.unit and one.unit not in codes:
            found.append(f"{label}: its commune {one.unit} is missing")
        if set(one.name) & set("şţŞŢãÃ") or one.name != " ".join(one.name.split()):
            found.append(f"{label}: letters or spaces that Romanian does not have")
    return found
