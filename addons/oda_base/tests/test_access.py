# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import inspect

from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import WireCase

#: model -> group -> operations; whoever is not named may do nothing
RIGHTS = {
    "oda.connector.account": {"admin": "rwcu", "connector": "r"},
    "oda.inbound": {"admin": "rw", "connector": "rw"},
    "oda.outbound": {"admin": "rw", "connector": "rw"},
    "oda.refusal": {"admin": "r"},
    "oda.event": {"admin": "r", "supervisor": "r", "auditor": "r"},
    "oda.claim": {"admin": "r"},
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
ROLES = {
    "public": "base.group_public",
    "portal": "base.group_portal",
    "employee": "base.group_user",
    "settings": "base.group_system",
    "consultant": "oda_base.group_consultant",
    "lead": "oda_base.group_lead",
    "head": "oda_base.group_head",
    "supervisor": "oda_base.group_supervisor",
    "marketing": "oda_base.group_marketing",
    "cashier": "oda_base.group_cashier",
    "accountant": "oda_base.group_accountant",
    "admin": "oda_base.group_admin",
    "auditor": "oda_base.group_auditor",
    "connector": "oda_base.group_connector",
}
#: what a browser or an RPC client may call, beside Odoo's own verbs
PUBLIC = {
    "oda.connector.account": {
        "action_test",
        "action_view_dead",
        "action_view_refused",
    },
    "oda.inbound": {"action_replay", "action_discard"},
    "oda.outbound": {"action_cancel", "action_ask_again"},
    "oda.refusal": set(),
    "oda.event": set(),
    "oda.claim": set(),
    "oda.health": set(),
}


@tagged("-at_install", "post_install")
class TestAccess(WireCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {
            role: new_test_user(cls.env, f"access_{role}", groups=group)
            for role, group in ROLES.items()
        }

    def records(self):
        row = self.receive("1")
        message = self.env["oda.outbound"]._enqueue(self.account, "send", {"to": "x"})
        self.env["oda.claim"]._claim("+37369123456")
        self.env.cr.execute(
            "INSERT INTO oda_refusal (at, reason, count) VALUES (now(), 'method', 1)"
        )
        return {
            "oda.connector.account": self.account,
            "oda.inbound": row,
            "oda.outbound": message,
            "oda.refusal": self.env["oda.refusal"].search([], limit=1),
            "oda.event": self.env["oda.event"]._log("x"),
            "oda.claim": self.env["oda.claim"].search([], limit=1),
        }

    def test_each_role_on_each_model(self):
        for model, record in self.records().items():
            for role, user in self.people.items():
                allowed = RIGHTS[model].get(role, "")
                for letter, operation in OPERATIONS.items():
                    one = record.with_user(user)
                    with self.subTest(model=model, role=role, operation=operation):
                        self.assertEqual(one.has_access(operation), letter in allowed)
                if "r" not in allowed:
                    with self.assertRaises(AccessError):
                        record.with_user(user).search_count([])
                    with self.assertRaises(AccessError):
                        record.with_user(user).read([])

    def test_public_methods_are_the_intended_ones(self):
        for name, intended in PUBLIC.items():
            model = self.env[name]
            ours = set()
            for cls in type(model).mro():
                if not cls.__module__.startswith("odoo.addons.oda_base"):
                    continue
                for method, function in vars(cls).items():
                    if not inspect.isfunction(function) or method.startswith("_"):
                        continue
                    try:
                        get_public_method(model, method)
                    except AccessError:
                        continue
                    ours.add(method)
            standard = {"create", "write", "unlink", "init"}
            self.assertEqual(ours - standard, intended, name)

    def test_actions_are_for_administrators(self):
        records = self.records()
        records["oda.inbound"].write({"state": "dead"})
        calls = (
            ("oda.inbound", "action_replay"),
            ("oda.inbound", "action_discard"),
            ("oda.outbound", "action_cancel"),
            ("oda.outbound", "action_ask_again"),
        )
        for model, method in calls:
            for role, user in self.people.items():
                if role in ("admin", "connector"):
                    continue
                with (
                    self.subTest(model=model, method=method, role=role),
                    self.assertRaises(AccessError),
                ):
                    getattr(records[model].with_user(user), method)()
        admin = self.people["admin"]
        records["oda.inbound"].with_user(admin).action_replay()
        self.assertEqual(records["oda.inbound"].state, "new")
        records["oda.outbound"].with_user(admin).action_cancel()
        self.assertEqual(records["oda.outbound"].state, "cancelled")

    def test_what_is_kept_cannot_be_rewritten(self):
        """An administrator decides what becomes of a row, not what it says."""
        records = self.records()
        admin = self.people["admin"]
        row = records["oda.inbound"].with_user(admin)
        for vals in (
            {"body": b"eA=="},
            {"event_key": "x"},
            {"account_id": self.account.id},
            {"received_at": False},
            {"state": "new", "remote_addr": "x"},
        ):
            with self.assertRaises(AccessError, msg=vals):
                row.write(vals)
        message = records["oda.outbound"].with_user(admin)
        for vals in ({"payload": {"to": "me"}}, {"uuid": "x"}, {"verb": "x"}):
            with self.assertRaises(AccessError, msg=vals):
                message.write(vals)

    def test_fields_with_content(self):
        records = self.records()
        connector = self.people["connector"]
        row = records["oda.inbound"].with_user(connector)
        self.assertEqual(row._raw_body(), b"{}", "it works them")
        with self.assertRaises(AccessError):
            row.read(["body_text"])
        with self.assertRaises(AccessError):
            records["oda.outbound"].with_user(connector).read(["payload"])
        admin = self.people["admin"]
        row.with_user(admin).read(["body_text"])
        records["oda.outbound"].with_user(admin).read(["payload"])

    def test_bodies_are_not_read_past_the_rights(self):
        row = self.receive("1")
        with self.assertRaises(AccessError):
            row.with_user(self.people["head"])._raw_bodies()

    def test_another_companys_rows(self):
        company = self.env["res.company"].create({"name": "Branch"})
        account = self.make_account(key="branch", company_id=company.id)
        row = self.receive("1", account=account)
        message = self.env["oda.outbound"]._enqueue(account, "send", {})
        self.env.flush_all()
        for record in (account, row, message):
            for role in ("admin",):
                mine = record.with_user(self.people[role])
                self.assertFalse(mine.has_access("read"), record)
                self.assertFalse(mine.search([("id", "=", record.id)]))

    def test_the_connector_user_is_no_person_and_has_little(self):
        user = self.env.ref("oda_base.user_connector")
        self.assertFalse(user.has_group("base.group_system"))
        self.assertFalse(user.has_group("oda_base.group_admin"))
        self.assertFalse(user.has_group("base.group_partner_manager"))
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", user.ids)
        self.assertFalse(self.env.cr.fetchone()[0], "nobody can log in with it")
        env = self.env(user=user)
        for model in ("res.users", "ir.config_parameter", "ir.cron", "oda.event"):
            self.assertFalse(env[model].has_access("write"), model)

    def test_every_model_of_ours_has_an_access_line(self):
        for name, model in self.registry.items():
            if model._original_module != "oda_base" or model._abstract:
                continue
            self.assertTrue(
                self.env["ir.model.access"].search_count(
                    [("model_id.model", "=", name)]
                ),
                name,
            )
