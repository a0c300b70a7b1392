# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2.errors import InsufficientPrivilege

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tests.common import BaseCase
from odoo.tools import mute_logger

from odoo.addons.oda_base.models.oda_event import make_append_only, sensitive_names


class TestSensitiveNames(BaseCase):
    def test_refused(self):
        for name in (
            "secret",
            "Secret",
            "api_token",
            "tokens",
            "accessToken",
            "PASSWORD",
            "new_password",
            "idnp",
            "client_idnp",
            "pan",
            "card_pan",
            "x-signature",
        ):
            self.assertEqual(sensitive_names({name: 1}), [name])

    def test_not_mistaken(self):
        for name in ("company", "company_id", "expanded", "span", "state", "secretary"):
            self.assertEqual(sensitive_names({name: "token"}), [])

    def test_at_any_depth(self):
        details = {"a": [{"b": {"token": 1}}, ("x", {"pan": 2})], "c": "secret"}
        self.assertEqual(sensitive_names(details), ["token", "pan"])


@tagged("-at_install", "post_install")
class TestEvent(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Event = cls.env["oda.event"]
        cls.person = new_test_user(cls.env, "oda_plain")
        cls.partners = cls.env["res.partner"].create([{"name": "A"}, {"name": "B"}])

    def test_who_did_what_to_whose_record(self):
        partners = self.partners.with_user(self.person)
        events = partners.env["oda.event"]._log("card.read", partners, reason="call")
        self.assertRecordValues(
            events,
            [
                {
                    "code": "card.read",
                    "user_id": self.person.id,
                    "company_id": self.env.company.id,
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "details": {"reason": "call"},
                    "ip": False,
                }
                for partner in partners
            ],
        )
        self.assertTrue(all(event.at for event in events))

    def test_without_a_record(self):
        event = self.Event._log("night.closed", rows=3)
        self.assertEqual(len(event), 1)
        self.assertFalse(event.res_model or event.res_id)
        self.assertEqual(event.details, {"rows": 3})

    def test_for_no_records_at_all(self):
        self.assertEqual(len(self.Event._log("x", self.partners.browse())), 1)

    def test_sensitive_names_are_refused(self):
        before = self.Event.search_count([])
        for details in ({"token": "x"}, {"data": {"idnp": "2000000000001"}}):
            with self.assertRaises(ValueError) as caught:
                self.Event._log("x", **details)
            self.assertNotIn("2000000000001", str(caught.exception))
        self.assertEqual(self.Event.search_count([]), before)

    def test_append_only_by_the_orm(self):
        event = self.Event._log("x")
        for one in (
            event,
            event.sudo(),
            event.with_user(self.env.ref("base.user_admin")),
        ):
            with self.assertRaises(AccessError):
                one.write({"code": "y"})
            with self.assertRaises(AccessError):
                one.unlink()
        with self.assertRaises(AccessError):
            event.code = "y"
        self.env.invalidate_all(flush=False)
        self.assertEqual(event.code, "x")

    def test_append_only_by_sql(self):
        event = self.Event._log("x")
        for statement in (
            "UPDATE oda_event SET code = 'y'",
            f"UPDATE oda_event SET at = now() WHERE id = {event.id}",
            f"DELETE FROM oda_event WHERE id = {event.id}",
            "TRUNCATE oda_event",
            "TRUNCATE oda_event CASCADE",
            "INSERT INTO oda_event (id, code, at) VALUES "
            f"({event.id}, 'y', now()) ON CONFLICT (id) DO UPDATE SET code = 'y'",
        ):
            with (
                self.assertRaises(InsufficientPrivilege, msg=statement),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement)
        self.env.invalidate_all()
        self.assertEqual(event.code, "x")

    def test_a_person_with_events_stays(self):
        self.Event.with_user(self.person)._log("x")
        self.env.flush_all()
        with self.assertRaises(Exception), mute_logger("odoo.sql_db"):  # noqa: B017
            with self.env.cr.savepoint():
                self.person.unlink()

    def test_any_table_of_facts_can_be_closed(self):
        cr = self.env.cr
        cr.execute(
            "CREATE TABLE oda_test_facts (id int);INSERT INTO oda_test_facts VALUES (1)"
        )
        make_append_only(cr, "oda_test_facts")
        make_append_only(cr, "oda_test_facts")  # each upgrade calls it again
        for statement in (
            "UPDATE oda_test_facts SET id = 2",
            "DELETE FROM oda_test_facts",
        ):
            with (
                self.assertRaises(InsufficientPrivilege),
                mute_logger("odoo.sql_db"),
                cr.savepoint(),
            ):
                cr.execute(statement)
        cr.execute("INSERT INTO oda_test_facts VALUES (3)")

    def test_rights(self):
        self.Event._log("x")
        for group, may in (
            ("base.group_user", False),
            ("oda_base.group_head", False),
            ("oda_base.group_marketing", False),
            ("oda_base.group_accountant", False),
            ("oda_base.group_connector", False),
            ("oda_base.group_supervisor", True),
            ("oda_base.group_admin", True),
        ):
            user = new_test_user(self.env, f"event_{group}", groups=group)
            events = self.Event.with_user(user)
            self.assertEqual(events.has_access("read"), may, group)
            for operation in ("create", "write", "unlink"):
                self.assertFalse(events.has_access(operation), (group, operation))
            with self.assertRaises(AccessError):
                events.create({"code": "forged"})

    def test_another_companys_events_are_not_shown(self):
        company = self.env["res.company"].create({"name": "Branch"})
        foreign = self.Event.with_company(company)._log("x")
        own = self.Event._log("x")
        user = new_test_user(self.env, "sup", groups="oda_base.group_supervisor")
        found = self.Event.with_user(user).search([("code", "=", "x")])
        self.assertIn(own, found)
        self.assertNotIn(foreign, found)
