# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.oda_base.hooks import _change_hours

STOCK, OURS = "resource.resource_calendar_std", "oda_base.calendar_centre"


class TestHours(TransactionCase):
    def test_hours_of_the_centre(self):
        centre = self.env.ref(OURS)
        self.assertEqual(centre.tz, "Europe/Chisinau")
        calendar = self.env["oda.worktime"]._working_calendar(centre)
        # Wednesday 14 January 2026: 08:30 in Chișinău is 06:30 UTC.
        day = self.env["oda.worktime"]._working_minutes_between(
            datetime(2026, 1, 14), datetime(2026, 1, 15), calendar=centre
        )
        self.assertEqual(day, 8 * 60)
        self.assertTrue(calendar)
        is_open = self.env["oda.worktime"]._is_working
        self.assertTrue(is_open(datetime(2026, 1, 14, 6, 31), calendar=centre))
        self.assertFalse(is_open(datetime(2026, 1, 14, 6, 29), calendar=centre))
        self.assertFalse(is_open(datetime(2026, 1, 14, 11, 0), calendar=centre))
        self.assertFalse(is_open(datetime(2026, 1, 17, 9, 0), calendar=centre))

    def test_one_schedule_counts(self):
        company = self.env.company
        company.resource_calendar_id = self.env.ref(STOCK)
        centre = self.env.ref(OURS)
        self.assertFalse(centre.oda_counts)
        centre.action_oda_use()
        self.env.invalidate_all()
        self.assertTrue(centre.oda_counts)
        self.assertFalse(self.env.ref(STOCK).oda_counts)

    def test_a_consultant_does_not_choose_the_hours(self):
        user = new_test_user(self.env, "hours", groups="oda_base.group_consultant")
        with self.assertRaises(AccessError):
            self.env.ref(OURS).with_user(user).action_oda_use()

    def test_hours_that_somebody_chose_are_kept(self):
        company = self.env.company
        own = self.env["resource.calendar"].create({"name": "own"})
        company.resource_calendar_id = own
        _change_hours(self.env, STOCK, OURS)
        self.assertEqual(company.resource_calendar_id, own)
        company.resource_calendar_id = self.env.ref(STOCK)
        _change_hours(self.env, STOCK, OURS)
        self.assertEqual(company.resource_calendar_id, self.env.ref(OURS))
        _change_hours(self.env, OURS, STOCK)
        self.assertEqual(company.resource_calendar_id, self.env.ref(STOCK))

    def test_holidays_begin_with_the_next_one(self):
        arch = self.env["oda.day"].get_view(view_type="list")["arch"]
        self.assertEqual(etree.fromstring(arch).get("default_order"), "date")


class TestRefusalWords(TransactionCase):
    def test_in_words_with_what_to_do(self):
        Refusal = self.env["oda.refusal"]
        reasons = dict(Refusal._fields["reason"].selection)
        for reason in reasons:
            refusal = Refusal.create(
                {"at": datetime(2026, 1, 1), "reason": reason, "connector": "made-up"}
            )
            self.assertTrue(refusal.advice, reason)
            self.assertEqual(refusal.connector_label, "made-up")
            self.assertEqual(refusal.display_name, reasons[reason])


class TestSmallScreens(TransactionCase):
    def test_administrators_lists_have_cards(self):
        for name in (
            "oda_connector_account",
            "oda_inbound",
            "oda_outbound",
            "oda_refusal",
            "oda_event",
            "oda_day",
            "oda_hours",
        ):
            action = self.env.ref(f"oda_base.action_{name}")
            modes = action.view_mode.split(",")
            self.assertIn("kanban", modes, name)
            self.assertIn("form", modes, f"{name}: its rows open")
            card = self.env[action.res_model].get_view(view_type="kanban")["arch"]
            self.assertIn('t-name="card"', card)
