# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tests import BaseCase, get_db_name, tagged

PAGES = 3


@tagged("post_install", "-at_install")
class TestTogether(BaseCase):
    """Real transactions: pages that save at the same moment lose nothing."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # The suite's main thread holds it; other threads would wait for the end.
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partner = env["res.partner"].create({"name": "Together"})
            session = env["oda.consultation.session"].create({"partner_id": partner.id})
            instrument = env["oda.instrument"].create(
                {
                    "name": "Together",
                    "group_id": env["oda.instrument.group"].create({"name": "T"}).id,
                }
            )
        self.ids = (partner.id, session.id, instrument.id)
        self.addCleanup(self._cleanup)

    def _cleanup(self):
        partner_id, session_id, instrument_id = self.ids
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["oda.consultation.session"].browse(session_id).unlink()
            env["res.partner"].browse(partner_id).unlink()
            instrument = env["oda.instrument"].browse(instrument_id)
            group = instrument.group_id
            instrument.unlink()
            group.unlink()

    def test_three_pages_at_once(self):
        _partner_id, session_id, instrument_id = self.ids
        barrier = threading.Barrier(PAGES)
        outcomes = []

        def save(page):
            values = {
                "content": f"text of page {page}",
                "answers": {str(instrument_id): True},
            }
            for attempt in range(8):
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    Session = env["oda.consultation.session"]
                    # All see the empty session before anybody writes.
                    Session.browse(session_id).content_version  # noqa: B018
                    if not attempt:
                        barrier.wait(timeout=30)
                    try:
                        told = Session.oda_session_save_draft(
                            session_id, 1, 0, values, f"page-{page}"
                        )
                        cr.commit()  # pylint: disable=invalid-commit
                        outcomes.append(told["outcome"])
                        return
                    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                        cr.rollback()

        # Nothing may be logged either: a lost race would carry the text.
        with self.assertNoLogs("odoo.sql_db", "ERROR"):
            threads = [threading.Thread(target=save, args=(n,)) for n in range(PAGES)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=60)
        self.assertEqual(sorted(outcomes), ["both"] * (PAGES - 1) + ["taken"])
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            session = env["oda.consultation.session"].browse(session_id)
            for page in range(PAGES):
                self.assertEqual(session.content.count(f"text of page {page}"), 1)
            self.assertEqual(len(session.answer_ids), 1)
