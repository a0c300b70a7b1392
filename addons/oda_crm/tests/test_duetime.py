# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_base.worktime import WorkCalendar
from odoo.addons.oda_crm import duetime, stale

CHISINAU = ZoneInfo("Europe/Chisinau")
WEEK = [(day, 8.0, 17.0) for day in range(5)]
LUNCH = [(day, 12.0, 13.0) for day in range(5)]


def house(days=None):
    return WorkCalendar(WEEK, CHISINAU, days=days, breaks=LUNCH)


def local(*args):
    return datetime(*args, tzinfo=CHISINAU)


class TestDueTime(BaseCase):
    def test_days_shift_over_weekends_and_holidays(self):
        calendar = house({date(2026, 5, 11): None})
        friday = date(2026, 5, 8)
        self.assertEqual(duetime.shift_days(calendar, friday, 1), date(2026, 5, 12))
        self.assertEqual(duetime.shift_days(calendar, friday, 0), friday)
        saturday = date(2026, 5, 9)
        self.assertEqual(duetime.shift_days(calendar, saturday, 0), date(2026, 5, 12))
        self.assertEqual(duetime.shift_days(calendar, saturday, -1), friday)

    def test_a_house_that_never_opens_counts_plain_days(self):
        never = WorkCalendar([], CHISINAU)
        day = date(2026, 5, 8)
        self.assertEqual(duetime.shift_days(never, day, 3), date(2026, 5, 11))
        self.assertEqual(duetime.shift_days(never, day, 0), day)
        self.assertIsNone(duetime.minutes_before(never, local(2026, 5, 8), 60))

    def test_a_day_ends_with_its_work(self):
        calendar = house()
        end = duetime.end_of_day(calendar, date(2026, 5, 8), CHISINAU)
        self.assertEqual(end, local(2026, 5, 8, 17))
        sunday = duetime.end_of_day(calendar, date(2026, 5, 10), CHISINAU)
        self.assertEqual(sunday, local(2026, 5, 10, 18))

    def test_another_day_keeps_the_clock_over_a_change_of_it(self):
        # clocks go forward on 29 March 2026 in Chișinău
        before = local(2026, 3, 27, 15)
        after = duetime.on_day(before, date(2026, 3, 30), CHISINAU)
        self.assertEqual(after, local(2026, 3, 30, 15))
        self.assertEqual(after.utcoffset(), timedelta(0))

    def test_cutoff_over_a_weekend_and_lunch(self):
        # Monday 09:00, nine hours back: one on Monday, eight on Friday
        monday = local(2026, 5, 18, 9)
        found = duetime.minutes_before(house(), monday, 9 * 60)
        self.assertEqual(found, local(2026, 5, 15, 8))
        self.assertEqual(
            duetime.minutes_before(house(), monday, 5 * 60), local(2026, 5, 15, 13)
        )

    @given(
        st.datetimes(datetime(2026, 3, 20), datetime(2026, 11, 10)),
        st.integers(1, 3000),
        st.integers(0, 600),
    )
    def test_cutoff_is_the_latest_moment_that_is_due(self, now, minutes, later):
        now = now.replace(tzinfo=UTC)
        calendar = house({date(2026, 5, 1): None, date(2026, 10, 26): None})
        found = duetime.minutes_before(calendar, now, minutes)
        between = calendar.working_minutes_between
        self.assertGreaterEqual(between(found, now), minutes)
        step = timedelta(minutes=later)
        self.assertGreaterEqual(between(found - step, now), minutes)
        self.assertLess(between(found + timedelta(seconds=1), now), minutes)

    @given(st.dates(date(2025, 1, 1), date(2030, 1, 1)), st.integers(-60, 60))
    def test_a_shifted_day_is_a_working_day(self, day, days):
        found = duetime.shift_days(house(), day, days)
        self.assertLess(found.weekday(), 5)
        step = 1 if days >= 0 else -1
        between = [
            day + timedelta(days=n * step)
            for n in range(1, abs((found - day).days) + 1)
        ]
        worked = [one for one in between if one.weekday() < 5]
        if days:
            self.assertEqual(len(worked), abs(days))


class TestStaleDecisions(BaseCase):
    def test_reminders_climb(self):
        levels = [stale.level(number, 2) for number in range(1, 8)]
        self.assertEqual(levels, [1, 1, 2, 2, 3, 3, 3])
        self.assertEqual(stale.level(0, 0), 1)

    def test_whoever_is_there_is_told(self):
        self.assertEqual(stale.told(1, "ana", "maria", "vasile"), ["ana"])
        self.assertEqual(
            stale.told(3, "ana", "maria", "vasile"), ["ana", "maria", "vasile"]
        )
        self.assertEqual(stale.told(1, None, "maria", "vasile"), ["maria"])
        self.assertEqual(stale.told(1, None, None, "vasile"), ["vasile"])
        self.assertEqual(stale.told(2, "maria", "maria", None), ["maria"])
        self.assertEqual(stale.told(3), [])

    def test_moments_of_a_rule(self):
        rule = stale.Rule(1, hours=8, repeat_hours=4, climb_after=2)
        now = local(2026, 5, 18, 9)
        found = stale.moments(rule, house(), now)
        self.assertEqual(found.cutoff, local(2026, 5, 15, 9))
        self.assertEqual(found.next_at, local(2026, 5, 18, 14))
        self.assertIsNone(stale.moments(rule, WorkCalendar([], CHISINAU), now))
