# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import date

from psycopg2.errors import CheckViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

YEARS = (2031, 2032)  # far from what the installation seeds


@tagged("-at_install", "post_install")
class TestDay(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.days = cls.env["oda.day"].with_context(active_test=False)
        cls.days._seed(YEARS)

    def on(self, day, country="MD"):
        return self.days.search([("date", "=", day), ("country_code", "=", country)])

    def test_seeded(self):
        easter = self.on("2031-04-13")
        self.assertEqual((easter.kind, easter.source), ("holiday", "seed"))
        self.assertIn("Paștele", easter.name)
        for day in (
            "2031-01-01",
            "2031-01-07",
            "2031-03-08",
            "2031-04-14",
            "2031-04-21",  # Paștele Blajinilor
            "2031-05-01",
            "2031-05-09",
            "2031-08-27",
            "2031-08-31",
            "2031-12-25",
        ):
            self.assertTrue(self.on(day), day)
        self.assertTrue(self.on("2031-12-01", "RO"))
        self.assertFalse(self.on("2031-12-01", "MD"))
        names = "".join(self.days.search([]).mapped("name"))
        self.assertFalse(set("şţŞŢ") & set(names), "letters with a comma below")

    def test_again_changes_nothing_edited(self):
        edited = self.on("2031-08-27")
        edited.name = "Ziua Independenței (mutată)"
        self.assertEqual(edited.source, "edited")
        archived = self.on("2031-03-08")
        archived.active = False
        mine = self.days.create({"date": "2031-05-02", "name": "Punte"})
        wrong = self.on("2032-08-27")
        self.env.flush_all()
        self.cr.execute("UPDATE oda_day SET name = 'Old' WHERE id = %s", (wrong.id,))
        self.cr.execute(
            "INSERT INTO oda_day (country_code, date, name, kind, source, active)"
            " VALUES ('MD', '2032-02-02', 'Abolished', 'holiday', 'seed', true)"
        )
        self.env.invalidate_all()
        count = self.days.search_count([])
        self.assertEqual(self.days._seed(YEARS), 1, "only the stale name")
        self.assertEqual(self.days.search_count([]), count - 1)
        self.assertFalse(self.on("2032-02-02"), "no longer a holiday")
        self.assertNotEqual(wrong.name, "Old")
        self.assertEqual(edited.name, "Ziua Independenței (mutată)")
        self.assertFalse(archived.active)
        self.assertEqual(mine.source, "edited")
        self.assertEqual(self.days._seed(YEARS), 0)

    def test_cron(self):
        cron = self.env.ref("oda_base.ir_cron_oda_day_seed")
        year = date.today().year
        self.days.search([("source", "=", "seed")])._write({"source": "edited"})
        self.days.search([]).unlink()
        cron.ir_actions_server_id.run()
        years = {day.date.year for day in self.days.search([])}
        self.assertEqual(years, {year, year + 1, year + 2})

    def test_constraints(self):
        with (
            self.assertRaises(UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.days.create({"date": "2031-08-27", "name": "Again"})
        with (
            self.assertRaises(CheckViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.days.create({"date": "2031-05-03", "name": "X", "kind": "working"})

    def test_unlink(self):
        with self.assertRaisesRegex(UserError, "Archive"):
            self.on("2031-08-27").unlink()
        self.days.create({"date": "2031-05-02", "name": "Punte"}).unlink()

    def test_form(self):
        with Form(self.days) as form:
            form.name = "Sâmbătă lucrătoare"
            form.date = "2031-05-10"
            form.kind = "working"
            form.as_weekday = "4"
        self.assertEqual(form.record.source, "edited")

    def test_rights(self):
        user = new_test_user(self.env, "day_user", groups="base.group_user")
        admin = new_test_user(self.env, "day_admin", groups="oda_base.group_admin")
        day = self.on("2031-08-27")
        self.assertTrue(day.with_user(user).name)
        with self.assertRaises(AccessError):
            day.with_user(user).name = "Mine"
        day.with_user(admin).name = "Ziua Independenței"
        self.assertEqual(day.source, "edited")
