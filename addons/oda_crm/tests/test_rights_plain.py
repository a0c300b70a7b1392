# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from .. import rights, spreadsheet
from ..models.oda_right import FIELD, LEVEL_NAMES, SCOPE_NAMES

scopes = st.sampled_from(rights.SCOPES)
values = st.fixed_dictionaries(
    {
        **dict.fromkeys(rights.SCOPE_RIGHTS, scopes),
        **dict.fromkeys(rights.YES_NO_RIGHTS, st.booleans()),
    }
)
rows = st.lists(
    st.builds(
        rights.Row,
        st.sampled_from(rights.LEVELS),
        st.sampled_from(rights.SUBJECTS),
        st.sampled_from((None, 1, 2, 3)),
        values,
    ),
    max_size=6,
)
patient = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
NOTHING = {
    "see": "none",
    "edit": "none",
    "delete": "none",
    "import": False,
    "export": False,
    "merge": False,
}
ALL = {
    "see": "all",
    "edit": "all",
    "delete": "all",
    "import": True,
    "export": True,
    "merge": True,
}


def row(level, department=None, **changes):
    return rights.Row(level, "beneficiary", department, {**NOTHING, **changes})


class TestRightsPlain(BaseCase):
    def judge(self, matrix, levels, departments=()):
        return rights.judge(matrix, levels, "beneficiary", departments)

    def test_the_model_has_the_words_of_the_plain_rules(self):
        self.assertEqual(tuple(key for key, _name in SCOPE_NAMES), rights.SCOPES)
        self.assertEqual(tuple(key for key, _name in LEVEL_NAMES), rights.LEVELS)
        self.assertEqual(tuple(FIELD), rights.RIGHTS)

    def test_no_row_no_right(self):
        self.assertEqual(self.judge([], ["head"]), NOTHING)
        self.assertEqual(self.judge([row("head", see="all")], []), NOTHING)
        self.assertEqual(self.judge([row("head", see="all")], ["nonsense"]), NOTHING)

    def test_another_subject_is_another_matter(self):
        matrix = [rights.Row("head", "consultation", None, ALL)]
        self.assertEqual(self.judge(matrix, ["head"]), NOTHING)

    def test_the_highest_of_the_ladder_counts_alone(self):
        matrix = [row("consultant", see="all"), row("lead", see="team")]
        self.assertEqual(self.judge(matrix, ["consultant", "lead"])["see"], "team")

    def test_the_strongest_of_two_levels_holds(self):
        matrix = [
            row("supervisor", see="all"),
            row("marketing", see="own", edit="own", **{"import": True}),
        ]
        mine = self.judge(matrix, ["marketing", "supervisor"])
        self.assertEqual((mine["see"], mine["edit"]), ("all", "own"))
        self.assertTrue(mine["import"])

    def test_nearest_department_first(self):
        matrix = [
            row("lead", see="own"),
            row("lead", 1, see="team"),
            row("lead", 2, see="all"),
        ]
        for departments, see in (
            ((), "own"),
            ((3,), "own"),
            ((1, 2), "team"),
            ((3, 2, 1), "all"),
        ):
            with self.subTest(departments=departments):
                mine = self.judge(matrix, ["lead"], departments)
                self.assertEqual(mine["see"], see)

    def test_a_department_may_have_less(self):
        matrix = [row("lead", see="all"), row("lead", 1, see="own")]
        self.assertEqual(self.judge(matrix, ["lead"], (1,))["see"], "own")

    @patient
    @given(
        rows, st.lists(st.sampled_from(rights.LEVELS)), st.sampled_from([(), (1, 2)])
    )
    def test_never_contradicts_itself(self, matrix, levels, departments):
        mine = self.judge(matrix, levels, departments)
        self.assertLessEqual(rights.rank(mine["edit"]), rights.rank(mine["see"]))
        self.assertLessEqual(rights.rank(mine["delete"]), rights.rank(mine["see"]))
        if mine["edit"] == "none":
            self.assertFalse(mine["import"] or mine["merge"])
        if mine["see"] == "none":
            self.assertFalse(mine["export"])
        self.assertEqual(rights.consistent(mine), mine)

    @patient
    @given(rows, st.lists(st.sampled_from(rights.LEVELS[3:])))
    def test_one_more_level_never_takes_away(self, matrix, levels):
        less = self.judge(matrix, levels)
        more = self.judge(matrix, [*levels, "admin"])
        for right in rights.SCOPE_RIGHTS:
            self.assertLessEqual(rights.rank(less[right]), rights.rank(more[right]))
        for right in rights.YES_NO_RIGHTS:
            self.assertLessEqual(less[right], more[right])

    def test_locked(self):
        self.assertEqual(rights.locked("cashier"), rights.RIGHTS)
        self.assertNotIn("see", rights.locked("auditor"))
        self.assertIn("edit", rights.locked("auditor"))
        self.assertFalse(rights.locked("consultant"))


class TestSpreadsheetCells(BaseCase):
    @patient
    @given(st.text(alphabet="'=+-@\t\r\n ax1＝＋", max_size=8))
    def test_nothing_is_lost(self, text):
        self.assertEqual(spreadsheet.unguard(spreadsheet.guard(text)), text)
        self.assertNotIn(spreadsheet.guard(text)[:1] or "x", "=+-@\t\r\n＝＋－＠")

    def test_other_values_stay(self):
        for value in (1, -1.5, None, False, "", "Ion", "3+3", "O'Neil"):
            self.assertIs(spreadsheet.guard(value), value)
            self.assertIs(spreadsheet.unguard(value), value)

    def test_a_phone_is_text(self):
        self.assertEqual(spreadsheet.guard("+373 69 1"), "'+373 69 1")
        self.assertEqual(spreadsheet.unguard("'+373 69 1"), "+373 69 1")
