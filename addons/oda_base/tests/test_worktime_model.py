# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("-at_install", "post_install")
class TestWorktimeModel(TransactionCase):
    """Verbs over resource.calendar and oda.day; naive UTC, Chișinău is UTC+2/+3."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls.env["resource.calendar"].create(
            {
                "name": "Centru",
                "tz": "Europe/Chisinau",
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": f"{day} {period}",
                            "dayofweek": str(day),
                            "hour_from": start,
                            "hour_to": end,
                            "day_period": period,
                        }
                    )
                    for day in range(5)
                    for start, end, period in (
                        (8, 12, "morning"),
                        (12, 13, "lunch"),
                        (13, 17, "afternoon"),
                    )
                ],
            }
        )
        cls.env.company.resource_calendar_id = cls.calendar
        cls.env["oda.day"].search([]).active = False
        cls.days = cls.env["oda.day"].with_context(active_test=False)
        cls.worktime = cls.env["oda.worktime"]

    def day(self, date, **vals):
        found = self.days.search([("date", "=", date), ("country_code", "=", "MD")])
        vals = {"date": date, "name": "Zi", "active": True, **vals}
        if found:
            found.write(vals)
            return found
        return self.days.create(vals)

    def test_verbs(self):
        is_working = self.worktime._is_working
        monday = datetime(2026, 3, 2, 7, 0)  # 09:00 in Chișinău
        self.assertTrue(is_working(monday))
        self.assertFalse(is_working(datetime(2026, 3, 2, 10, 30)), "lunch")
        self.assertFalse(is_working(datetime(2026, 3, 1, 7)), "Sunday")
        self.assertTrue(is_working(datetime(2026, 7, 6, 5, 30)), "08:30 in summer")
        self.assertEqual(
            self.worktime._next_working_morning(monday), datetime(2026, 3, 3, 6)
        )
        self.assertEqual(
            self.worktime._next_opening(datetime(2026, 2, 28, 7)),
            datetime(2026, 3, 2, 6),
        )
        end = self.worktime._add_working_minutes(monday, 8 * 60)
        self.assertEqual(end, datetime(2026, 3, 3, 7))
        self.assertEqual(self.worktime._working_minutes_between(monday, end), 480)

    def test_exceptional_days(self):
        monday = datetime(2026, 3, 2, 7)
        self.assertTrue(self.worktime._is_working(monday))
        day = self.day("2026-03-02")
        self.assertFalse(self.worktime._is_working(monday), "seen at once")
        self.assertTrue(self.worktime._is_working(monday, country="RO"))
        day.active = False
        self.assertTrue(self.worktime._is_working(monday))
        saturday = datetime(2026, 3, 7, 7)
        self.assertFalse(self.worktime._is_working(saturday))
        self.day("2026-03-07", kind="working", as_weekday="0")
        self.assertTrue(self.worktime._is_working(saturday))

    def test_time_off(self):
        monday = datetime(2026, 3, 2, 7)
        leaves = self.env["resource.calendar.leaves"]
        self.assertTrue(self.worktime._is_working(monday))
        leave = leaves.create(
            {
                "name": "Inventar",
                "calendar_id": self.calendar.id,
                "date_from": "2026-03-02 06:00:00",
                "date_to": "2026-03-02 08:00:00",
            }
        )
        self.assertFalse(self.worktime._is_working(monday))
        self.assertTrue(self.worktime._is_working(datetime(2026, 3, 2, 8)))
        leave.date_to = "2026-03-02 06:30:00"
        self.assertTrue(self.worktime._is_working(monday))
        leave.unlink()
        whole = leaves.create(
            {
                "name": "Toată instituția",
                "calendar_id": False,
                "company_id": self.env.company.id,
                "date_from": "2026-03-01 22:00:00",
                "date_to": "2026-03-02 21:59:59",
            }
        )
        self.assertFalse(self.worktime._is_working(monday))
        whole.time_type = "other"
        self.assertTrue(self.worktime._is_working(monday), "a training is work")
        whole.time_type = "leave"
        whole.resource_id = self.env["resource.resource"].create(
            {"name": "Ana", "calendar_id": self.calendar.id}
        )
        self.assertTrue(self.worktime._is_working(monday), "one person's time off")

    def test_schedule_edited_in_the_same_transaction(self):
        early = datetime(2026, 3, 2, 5, 30)
        self.assertFalse(self.worktime._is_working(early))
        self.calendar.attendance_ids.filtered(
            lambda line: line.dayofweek == "0" and line.day_period == "morning"
        ).hour_from = 7
        self.assertTrue(self.worktime._is_working(early))
        self.calendar.tz = "UTC"
        self.assertFalse(self.worktime._is_working(early))

    def test_two_week_calendar(self):
        calendar = self.env["resource.calendar"].create(
            {"name": "Ture", "tz": "Europe/Chisinau"}
        )
        calendar.switch_calendar_type()
        lines = calendar.attendance_ids.filtered(lambda line: not line.display_type)
        lines.filtered(lambda line: line.week_type == "1").unlink()
        week_type = calendar.attendance_ids.get_week_type
        monday = datetime(2026, 3, 2, 7)
        if week_type(monday.date()):
            monday = datetime(2026, 3, 9, 7)
        ask = self.worktime._is_working
        self.assertTrue(ask(monday, calendar=calendar))
        self.assertFalse(ask(monday.replace(day=monday.day + 7), calendar=calendar))

    def test_agrees_with_core(self):
        """Without exceptional days we count what resource.calendar counts."""
        start, end = datetime(2026, 3, 1), datetime(2026, 4, 15)  # over a change
        core = self.calendar.get_work_hours_count(start, end)
        ours = self.worktime._working_minutes_between(start, end)
        self.assertAlmostEqual(ours / 60, core, places=3)

    def test_no_working_time_is_told_in_words(self):
        empty = self.env["resource.calendar"].create({"name": "Gol"})
        empty.attendance_ids.unlink()
        self.assertFalse(self.worktime._is_working(datetime(2026, 3, 2, 9), empty))
        with self.assertRaisesRegex(UserError, "working schedule"):
            self.worktime._next_opening(datetime(2026, 3, 2, 9), calendar=empty)
        with self.assertRaisesRegex(UserError, "No working time"):
            self.worktime._add_working_minutes(datetime(2026, 3, 2, 9), 5, empty)

    def test_loop_costs_no_query(self):
        moment = datetime(2026, 3, 2, 7)
        self.worktime._is_working(moment)
        with self.assertQueryCount(0):
            for minutes in range(200):
                self.worktime._add_working_minutes(moment, minutes)

    def test_low_right_user(self):
        user = new_test_user(self.env, "worktime_portal", groups="base.group_portal")
        self.assertTrue(
            self.worktime.with_user(user)._is_working(datetime(2026, 3, 2, 7))
        )
