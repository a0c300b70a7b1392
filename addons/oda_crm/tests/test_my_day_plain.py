# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Lanes, order and words of somebody's day: plain decisions."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from .. import myday

CHISINAU = ZoneInfo("Europe/Chisinau")
ZONES = st.sampled_from(
    [
        CHISINAU,
        ZoneInfo("UTC"),
        ZoneInfo("America/Havana"),  # its clocks change at midnight
        ZoneInfo("Asia/Kolkata"),
        ZoneInfo("Pacific/Apia"),
    ]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31))
#: a busy machine is no fault of what is tested
CALM = settings(deadline=None, suppress_health_check=list(HealthCheck))
NEAR = st.timedeltas(timedelta(days=-3), timedelta(days=3))


def day_of(text, zone=CHISINAU):
    return myday.Day.of(datetime.fromisoformat(text), zone)


@tagged("post_install", "-at_install")
class TestMyDayPlain(BaseCase):
    def test_a_day_is_local(self):
        """At 23:30 UTC it is tomorrow in Chișinău already."""
        day = day_of("2026-11-21 23:30:00")
        self.assertEqual(day.start, datetime(2026, 11, 21, 22))
        self.assertEqual(day.end, datetime(2026, 11, 22, 22))

    def test_days_on_which_the_clock_changes(self):
        spring, autumn = day_of("2026-03-29 09:00:00"), day_of("2026-10-25 09:00:00")
        self.assertEqual(spring.end - spring.start, timedelta(hours=23))
        self.assertEqual(autumn.end - autumn.start, timedelta(hours=25))

    @given(MOMENTS, ZONES)
    @CALM
    def test_days_follow_one_another(self, now, zone):
        day = myday.Day.of(now, zone)
        self.assertTrue(day.start <= now < day.end)
        self.assertEqual(myday.Day.of(day.end, zone).start, day.end)
        self.assertEqual(
            myday.Day.of(day.start - timedelta(seconds=1), zone).end, day.start
        )

    @given(MOMENTS)
    @CALM
    def test_hours_fill_the_day(self, now):
        day = myday.Day.of(now, CHISINAU)
        spans = [day.hour(hour) for hour in range(24)]
        self.assertEqual((spans[0][0], spans[-1][1]), (day.start, day.end))
        for (_begin, until), (begin, _until) in zip(spans, spans[1:], strict=False):
            # the hour that the spring skips lasts no time at all
            self.assertLessEqual(begin, until)

    @given(MOMENTS, NEAR, st.booleans(), ZONES)
    @settings(CALM, max_examples=300)
    def test_a_task_is_of_one_kind(self, now, distance, by_phone, zone):
        """Whatever its time: in one window at most, and no late one is forgotten."""
        day, due = myday.Day.of(now, zone), now + distance
        kind = myday.kind(due, by_phone, day)
        if due >= day.end:
            self.assertIsNone(kind)
            return
        begin, until = myday.window(kind, day)
        self.assertTrue((begin is None or begin <= due) and due < until)
        self.assertEqual(kind == "late", due < day.start)
        if kind == "call":
            self.assertTrue(by_phone)
            self.assertLess(due, now + myday.SOON)

    def test_a_promised_call_comes_up_before_its_time(self):
        day = day_of("2026-11-20 09:00:00")
        for minutes, kind in ((-30, "call"), (0, "call"), (9, "call"), (10, "task")):
            due = day.now + timedelta(minutes=minutes)
            self.assertEqual(myday.kind(due, True, day), kind)
            self.assertEqual(myday.kind(due, False, day), "task")

    @given(st.lists(st.tuples(st.integers(0, 3), st.none() | MOMENTS)), st.integers(0))
    @CALM
    def test_order(self, made, limit):
        entries = [
            {"rank": rank, "at": at, "kind": "x", "id": number}
            for number, (rank, at) in enumerate(made)
        ]
        found = myday.arrange(entries, limit)
        self.assertEqual(len(found), min(limit, len(entries)))
        day = datetime.min
        keys = [(one["rank"], one["at"] is None, one["at"] or day) for one in found]
        self.assertEqual(keys, sorted(keys))

    def test_words(self):
        now = datetime(2026, 11, 20, 7)  # 09:00 in Chișinău
        for earlier, words in (
            ("2026-11-20 06:59:30", ("now", 0)),
            ("2026-11-20 06:35:00", ("minutes", 25)),
            ("2026-11-20 04:00:00", ("hours", 3)),
            ("2026-11-19 21:30:00", ("days", 1)),  # yesterday 23:30, 9.5 h ago
            ("2026-11-01 10:00:00", ("days", 19)),
        ):
            at = datetime.fromisoformat(earlier)
            self.assertEqual(myday.between(at, now, CHISINAU), words)
            self.assertEqual(myday.between(now, at, CHISINAU), words)

    @given(MOMENTS, NEAR, ZONES)
    @CALM
    def test_words_are_never_negative_nor_large(self, now, distance, zone):
        unit, count = myday.between(now, now + distance, zone)
        most = {"now": 0, "minutes": 59, "hours": 25, "days": 5}
        self.assertTrue(0 <= count <= most[unit])

    def test_urgency(self):
        now = datetime(2026, 11, 20, 7)
        for minutes, said in ((-1, "late"), (0, "soon"), (9, "soon"), (10, "calm")):
            due = now + timedelta(minutes=minutes)
            self.assertEqual(myday.urgency(due, now), said)
        self.assertEqual(myday.urgency(None, now), "calm")

    @given(st.lists(st.integers(-5, 40)))
    @CALM
    def test_hours_of_the_map(self, counts):
        hours = myday.hours(counts)
        self.assertEqual(hours, list(range(hours[0], hours[-1] + 1)))
        self.assertTrue({hour for hour in counts if 0 <= hour <= 23} <= set(hours))
        self.assertTrue(set(range(8, 19)) <= set(hours) <= set(range(24)))

    @given(st.integers(0, 10**6), st.integers(0, 10**6))
    @CALM
    def test_shades(self, count, most):
        shade = myday.shade(count, max(count, most))
        self.assertEqual(shade == 0, count == 0)
        self.assertTrue(0 <= shade <= myday.SHADES)
        if count and count >= most:
            self.assertEqual(shade, myday.SHADES)

    @given(
        st.none() | st.text() | st.dictionaries(st.text(), st.text() | st.integers())
    )
    @CALM
    def test_whatever_is_asked_for_a_page_is_a_page(self, limits):
        self.assertTrue(1 <= myday.page(limits, "risk", 20, 200) <= 200)

    def test_pages(self):
        for told, wanted in ((40, 40), (10**9, 200), (-1, 20), (True, 20), ("9", 20)):
            self.assertEqual(myday.page({"now": told}, "now", 20, 200), wanted)

    def test_date_of_a_day_is_the_persons(self):
        day = day_of("2026-11-21 23:30:00")
        local = day.start.replace(tzinfo=UTC).astimezone(CHISINAU)
        self.assertEqual(local.date(), date(2026, 11, 22))
