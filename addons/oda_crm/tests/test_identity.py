# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.md import idno

from odoo.tests import BaseCase, tagged

from .. import firm, identity, timeline

# a busy machine is no failure
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DIGITS = st.text("0123456789", min_size=12, max_size=12)
IDNO, IDNP, CNP, CUI = "1008600038413", "2000012345678", "1630615123457", "14399840"


def with_check(digits):
    return digits + idno.calc_check_digit(digits)


def person(digits):
    return with_check(("2" if digits[0] == "1" else digits[0]) + digits[1:])


@tagged("post_install", "-at_install")
class TestIdentity(BaseCase):
    """Numbers of people and companies: pure functions."""

    def refused(self, reason, text, kind, country="MD"):
        with self.assertRaises(identity.IdentityError) as caught:
            identity.check(text, kind, country)
        self.assertEqual(caught.exception.args[0], reason, text)

    def test_weights(self):
        """7, 3, 1 over twelve digits, worked out by hand: 7 + 8·1 + 6·1 + ... = 53."""
        total = sum(
            int(digit) * weight
            for digit, weight in zip(IDNO, (7, 3, 1) * 4, strict=False)
        )
        self.assertEqual(total % 10, int(IDNO[-1]))
        self.assertEqual(identity.check(IDNO, "firm"), IDNO)

    def test_as_people_write_them(self):
        for text in (
            "1008 6000 38413",
            " 1008-6000-38413\u200b",
            "IDNO: 1008600038413",
            "１００８６０００３８４１３",
            1008600038413,
            1008600038413.0,
            "1008600038413.0",
            "1008600038413\n",
        ):
            self.assertEqual(identity.check(text, "firm"), IDNO, text)

    def test_refused_with_the_reason(self):
        for text in ("", None, "no number", "20000123456a8", "٣" * 13):
            self.refused(identity.FORM, text, "person")
        self.refused(identity.SIZE, "123456789012", "person")
        self.refused(identity.SIZE, IDNO + "1", "firm")
        self.refused(identity.CHECK, "1008600038412", "firm")
        self.refused(identity.CHECK, "0" * 13, "person")
        self.refused(identity.OF_FIRM, IDNO, "person")
        self.refused(identity.OF_PERSON, person("2" * 11 + "3"), "firm")

    def test_other_countries(self):
        self.assertEqual(identity.check("RO 14399840", "firm", "RO"), CUI)
        self.assertEqual(identity.check("1630615123457", "person", "RO"), CNP)
        self.refused(identity.CHECK, "1630615123458", "person", "RO")
        self.refused(identity.CHECK, "14399841", "firm", "RO")
        # a citizen of Moldova who lives abroad
        mine = person("200201234567")
        for country in ("RO", "IT", "MD", False):
            self.assertEqual(identity.check(mine, "person", country), mine)
        self.assertEqual(identity.check("rss-mra 80A01", "person", "IT"), "RSSMRA80A01")
        wrong = mine[:-1] + str((int(mine[-1]) + 1) % 10)
        self.refused(identity.CHECK, wrong, "person", "IT")

    @CALM
    @given(DIGITS)
    def test_every_right_number_is_taken(self, digits):
        number = person(digits)
        if len(set(number)) > 1:
            self.assertEqual(identity.check(number, "person"), number)
            spaced = " ".join(number[start : start + 4] for start in range(0, 13, 4))
            self.assertEqual(identity.check(spaced, "person"), number)

    @CALM
    @given(DIGITS, st.integers(0, 12), st.integers(1, 9))
    def test_one_wrong_digit_is_found(self, digits, place, step):
        number = person(digits)
        digit = (int(number[place]) + step) % 10
        wrong = number[:place] + str(digit) + number[place + 1 :]
        with self.assertRaises(identity.IdentityError):
            identity.check(wrong, "person")

    @CALM
    @given(st.text(max_size=40) | st.integers() | st.floats() | st.none())
    def test_anything_is_a_number_or_refused(self, text):
        for kind in ("person", "firm"):
            for country in ("MD", "RO", "IT", None):
                try:
                    number = identity.check(text, kind, country)
                except identity.IdentityError:
                    continue
                self.assertEqual(identity.check(number, kind, country), number)

    def test_search_term(self):
        self.assertEqual(identity.looks_like("1008-6000-38413"), IDNO)
        for text in ("069123456", "Ion", "", None, 5):
            self.assertIsNone(identity.looks_like(text))


