# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Tasks over the wire, and with real commits."""

from contextlib import contextmanager

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestTasksOverTheWire(HttpCase):
    def setUp(self):
        super().setUp()
        self.user = new_test_user(
            self.env, "wire_consultant", groups="oda_base.group_consultant"
        )
        self.case = self.env["crm.lead"].create(
            {"name": "Wire", "type": "opportunity", "user_id": self.user.id}
        )
        self.task = self.case.activity_ids
        self.authenticate("wire_consultant", "wire_consultant")

    def ask(self, route, model, method, *args, **kwargs):
        return self.make_jsonrpc_request(
            f"/web/dataset/{route}/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": kwargs},
        )

    def test_button_opens_the_dialog_and_a_call_is_refused(self):
        for method, outcome in (
            ("action_done", "done"),
            ("action_cancel", "cancelled"),
        ):
            action = self.ask("call_button", "mail.activity", method, self.task.ids)
            self.assertEqual(action["res_model"], "oda.task.result")
            self.assertEqual(action["context"]["default_outcome"], outcome)
            with self.assertRaises(JsonRpcException), mute_logger("odoo.http"):
                self.ask("call_kw", "mail.activity", method, self.task.ids)
        self.assertTrue(self.task.active)

    def test_browser_learns_of_orphans_at_start(self):
        self.assertFalse(self.start()["oda_orphans"])
        self.ask(
            "call_kw",
            "mail.activity",
            "action_feedback",
            self.task.ids,
            feedback="Called, all is said",
        )
        self.assertTrue(self.start()["oda_orphans"])
        found = self.ask("call_kw", "crm.lead", "oda_my_orphans")
        self.assertEqual([lead["id"] for lead in found["leads"]], self.case.ids)

    def start(self):
        return self.make_jsonrpc_request("/web/session/get_session_info", {})


@tagged("post_install", "-at_install")
class TestTwoAtOnce(TransactionCase):
    """Real commits: what one transaction does not see of the other."""

    registry_test_mode = False

    @classmethod
    @contextmanager
    def fresh(cls, uid=SUPERUSER_ID):
        with cls.registry.cursor() as cr:
            yield api.Environment(cr, uid, {})

    def setUp(self):
        super().setUp()
        with self.fresh() as env:
            group = env.ref("oda_base.group_consultant").id
            self.user_id = (
                env["res.users"]
                .with_context(no_reset_password=True)
                .create(
                    {
                        "name": "Two",
                        "login": "two_at_once",
                        "group_ids": [Command.set([group])],
                    }
                )
                .id
            )
            case = env["crm.lead"].create(
                {"name": "Two", "type": "opportunity", "user_id": self.user_id}
            )
            second = case.activity_ids.copy()
            self.case_id = case.id
            self.task_ids = sorted((case.activity_ids | second).ids)
        self.addCleanup(self.remove)

    def remove(self):
        with self.fresh() as env:
            env["crm.lead"].browse(self.case_id).unlink()
            user = env["res.users"].browse(self.user_id)
            partner = user.partner_id
            user.unlink()
            partner.unlink()

    def close(self, env, task_id, text):
        env["mail.activity"].browse(task_id).action_feedback(feedback=text)
        env.flush_all()

    @mute_logger("odoo.sql_db")
    def test_same_task_closes_once(self):
        task_id = self.task_ids[0]
        with self.fresh(self.user_id) as slow:
            self.assertTrue(slow["mail.activity"].browse(task_id).active)
            with self.fresh(self.user_id) as fast:
                self.close(fast, task_id, "The fast one wrote this")
            with self.assertRaises(SerializationFailure):
                self.close(slow, task_id, "The slow one wrote that")
            slow.cr.rollback()
        with self.fresh(self.user_id) as again, self.assertRaises(UserError):
            self.close(again, task_id, "The slow one wrote that")
        with self.fresh() as env:
            task = env["mail.activity"].browse(task_id)
            self.assertEqual(task.feedback, "The fast one wrote this")

    @mute_logger("odoo.sql_db")
    def test_two_last_tasks_do_not_slip_past_each_other(self):
        with self.fresh(self.user_id) as slow:
            self.assertTrue(slow["mail.activity"].browse(self.task_ids[1]).active)
            with self.fresh(self.user_id) as fast:
                self.close(fast, self.task_ids[0], "The first is done now")
            with self.assertRaises(SerializationFailure):
                self.close(slow, self.task_ids[1], "The second is done, too")
            slow.cr.rollback()
        with self.fresh(self.user_id) as again:
            self.close(again, self.task_ids[1], "The second is done, too")
        with self.fresh() as env:
            self.assertTrue(env["crm.lead"].browse(self.case_id).oda_next_step_missing)
