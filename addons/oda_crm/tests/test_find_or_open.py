# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tests import BaseCase, get_db_name, tagged

from .common import CrmCase


class TestFindOrOpen(CrmCase):
    def _find(self, raw):
        partners, created = (
            self.env["res.partner"]
            .with_user(self.connector)
            ._oda_find_or_create_by_phone(raw)
        )
        return partners.sudo(), created

    def test_every_spelling_finds_the_same_person(self):
        for raw in (
            "069555111",
            "69555111",
            "+373 69 555 111",
            "0037369555111",
            "37369555111",
        ):
            with self.subTest(raw=raw):
                found, created = self._find(raw)
                self.assertEqual(found, self.partner)
                self.assertFalse(created)

    def test_stranger_gets_one_card_marked_new(self):
        found, created = self._find("+37379123123")
        self.assertTrue(created)
        self.assertTrue(found.oda_is_new)
        self.assertEqual(found.oda_phone_ids.e164, "+37379123123")
        again, created = self._find("079123123")
        self.assertEqual(again, found)
        self.assertFalse(created)

    def test_no_card_for_what_is_no_number(self):
        before = self.env["res.partner"].search_count([])
        for raw in ("anonymous", "701", "112", "", None, "pbx", "abcdefgh", "g_1"):
            with self.subTest(raw=raw):
                found, created = self._find(raw)
                self.assertFalse(found)
                self.assertFalse(created)
        self.assertEqual(self.env["res.partner"].search_count([]), before)

    def test_shared_number_gives_everybody(self):
        other = self.env["res.partner"].create(
            {"name": "Elena Croitoru", "phone": "+37369555111"}
        )
        found, created = self._find("069555111")
        self.assertEqual(found, self.partner | other)
        self.assertFalse(created)

    def test_naming_a_stranger_clears_the_mark(self):
        found, _created = self._find("+37379123123")
        found.write({"name": "Ana Popa"})
        self.assertFalse(found.oda_is_new)

    def test_open_consultation_is_gone_on_with(self):
        Lead = self.env["crm.lead"].with_user(self.connector)
        first = Lead._oda_find_or_open(self.partner)
        self.assertEqual(Lead._oda_find_or_open(self.partner), first)
        first.sudo().action_set_won()
        second = Lead._oda_find_or_open(self.partner)
        self.assertNotEqual(second, first)
        second.sudo().action_set_lost()
        self.assertNotIn(Lead._oda_find_or_open(self.partner), first | second)

    def test_a_new_flow_does_not_draw_the_callers_to_itself(self):
        """Core lists the newest of equal flows first; strangers stay as they were."""
        before = self.env["crm.lead"]._oda_default_flow()
        self.env["crm.team"].create(
            {"name": "Incubator", "sequence": before.sequence, "company_id": False}
        )
        self.assertEqual(self.env["crm.lead"]._oda_default_flow(), before)

    def test_opening_is_quiet(self):
        lead = (
            self.env["crm.lead"]
            .with_user(self.connector)
            ._oda_find_or_open(self.partner, user=self.consultant)
        )
        self.assertEqual(lead.sudo().user_id, self.consultant)
        self.assertFalse(lead.sudo().message_ids)
        self.assertNotIn(self.connector.partner_id, lead.sudo().message_partner_ids)


@tagged("post_install", "-at_install")
class TestStrangerRace(BaseCase):
    """Real transactions: a stranger who rings twice at once gets one card."""

    number = "+37378000999"

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # The suite's main thread holds it; other threads would wait for the end.
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)

    def _cleanup(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["oda.phone"].search([("e164", "=", self.number)]).partner_id.unlink()
            env["oda.claim"].search([("key", "=", f"phone:{self.number}")]).unlink()

    def test_two_transactions_one_card(self):
        self.addCleanup(self._cleanup)
        barrier = threading.Barrier(4)
        outcome = []

        registry = self.registry

        def call():
            for attempt in range(8):
                with registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    # The snapshot is taken before anybody has created the card.
                    env["oda.phone"]._lookup(self.number)
                    if not attempt:
                        barrier.wait(timeout=30)
                    try:
                        found, _new = env["res.partner"]._oda_find_or_create_by_phone(
                            self.number
                        )
                        cr.commit()  # pylint: disable=invalid-commit
                        outcome.append(found.ids)
                        return
                    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                        cr.rollback()

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertEqual(len(outcome), 4)
        self.assertEqual(len({tuple(ids) for ids in outcome}), 1, outcome)
        self.assertEqual(len(outcome[0]), 1)
