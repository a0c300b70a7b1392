# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import TransactionCase, new_test_user

ROLES = (
    "consultant",
    "lead",
    "head",
    "supervisor",
    "marketing",
    "cashier",
    "accountant",
    "admin",
    "auditor",
    "connector",
)


class CrmCase(TransactionCase):
    """One person of each role, named after it: `cls.consultant`, `cls.lead`..."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.md")
        for role in ROLES:
            user = new_test_user(
                cls.env, f"test_{role}", groups=f"oda_base.group_{role}"
            )
            setattr(cls, role, user)
        cls.partner = cls.env["res.partner"].create(
            {"name": "Vasile Croitoru", "phone": "069 555 111"}
        )
