# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The pure parser: what people type, what exchanges send."""

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..phone import DIGITS_MAX, KINDS, RAW_MAX, locality, looks_like_number, parse

MOBILE = "+37369123456"
NBSP, LRE, PDF, RLM, ZWSP = "\u00a0", "\u202a", "\u202c", "\u200f", "\u200b"

mobiles = st.integers(0, 9_999_999).map(lambda n: f"6{n:07d}")
separators = st.sampled_from(["", " ", "-", ".", NBSP, "\u2011", " - "])


@tagged("-at_install", "post_install")
class TestPhoneParser(BaseCase):
    def test_every_form_meets_in_one(self):
        for raw in (
            "069123456",
            "69123456",
            "37369123456",
            "+37369123456",
            "+373 69 123 456",
            "+373-69-123-456",
            "+373 (69) 12 34 56",
            "(+373) 69123456",
            "+373 069 123456",
            "+373 (0) 69 123 456",
            "0037369123456",
            "00 373 69 123 456",
            "+069123456",
            "0 (69) 123-456",
            f"069{NBSP}123{NBSP}456",
            f"{LRE}+373 69 123456{PDF}",
            f"069{ZWSP}123456{RLM}",
            "069–123–456",
            "０６９１２３４５６",
            "＋３７３６９１２３４５６",
            "٠٦٩١٢٣٤٥٦",
            "069\t123\n456",
            "  069123456  ",
            "069123456 (sora Maria)",
            "069123456 mama",
            "tel. 069123456",
            "Mob: 069 123 456",
            "WhatsApp +373 69 123 456",
            "тел.: 069123456",
            "069123456, 079654321",
            "069123456 / 079654321",
            "069123456/079654321",
            "069123456; fax 022212345",
            "tel:+373-69-123-456;ext=5",
            "sip:+37369123456@pbx.example",
            b"069123456",
            bytearray(b"+37369123456"),
            69123456,
            37369123456,
            69123456.0,
            "69123456.0",
        ):
            with self.subTest(raw=raw):
                number = parse(raw)
                self.assertEqual(number.e164, MOBILE)
                self.assertEqual(number.kind, "mobile")
                self.assertEqual(number.digits, "37369123456")
                self.assertEqual(number.international, "+373 69 123 456")

    def test_kinds(self):
        for raw, e164, kind in (
            ("0 (79) 123-456", "+37379123456", "mobile"),
            ("022 21 23 45", "+37322212345", "fixed"),
            ("(022) 21-23-45", "+37322212345", "fixed"),
            ("0231 12345", "+37323112345", "fixed"),
            ("0800 12345", "+37380012345", "other"),
            ("+40 721 123 456", "+40721123456", "mobile"),
            ("0040 721 123 456", "+40721123456", "mobile"),
            ("40721123456", "+40721123456", "mobile"),
            ("+44 20 7946 0958", "+442079460958", "fixed"),
        ):
            with self.subTest(raw=raw):
                self.assertEqual(parse(raw).e164, e164)
                self.assertEqual(parse(raw).kind, kind)

    def test_extension(self):
        for raw in ("022 212345 ext. 12", "022212345 int.12", "022212345 доб. 12"):
            self.assertEqual(parse(raw).e164, "+37322212345")
            self.assertEqual(parse(raw).extension, "12")

    def test_second_hint(self):
        self.assertIsNone(parse("0721123456").e164)
        self.assertEqual(parse("0721123456", "MD", "RO").e164, "+40721123456")
        self.assertEqual(parse("0721123456", "ro").e164, "+40721123456")
        self.assertEqual(parse("069123456", "RO", "MD").e164, MOBILE)
        self.assertEqual(parse(MOBILE, "nowhere").e164, MOBILE)
        self.assertIsNone(parse("069123456", "nowhere").e164)
        self.assertIsNone(parse("069123456", None).e164)

    def test_matches_nobody(self):
        for raw, kind in (
            (None, "anonymous"),
            ("", "anonymous"),
            ("   ", "anonymous"),
            (RLM, "anonymous"),
            (True, "anonymous"),
            (object(), "anonymous"),
            ("anonymous", "anonymous"),
            ("<Anonymous>", "anonymous"),
            ("Unknown", "anonymous"),
            ("Неизвестный", "anonymous"),
            ("pbx", "invalid"),
            ("Maria", "invalid"),
            ("SIP/701-00000001", "invalid"),
            ("Maria 069123456", "invalid"),
            ("701", "short"),
            (112, "short"),
            ("14098", "short"),
            ("12 Maria", "invalid"),
            ("212345", "short"),
            ("0721123456", "invalid"),
            ("+37369123", "invalid"),
            ("+373691234567", "invalid"),
            ("0" * 40, "invalid"),
            ("9" * 1000, "invalid"),
            (10**5000, "anonymous"),
            (-69123456, "anonymous"),
            (float("nan"), "anonymous"),
            ("+", "invalid"),
            ("+++", "invalid"),
            ("\ud800", "anonymous"),
            (b"\xff\xfe", "invalid"),
        ):
            with self.subTest(raw=str(raw)[:40] if not isinstance(raw, int) else kind):
                self.assertIsNone(parse(raw).e164)
                self.assertEqual(parse(raw).kind, kind)

    def test_fiscal_codes_are_not_numbers(self):
        for code in ("1003600012345", "2004001123456", "0972311123456"):
            self.assertIsNone(parse(code).e164)

    def test_looks_like_number(self):
        for term in ("069123456", "+373 69 123 456", "(022) 21-23-45", "0037369123456"):
            self.assertTrue(looks_like_number(term))
        for term in (
            None,
            "",
            "Ion",
            "12345",
            "069123456 Ion",
            "SRL 2000123456",
            "1" * 30,
        ):
            self.assertFalse(looks_like_number(term))

    def test_locality(self):
        for number, place in (
            ("+37322212345", "Chișinău"),
            ("+37323112345", "Bălți"),
            ("+37329912345", "Cahul"),
            ("+37369123456", None),
            ("+40212345678", None),
            ("022212345", None),
            (None, None),
        ):
            self.assertEqual(locality(number), place)

    @given(
        st.one_of(
            st.text(),
            st.text(alphabet="0123456789+()- ./,;xX#\u00a0\u202aat٣"),
            st.binary(),
            st.integers(),
            st.floats(),
            st.none(),
            st.lists(st.integers()),
        ),
        st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["MD", "RO", "US"])),
    )
    @settings(max_examples=600, deadline=None)
    def test_never_raises(self, raw, region):
        number = parse(raw, region, "RO")
        self.assertIn(number.kind, KINDS)
        self.assertLessEqual(len(number.digits), DIGITS_MAX)
        self.assertLessEqual(len(number.international), RAW_MAX)
        looks_like_number(raw)
        if number.e164:
            self.assertRegex(number.e164, r"\A\+[1-9][0-9]{6,14}\Z")
            self.assertEqual(number.digits, number.e164[1:])
            self.assertIn(number.kind, ("mobile", "fixed", "other"))
            again = parse(number.e164)
            self.assertEqual(again.e164, number.e164)
            self.assertEqual(parse(number.international).e164, number.e164)
        else:
            self.assertIn(number.kind, ("short", "anonymous", "invalid"))

    @given(
        mobiles,
        st.sampled_from(["+373", "00373", "373", "0", ""]),
        separators,
        st.sampled_from(["", " ", " acasa", " (Ion)", ", 022212345", NBSP, LRE]),
    )
    @settings(max_examples=300, deadline=None)
    def test_forms_meet(self, national, prefix, separator, tail):
        text = prefix + separator + separator.join((national[:2], national[2:5]))
        text += separator + national[5:] + tail
        self.assertEqual(parse(text).e164, f"+373{national}")

    @given(st.from_regex(r"\A\+?[0-9]{7,15}\Z"), st.sampled_from(["MD", "RO", "IT"]))
    @settings(max_examples=300, deadline=None)
    def test_agrees_with_the_library(self, text, region):
        """What we call a number is one for the library as well."""
        found = parse(text, region).e164
        if found:
            number = phonenumbers.parse(found)
            self.assertTrue(phonenumbers.is_valid_number(number))
