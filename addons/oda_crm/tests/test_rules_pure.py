# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..rules import (
    Rule,
    before_stage,
    enough_reason,
    fits,
    has_content,
    is_answered,
    merge_kept,
    missing,
    out_of_order,
    shown,
    step,
)

# nothing to see: what people (and web forms) leave in a field that looks empty
INVISIBLE = " \t\n\r\u00a0\u00ad\u180e\u200b\u200d\u200e\u2007\u202f\u2060\u3000\ufeff"
NUMBERS = ("integer", "float", "monetary")


def make_rules(*stages, mandatory=True):
    return tuple(
        Rule(at, stage, "field", f"f{at}", "char", mandatory)
        for at, stage in enumerate(stages)
    )


class TestAnswered(BaseCase):
    def test_zero_and_no_are_answers(self):
        for type_ in NUMBERS:
            self.assertTrue(is_answered(type_, 0), type_)
            self.assertFalse(is_answered(type_, None), type_)
            self.assertFalse(is_answered(type_, False), type_)
            self.assertFalse(is_answered(type_, 0, strict=True), type_)
            self.assertTrue(is_answered(type_, 3, strict=True), type_)
        self.assertTrue(is_answered("boolean", False))
        self.assertFalse(is_answered("boolean", None))
        self.assertFalse(is_answered("boolean", False, strict=True))
        self.assertTrue(is_answered("boolean", True, strict=True))

    def test_nothing_is_no_answer(self):
        for type_ in ("char", "text", "html", "selection", "date", "datetime"):
            for value in (None, False, ""):
                self.assertFalse(is_answered(type_, value), (type_, value))
        for type_ in ("many2one", "many2many", "one2many", "tags", "binary"):
            for value in (None, False, [], ()):
                self.assertFalse(is_answered(type_, value), (type_, value))

    @given(st.text(alphabet=INVISIBLE))
    def test_what_cannot_be_seen_is_no_answer(self, text):
        self.assertFalse(is_answered("char", text))
        self.assertFalse(is_answered("text", text))
        self.assertFalse(is_answered("html", f"<p>{text}<br/></p><!-- x -->"))

    @given(st.text(alphabet=INVISIBLE), st.sampled_from("a0Șț漢!"))
    def test_one_visible_sign_is_an_answer(self, around, sign):
        self.assertTrue(is_answered("char", around + sign + around))
        self.assertTrue(is_answered("html", f"<p>{around}{sign}</p>"))

    @given(st.text())
    def test_html_never_fails(self, text):
        self.assertIsInstance(has_content(text), bool)

    def test_html(self):
        for empty in ("<p></p>", "<p>&nbsp;</p>", "<div><br></div>", "<!-- a -->"):
            self.assertFalse(has_content(empty), empty)
        for full in ('<p><img src="x"></p>', "<p>&lt;</p>", "text", "<p>0</p>"):
            self.assertTrue(has_content(full), full)

    def test_reason(self):
        self.assertFalse(enough_reason("   " * 20))
        self.assertFalse(enough_reason("1234567890 12 34 .,!"))
        self.assertFalse(enough_reason("scurt"))
        self.assertFalse(enough_reason(True))
        self.assertTrue(enough_reason("Șeful a cerut așa"))


class TestOrder(BaseCase):
    def test_step(self):
        stages = (7, 3, 9)
        self.assertEqual(step(stages, 7, 3), "next")
        self.assertEqual(step(stages, 7, 9), "skip")
        self.assertEqual(step(stages, 9, 7), "back")
        self.assertEqual(step(stages, 9, 9), "stay")
        self.assertEqual(step(stages, None, 7), "next")
        self.assertEqual(step(stages, None, 3), "skip")
        self.assertEqual(step(stages, 12, 7), "next")
        self.assertEqual(step(stages, 7, None), "back")

    def test_before_stage(self):
        rules = make_rules(7, 7, 3, 9)
        self.assertEqual(before_stage(rules, (7, 3, 9), 9), list(rules[:3]))
        self.assertEqual(before_stage(rules, (7, 3, 9), 7), [])
        self.assertEqual(before_stage(rules, (7, 3, 9), 55), [])

    @given(st.sets(st.integers(0, 9)))
    def test_missing_keeps_the_order(self, answers):
        rules = make_rules(*[1] * 10)
        ids = [rule.id for rule in missing(rules, answers)]
        self.assertEqual(ids, sorted(set(range(10)) - answers))

    def test_recommended_is_never_missing(self):
        self.assertEqual(missing(make_rules(1, 1, mandatory=False), set()), [])

    @given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
    def test_order(self, before, after):
        rules = make_rules(*[1] * 10)
        found = out_of_order(rules, before, after)
        expected = [
            at for at in sorted(after - before) if set(range(at)) - after
        ]  # newly answered while one before it is open
        if found is None:
            self.assertEqual(expected, [])
        else:
            early, first = found
            self.assertEqual(early.id, expected[0])
            self.assertEqual(first.id, min(set(range(10)) - after))

    def test_several_at_once_are_judged_together(self):
        rules = make_rules(1, 1, 1)
        self.assertIsNone(out_of_order(rules, set(), {0, 1, 2}))
        self.assertIsNone(out_of_order(rules, set(), {0, 1}))
        self.assertEqual(out_of_order(rules, set(), {0, 2})[0].id, 2)
        self.assertIsNone(out_of_order(rules, set(), {0, 2}, touched={0}))


class TestProperties(BaseCase):
    def test_fits(self):
        choice = {"type": "selection", "selection": [["a", "A"]]}
        tags = {"type": "tags", "tags": [["t", "T", 1]]}
        for definition, good, bad in (
            ({"type": "integer"}, 3, "3"),
            ({"type": "integer"}, 0, True),
            ({"type": "float"}, 3, "x"),
            ({"type": "boolean"}, True, 1),
            ({"type": "char"}, "x", 5),
            ({"type": "date"}, "2026-01-31", "tomorrow"),
            ({"type": "datetime"}, "2026-01-31 10:00:00", "2026-01-31"),
            ({"type": "many2one"}, 4, [4, "x"]),
            ({"type": "many2many"}, [1, 2], ["a"]),
            (choice, "a", "b"),
            (tags, ["t"], ["u"]),
        ):
            self.assertTrue(fits(definition, good), definition)
            self.assertFalse(fits(definition, bad), definition)
            self.assertTrue(fits(definition, None))
            self.assertTrue(fits(definition, False))

    def test_shown(self):
        choice = {"type": "selection", "selection": [["a", "A"]]}
        self.assertEqual(shown(choice, "a"), "A")
        self.assertEqual(shown({"type": "boolean"}, False), "✗")
        self.assertEqual(shown({"type": "boolean"}, None), "")
        self.assertEqual(shown({"type": "integer"}, 0), "0")
        self.assertEqual(
            shown({"type": "tags", "tags": [["t", "T", 1]]}, ["t", "z"]), "T, z"
        )

    def test_kept_answers_of_other_flows_stay(self):
        kept = merge_kept({"1": {"a": 1}}, 2, {"b": 0, "c": None})
        self.assertEqual(kept, {"1": {"a": 1}, "2": {"b": 0}})
        self.assertEqual(merge_kept(kept, 1, {}), kept)
        self.assertEqual(merge_kept(None, 3, None), {})
