# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.oda_base import sealing, settings
from odoo.addons.oda_base.connectors import Driver, Unavailable

from .common import SECRET, WireCase

ACCOUNT = "odoo.addons.oda_base.models.oda_connector_account"


@tagged("-at_install", "post_install")
class TestSecret(WireCase):
    """The secret goes in, and comes out for drivers only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(cls.env, "oda_adm", groups="oda_base.group_admin")

    def column(self, account=None):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT secret_sealed FROM oda_connector_account WHERE id = %s",
            ((account or self.account).id,),
        )
        return self.env.cr.fetchone()[0]

    def test_sealed_at_rest(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT a::text FROM oda_connector_account a")
        self.assertNotIn(SECRET, str(self.env.cr.fetchall()))
        self.assertTrue(sealing.looks_sealed(self.column()))
        self.assertEqual(self.account._account().secret, SECRET)
        self.assertTrue(self.account.has_secret)

    def test_is_nowhere_else_in_the_database(self):
        account = self.make_account(key="needle", secret="needle-in-a-haystack-77")
        account.secret = "needle-in-a-haystack-78"
        self.env.flush_all()
        for table in ("oda_event", "ir_logging", "mail_message", "queue_job"):
            # pylint: disable=sql-injection  # constants above
            self.env.cr.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s",
                ("%needle-in-a-haystack%",),
            )
            self.assertEqual(self.env.cr.fetchone(), (0,), table)

    def test_reads_empty_for_everybody(self):
        for account in (self.account, self.account.with_user(self.admin)):
            self.assertFalse(account.secret)
            self.assertFalse(account.read(["secret"])[0]["secret"])
            self.assertFalse(account.web_read({"secret": {}})[0]["secret"])

    def test_reads_empty_right_after_it_was_written(self):
        account = self.account.with_user(self.admin)
        account.write({"secret": "written-just-now"})
        self.assertFalse(account.secret)
        answer = account.web_save({"secret": "saved-by-the-form"}, {"secret": {}})
        self.assertFalse(answer[0]["secret"])
        self.assertEqual(self.account._account().secret, "saved-by-the-form")
        made = self.make_account(key="fresh", secret="made-just-now")
        self.assertFalse(made.secret)
        self.assertEqual(made._account().secret, "made-just-now")

    def test_the_form_keeps_what_it_does_not_show(self):
        sealed = self.column()
        with Form(self.account.with_user(self.admin)) as form:
            form.name = "Renamed"
        self.assertEqual(self.column(), sealed, "an empty box is no new secret")
        with Form(self.account.with_user(self.admin)) as form:
            form.secret = "typed-by-hand"
        self.assertEqual(self.account._account().secret, "typed-by-hand")

    def test_sealed_column_is_closed_to_everybody(self):
        account = self.account.with_user(self.admin)
        with self.assertRaises(AccessError):
            account.read(["secret_sealed"])
        with self.assertRaises(AccessError):
            account.write({"secret_sealed": "x"})
        with self.assertRaises(AccessError):
            account.search([("secret_sealed", "like", "oda1")])
        with self.assertRaises(AccessError):
            account.export_data(["secret_sealed"])
        self.assertNotIn("secret_sealed", account.fields_get())

    def test_is_not_exported(self):
        rows = self.account.with_user(self.admin).export_data(["key", "secret"])
        self.assertNotIn(SECRET, str(rows))
        self.assertFalse(self.account.fields_get(["secret"])["secret"]["exportable"])

    def test_is_not_searched(self):
        with mute_logger("odoo.domains", "odoo.orm.domains", "odoo.models"):
            try:
                found = self.account.search([("secret", "=", SECRET)])
            except (ValueError, NotImplementedError):
                return
        # A filter that cannot be computed must not tell right from wrong.
        wrong = self.account.search([("secret", "=", "wrong")])
        self.assertEqual(found, wrong)

    def test_is_not_copied(self):
        copy = self.account.copy()
        self.assertFalse(copy.has_secret)
        self.assertEqual(copy._account().secret, "")
        self.assertNotEqual(copy.key, self.account.key)
        self.assertGreaterEqual(len(copy.key), 20, "an address nobody guesses")

    def test_does_not_open_in_another_row(self):
        other = self.make_account(key="other", secret="other-secret")
        mine, theirs = self.column(), self.column(other)
        self.account.sudo().secret_sealed = theirs
        other.sudo().secret_sealed = mine
        for account in (self.account, other):
            with self.assertRaises(sealing.SealBroken):
                account._account()

    def test_one_that_does_not_open_takes_nobody_with_it(self):
        other = self.make_account(key="other", secret="other-secret")
        self.account.sudo().secret_sealed = "oda1.broken"
        with self.assertLogs(ACCOUNT, "ERROR") as logs:
            found = self.account._resolve("testwire", "other")
        self.assertEqual((found.id, found.secret), (other.id, "other-secret"))
        self.assertIn(f"connector account {self.account.id}", logs.output[0])
        with self.assertRaises(Unavailable):
            self.account._resolve("testwire", self.key)

    def test_replaced_is_journalled_without_the_secret(self):
        Event = self.env["oda.event"]
        domain = [
            ("code", "=", "connector.key_replaced"),
            ("res_id", "=", self.account.id),
        ]
        before = Event.search(domain)
        self.account.with_user(self.admin).secret = "the-next-one"
        event = Event.search(domain) - before
        self.assertEqual(
            (event.res_model, event.user_id), ("oda.connector.account", self.admin)
        )
        self.env.cr.execute("SELECT e::text FROM oda_event e WHERE id = %s", event.ids)
        self.assertNotIn("the-next-one", self.env.cr.fetchone()[0])
        self.account.with_user(self.admin).name = "Other name"
        self.assertEqual(Event.search(domain), before + event)

    def test_without_a_sealing_key_nothing_is_stored_in_clear(self):
        empty = settings.Section(settings.oda_section(), secret_key="")
        self.patch(settings, "oda_section", lambda: empty)
        sealed = self.column()
        with self.assertRaises(sealing.SealingKeyMissing):
            self.account.secret = "in-clear"
        self.env.invalidate_all(flush=False)
        self.assertEqual(self.column(), sealed)


@tagged("-at_install", "post_install")
class TestAddress(WireCase):
    def test_charset_of_the_key(self):
        for key in ("", " ", "a b", "a/b", "ă", "a\n", "x" * 65, "a.b", "a%00", "😀"):
            with self.assertRaises(ValidationError, msg=repr(key)):
                self.make_account(key=key)
        for key in ("a", "A-b_9", "x" * 64):
            self.assertEqual(
                self.make_account(key=key).inbound_path, f"/oda/in/testwire/{key}"
            )

    def test_two_accounts_cannot_share_an_address(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.make_account()

    def test_an_archived_account_keeps_its_address(self):
        self.account.active = False
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.make_account()

    def test_the_connector_cannot_be_changed(self):
        class Other(Driver):
            name = "testother"

        self.add_driver(Other())
        with self.assertRaises(ValidationError):
            self.account.connector = "testother"
        self.account.write({"connector": "testwire", "name": "Same"})

    def test_what_is_resolved_follows_every_change(self):
        def resolve(key=self.key):
            return self.env["oda.connector.account"]._resolve("testwire", key)

        self.assertEqual(resolve().secret, SECRET)
        self.assertIsNone(resolve("fresh"))
        fresh = self.make_account(key="fresh")
        self.assertEqual(resolve("fresh").id, fresh.id)
        self.account.secret = "second-secret"
        self.assertEqual(resolve().secret, "second-secret")
        self.account.key = "moved"
        self.assertIsNone(resolve())
        self.assertEqual(resolve("moved").id, self.account.id)
        self.account.active = False
        self.assertIsNone(resolve("moved"))
        self.account.active = True
        self.assertEqual(resolve("moved").secret, "second-secret")
        self.account.unlink()
        self.assertIsNone(resolve("moved"))
        self.assertEqual(resolve("fresh").id, fresh.id)

    def test_resolving_costs_no_query(self):
        Account = self.env["oda.connector.account"]
        Account._resolve("testwire", self.key)
        with self.assertQueryCount(0):
            self.assertTrue(Account._resolve("testwire", self.key))
            for number in range(100):
                self.assertIsNone(Account._resolve("testwire", f"invented{number}"))

    def test_a_callers_context_does_not_open_archived_accounts(self):
        self.account.active = False
        Account = self.env["oda.connector.account"].with_context(active_test=False)
        self.assertIsNone(Account._resolve("testwire", self.key))

    def test_traffic(self):
        self.assertRecordValues(
            self.account,
            [{"last_received_at": False, "waiting_count": 0, "dead_count": 0}],
        )
        rows = [self.receive(str(number)) for number in range(4)]
        rows[0].write({"state": "dead"})
        rows[1].write({"state": "retry"})
        rows[2].write({"state": "done"})
        self.env.flush_all()
        self.account.invalidate_recordset()
        self.assertRecordValues(
            self.account,
            [
                {
                    "last_received_at": rows[3].received_at,
                    "waiting_count": 2,
                    "dead_count": 1,
                }
            ],
        )
        action = self.account.action_view_dead()
        found = self.env["oda.inbound"].search(action["domain"])
        self.assertEqual(set(found.ids), {row.id for row in rows})

    def test_the_jobs_user_is_let_into_each_accounts_company(self):
        user = self.env.ref("oda_base.user_connector")
        one, two = self.env["res.company"].create([{"name": "One"}, {"name": "Two"}])
        self.assertNotIn(one, user.company_ids)
        account = self.make_account(key="one", company_id=one.id)
        self.assertIn(one, user.company_ids)
        account.company_id = two
        self.assertIn(two, user.company_ids)

    def test_neutralized_copy_reaches_nobody(self):
        from odoo.tools import file_open  # noqa: PLC0415

        self.env.flush_all()
        with file_open("oda_base/data/neutralize.sql") as statements:
            self.env.cr.execute(statements.read())
        self.env.invalidate_all()
        self.registry.clear_cache()
        self.assertFalse(self.account.active)
        self.assertFalse(self.account.has_secret)
        self.assertEqual(self.env["oda.connector.account"]._addresses(), {})