@tagged("post_install", "-at_install")
class TestFirm(BaseCase):
    def test_size(self):
        mil = 1_000_000
        for staff, turnover, assets, size in (
            (0, 0, 0, None),
            (1, 0, 0, "micro"),
            (9, 18 * mil, 0, "micro"),
            (9, 40 * mil, 18 * mil, "micro"),
            (9, 18 * mil + 1, 0, "small"),
            (10, 1, 0, "small"),
            (49, 50 * mil, 0, "small"),
            (50, 0, 0, "medium"),
            (249, 0, 100 * mil, "medium"),
            (250, 1, 1, "large"),
            (5, 200 * mil, 150 * mil, "large"),
            (0, 5 * mil, 0, "micro"),
        ):
            self.assertEqual(firm.size_class(staff, turnover, assets), size)

    @CALM
    @given(*[st.integers(0, 10**10)] * 3, st.integers(0, 10**10))
    def test_growing_never_makes_smaller(self, staff, turnover, assets, more):
        order = [None, "micro", "small", "medium", "large"]
        size = firm.size_class(staff, turnover, assets)
        bigger = firm.size_class(staff + more, turnover, assets)
        self.assertLessEqual(order.index(size), order.index(bigger))

    def test_age(self):
        ages = {17: "minor", 18: "youth", 35: "youth", 36: "adult", 60: "senior"}
        for age, group in ages.items():
            self.assertEqual(firm.age_group(2026 - age, 2026), group)
        self.assertIsNone(firm.age_group(0, 2026))


NOW = datetime(2026, 5, 4, 3, 2, 1, 999999)
ENTRY = st.builds(
    lambda step, kind, number: {
        "at": NOW - timedelta(microseconds=step),
        "kind": kind,
        "id": number,
    },
    st.integers(0, 3),
    st.sampled_from("abc"),
    st.integers(1, 6),
)


@tagged("post_install", "-at_install")
class TestTimelinePaging(BaseCase):
    @CALM
    @given(st.lists(ENTRY, unique_by=timeline.key), st.integers(1, 5))
    def test_no_gap_and_no_double(self, entries, limit):
        """Whatever times are equal, pages put together are the whole, in order."""

        def source(kind, cursor):
            mine = [one for one in entries if one["kind"] == kind]
            if cursor:
                place = timeline.side(kind, cursor)
                mine = [
                    one
                    for one in mine
                    if one["at"] < cursor[0]
                    or (
                        one["at"] == cursor[0]
                        and (
                            place == timeline.AFTER
                            or (place == timeline.WITHIN and one["id"] < cursor[2])
                        )
                    )
                ]
            return sorted(mine, key=timeline.key, reverse=True)[: limit + 1]

        seen, cursor = [], None
        for _page in range(len(entries) + 1):
            rows = [source(kind, cursor) for kind in "cab"]
            page, following = timeline.page(rows, limit)
            seen += page
            if not following:
                break
            cursor = timeline.read_cursor(following)
        self.assertEqual(seen, sorted(entries, key=timeline.key, reverse=True))

    @CALM
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=4),
        )
    )
    def test_any_cursor_is_read_or_refused(self, value):
        try:
            cursor = timeline.read_cursor(value)
        except timeline.CursorError:
            return
        self.assertTrue(cursor is None or isinstance(cursor[0], datetime))

    def test_cursor_keeps_microseconds(self):
        entry = {"at": NOW, "kind": "a", "id": 7}
        self.assertEqual(timeline.read_cursor(timeline.cursor_of(entry)), (NOW, "a", 7))
        for value in (["2026-05-04T03:02:01+02:00", "a", 1], ["x", "a", 1], "abc", 5):
            with self.assertRaises(timeline.CursorError):
                timeline.read_cursor(value)

    def test_limit(self):
        for value, limit in ((5, 5), (0, 30), (-1, 30), (10**9, 100), ("x", 30)):
            self.assertEqual(timeline.read_limit(value), limit)

    @CALM
    @given(st.none() | st.text(max_size=60))
    def test_task_result_of_anything(self, body):
        told = timeline.task_result(body)
        self.assertTrue(told is None or len(told) == 2)

    def test_task_result(self):
        body = (
            "<div><p><span class='fa'/><span>Call</span> done"
            "{summary}</p><div class='o_mail_note_title fw-bold'>Original note:</div>"
            "<div><p>ask</p></div>{feedback}</div>"
        )
        ring = "<span>: </span><span>ring: now</span>"
        said = "<div><div class='fw-bold'>Feedback:</div> one<br/> two &lt;b&gt;</div>"
        for summary, feedback, told in (
            (ring, said, ("ring: now", "one\ntwo <b>")),
            ("", said, ("", "one\ntwo <b>")),
            (ring, "", ("ring: now", "")),
        ):
            text = body.format(summary=summary, feedback=feedback)
            self.assertEqual(timeline.task_result(text), told)
        for other in ("", "text", "<p>x</p>", "<div><p>x</p></div>"):
            self.assertIsNone(timeline.task_result(other))
