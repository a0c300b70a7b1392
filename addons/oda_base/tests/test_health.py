# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from prometheus_client.parser import text_string_to_metric_families

from odoo import fields
from odoo.tests import tagged

from odoo.addons.oda_base import settings
from odoo.addons.oda_base.controllers.health import may_see_all
from odoo.addons.oda_base.net import BREAKER

from .common import SECRET, InboundCase


@tagged("-at_install", "post_install")
class TestHealth(InboundCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What else may wait in this database is not our matter.
        cls.env.cr.execute("UPDATE oda_inbound SET state = 'done'")
        cls.addClassCleanup(BREAKER.reset)

    def health(self):
        self.env.flush_all()
        return self.url_open("/oda/health")

    def metrics(self):
        self.env.flush_all()
        response = self.url_open("/oda/metrics")
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    def wait(self, seconds, state="new"):
        row = self.receive(f"{state}-{seconds}", order="call-37369123456")
        at = fields.Datetime.now() - timedelta(seconds=seconds)
        row.write({"state": state, "received_at": at})
        return row

    def test_well(self):
        self.wait(30)
        response = self.health()
        self.assertEqual(response.status_code, 200, response.text)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)
        facts = response.json()
        self.assertEqual(
            set(facts),
            {
                "status",
                "database",
                "queue",
                "last_backup",
                "connectors",
                "refused_24h",
                "circuits",
                "versions",
            },
        )
        self.assertEqual((facts["status"], facts["database"]), ("ok", "ok"))
        self.assertAlmostEqual(facts["queue"]["oldest_seconds"], 30, delta=10)
        self.assertIn("oda_base", facts["versions"])
        self.assertTrue(facts["versions"]["server"].startswith("19.0"))
        [ours] = [c for c in facts["connectors"] if c["connector"] == "testwire"]
        self.assertEqual(
            (ours["account"], ours["inbound"], ours["outbound"]),
            (self.account.id, {"new": 1}, {}),
        )
        self.assertTrue(ours["last_received"])

    def test_unwell_when_a_push_waits_for_ten_minutes(self):
        row = self.wait(590)
        self.assertEqual(self.health().status_code, 200)
        row.received_at -= timedelta(seconds=20)
        response = self.health()
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json()["status"], "unwell")
        row.state = "done"
        self.assertEqual(self.health().status_code, 200)

    def test_a_dead_push_does_not_take_the_house_down(self):
        self.wait(86_400, "dead")
        self.assertEqual(self.health().status_code, 200)

    def test_last_backup(self):
        self.assertIsNone(self.health().json()["last_backup"])
        self.env["ir.config_parameter"].set_param("oda.last_backup", "2026-01-02T03:04")
        self.assertEqual(self.health().json()["last_backup"], "2026-01-02T03:04")

    def test_metrics(self):
        self.wait(30)
        self.wait(40, "dead")
        self.push({"id": "1"}, X_Wire_Signature="0")
        for _i in range(5):
            BREAKER.leave(BREAKER.enter("down.example:443"), False)
        BREAKER.leave(BREAKER.enter("up.example:443"), True)
        metrics = self.metrics()
        ours = (("account", str(self.account.id)), ("connector", "testwire"))
        self.assertEqual(metrics["oda_up",], 1)
        self.assertEqual(metrics[("oda_inbound_rows", *ours, ("state", "new"))], 1)
        self.assertEqual(metrics[("oda_inbound_rows", *ours, ("state", "dead"))], 1)
        self.assertAlmostEqual(metrics["oda_inbound_oldest_seconds",], 30, delta=10)
        self.assertGreaterEqual(
            metrics["oda_refused_24h", ("connector", "testwire")], 1
        )
        self.assertEqual(metrics["oda_circuit_open", ("host", "down.example:443")], 1)
        self.assertEqual(metrics["oda_circuit_open", ("host", "up.example:443")], 0)
        circuits = self.health().json()["circuits"]
        self.assertEqual(circuits["down.example:443"], "open")
        BREAKER.reset()

    def test_metrics_when_unwell(self):
        self.wait(700)
        self.assertEqual(self.metrics()["oda_up",], 0)

    def test_strangers_make_no_labels(self):
        """Each label is a time series: made-up connectors share one."""
        for name in ("made-up", 'a"b%0Ac%5C'):
            self.push({"id": "1"}, path=f"/oda/in/{name}/x")
        connectors = [
            dict(key[1:])["connector"]
            for key in self.metrics()
            if key[0] == "oda_refused_24h"
        ]
        self.assertIn("", connectors)
        self.assertFalse([name for name in connectors if "a" in name])

    def test_no_person_and_no_secret_in_them(self):
        row = self.wait(5)
        row.write({"error": "Ana Rusu", "note": "+37369123456"})
        self.env["res.partner"].create({"name": "Ana Rusu", "phone": "069123456"})
        texts = self.health().text + self.url_open("/oda/metrics").text
        for never in ("Ana", "69123456", SECRET, self.key, row.event_key, "admin", "@"):
            self.assertNotIn(never, texts)

    def test_get_only_and_for_anybody(self):
        for path in ("/oda/health", "/oda/metrics"):
            self.assertEqual(self.url_open(path).status_code, 200)
            response = self.url_open(path, data="x")
            self.assertEqual(response.status_code, 405)

    def test_a_stranger_sees_the_least(self):
        self.wait(30)
        proxied = {"X-Forwarded-For": "198.51.100.7"}
        self.env.flush_all()
        facts = self.url_open("/oda/health", headers=proxied).json()
        self.assertEqual(set(facts), {"status", "database", "queue"})
        self.assertEqual(set(facts["queue"]), {"oldest_seconds"})
        text = self.url_open("/oda/metrics", headers=proxied).text
        self.assertIn("oda_up 1.0", text)
        self.assertIn("oda_inbound_oldest_seconds", text)
        for never in ("testwire", "oda_jobs", "oda_inbound_rows", "oda_circuit"):
            self.assertNotIn(never, text)

    def test_the_bearer_of_the_token_sees_all(self):
        section = settings.Section(settings.oda_section(), metrics_token="t0ken-é")
        with patch.object(settings, "oda_section", lambda: section):
            for given, all_ in (
                ("Bearer t0ken-é", True),
                ("bearer  t0ken-é ", True),
                ("Bearer t0ken", False),
                ("Basic t0ken-é", False),
                ("Bearer ", False),
            ):
                facts = self.url_open(
                    "/oda/health",
                    headers={
                        "X-Forwarded-For": "198.51.100.7",
                        "Authorization": given.encode(),
                    },
                ).json()
                self.assertEqual("connectors" in facts, all_, given)
        self.assertNotIn("t0ken", repr(section))

    def test_who_is_local(self):
        def local(address, passed_on=None, token="", **headers):
            if passed_on:
                headers["X-Forwarded-For"] = passed_on
            request = SimpleNamespace(remote_addr=address, headers=headers)
            return may_see_all(request, token)

        for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
            self.assertTrue(local(address), address)
        for address in ("192.0.2.7", "::2", "::ffff:192.0.2.7", "", None, "here"):
            self.assertFalse(local(address), address)
        # A proxy of this machine whose word Odoo was not told to believe.
        self.assertFalse(local("127.0.0.1", "198.51.100.7"))
        self.assertFalse(local("127.0.0.1", "127.0.0.1, 198.51.100.7"))
        self.assertTrue(local("127.0.0.1", "127.0.0.1"))
        # No token opens nothing.
        self.assertFalse(local("192.0.2.7", Authorization="Bearer "))
        self.assertFalse(local("192.0.2.7", Authorization="Bearer"))

    def test_queries_do_not_grow_with_accounts(self):
        Health = self.env["oda.health"]

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            Health._facts()
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        for number in range(12):
            self.receive("1", account=self.make_account(key=f"many{number}"))
        self.assertEqual(count(), few)
        self.assertLessEqual(few, 14)
