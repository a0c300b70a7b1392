# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import tagged

from odoo.addons.oda_base.models import res_partner as base_partner

from .common import CrmCase
from .test_identity import IDNO

MANY = 20_000


@tagged("post_install", "-at_install")
class TestNameSearch(CrmCase):
    """A rare name among many is found by indexes, whatever order is asked for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rare = cls.env["res.partner"].create(
            {
                "name": "Zamfira Hâjdeu-Quarescu",
                "oda_idno": IDNO,
                "phone": "069 321 654",
                "email": "zamfira@quarescu.md",
            }
        )
        cls.env.flush_all()
        cls.env.cr.execute(
            """
            INSERT INTO res_partner (name, complete_name, active, type, partner_share)
            SELECT n, n, true, 'contact', true FROM (
                SELECT 'Ion Rusu ' || md5(g::text) AS n
                  FROM generate_series(1, %s) g) names
            """,
            (MANY,),
        )
        cls.env.cr.execute("ANALYZE res_partner")

    def queries(self, text):
        """The SELECTs on partners of one search, in order."""
        ran, execute = [], type(self.env.cr).execute

        def spy(cr, query, *args, **kwargs):
            params = args[0] if args else None
            sql = cr.mogrify(
                getattr(query, "code", query), getattr(query, "params", params)
            )
            if b'FROM "res_partner"' in sql:
                ran.append(sql.decode())
            return execute(cr, query, *args, **kwargs)

        self.patch(type(self.env.cr), "execute", spy)
        mine = self.env["res.partner"].with_user(self.consultant)
        found = mine.name_search(text, limit=8)
        self.patch(type(self.env.cr), "execute", execute)
        return [one[0] for one in found], ran

    def test_plans(self):
        for text in ("hajdeu-quar", "Hâjdeu", IDNO, "069 321 654", "zamfira@quar"):
            with self.subTest(text=text):
                found, ran = self.queries(text)
                self.assertEqual(found, self.rare.ids)
                self.assertTrue(ran)
                for sql in ran:
                    self.env.cr.execute("EXPLAIN " + sql)
                    plan = "\n".join(row[0] for row in self.env.cr.fetchall())
                    self.assertNotIn("Seq Scan on res_partner", plan)
                    self.assertNotIn("complete_name_index", plan)

    def test_few_are_ids_and_many_a_condition(self):
        partners = self.env["res.partner"]
        few = partners._search_display_name("ilike", "hajdeu")
        self.assertEqual(list(few.value), self.rare.ids)
        many = partners._search_display_name("ilike", "ion rusu")
        self.assertNotIn("id", {one.field_expr for one in many.iter_conditions()})
        self.assertEqual(
            partners.search_count([("display_name", "ilike", "rusu")]), MANY
        )
        self.patch(base_partner, "FEW", 0)
        self.assertEqual(
            partners.search([("display_name", "ilike", "hajdeu")]), self.rare
        )

    def test_rights_and_archive_are_of_the_search(self):
        mine = self.env["res.partner"].with_user(self.consultant)
        self.rare.active = False
        self.assertFalse(mine.name_search("hajdeu"))
        every = mine.with_context(active_test=False)
        self.assertTrue(every.name_search("hajdeu"))
        self.rare.company_id = self.env["res.company"].create({"name": "Other"})
        self.assertFalse(every.name_search("hajdeu"))

    def test_odd_terms(self):
        mine = self.env["res.partner"].with_user(self.consultant)
        for text in (
            "",
            " ",
            "a",
            "%",
            "%%%%",
            "\\\\\\",
            "'; --",
            "x" * 10_000,
            "\u200b",
        ):
            mine.name_search(text, limit=3)
