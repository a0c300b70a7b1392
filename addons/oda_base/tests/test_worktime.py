# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The pure arithmetic of opening hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..worktime import SEARCH_DAYS, NoWorkingTime, WorkCalendar, week_of

ZONE = ZoneInfo("Europe/Chisinau")
WEEK = [
    (day, start, end) for day in range(5) for start, end in ((8.0, 12.0), (13.0, 17.0))
]
NIGHT = [(day, 0.0, 24.0) for day in range(7)]


def local(*args, fold=0):
    return datetime(*args, tzinfo=ZONE, fold=fold).astimezone(UTC)


def changes(year):
    """UTC instants at which the clock changes, asked of the zone itself."""
    moment, found = datetime(year, 1, 1, tzinfo=UTC), []
    while moment.year == year:
        after = moment + timedelta(hours=1)
        if moment.astimezone(ZONE).utcoffset() != after.astimezone(ZONE).utcoffset():
            found.append(after)
        moment = after
    return found


@tagged("-at_install", "post_install")
class TestWorktime(BaseCase):
    def setUp(self):
        super().setUp()
        self.house = WorkCalendar(
            WEEK,
            ZONE,
            days={date(2026, 8, 27): None, date(2026, 8, 29): 3},  # Thu off, Sat worked
        )

    def test_is_working(self):
        for moment, expected in (
            (local(2026, 8, 26, 7, 59, 59), False),
            (local(2026, 8, 26, 8), True),
            (local(2026, 8, 26, 11, 59, 59), True),
            (local(2026, 8, 26, 12), False),
            (local(2026, 8, 26, 13), True),
            (local(2026, 8, 26, 17), False),
            (local(2026, 8, 27, 10), False),
            (local(2026, 8, 29, 10), True),
            (local(2026, 8, 30, 10), False),
        ):
            self.assertEqual(self.house.is_working(moment), expected, moment)

    def test_next_opening_and_morning(self):
        noon = local(2026, 8, 26, 12, 30)
        self.assertEqual(self.house.next_opening(noon), local(2026, 8, 26, 13))
        self.assertEqual(
            self.house.next_opening(local(2026, 8, 26, 9, 5)), local(2026, 8, 26, 9, 5)
        )
        self.assertEqual(
            self.house.next_opening(local(2026, 8, 26, 17)), local(2026, 8, 28, 8)
        )
        for moment, morning in (
            (local(2026, 8, 26, 7), local(2026, 8, 26, 8)),
            (local(2026, 8, 26, 8), local(2026, 8, 28, 8)),
            (local(2026, 8, 26, 12, 30), local(2026, 8, 28, 8)),
            (local(2026, 8, 28, 20), local(2026, 8, 29, 8)),
            (local(2026, 8, 29, 20), local(2026, 8, 31, 8)),
        ):
            self.assertEqual(self.house.next_working_morning(moment), morning)

    def test_add_and_between(self):
        for start, minutes, end in (
            (local(2026, 8, 26, 9), 30, local(2026, 8, 26, 9, 30)),
            (local(2026, 8, 26, 11, 50), 30, local(2026, 8, 26, 13, 20)),
            (local(2026, 8, 26, 16), 60, local(2026, 8, 26, 17)),
            (local(2026, 8, 26, 16), 61, local(2026, 8, 28, 8, 1)),
            (local(2026, 8, 26, 20), 0, local(2026, 8, 28, 8)),
            (local(2026, 8, 28, 8), 480 * 2, local(2026, 8, 29, 17)),
        ):
            self.assertEqual(self.house.add_working_minutes(start, minutes), end)
            self.assertEqual(self.house.working_minutes_between(start, end), minutes)
            self.assertEqual(self.house.working_minutes_between(end, start), -minutes)
        with self.assertRaises(ValueError):
            self.house.add_working_minutes(local(2026, 8, 26, 9), -1)
        with self.assertRaises(ValueError):
            self.house.is_working(datetime(2026, 8, 26, 9))
        with self.assertRaises(ValueError):
            self.house.working_minutes_between(
                datetime(1900, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
            )

    def test_closures_and_breaks(self):
        house = WorkCalendar(
            [(day, 8, 17) for day in range(5)],
            ZONE,
            closures=[
                (local(2026, 3, 2, 10), local(2026, 3, 2, 11)),
                (local(2026, 3, 2, 10, 30), local(2026, 3, 2, 15)),
                (local(2026, 3, 4), local(2026, 3, 6, 23, 59, 59)),
            ],
            breaks=[(day, 12, 13) for day in range(5)],
        )
        self.assertEqual(
            house.periods(date(2026, 3, 2)),
            [
                (local(2026, 3, 2, 8), local(2026, 3, 2, 10)),
                (local(2026, 3, 2, 15), local(2026, 3, 2, 17)),
            ],
        )
        self.assertEqual(len(house.periods(date(2026, 3, 3))), 2)
        self.assertEqual(
            house.next_working_morning(local(2026, 3, 3, 9)), local(2026, 3, 9, 8)
        )

    def test_two_weeks(self):
        house = WorkCalendar([(0, 8, 12, 0), (1, 8, 12, 1)], ZONE)
        monday = date(2026, 3, 2)
        first = monday if not week_of(monday) else monday + timedelta(7)
        self.assertTrue(house.periods(first))
        self.assertFalse(house.periods(first + timedelta(1)))
        self.assertFalse(house.periods(first + timedelta(7)))
        self.assertTrue(house.periods(first + timedelta(8)))

    def test_overlaps_and_nonsense_hours(self):
        house = WorkCalendar(
            [
                (0, 8, 12),
                (0, 10, 13),
                (0, 15, 15),
                (0, 18, 16),
                (0, -5, 1),
                (0, 23, 30),
            ],
            ZONE,
        )
        minutes = [(b - a).seconds // 60 for a, b in house.periods(date(2026, 3, 2))]
        self.assertEqual(minutes, [60, 300, 60])

    def test_gives_up_in_words(self):
        empty = WorkCalendar([], ZONE)
        closed = WorkCalendar(
            WEEK, ZONE, closures=[(local(2026, 1, 1), local(2030, 1, 1))]
        )
        for house in (empty, closed):
            for verb, args in (
                (house.next_opening, ()),
                (house.next_working_morning, ()),
                (house.add_working_minutes, (5,)),
            ):
                with self.assertRaises(NoWorkingTime) as caught:
                    verb(local(2026, 6, 1), *args)
                self.assertGreater(len(str(caught.exception)), 30)
        self.assertFalse(empty.is_working(local(2026, 6, 1, 10)))
        self.assertEqual(
            closed.working_minutes_between(local(2026, 6, 1), local(2026, 7, 1)), 0
        )
        nearly = WorkCalendar(
            WEEK,
            ZONE,
            closures=[(local(2026, 1, 1), local(2026, 1, 1) + timedelta(SEARCH_DAYS))],
        )
        self.assertTrue(nearly.next_opening(local(2026, 1, 1)))
        with self.assertRaises(NoWorkingTime):
            self.house.add_working_minutes(local(2026, 1, 1), 10**9)
        with self.assertRaises(NoWorkingTime):
            self.house.next_opening(datetime(9999, 12, 31, 16, tzinfo=UTC))

    def test_day_of_the_change(self):
        """A day of 23 hours and one of 25, whatever the hour of the change."""
        house = WorkCalendar(NIGHT, ZONE)
        spring, autumn = changes(2026)
        for change, minutes in ((spring, 23 * 60), (autumn, 25 * 60)):
            day = change.astimezone(ZONE).date()
            self.assertEqual(day.weekday(), 6)
            start = local(day.year, day.month, day.day)
            self.assertEqual(
                house.working_minutes_between(start, house.periods(day)[-1][1]), minutes
            )
            self.assertEqual(
                house.add_working_minutes(start, minutes), house.periods(day)[-1][1]
            )
        # an ordinary Monday begins at eight o'clock on the wall on both sides
        for change in (spring, autumn):
            day = change.astimezone(ZONE).date()
            friday, monday = day - timedelta(2), day + timedelta(1)
            opening = self.house.next_working_morning(
                local(friday.year, friday.month, friday.day, 10)
            )
            self.assertEqual(
                opening, local(monday.year, monday.month, monday.day, 8), change
            )

    def test_hours_that_the_clock_skips_or_repeats(self):
        spring, autumn = changes(2026)
        before = (spring - timedelta(seconds=1)).astimezone(ZONE)
        skipped = before.hour + 1  # this hour does not exist that day
        day = before.date()
        for template, minutes in (
            ([(6, skipped, skipped + 1)], 0),
            ([(6, skipped + 0.25, skipped + 0.5)], 0),
            ([(6, skipped - 1, skipped + 2)], 120),
            ([(6, skipped + 0.5, skipped + 2)], 60),
            ([(6, skipped - 1, skipped + 0.5)], 60),
        ):
            house = WorkCalendar(template, ZONE)
            total = sum(((b - a) for a, b in house.periods(day)), timedelta())
            self.assertEqual(total, timedelta(minutes=minutes), template)
        after = autumn.astimezone(ZONE)
        repeated, day = after.hour, after.date()  # this hour comes twice
        house = WorkCalendar([(6, repeated, repeated + 1)], ZONE)
        self.assertEqual(
            house.periods(day),
            [(autumn - timedelta(hours=1), autumn + timedelta(hours=1))],
        )

    # -------------------------------------------------------------- properties
    moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(
        lambda moment: moment.replace(tzinfo=UTC)
    )
    hours = st.integers(0, 96).map(lambda quarter: quarter / 4)
    templates = st.lists(
        st.tuples(st.integers(0, 6), hours, hours, st.sampled_from([None, 0, 1])),
        min_size=1,
        max_size=12,
    )
    overrides = st.dictionaries(
        st.dates(date(2026, 1, 1), date(2027, 6, 1)),
        st.one_of(st.none(), st.integers(0, 6)),
        max_size=20,
    )

    @given(templates, overrides, moments, st.integers(0, 20_000), st.integers(0, 500))
    @settings(max_examples=250, deadline=None)
    def test_properties(self, template, days, moment, minutes, more):
        house = WorkCalendar(template, ZONE, days=days)
        try:
            end = house.add_working_minutes(moment, minutes)
            later = house.add_working_minutes(moment, minutes + more)
        except NoWorkingTime:
            assume(False)
        self.assertGreaterEqual(end, moment)
        self.assertEqual(house.working_minutes_between(moment, end), minutes)
        self.assertLessEqual(end, later)
        inside = [a <= end <= b for a, b in house.periods(end.astimezone(ZONE).date())]
        midnight = end - timedelta(microseconds=1)  # a period that ends at midnight
        inside += [
            a <= end <= b for a, b in house.periods(midnight.astimezone(ZONE).date())
        ]
        self.assertTrue(any(inside), "never outside working time")
        opening = house.next_opening(moment)
        self.assertTrue(house.is_working(opening))
        self.assertEqual(opening == moment, house.is_working(moment))
        morning = house.next_working_morning(moment)
        self.assertGreater(morning, moment)
        self.assertTrue(house.is_working(morning))

    @given(templates, moments, moments, moments)
    @settings(max_examples=150, deadline=None)
    def test_between_adds_up(self, template, a, b, c):
        house = WorkCalendar(template, ZONE)
        a, b, c = (moment.replace(second=0, microsecond=0) for moment in (a, b, c))
        between = house.working_minutes_between
        self.assertEqual(between(a, b) + between(b, c), between(a, c))

    @given(moments, moments, st.integers(0, 5_000))
    @settings(max_examples=100, deadline=None)
    def test_monotonic_in_the_start(self, one, two, minutes):
        house = WorkCalendar(WEEK, ZONE)
        one, two = min(one, two), max(one, two)
        self.assertLessEqual(
            house.add_working_minutes(one, minutes),
            house.add_working_minutes(two, minutes),
        )
