# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests.common import BaseCase, tagged
from odoo.tools import file_open

from .. import places

DATA = "oda_crm/data/localities.csv"
# District: (units of the first level, localities). Sum of localities 1 682, units on
# the right bank 898: both as published by the National Bureau of Statistics.
COUNTS = {
    "01": (19, 35),
    "03": (3, 3),
    "05": (2, 2),
    "10": (26, 45),
    "12": (7, 10),
    "14": (28, 39),
    "17": (37, 55),
    "21": (27, 51),
    "25": (28, 44),
    "27": (30, 48),
    "29": (23, 39),
    "31": (25, 43),
    "34": (22, 30),
    "36": (28, 40),
    "38": (11, 15),
    "41": (32, 49),
    "43": (31, 76),
    "45": (40, 74),
    "48": (19, 35),
    "53": (39, 63),
    "55": (25, 34),
    "57": (22, 40),
    "60": (23, 39),
    "62": (21, 33),
    "64": (38, 75),
    "67": (25, 41),
    "71": (28, 55),
    "74": (26, 70),
    "78": (35, 68),
    "80": (27, 39),
    "83": (23, 33),
    "85": (23, 26),
    "87": (15, 26),
    "89": (31, 54),
    "92": (33, 74),
    "96": (26, 32),
    "98": (79, 147),
}


def classifier():
    with file_open(DATA, "r") as stream:
        return places.read(stream)


@tagged("post_install", "-at_install")
class TestPlacesPure(BaseCase):
    def test_the_file_has_no_faults(self):
        self.assertEqual(places.faults(classifier()), [])

    def test_counts(self):
        rows = [one for one in classifier() if one.kind != places.SECTOR]
        inside = [one for one in rows if not one.is_top]
        localities = Counter(one.district for one in inside)
        units = Counter(one.district for one in inside if not one.unit)
        self.assertEqual({key: (units[key], localities[key]) for key in units}, COUNTS)
        self.assertEqual(len(inside), 1682)
        self.assertEqual(sum(units.values()) - units["98"], 898)
        kinds = Counter(one.kind for one in rows if one.is_top)
        self.assertEqual(kinds, {"district": 32, "municipality": 3, "autonomy": 2})
        # thirteen municipalities by law: three of the first rank, ten within districts
        self.assertEqual(
            sum(one.kind == places.MUNICIPALITY and not one.is_top for one in rows), 10
        )

    def test_every_district_has_a_region_and_a_russian_name(self):
        for one in classifier():
            with self.subTest(one=one):
                self.assertEqual(bool(one.region), one.is_top)
                if one.is_top or one.kind in (places.TOWN, places.MUNICIPALITY):
                    self.assertTrue(one.name_ru)

    def test_faults_are_named(self):
        good = places.Place("10", "1000000", "district", "Anenii Noi", "", "centre")
        for bad, word in (
            (good._replace(code="10", name="A"), "seven digits"),
            (good._replace(code="1210000", kind="village"), "another district"),
            (good._replace(code="1010001", kind="village"), "commune 1010000"),
            (good._replace(code="1010000", kind="hamlet"), "no such kind"),
            (good._replace(code="1010000", kind="village", name="Chişinău"), "letters"),
            (good._replace(code="1010000", kind="village", name="A  B"), "spaces"),
            (good._replace(code="", kind="village", name="A"), "without a code"),
        ):
            with self.subTest(word=word):
                found = places.faults([good, bad])
                self.assertTrue(any(word in one for one in found), found)
        self.assertEqual(len(places.faults([good, good])), 2, "code and name twice")

    def test_spellings(self):
        for name, wanted in (
            ("Hîncești", ["hincesti", "hancesti"]),
            ("Rîșcani", ["riscani", "rascani"]),
            ("Fîntîna Albă", ["fintina alba", "fantana alba"]),
            ("Isacova", ["isacova"]),
            ("Кишинёв", ["кишинев"]),
            ("", []),
            (None, []),
        ):
            self.assertEqual(places.spellings(name), wanted)
        self.assertEqual(places.fold("  ȘOLDĂNEŞTI -- r.%_\\ "), "soldanesti r")
        self.assertEqual(places.fold("Чок-Майдан"), "чок майдан")

    @given(st.text(max_size=60))
    @settings(max_examples=200, deadline=None)
    def test_folding_leaves_nothing_a_pattern_would_read(self, text):
        folded = places.fold(text)
        self.assertFalse(set(folded) & set("%_\\|'\""))
        self.assertEqual(places.fold(folded), folded)
