# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import CrmCase


@tagged("post_install", "-at_install")
class TestConsent(CrmCase):
    def give(self, granted, days=0, purpose="news", **facts):
        return self.partner._oda_give_consent(
            purpose, granted, at=fields.Datetime.now() - timedelta(days=days), **facts
        )

    def test_latest_answer_holds(self):
        partners = self.env["res.partner"]
        self.assertFalse(self.partner._oda_consents("news"))
        self.give(True, days=3, text_version="2026-1")
        self.assertEqual(self.partner._oda_consents("news"), self.partner)
        self.assertTrue(self.partner.oda_consent_news)
        self.assertFalse(self.partner.oda_consent_sms)
        self.give(False, days=2, source="unsubscribe")
        self.partner.invalidate_recordset()
        self.assertFalse(self.partner._oda_consents("news"))
        # an older yes, found on paper later, does not undo the no
        self.give(True, days=10, source="paper")
        self.partner.invalidate_recordset()
        self.assertFalse(self.partner._oda_consents("news"))
        self.assertFalse(
            partners.search([("oda_consent_news", "=", True)]) & self.partner
        )
        self.give(True)
        self.partner.invalidate_recordset()
        found = partners.search([("oda_consent_news", "=", True)])
        self.assertIn(self.partner, found)
        refused = partners.search([("oda_consent_news", "=", False)])
        self.assertNotIn(self.partner, refused)
        self.assertEqual(len(self.partner.oda_consent_ids), 4)

    def test_at_the_same_instant_the_last_written_holds(self):
        at = datetime(2026, 1, 1)
        for granted in (True, False):
            self.partner._oda_give_consent("sms", granted, at=at)
        self.assertFalse(self.partner._oda_consents("sms"))

    def test_unknown_purpose_is_refused(self):
        with self.assertRaises(ValueError):
            self.partner._oda_consents("everything")
        with self.assertRaises(ValueError):
            self.env["res.partner"]._oda_consent_domain("everything")

    def test_facts_stay(self):
        row = self.give(True)
        for role in (self.consultant, self.head, self.admin):
            with self.assertRaises(AccessError):
                row.with_user(role).write({"granted": False})
            with self.assertRaises(AccessError):
                row.with_user(role).unlink()
        with self.assertRaises(AccessError):
            row.sudo().granted = False
        with self.assertRaises(AccessError):
            self.partner.write({"oda_consent_ids": [(1, row.id, {"granted": False})]})

    def test_who_recorded_is_not_for_choice(self):
        row = (
            self.env["oda.consent"]
            .with_user(self.consultant)
            .create(
                {
                    "partner_id": self.partner.id,
                    "purpose": "calls",
                    "granted": True,
                    "user_id": self.head.id,
                }
            )
        )
        self.assertEqual(row.user_id, self.consultant)

    def test_not_in_the_future(self):
        with self.assertRaises(ValidationError):
            self.give(True, days=-1)

    def test_rights(self):
        row = self.give(True)
        may = {
            "consultant": (True, True),
            "supervisor": (True, False),
            "marketing": (True, False),
            "cashier": (False, False),
            "admin": (True, True),
        }
        for role, (read, create) in may.items():
            mine = row.with_user(getattr(self, role))
            self.assertEqual(mine.has_access("read"), read, role)
            self.assertEqual(mine.has_access("create"), create, role)

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other centre"})
        foreign = self.env["res.partner"].create({"name": "X", "company_id": other.id})
        row = foreign._oda_give_consent("news")
        self.assertFalse(row.with_user(self.consultant).has_access("read"))
