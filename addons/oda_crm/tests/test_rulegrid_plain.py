# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_crm import rulegrid
from odoo.addons.oda_crm.rulegrid import Cell


def given(*strategies):
    """Hypothesis' own, patient: the first text of a fresh machine takes seconds."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: patient(given_by(*strategies)(test))


STAGES = (1, 2, 3)
DEEDS = frozenset({"task"})


def cell(id_, stage, what, **more):
    return Cell(id_, stage, more.pop("kind", "field"), what, **more)


CITY, PHONE, PLAN = cell(1, 1, "city"), cell(2, 1, "phone"), cell(3, 2, "plan")
GRID = [CITY, PHONE, PLAN]


@st.composite
def grids(draw):
    """A grid whose things are each asked once, with ids of their own."""
    things = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8))
    cells = [
        cell(
            ord(thing),
            draw(st.sampled_from(STAGES)),
            thing,
            mandatory=draw(st.booleans()),
        )
        for thing in things
    ]
    return rulegrid.ordered(cells, STAGES)


class TestRulegridPlain(BaseCase):
    def verbs(self, before, after):
        return [
            (change.verb, change.cell.what)
            for change in rulegrid.difference(before, after)
        ]

    def test_what_a_browser_tells_is_read_back(self):
        self.assertEqual(rulegrid.parse(rulegrid.told(GRID)), GRID)

    def test_nonsense_is_refused(self):
        good = rulegrid.told(GRID)[0]
        bad = [
            None,
            {},
            "x" * 10_000,
            [None],
            [[]],
            [{}],
            [{**good, "id": "1"}],
            [{**good, "id": True}],
            [{**good, "id": -1}],
            [{**good, "stage": 2**70}],
            [{**good, "stage": None}],
            [{**good, "kind": 5}],
            [{**good, "what": ""}],
            [{**good, "what": "x" * 10_000}],
            [{**good, "condition": "x" * 10_001}],
            [{**good, "condition": {"a": 1}}],
            [good] * (rulegrid.MOST_CELLS + 1),
        ]
        for told in bad:
            with self.subTest(told=str(told)[:60]), self.assertRaises(ValueError):
                rulegrid.parse(told)

    @given(st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ))  # fmt: skip
    def test_whatever_is_sent_is_read_or_refused(self, told):
        try:
            rulegrid.parse(told)
        except ValueError:
            return
        self.assertIsInstance(told, list)

    def test_numbers_begin_anew_at_each_stage(self):
        self.assertEqual(rulegrid.numbers(GRID), [1, 2, 1])

    def test_twice(self):
        again = CITY._replace(id=None, mandatory=False)
        self.assertEqual(rulegrid.twice([*GRID, again]), again)
        self.assertIsNone(rulegrid.twice([*GRID, again._replace(condition="[]")]))
        self.assertIsNone(rulegrid.twice([*GRID, again._replace(stage=2)]))

    def test_the_difference_in_verbs(self):
        moved = PHONE._replace(stage=2)
        loose = PLAN._replace(mandatory=False)
        new = cell(None, 1, "name")
        self.assertEqual(
            self.verbs(GRID, [new, moved, loose]),
            [
                ("removed", "city"),
                ("added", "name"),
                ("moved", "phone"),
                ("changed", "plan"),
            ],
        )
        self.assertEqual(
            self.verbs(GRID, [PHONE, CITY, PLAN]), [("reordered", "phone")]
        )

    def test_made_again_under_another_id_is_the_same(self):
        self.assertEqual(
            self.verbs(GRID, [one._replace(id=90 + one.id) for one in GRID]), []
        )

    @given(grids(), grids())
    def test_no_difference_between_equal_grids_only(self, before, after):
        same = rulegrid.facts(before) == rulegrid.facts(after)
        self.assertEqual(not rulegrid.difference(before, after), same)

    def test_what_must_be_answered_to_leave_a_stage(self):
        call = cell(4, 1, "7", kind="task")
        grid = [CITY, call, PLAN]
        self.assertEqual(rulegrid.due(grid, STAGES, 1, DEEDS), [0, 1])
        # a deed of a stage that was left is not asked for again
        self.assertEqual(rulegrid.due(grid, STAGES, 2, DEEDS), [0, 2])
        self.assertEqual(rulegrid.due(grid, STAGES, 99, DEEDS), [])

    def test_more_is_asked_where_it_is_new_or_comes_earlier(self):
        earlier = PLAN._replace(stage=1)
        grid = [CITY, PHONE, earlier]
        self.assertEqual(rulegrid.more_asked(STAGES, GRID, grid, DEEDS), {1: [2]})
        # asked later, or no more: nobody is held back
        self.assertEqual(rulegrid.more_asked(STAGES, grid, GRID, DEEDS), {})
        self.assertEqual(rulegrid.more_asked(STAGES, GRID, [], DEEDS), {})
        # of the end of the flow nothing is demanded
        late = cell(None, 3, "late")
        self.assertEqual(rulegrid.more_asked(STAGES, GRID, [*GRID, late], DEEDS), {})
        strict = CITY._replace(strict=True)
        self.assertEqual(
            rulegrid.more_asked(STAGES, GRID, [strict, PHONE, PLAN], DEEDS),
            {1: [0], 2: [0]},
        )
        advice = CITY._replace(mandatory=False, what="advice")
        self.assertEqual(rulegrid.more_asked(STAGES, GRID, [*GRID, advice], DEEDS), {})

    @given(grids(), grids())
    def test_nothing_of_mine_is_nothing_on_top(self, base, theirs):
        merged = rulegrid.rebase(base, base, theirs)
        self.assertEqual(rulegrid.facts(merged), rulegrid.facts(theirs))

    @given(grids(), grids())
    def test_nothing_of_theirs_leaves_mine(self, base, mine):
        merged = rulegrid.ordered(rulegrid.rebase(base, mine, base), STAGES)
        self.assertEqual(sorted(rulegrid.facts(merged)), sorted(rulegrid.facts(mine)))

    def test_both_of_us_changed_something(self):
        mine = [PHONE._replace(strict=True), cell(None, 1, "name"), PLAN]
        theirs = [CITY, PHONE, PLAN._replace(mandatory=False), cell(8, 2, "site")]
        merged = rulegrid.ordered(rulegrid.rebase(GRID, mine, theirs), STAGES)
        self.assertEqual(
            [(one.stage, one.what, one.mandatory, one.strict) for one in merged],
            [
                (1, "phone", True, True),
                (1, "name", True, False),
                (2, "plan", False, False),
                (2, "site", True, False),
            ],
        )

    def test_what_they_removed_and_i_changed_comes_back(self):
        mine = [CITY._replace(mandatory=False), PHONE, PLAN]
        merged = rulegrid.rebase(GRID, mine, [PHONE, PLAN])
        self.assertIn(CITY._replace(mandatory=False, id=None), merged)
        # what I left alone stays away
        self.assertEqual(rulegrid.rebase(GRID, GRID, [PHONE]), [PHONE])
