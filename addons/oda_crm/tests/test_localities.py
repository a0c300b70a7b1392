# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.oda_crm.models import oda_locality_load as load

from .common import CrmCase


@tagged("post_install", "-at_install")
class TestLocalities(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.places = cls.env["oda.locality"]

    def by_code(self, code):
        return self.places.search([("code", "=", code)])

    def again(self):
        self.env["ir.config_parameter"].set_param(load.EDITION, "an older one")
        return self.places._seed()

    def found(self, text, limit=8, domain=None):
        return [
            name
            for _id, name in self.places.with_user(self.consultant).name_search(
                text, domain, limit=limit
            )
        ]

    # --------------------------------------------------------------------- data
    def test_installed(self):
        self.assertEqual(self.places._seed(), 0, "the edition is in")
        self.assertEqual(len(self.places.search([("kind", "=", "district")])), 32)
        self.assertFalse(self.places.search([("region", "=", False)]))
        inside = [("parent_id", "!=", False), ("kind", "!=", "sector")]
        coded = self.places.search_count([*inside, ("code", "!=", False)])
        self.assertEqual(coded, 1682)
        orhei = self.by_code("6401000")
        self.assertEqual(orhei.complete_name, "mun. Orhei, r. Orhei")
        self.assertEqual((orhei.region, orhei.parent_id.region), ("centre", "centre"))
        picus = self.by_code("1026001")
        self.assertEqual(
            picus.complete_name, "s. Picus, com. Ochiul Roș, r. Anenii Noi"
        )
        self.assertEqual(picus.unit_id.code, "1026000")

    def test_what_is_loaded_is_what_the_orm_would_compute(self):
        fields = ["complete_name", "search_words", "rank", "region"]
        some = self.places.search([("code", "like", "21")])
        before = some.read(fields)
        for name in fields:
            self.env.add_to_compute(self.places._fields[name], some)
        self.assertEqual(some.read(fields), before)

    def test_new_edition_respects_people(self):
        mine, theirs, gone = (
            self.by_code(code) for code in ("1026001", "1026000", "1001001")
        )
        theirs.name = "Ochiul Rosu"
        mine.with_user(self.admin).write({"name": "Picuș", "kind": "commune"})
        gone.unlink()
        added = self.places.with_user(self.admin).create(
            {"name": "Satul Nostru", "kind": "village", "parent_id": mine.parent_id.id}
        )
        self.again()
        self.env.invalidate_all()
        self.assertEqual((mine.name, mine.kind), ("Picuș", "commune"))
        self.assertEqual(theirs.name, "Ochiul Roș", "the system's row is put right")
        self.assertIn("com. Ochiul Roș", mine.complete_name)
        self.assertTrue(added.exists().active)
        self.assertTrue(self.by_code("1001001"))
        total = self.places.search_count([])
        self.assertEqual(self.again(), 0, "nothing more to do")
        self.assertEqual(self.places.search_count([]), total)

    def test_list_of_the_first_edition_gets_codes(self):
        """Rows without codes, as the addon once brought them, stay the same rows."""
        orhei, stauceni, todiresti = (
            self.by_code(code) for code in ("6401000", "0154000", "1013001")
        )
        card = self.env["res.partner"].create(
            {"name": "Proba", "oda_locality_id": stauceni.id}
        )
        places = orhei | stauceni | todiresti
        places.write({"code": False, "unit_id": False, "name_ru": False})
        orhei.kind, stauceni.kind = "town", "village"
        orhei.parent_id.code = False
        todiresti.name = "Todiresti"
        self.assertGreater(self.again(), 0)
        self.env.invalidate_all()
        self.assertEqual(
            places.mapped("code"),
            ["6401000", "0154000", "1013001"],
        )
        self.assertEqual(orhei.parent_id.code, "6400000")
        self.assertEqual(
            (orhei.kind, stauceni.kind, todiresti.name),
            ("municipality", "town", "Todirești"),
        )
        self.assertEqual(todiresti.unit_id.code, "1013000")
        self.assertEqual(card.oda_locality_id, stauceni)

    def test_into_an_empty_table(self):
        self.env.cr.execute("UPDATE res_partner SET oda_locality_id = NULL")
        for inside in ("unit_id", "parent_id", "id"):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM oda_locality WHERE %s IS NOT NULL",
                    SQL.identifier(inside),
                )
            )
        self.env.invalidate_all()
        # the edition is noted, but the addon was away meanwhile
        with self.assertQueryCount(30):
            self.assertEqual(self.places._seed(), 1724)
        self.assertEqual(self.places.search_count([]), 1724)

    # ------------------------------------------------------------------- search
    def test_search(self):
        for typed, first in (
            ("hincesti", "mun. Hîncești, r. Hîncești"),
            ("Hâncești", "mun. Hîncești, r. Hîncești"),
            ("hancest", "mun. Hîncești, r. Hîncești"),
            ("rascani", "or. Rîșcani, r. Rîșcani"),
            ("кишинев", "or. Chișinău, mun. Chișinău"),
            ("Бельцы", "or. Bălți, mun. Bălți"),
            ("soroc", "mun. Soroca, r. Soroca"),
            ("6401000", "mun. Orhei, r. Orhei"),
            ("taraclia cantemir", "s. Taraclia, com. Plopi, r. Cantemir"),
            ("s. Picus, com. Ochiul Roș", "s. Picus, com. Ochiul Roș, r. Anenii Noi"),
            ("floresti", "or. Florești, r. Florești"),
            ("cornesti", "or. Cornești, r. Ungheni"),
        ):
            with self.subTest(typed=typed):
                self.assertEqual(self.found(typed)[0], first)

    def test_towns_before_villages(self):
        found = self.found("soroc")
        self.assertEqual(len(found), 8, "then what is in its district")
        self.assertEqual(len(set(found)), 8, "each once")
        self.assertEqual(
            self.found("soroc", domain=[("kind", "=", "district")]), ["r. Soroca"]
        )
        # the dialog of all localities: by their order
        names = self.places.search([("name", "ilike", "soroca")]).mapped(
            "complete_name"
        )
        self.assertEqual(names[0], "mun. Soroca, r. Soroca")
        ranks = self.places.search([], limit=90).mapped("rank")
        self.assertEqual(ranks, sorted(ranks))

    def test_odd_searches(self):
        for odd in ("\\", "\\\\%", "x" * 10_000, "%", "_", "'; --", "а" * 500):
            with self.subTest(odd=odd[:10]):
                self.assertEqual(self.found(odd), [])
        self.assertTrue(self.found(""))
        many = " ".join(["o"] * 3000)
        self.assertTrue(self.found(many), "a thousand words are as good as twelve")
        self.assertIn(
            self.by_code("6401000"),
            self.places.search([("display_name", "ilike", "orhei")]),
        )
        self.assertNotIn(
            self.by_code("6401000"),
            self.places.search([("display_name", "not ilike", "orhei")]),
        )
        by_name = self.places.name_search("mun. Orhei, r. Orhei", operator="=")
        self.assertEqual([one[0] for one in by_name], self.by_code("6401000").ids)

    # --------------------------------------------------------------------- bans
    def test_who_may_change_it(self):
        with self.assertRaises(AccessError):
            self.places.with_user(self.consultant).create({"name": "X"})
        with self.assertRaises(AccessError):
            self.by_code("6401000").with_user(self.consultant).name = "X"

    def test_no_third_floor_of_districts(self):
        town = self.by_code("6401000")
        with self.assertRaisesRegex(ValidationError, "cannot be a district"):
            self.places.create({"name": "X", "parent_id": town.id})

    def test_commune_is_of_the_same_district(self):
        orhei, far = self.by_code("6400000"), self.by_code("1026000")
        for unit in (far, self.by_code("6410001"), orhei):
            with self.assertRaisesRegex(ValidationError, "cannot be the commune"):
                self.places.create(
                    {"name": "X", "parent_id": orhei.id, "unit_id": unit.id}
                )

    def test_names_and_codes_come_once(self):
        picus = self.by_code("1026001")
        vals = {"parent_id": picus.parent_id.id, "kind": "village", "name": "Picus"}
        self.places.create(vals)  # of that name, but no commune's
        for twice in ({"unit_id": picus.unit_id.id}, {"code": picus.code}, {}):
            with (
                self.subTest(twice=twice),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.cr.savepoint(),
            ):
                self.places.create(vals | twice)
