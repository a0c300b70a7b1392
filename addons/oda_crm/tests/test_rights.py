# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError

from .common import ROLES, CrmCase

# role -> rights on sessions: read, write, create, unlink
SESSION_RIGHTS = {
    "consultant": "rwc",
    "lead": "rwc",
    "head": "rwc",
    "supervisor": "r",
    "marketing": "",
    "cashier": "",
    "accountant": "",
    "admin": "rwcu",
    "auditor": "r",
    "connector": "rwc",
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}


class TestRights(CrmCase):
    def test_sessions_by_role(self):
        session = self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id}
        )
        for role in ROLES:
            mine = session.with_user(getattr(self, role))
            for letter, operation in OPERATIONS.items():
                with self.subTest(role=role, operation=operation):
                    self.assertEqual(
                        mine.has_access(operation), letter in SESSION_RIGHTS[role]
                    )

    def test_portal_sees_nothing(self):
        session = self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id}
        )
        portal = self.env["res.users"].create(
            {
                "name": "citizen",
                "login": "test_citizen",
                "group_ids": [(6, 0, [self.env.ref("base.group_portal").id])],
            }
        )
        with self.assertRaises(AccessError):
            session.with_user(portal).read(["content"])

    def test_other_company_is_out_of_sight(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        session = self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id, "company_id": company.id}
        )
        self.assertFalse(session.with_user(self.consultant).has_access("read"))

    def test_consultants_see_the_cases_of_their_flow(self):
        self.env["crm.team"].create(
            {
                "name": "Flow",
                "member_ids": [(6, 0, (self.consultant | self.lead).ids)],
            }
        )
        lead = self.env["crm.lead"].create(
            {
                "name": "somebody else's",
                "partner_id": self.partner.id,
                "user_id": self.lead.id,
            }
        )
        self.assertTrue(lead.with_user(self.consultant).has_access("write"))
        self.assertFalse(lead.with_user(self.cashier).has_access("read"))

    def test_connector_has_no_way_in(self):
        user = self.env.ref("oda_base.user_connector")
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", (user.id,))
        self.assertFalse(self.env.cr.fetchone()[0])
        self.assertFalse(user._is_admin())
        self.assertFalse(user.has_group("base.group_system"))
