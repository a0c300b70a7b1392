# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Reading and composing segments, outcomes and seats, without a database."""

from hypothesis import given
from hypothesis import strategies as st

from odoo.fields import Domain
from odoo.tests.common import BaseCase

from odoo.addons.oda_base.tests.net_servers import examples
from odoo.addons.oda_crm import coldcalls, seats, segments, unsubscribe

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.text(max_size=20),
    st.lists(st.integers(0, 99), max_size=4),
)
LEAF = st.tuples(
    st.sampled_from(["name", "city", "lead_ids.stage_id.name", "lead_properties.a"]),
    st.sampled_from(sorted(segments.OPERATORS - set(segments.SUB_OPERATORS))),
    VALUES,
)
DOMAIN = st.recursive(
    st.lists(LEAF, max_size=3),
    lambda inner: st.one_of(
        st.tuples(LEAF, inner).map(lambda pair: ["|", pair[0], pair[0], *pair[1]]),
        st.tuples(LEAF, inner).map(lambda pair: ["!", pair[0], *pair[1]]),
        inner.map(lambda domain: [("lead_ids", "any", domain)]),
    ),
    max_leaves=5,
)


class TestParse(BaseCase):
    @examples
    @given(DOMAIN)
    def test_what_was_written_is_read(self, domain):
        self.assertEqual(segments.parse(repr(domain)), domain)
        Domain(domain)  # Odoo takes it for one, too

    @examples
    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused_in_words(self, text):
        try:
            domain = segments.parse(text)
        except segments.SegmentError as error:
            self.assertTrue(error.reason)
        else:
            Domain(domain)

    @examples
    @given(st.lists(st.one_of(st.sampled_from("&|!"), LEAF), max_size=8))
    def test_arity_as_odoo_has_it(self, items):
        try:
            Domain(items)
        except ValueError:
            with self.assertRaises(segments.SegmentError):
                segments.parse(repr(items))
        else:
            segments.parse(repr(items))

    def test_nothing_is_run(self):
        for text in (
            "__import__('os').system('true')",
            "[('name', '=', open('/etc/passwd').read())]",
            "[('name', '=', ().__class__)]",
            "[('id', '=', 9**9**9)]",
            "[x for x in (1,)]",
            "[('name', '=', f'{1}')]",
            "[('name', '=', b'1')]",
            "lambda: 0",
            "[" * 5000 + "]" * 5000,
            "[('name', '=', somebody)]",
        ):
            with self.subTest(text=text), self.assertRaises(segments.SegmentError):
                segments.parse(text)

    def test_no_look_past_the_access_rules(self):
        for operator in ("any!", "not any!", "in select", "ANY!"):
            with self.assertRaises(segments.SegmentError) as caught:
                segments.parse(f"[('lead_ids', '{operator}', [])]")
            self.assertEqual(caught.exception.reason, segments.OPERATOR)

    def test_too_much_is_refused(self):
        deep = "[" * 60 + "]" * 60
        wide = repr([("name", "=", "x")] * (segments.MAX_LEAVES + 1))
        for text in (deep, wide, " " * 3 + "x" * (segments.MAX_TEXT + 1)):
            with self.assertRaises(segments.SegmentError) as caught:
                segments.parse(text)
            self.assertEqual(caught.exception.reason, segments.TOO_LONG)

    def test_names_that_stand_for_something(self):
        read = segments.parse("[('user_id', '=', uid), ('a', '=', true)]", {"uid": 7})
        self.assertEqual(read, [("user_id", "=", 7), ("a", "=", True)])

    def test_leaves_carry_their_whole_path(self):
        domain = segments.parse(
            "['|', ('a.b', '=', 1), ('c', 'any', [('d', 'not any', [('e', '=', 2)])])]"
        )
        paths = [leaf.path for leaf in segments.leaves(domain)]
        self.assertEqual(paths, ["a.b", "c", "c.d", "c.d.e"])


