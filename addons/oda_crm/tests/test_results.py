# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_crm import results


class TestResults(BaseCase):
    def test_nothing_is_no_result(self):
        for text in (
            None, "", "   \n\t", "...", "-- !? --", "\u200b\u200b", "___", "👍 👍",
            "<p><br></p>", "<div> &nbsp; </div>", "\u00a0", "<!-- a note -->",
        ):  # fmt: skip
            with self.subTest(text=text):
                self.assertEqual(results.judge(text), results.EMPTY)

    def test_words_are_counted_in_any_script(self):
        for text in ("A venit", "Позвонил, придёт", "sună-l mâine", "0 lei"):
            with self.subTest(text=text):
                self.assertIsNone(results.judge(text, least_words=2))
        self.assertEqual(results.judge("ok", least_words=2), results.SHORT)

    def test_the_last_one_again_is_none(self):
        last = "L-am sunat, vine joi."
        for text in (last, "l-am SUNAT -- vine joi", "<p>L-am sunat, vine joi</p>"):
            with self.subTest(text=text):
                self.assertEqual(results.judge(text, last), results.REPEAT)
        self.assertIsNone(results.judge("L-am sunat, vine vineri.", last))

    def test_length(self):
        self.assertIsNone(results.judge("a " * 5000))
        self.assertEqual(results.judge("a " * 5001), results.LONG)

    def test_comparisons_are_no_tags(self):
        self.assertEqual(len(results.words("2 < 3 sau 5 > 4")), 5)

    @given(st.text())
    def test_never_fails_and_never_lets_nothing_in(self, text):
        fault = results.judge(text, "", 1)
        self.assertEqual(fault is None, bool(results.words(text)))
        if fault is None:
            self.assertEqual(results.judge(text, text), results.REPEAT)
