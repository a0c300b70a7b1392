# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import CrmCase
from .test_identity import IDNO, person

IDNP = person("200401234567")


@tagged("post_install", "-at_install")
class TestDuplicates(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        localities = cls.env["oda.locality"]
        cls.place, cls.elsewhere = localities.create(
            [{"name": f"Proba {name}", "kind": "village"} for name in "AB"]
        )
        cls.other = cls.env["res.partner"].create(
            {
                "name": "Ștefan Țurcanu",
                "phone": "069 777 888",
                "email": "Stefan@Turcanu.md",
                "oda_idnp": IDNP,
                "oda_idno": IDNO,
                "oda_locality_id": cls.place.id,
            }
        )

    def find(self, user=None, **vals):
        partners = self.env["res.partner"].with_user(user or self.consultant)
        return partners.oda_find_duplicates(vals)

    def test_by_each_sign(self):
        for reason, vals in (
            ("phone", {"phone": "+373 69-777-888"}),
            ("phone", {"phone": "0037369777888"}),
            ("email", {"email": " STEFAN@turcanu.MD "}),
            ("email", {"email": '"Ștefan" <stefan@turcanu.md>'}),
            ("idnp", {"oda_idnp": f"{IDNP[:4]}-{IDNP[4:]}"}),
            ("idno", {"oda_idno": "1008 6000 38413"}),
            ("name", {"name": "Stefan Turcanu", "oda_locality_id": self.place.id}),
            ("name", {"name": "Țurcan Ștefan", "oda_locality_id": self.place.id}),
        ):
            with self.subTest(vals=vals):
                (found,) = self.find(**vals)
                self.assertEqual(found["id"], self.other.id)
                self.assertEqual(found["reasons"], [reason])

    def test_not_by_chance(self):
        for vals in (
            {},
            {"phone": "", "email": False, "name": None},
            {"phone": "777888"},
            {"name": "Ștefan Țurcanu"},
            {"name": "Ștefan Țurcanu", "oda_locality_id": self.elsewhere.id},
            {"name": "Maria Cebotari", "oda_locality_id": self.place.id},
            {"id": self.other.id, "phone": "069777888", "oda_idnp": IDNP},
        ):
            self.assertEqual(self.find(**vals), [], vals)

    def test_surest_first_and_archived_too(self):
        twin = self.env["res.partner"].create({"name": "Twin", "phone": "069777888"})
        twin.active = False
        found = self.find(phone="069777888", oda_idnp=IDNP)
        self.assertEqual([one["id"] for one in found], [self.other.id, twin.id])
        self.assertEqual(found[0]["reasons"], ["idnp", "phone"])
        self.assertFalse(found[1]["active"])

    def test_a_firm_and_its_contacts_share_a_number(self):
        firm = self.env["res.partner"].create(
            {"name": "Brutăria", "is_company": True, "phone": "022 123 456"}
        )
        contact = self.env["res.partner"].create(
            {"name": "Ana", "parent_id": firm.id, "phone": "022123456"}
        )
        self.assertFalse(self.find(id=contact.id, parent_id=firm.id, phone="022123456"))
        self.assertFalse(self.find(id=firm.id, phone="022123456"))

    def test_rubbish_from_rpc(self):
        for vals in (
            {"id": "1 OR 1=1", "phone": ["069777888"], "name": {"a": 1}},
            {"id": 2**60, "oda_locality_id": True, "name": "%" * 10_000},
            {"email": "x" * 10_000, "oda_idnp": "²" * 500, "unknown": object},
        ):
            self.assertEqual(self.find(**vals), [])
        self.assertEqual(
            self.env["res.partner"].with_user(self.consultant).oda_find_duplicates(5),
            [],
        )

    def test_hidden_card_is_only_said_to_exist(self):
        rule = self.env["ir.rule"].create(
            {
                "name": "own only",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.other.id})]",
            }
        )
        (found,) = self.find(phone="069777888", email="stefan@turcanu.md")
        self.assertEqual((found["id"], found["name"]), (False, False))
        self.assertTrue(found["hidden"])
        self.assertEqual(found["reasons"], ["phone", "email"])
        # a likeness of names does not reveal a card that one may not see
        self.assertEqual(
            self.find(name="Ștefan Țurcanu", oda_locality_id=self.place.id), []
        )
        rule.active = False

    def test_other_companys_card_is_not_hinted_at(self):
        self.other.company_id = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self.find(phone="069777888", oda_idnp=IDNP), [])

    def test_who_may_ask(self):
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        with self.assertRaises(AccessError):
            self.find(user=portal, phone="069777888")
        reader = new_test_user(self.env, "t_reader", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.find(user=reader, phone="069777888")

    def test_idnp_is_no_oracle_for_who_may_not_read_it(self):
        editor = new_test_user(
            self.env,
            "t_ed",
            groups="oda_base.group_marketing,base.group_partner_manager",
        )
        self.assertEqual(self.find(user=editor, oda_idnp=IDNP), [])
        self.assertTrue(self.find(user=editor, phone="069777888"))