class TestCompose(BaseCase):
    @examples
    @given(DOMAIN, st.lists(st.tuples(st.booleans(), DOMAIN), max_size=3))
    def test_all_pieces_are_meant(self, own, parts):
        parts = [segments.Part("lead_ids", has, domain) for has, domain in parts]
        composed = segments.compose(own, parts)
        alone = [
            Domain([(p.relation, "any" if p.has else "not any", p.domain)])
            for p in parts
        ]
        self.assertEqual(Domain(composed), Domain.AND([Domain(own), *alone]))

    def test_similar(self):
        values = {
            "city": "Cahul",
            "size": "",
            "tags": {3, 1},
            "none": [],
            "is_company": True,
            "district": 7,
            "unset": False,
        }
        self.assertEqual(
            segments.similar(values),
            [
                ("city", "=", "Cahul"),
                ("tags", "in", [1, 3]),
                ("is_company", "=", True),
                ("district", "=", 7),
            ],
        )


class TestOutcomes(BaseCase):
    @examples
    @given(st.integers(0, 300), st.lists(st.integers(0, 200), max_size=8))
    def test_shares_are_as_even_as_they_can_be(self, count, loads):
        got = coldcalls.shares(count, loads)
        self.assertEqual(sum(got), count if loads else 0)
        after = [load + more for load, more in zip(loads, got, strict=True)]
        for place, more in enumerate(got):
            self.assertGreaterEqual(more, 0)
            if more:  # whoever got somebody is at most one above everybody
                self.assertLessEqual(after[place], min(after) + 1)
        self.assertEqual(
            sorted(coldcalls.hand_out(count, loads)),
            sorted(place for place, more in enumerate(got) for _i in range(more)),
        )

    def test_pauses_grow_and_end(self):
        pauses = [coldcalls.pause_after(n) for n in range(1, 7)]
        self.assertEqual(pauses, [60, 240, 480, 960, None, None])


class TestSeats(BaseCase):
    def test_views_are_put_together(self):
        committed = [seats.Seat(1, None, None), seats.Seat(2, None, 5)]
        own = [seats.Seat(2, None, 6), seats.Seat(3, None, None)]
        self.assertEqual(
            sorted(seats.together(committed, own)), [(1, None, None), *own]
        )

    def test_limits(self):
        taken = [seats.Seat(n, None, 5 if n < 3 else None) for n in range(5)]
        self.assertEqual(seats.missing(taken, seats.Limits(5, False, {})), 0)
        self.assertEqual(seats.missing(taken, seats.Limits(3, False, {})), 2)
        self.assertEqual(seats.missing(taken, seats.Limits(None, False, {5: 2})), 1)
        slots = [seats.Seat(n, n % 2, None) for n in range(6)]
        self.assertEqual(seats.missing(slots, seats.Limits(3, True, {})), 0)
        self.assertEqual(seats.missing(slots, seats.Limits(2, True, {})), 1)
        self.assertEqual(seats.missing([], seats.Limits(1, False, {5: 1})), 0)


class TestToken(BaseCase):
    @examples
    @given(st.integers(1, 10**9), st.integers(0, 10**9))
    def test_round_trip(self, partner, programme):
        token = unsubscribe.token(partner, "news", programme)
        self.assertEqual(unsubscribe.read(token), (partner, "news", programme))

    @examples
    @given(st.text(max_size=120))
    def test_any_other_text_is_none_of_ours(self, text):
        self.assertIsNone(unsubscribe.read(text))

    def test_every_altered_character_is_noticed(self):
        token = unsubscribe.token(71, "news", 12)
        for index, old in enumerate(token):
            for new in "17aA-_":
                if new != old:
                    other = token[:index] + new + token[index + 1 :]
                    self.assertIsNone(unsubscribe.read(other), other)
        self.assertIsNone(unsubscribe.read(token[:-1]))
        self.assertIsNone(unsubscribe.read(token + "\n"))

    def test_purpose_is_a_word(self):
        for purpose in ("", "News", "a-b", "a b", "x" * 40):
            with self.assertRaises(ValueError):
                unsubscribe.token(1, purpose)
