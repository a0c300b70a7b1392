# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tests import BaseCase, get_db_name, tagged

from odoo.addons.oda_base import settings
from odoo.addons.oda_crm.models import oda_programme_news as news_module

PEOPLE = 24


@tagged("post_install", "-at_install")
class TestNewsRace(BaseCase):
    """Real transactions: the same job several times at once tells everybody once."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        section = settings.parse_section({"secret_key": "k" * 40})
        for patcher in (
            # The suite's main thread holds it; other threads would wait for the end.
            patch.object(Registry, "_lock", DummyRLock()),
            patch.object(settings, "oda_section", lambda: section),
            patch.object(news_module, "TELL_BATCH", 5),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            programme = env["oda.programme"].create({"name": "R", "code": "NEWSRACE"})
            people = env["res.partner"].create(
                [
                    {"name": f"News {n}", "email": f"news{n}@example.com"}
                    for n in range(PEOPLE)
                ]
            )
            env["oda.programme.follower"].create(
                [
                    {"partner_id": person.id, "programme_id": programme.id}
                    for person in people
                ]
            )
            news = env["oda.programme.news"].create(
                {"programme_id": programme.id, "name": "N", "body": "<p>b</p>"}
            )
            news.action_publish()
            self.programme_id, self.news_id = programme.id, news.id
            self.partner_ids = people.ids
        self.addCleanup(self._cleanup)

    def _cleanup(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            people = env["res.partner"].browse(self.partner_ids)
            letters = env["mail.mail"].search([("recipient_ids", "in", people.ids)])
            letters.mail_message_id.unlink()
            jobs = env["queue.job"].search([("model_name", "=", "oda.programme.news")])
            jobs.filtered(lambda job: job.records.id == self.news_id).unlink()
            env["oda.programme"].browse(self.programme_id).unlink()
            people.unlink()

    def test_four_runners(self):
        barrier = threading.Barrier(4)
        dying = threading.Event()

        def work():
            barrier.wait(timeout=30)
            for _attempt in range(200):
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    news = env["oda.programme.news"].browse(self.news_id)
                    if news.state != "publishing":
                        return
                    try:
                        news._job_publish()
                        env.flush_all()
                        if not dying.is_set():
                            # kill -9 right before the commit
                            dying.set()
                            cr.rollback()
                            continue
                        cr.commit()  # pylint: disable=invalid-commit
                    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                        cr.rollback()

        with patch("odoo.sql_db._logger.error"):
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=120)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            news = env["oda.programme.news"].browse(self.news_id)
            letters = env["mail.mail"].search(
                [("recipient_ids", "in", self.partner_ids)]
            )
            self.assertEqual(news.state, "published")
            self.assertEqual(len(letters), PEOPLE)
            self.assertEqual(set(letters.recipient_ids.ids), set(self.partner_ids))
            self.assertEqual(news.told_count, PEOPLE)
