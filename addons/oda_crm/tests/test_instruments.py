# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_crm.instruments import KINDS, TEXT_MAX, BadAnswer, normalise

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


class TestNormalise(BaseCase):
    def test_answers(self):
        for kind, raw, kept in [
            ("tick", True, True),
            ("tick", False, None),
            ("one", 7, 7),
            ("several", [8, 7, 8], [7, 8]),
            ("several", [], None),
            ("number", 0, 0.0),
            ("number", 2.5, 2.5),
            ("number", "", None),
            ("number", False, None),
            ("text", "  <b>x</b>\0 ", "<b>x</b>"),
            ("text", " \n", None),
            ("date", "2026-11-21", date(2026, 11, 21)),
            ("date", "", None),
        ]:
            with self.subTest(kind=kind, raw=raw):
                self.assertEqual(normalise(kind, raw, [7, 8]), kept)

    def test_none_is_no_answer_of_any_kind(self):
        for kind in KINDS:
            self.assertIsNone(normalise(kind, None))

    def test_refused(self):
        for kind, raw in [
            ("tick", 1),
            ("one", 9),
            ("one", True),
            ("several", 7),
            ("several", [9]),
            ("number", "12"),
            ("number", float("nan")),
            ("number", float("inf")),
            ("number", True),
            ("text", ["x"]),
            ("text", "x" * (TEXT_MAX + 1)),
            ("date", "21.11.2026"),
            ("date", 5),
        ]:
            with self.subTest(kind=kind, raw=str(raw)[:20]):
                with self.assertRaises(BadAnswer):
                    normalise(kind, raw, [7, 8])

    def test_ten_thousand_characters_are_kept_whole(self):
        self.assertEqual(len(normalise("text", "ș" * 10_000)), 10_000)

    @given(st.sampled_from(KINDS), ANYTHING, st.sets(st.integers(1, 9)))
    def test_anything_is_kept_or_refused_and_again_the_same(self, kind, raw, options):
        try:
            kept = normalise(kind, raw, options)
        except BadAnswer:
            return
        self.assertEqual(normalise(kind, kept, options), kept)
