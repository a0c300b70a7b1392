# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_base.worktime import WorkCalendar
from odoo.addons.oda_telephony import callbacks
from odoo.addons.oda_telephony.callbacks import Candidate, Moment

PLAIN = {"deadline": None, "database": None, "derandomize": True}
T = datetime(2026, 11, 23, 8, 0)
HOURS = WorkCalendar([(day, 9, 17) for day in range(5)], ZoneInfo("Europe/Chisinau"))
NO_HOURS = WorkCalendar([], ZoneInfo("Europe/Chisinau"))


def at(minutes):
    return T + timedelta(minutes=minutes)


class TestDebts(BaseCase):
    """What is owed to a caller follows from their calls, in whatever order known."""

    def test_one_debt_however_often_they_ring(self):
        found = callbacks.debts([Moment(at(n), "missed", n) for n in range(5)])
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0].missed, (0, 1, 2, 3, 4))
        self.assertTrue(found[0].is_open)

    def test_attempts_are_counted_and_a_talk_ends_it(self):
        found = callbacks.debts(
            [
                Moment(at(0), "missed", 1),
                Moment(at(5), "attempt", 2),
                Moment(at(6), "attempt", 3),
                Moment(at(9), "talk", 4),
                Moment(at(10), "attempt", 5),
                Moment(at(20), "missed", 6),
            ]
        )
        self.assertEqual(
            [(one.missed, one.attempts, one.talk) for one in found],
            [((1,), 2, 4), ((6,), 0, 0)],
        )

    def test_a_talk_before_the_miss_ends_nothing(self):
        found = callbacks.debts([Moment(at(0), "talk", 1), Moment(at(1), "missed", 2)])
        self.assertTrue(found[0].is_open)

    def test_split_of_a_row_keeps_the_task_with_what_is_open(self):
        found = callbacks.debts(
            [
                Moment(at(0), "missed", 1),
                Moment(at(5), "talk", 9),
                Moment(at(8), "missed", 2),
            ]
        )
        self.assertEqual(callbacks.match(found, {50: [1, 2]}), {0: None, 1: 50})

    def test_two_rows_that_become_one_debt(self):
        found = callbacks.debts([Moment(at(n), "missed", n) for n in (1, 2)])
        self.assertEqual(callbacks.match(found, {50: [1], 51: [2]}), {0: 50})

    moments = st.lists(
        st.builds(
            Moment,
            st.integers(0, 60).map(at),
            st.sampled_from(["missed", "talk", "attempt", "closed"]),
            st.integers(1, 40),
        ),
        max_size=25,
    )

    @settings(max_examples=300, **PLAIN)
    @given(moments, st.integers())
    def test_order_and_repetition_change_nothing(self, moments, seed):
        found = callbacks.debts(moments)
        again = moments + moments[::2]
        random.Random(seed).shuffle(again)
        self.assertEqual(found, callbacks.debts(again))
        self.assertLessEqual(sum(one.is_open for one in found), 1)
        self.assertTrue(all(not one.is_open for one in found[:-1]))
        missed = {(one.at, one.id) for one in moments if one.kind == "missed"}
        self.assertEqual(sum(len(one.missed) for one in found), len(missed))
        for one in found:
            self.assertLessEqual(one.first_at, one.last_at)
            if one.ended_at:
                self.assertLessEqual(one.last_at, one.ended_at)

    @settings(max_examples=200, **PLAIN)
    @given(moments, st.dictionaries(st.integers(1, 5), st.sets(st.integers(1, 40))))
    def test_a_row_stands_for_one_debt(self, moments, rows):
        found = callbacks.debts(moments)
        chosen = callbacks.match(found, rows)
        self.assertEqual(set(chosen), set(range(len(found))))
        free = [
            row
            for place, row in chosen.items()
            if row and found[place].closed not in rows
        ]
        self.assertEqual(len(free), len(set(free)))


class TestDuty(BaseCase):
    def test_who_is_at_work_first_then_who_owes_least(self):
        early, late = at(0), at(60)
        for people, wanted in (
            ([Candidate(1, late, 0), Candidate(2, early, 9)], 2),
            ([Candidate(1, early, 2), Candidate(2, early, 1)], 2),
            ([Candidate(1, early, 1, at(5)), Candidate(2, early, 1, at(4))], 2),
            ([Candidate(1, early, 1, at(5)), Candidate(2, early, 1)], 2),
            ([Candidate(2, early), Candidate(1, early)], 1),
            ([], 0),
        ):
            self.assertEqual(callbacks.on_duty(people), wanted)

    @settings(max_examples=50, **PLAIN)
    @given(st.integers(1, 6), st.integers(1, 40))
    def test_turns_are_fair(self, people, calls):
        load = dict.fromkeys(range(1, people + 1), 0)
        given_at = dict.fromkeys(load)
        for number in range(calls):
            one = callbacks.on_duty(
                Candidate(user, T, load[user], given_at[user]) for user in load
            )
            load[one] += 1
            given_at[one] = at(number)
        self.assertLessEqual(max(load.values()) - min(load.values()), 1)


class TestCallbackTime(BaseCase):
    def test_what_counts_as_missed(self):
        missed = callbacks.is_missed
        self.assertTrue(missed("in", "missed", 0, "37369555111"))
        self.assertTrue(missed("in", "missed", 30, ""), "anonymous")
        self.assertTrue(missed("in", "busy", None, "37369555111"))
        self.assertFalse(missed("in", "missed", 2, "37369555111"), "hung up at once")
        self.assertFalse(missed("in", "answered", 9, "37369555111"))
        self.assertFalse(missed("out", "missed", 9, "37369555111"))
        self.assertFalse(missed("in", "missed", 9, "701"), "a colleague")

    def test_friday_evening_is_due_on_monday(self):
        friday = datetime(2026, 11, 20, 20, 0)
        due = callbacks.due(HOURS, friday, 60)
        self.assertEqual(due, datetime(2026, 11, 23, 8, 0))  # 10:00 in Chișinău

    def test_closing_time_in_the_middle_of_ringing(self):
        last = datetime(2026, 11, 20, 14, 59, 50)  # 16:59:50, closes at 17:00
        self.assertTrue(callbacks.is_working(HOURS, last))
        self.assertFalse(callbacks.is_working(HOURS, last + timedelta(seconds=20)))
        self.assertEqual(callbacks.due(HOURS, last, 30).day, 23)

    def test_without_hours_the_clock_counts(self):
        self.assertFalse(NO_HOURS.opens_at_all)
        for hours in (None, NO_HOURS):
            self.assertEqual(callbacks.due(hours, T, 30), at(30))
        self.assertTrue(callbacks.is_working(None, T))
        self.assertEqual(callbacks.minutes_between(None, T, at(90)), 90)

    def test_own_absences_put_off_the_beginning(self):
        away = [(at(-10), at(60)), (at(60), at(120))]
        self.assertEqual(callbacks.opening(HOURS, T, away), at(120))

    @settings(max_examples=100, **PLAIN)
    @given(
        st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.integers(0, 900)
    )
    def test_in_time_and_minutes_agree(self, moment, minutes):
        due = callbacks.due(HOURS, moment.replace(microsecond=0), minutes)
        spent = callbacks.minutes_between(HOURS, moment.replace(microsecond=0), due)
        self.assertLessEqual(spent, minutes)
        if minutes:
            self.assertTrue(
                HOURS.is_working((due - timedelta(seconds=1)).replace(tzinfo=UTC))
            )
