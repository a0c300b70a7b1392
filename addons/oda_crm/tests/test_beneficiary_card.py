# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .common import CrmCase
from .test_identity import IDNO, person

IDNP = person("200201234567")
OTHER = person("200301234567")


@tagged("post_install", "-at_install")
class TestBeneficiaryCard(CrmCase):
    def make(self, **vals):
        return self.env["res.partner"].create({"name": "Ion Rusu", **vals})

    # ------------------------------------------------------------------ numbers
    def test_numbers_are_normalised(self):
        spaced = f"{IDNP[:4]} {IDNP[4:8]}-{IDNP[8:]}"
        one = self.make(oda_idnp=spaced, oda_idno="IDNO 1008 6000 38413")
        self.assertEqual((one.oda_idnp, one.oda_idno), (IDNP, IDNO))
        one.oda_idnp = OTHER[:6] + " " + OTHER[6:]
        self.assertEqual(one.oda_idnp, OTHER)

    def test_wrong_number_is_refused_in_words(self):
        wrong = IDNP[:-1] + str((int(IDNP[-1]) + 1) % 10)
        for field, value, word in (
            ("oda_idnp", wrong, "last digit"),
            ("oda_idnp", IDNP[:-1], "12 digits instead of 13"),
            ("oda_idnp", "x" * 10_000, "must be 13 digits"),
            ("oda_idnp", "<b>1</b>", "must be 13 digits"),
            ("oda_idnp", IDNO, "number of a company"),
            ("oda_idno", IDNP, "no company's number"),
        ):
            with self.subTest(field=field, value=value[:20]):
                with self.assertRaisesRegex(ValidationError, word):
                    self.make(**{field: value})
        one = self.make()
        with self.assertRaisesRegex(ValidationError, "last digit"):
            one.with_user(self.consultant).write({"oda_idnp": wrong})

    def test_two_people_may_bear_one_number(self):
        """Warned of, not forbidden: the first card may be the wrong one."""
        self.make(oda_idnp=IDNP)
        self.assertTrue(self.make(oda_idnp=IDNP))

    def test_import_says_which_row(self):
        wrong = IDNP[:-1] + str((int(IDNP[-1]) + 1) % 10)
        partners = self.env["res.partner"].with_user(self.admin)
        before = partners.search_count([])
        answer = partners.load(
            ["name", "oda_idnp"], [["Right", OTHER], ["Wrong", wrong]]
        )
        self.assertFalse(answer["ids"])
        # core tells the first row of the batch too; the number says which one it is
        message = answer["messages"][-1]
        self.assertEqual(message["rows"], {"from": 1, "to": 1})
        for words in ("last digit", wrong):
            self.assertIn(words, message["message"])
        self.assertEqual(partners.search_count([]), before)
        good = partners.load(["name", "oda_idnp"], [["Right", f" {OTHER} "]])
        self.assertEqual(partners.browse(good["ids"]).oda_idnp, OTHER)

    def test_country_decides(self):
        ro = self.env.ref("base.ro")
        one = self.make(oda_idnp="1630615123457", country_id=ro.id)
        with self.assertRaises(ValidationError):
            one.country_id = self.env.ref("base.md")

    def test_marketing_has_no_personal_numbers(self):
        one = self.make(oda_idnp=IDNP)
        with self.assertRaises(AccessError):
            one.with_user(self.marketing).read(["oda_idnp"])
        self.assertNotIn(
            "oda_idnp", self.env["res.partner"].with_user(self.marketing).fields_get()
        )
        # found by the number neither, and no error for trying
        mine = self.env["res.partner"].with_user(self.marketing)
        self.assertFalse(mine.name_search(IDNP))
        self.assertEqual(mine.search([("oda_idno", "=", IDNO)]), mine)

    # ------------------------------------------------------------------- search
    def test_found_by_number_in_any_form(self):
        one = self.make(
            oda_idnp=IDNP, oda_idno=IDNO, phone="069 123 456", email="Ion@Rusu.md"
        )
        mine = self.env["res.partner"].with_user(self.consultant)
        for text in (
            IDNP,
            f"{IDNP[:4]} {IDNP[4:]}",
            IDNO,
            "1008-6000-38413",
            "069123456",
            "+373 69 123-456",
            "0037369123456",
            "ion@rusu.md",
        ):
            with self.subTest(text=text):
                self.assertIn(one.id, [row[0] for row in mine.name_search(text)])
        self.assertNotIn(one.id, [row[0] for row in mine.name_search(OTHER)])

    # ---------------------------------------------------------------- computed
    def test_size_is_computed_and_may_be_corrected(self):
        one = self.make(is_company=True, oda_staff=5, oda_turnover=1_000_000)
        self.assertEqual(one.oda_size_class, "micro")
        one.oda_size_class = "small"
        self.assertEqual(one.oda_size_class, "small")
        one.oda_staff = 60
        self.assertEqual(one.oda_size_class, "medium")
        with self.assertRaises(ValidationError):
            one.oda_turnover = -1

    def test_indicators(self):
        village = self.env["oda.locality"].create(
            {"name": "Satul de Probă", "kind": "village"}
        )
        one = self.make(oda_gender="female", oda_locality_id=village.id)
        self.assertTrue(one.oda_is_woman and one.oda_is_rural)
        one.oda_is_rural = False
        self.assertFalse(one.oda_is_rural)
        firm = self.make(is_company=True, oda_is_woman=True, oda_is_youth=True)
        self.assertTrue(firm.oda_is_woman and firm.oda_is_youth)

    @freeze_time("2026-05-04")
    def test_age_group_grows_older(self):
        one = self.make(oda_birth_year=1991)
        self.assertEqual((one.oda_age_group, one.oda_is_youth), ("youth", True))
        firm = self.make(oda_is_youth=True)
        with freeze_time("2027-01-01"):
            self.assertEqual(one._oda_refresh_ages(), 1)
            self.assertEqual((one.oda_age_group, one.oda_is_youth), ("adult", False))
            self.assertTrue(firm.oda_is_youth)
            self.assertEqual(one._oda_refresh_ages(), 0)

    def test_years(self):
        for year in (1899, 2200, -5):
            with self.assertRaisesRegex(ValidationError, "not possible"):
                self.make(oda_birth_year=year)

    def test_form_of_a_person_and_of_a_firm(self):
        with Form(self.env["res.partner"].with_user(self.consultant)) as form:
            form.name = "Maria Cebotari"
            form.oda_idnp = f"{IDNP[:4]} {IDNP[4:]}"
            self.assertEqual(form.oda_idnp, IDNP)
            form.oda_gender = "female"
            form.oda_birth_year = 1990
        self.assertTrue(form.record.oda_is_woman)
        with Form(self.env["res.partner"].with_user(self.marketing)) as form:
            form.name = "Somebody"

    # --------------------------------------------------------------------- data
    def test_activity_classes(self):
        classes = self.env["oda.activity.class"]
        self.assertEqual(classes._seed(), 0)
        count = dict(classes._read_group([], ["level"], ["__count"]))
        self.assertEqual(count["section"], 21)
        self.assertEqual(count["division"], 88)
        bakery = classes.search([("code", "=", "10.71")])
        path = []
        node = bakery
        while node:
            path.append(node.code)
            node = node.parent_id
        self.assertEqual(path, ["10.71", "10.7", "10", "C"])
        mine = classes.with_user(self.consultant)
        for text in ("10.71", "1071", "pâinii", "painii", "fabricarea pâinii"):
            self.assertIn(bakery.id, [row[0] for row in mine.name_search(text)], text)
        section = classes.search([("code", "=", "C")])
        self.assertIn(bakery, classes.search([("id", "child_of", section.id)]))
        # one spelling of the letters: comma below
        self.assertFalse(
            classes.search(["|", ("name", "like", "ş"), ("name", "like", "ţ")])
        )
