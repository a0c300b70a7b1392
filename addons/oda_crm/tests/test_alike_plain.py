# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What two beneficiaries share, without a database."""

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_base.tests.net_servers import examples

from .. import alike

VALUE = st.one_of(
    st.none(),
    st.just(False),
    st.just(""),
    st.integers(1, 4),
    st.sets(st.integers(1, 4), max_size=3),
)
PERSON = st.dictionaries(
    st.sampled_from([trait.name for trait in alike.TRAITS]), VALUE, max_size=8
)


class TestAlike(BaseCase):
    def test_best_first(self):
        me = {"activity": 7, "branch": 3, "gender": "female", "tags": {1, 2, 3}}
        shared = alike.compare(me, dict(me, tags={2, 3}))
        self.assertEqual(
            shared,
            [
                alike.Shared("activity", (7,), 6),
                alike.Shared("tags", (2, 3), 4),
                alike.Shared("gender", ("female",), 1),
            ],
        )
        self.assertEqual(alike.points(shared), 11)

    def test_what_is_not_known_is_not_shared(self):
        self.assertEqual(alike.compare({"size": False}, {"size": False}), [])
        self.assertEqual(alike.compare({"tags": set()}, {"tags": set()}), [])
        self.assertEqual(alike.points([]), 0)

    @examples
    @given(PERSON, PERSON)
    def test_it_is_mutual_and_never_more_than_with_oneself(self, one, other):
        there = alike.compare(one, other)
        self.assertEqual(there, alike.compare(other, one))
        self.assertLessEqual(alike.points(there), alike.points(alike.compare(one, one)))

    @examples
    @given(PERSON, PERSON)
    def test_no_trait_beyond_its_most(self, one, other):
        most = {trait.name: trait.most for trait in alike.TRAITS}
        for shared in alike.compare(one, other):
            self.assertLessEqual(shared.points, most[shared.trait])
            self.assertGreater(shared.points, 0)
