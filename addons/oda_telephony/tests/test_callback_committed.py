# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import threading
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged

from odoo.addons.oda_base.transaction import in_own_transaction

AT_ONCE = 6
NUMBER = "+3736900777{}"


@tagged("post_install", "-at_install")
class TestCallbackTogether(BaseCase):
    """Real transactions: what comes at the same moment is owed once, and shared."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # The suite's main thread holds it; other threads would wait for the end.
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            account = env["oda.connector.account"].create(
                {"name": "together", "connector": "moldcell", "key": "together"}
            )
            department = env["oda.department"].create({"name": "Together"})
            users = env["res.users"]
            for login in ("tg_ana", "tg_ion"):
                users |= new_test_user(
                    env,
                    login,
                    groups="oda_base.group_consultant",
                    oda_department_id=department.id,
                )
            line = env["oda.line"].create(
                {
                    "name": "Together",
                    "number": "022 777 777",
                    "department_id": department.id,
                }
            )
            # Known people, so that nothing is opened for strangers beside.
            people = env["res.partner"].create(
                [
                    {"name": f"Together {n}", "phone": NUMBER.format(n)}
                    for n in range(AT_ONCE)
                ]
            )
            self.ids = {
                "oda.line": line.ids,
                "res.partner": people.ids,
                "res.users": users.ids,
                "oda.department": department.ids,
                "oda.connector.account": account.ids,
            }
        self.addCleanup(self._cleanup)

    def _cleanup(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            people = self.ids["res.partner"]
            rows = env["oda.callback"].search([("partner_id", "in", people)])
            env["mail.activity"].search(
                [("res_model", "=", "res.partner"), ("res_id", "in", people)]
            ).unlink()
            rows.unlink()
            env["oda.call"].search([("partner_id", "in", people)]).unlink()
            for model, ids in self.ids.items():
                records = env[model].browse(ids)
                if model == "res.users":
                    records.oda_department_id = False
                    partners = records.partner_id
                    records.unlink()
                    partners.unlink()
                else:
                    records.unlink()

    def together(self, numbers):
        """Let calls of these numbers be missed, each in a transaction of its own."""
        barrier, faults = threading.Barrier(len(numbers)), []

        def miss(place, number):
            waited = []

            def work(env):
                call = env["oda.call"].create(
                    {
                        "account_id": self.ids["oda.connector.account"][0],
                        "company_id": env.company.id,
                        "callid": f"together-{place}",
                        "direction": "in",
                        "did": "37322777777",
                        "e164": NUMBER.format(number),
                        "phone": NUMBER.format(number)[1:],
                        "partner_id": self.ids["res.partner"][number],
                        "outcome": "missed",
                        "state": "ended",
                        "started_at": fields.Datetime.now() - timedelta(minutes=place),
                    }
                )
                env.flush_all()
                if not waited:  # all look before anybody has written
                    waited.append(True)
                    barrier.wait(timeout=30)
                env["oda.callback"]._settle(call)

            try:
                in_own_transaction(self.registry, SUPERUSER_ID, work, tries=12)
            except Exception as error:  # noqa: BLE001
                faults.append(error)

        threads = [
            threading.Thread(target=miss, args=one) for one in enumerate(numbers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertFalse(faults)

    def test_one_caller_is_owed_once(self):
        self.together([0] * AT_ONCE)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            person = self.ids["res.partner"][0]
            row = env["oda.callback"].search([("partner_id", "=", person)])
            self.assertEqual(len(row), 1)
            self.assertEqual(row.missed_count, AT_ONCE)
            tasks = env["mail.activity"].search(
                [("res_model", "=", "res.partner"), ("res_id", "=", person)]
            )
            self.assertEqual(tasks, row.activity_id)

    def test_callers_are_shared_out_evenly(self):
        self.together(range(AT_ONCE))
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            rows = env["oda.callback"].search(
                [("partner_id", "in", self.ids["res.partner"])]
            )
            self.assertEqual(len(rows), AT_ONCE)
            owed = [
                len(rows.filtered(lambda row, u=user: row.user_id.id == u))
                for user in self.ids["res.users"]
            ]
            self.assertEqual(owed, [AT_ONCE // 2] * 2)
