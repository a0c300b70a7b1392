# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Finding people by number, and what it costs."""

import json

from odoo.tests import TransactionCase, tagged

A = "+37369123456"
ROWS = 50_000


@tagged("-at_install", "post_install")
class TestPhoneSearch(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.md")
        cls.ana, cls.ion, cls.olga = cls.env["res.partner"].create(
            [
                {"name": "Ana Rusu", "phone": "069 123 456"},
                {"name": "Ion Munteanu", "phone": "079654321"},
                {"name": "Olga Ceban", "phone": "vecina"},
            ]
        )
        cls.ion.oda_phone_ids = [(0, 0, {"raw": "022 212 345"})]

    def test_name_search_any_form(self):
        search = self.env["res.partner"].name_search
        for term in ("069123456", "+373 69 123 456", "0037369123456", "69-123-456"):
            self.assertEqual([row[0] for row in search(term)], self.ana.ids, term)
        self.assertEqual([row[0] for row in search("(022) 21-23-45")], self.ion.ids)
        self.assertEqual([row[0] for row in search("Rusu")], self.ana.ids)
        self.assertFalse(search("069999999"))

    def test_exact_name_search(self):
        """`=` reaches the search as `in`."""
        for operator, value, found in (
            ("=", "069123456", self.ana),
            ("in", ["069123456", "+373 79 654 321"], self.ana | self.ion),
            ("in", ["069123456", "Olga Ceban"], self.ana | self.olga),
            ("=", "069999999", self.ana.browse()),
        ):
            domain = [
                ("display_name", operator, value),
                ("id", "in", (self.ana | self.ion | self.olga).ids),
            ]
            self.assertEqual(self.env["res.partner"].search(domain), found, value)
        phones = self.env["oda.phone"]
        for operator, value, found in (
            ("=", "0037369123456", self.ana),
            ("in", ["069123456", "022212345"], self.ana | self.ion),
            ("=", "vecina", self.olga),
            ("=", "069999999", self.ana.browse()),
        ):
            rows = phones.search([("display_name", operator, value)])
            self.assertEqual(rows.partner_id, found, value)

    def test_reference_that_reads_like_a_number(self):
        self.olga.ref = "069123456"
        found = self.env["res.partner"].name_search("069123456")
        self.assertEqual({row[0] for row in found}, {self.ana.id, self.olga.id})

    def test_negative_search_is_cores(self):
        found = self.env["res.partner"].search(
            [("display_name", "not ilike", "069123456"), ("id", "in", self.ana.ids)]
        )
        self.assertEqual(found, self.ana)

    def test_search_view_field(self):
        def search(term):
            return self.env["res.partner"].search([("oda_phone_ids", "ilike", term)])

        self.assertEqual(search("069123456"), self.ana)
        self.assertEqual(search("0691234"), self.ana, "a part of a number")
        self.assertEqual(search("212 345"), self.ion)
        self.assertEqual(search("vecin"), self.olga)

    def test_lookup(self):
        lookup = self.env["oda.phone"]._lookup
        self.assertEqual(lookup("069123456"), self.ana.ids)
        self.assertEqual(lookup(b"+37369123456"), self.ana.ids)
        self.assertEqual(lookup("022212345"), self.ion.ids)
        for nobody in ("", None, "anonymous", "pbx", "701", "112", "vecina", "letters"):
            self.assertEqual(lookup(nobody), [])
        twin = self.env["res.partner"].create({"name": "Twin", "phone": "022212345"})
        self.assertEqual(lookup("022212345"), [twin.id, self.ion.id], "main first")
        self.assertEqual(lookup("022212345", limit=1), twin.ids)
        twin.active = False
        self.assertEqual(lookup("022212345"), self.ion.ids, "archived left out")

    def test_lookup_region(self):
        self.ana.phone = "+40721123456"
        self.assertEqual(
            self.env["oda.phone"]._lookup("0721123456", region="RO"), self.ana.ids
        )

    def test_lookup_sql_and_rank_hook(self):
        rows = self.env["oda.phone"]._lookup_sql(self.cr, A)
        self.assertEqual(rows, [(self.ana.id, "Ana Rusu")])
        self.patch(
            type(self.env["oda.phone"]), "_lookup_rank", lambda self, ids: ids[::-1]
        )
        twin = self.env["res.partner"].create({"name": "Twin", "phone": "022212345"})
        self.assertEqual(
            self.env["oda.phone"]._lookup("022212345"), [self.ion.id, twin.id]
        )

    def nodes(self, query, params=()):
        """Flat list of the plan's nodes, with the settings of an ordinary session."""
        self.cr.execute(f"EXPLAIN (FORMAT JSON) {query}", params)
        plan = self.cr.fetchone()[0]
        todo = [(json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]]
        found = []
        while todo:
            node = todo.pop()
            found.append(node)
            todo += node.get("Plans", ())
        return found

    def test_plans(self):
        """50,000 people: the caller is found by one btree, a name by trigrams."""
        self.env.flush_all()
        # Copies of a real row, so that it does not matter which addons are there.
        self.cr.execute(
            """
            WITH n AS (
                SELECT nextval('res_partner_id_seq') AS id, md5(g::text) AS name,
                       'p' || g || '@example.org' AS email,
                       '+373' || (60000000 + g) AS phone
                  FROM generate_series(1, %(rows)s) g
            ), p AS (
                INSERT INTO res_partner
                SELECT q.*
                  FROM n, res_partner r,
                       LATERAL jsonb_populate_record(
                           r, to_jsonb(n) || jsonb_build_object(
                               'complete_name', n.name,
                               'commercial_partner_id', n.id,
                               'phone_sanitized', n.phone)) q
                 WHERE r.id = %(model)s
                RETURNING id, phone
            )
            INSERT INTO oda_phone (partner_id, raw, e164, digits, kind, is_primary)
            SELECT id, phone, phone, substr(phone, 2), 'mobile', true FROM p
            """,
            {"rows": ROWS, "model": self.ana.id},
        )
        # What a GIN index has not sorted in yet costs as much as reading the table;
        # on a live server autovacuum sees to it.
        self.cr.execute(
            "SELECT gin_clean_pending_list(c.oid) FROM pg_index i "
            "JOIN pg_class c ON c.oid = i.indexrelid "
            "JOIN pg_am a ON a.oid = c.relam AND a.amname = 'gin' "
            "WHERE i.indrelid IN ('res_partner'::regclass, 'oda_phone'::regclass)"
        )
        self.cr.execute("ANALYZE res_partner, oda_phone")
        seen = []
        hot = self.env["oda.phone"]._lookup_sql

        class Recorder:
            def execute(self, query, params):
                seen.append((query, params))

            def fetchall(self):
                return []

        hot(Recorder(), A, company_ids=self.env.companies.ids)
        nodes = self.nodes(*seen[0])
        self.assertFalse([n for n in nodes if n["Node Type"] == "Seq Scan"])
        indexes = {n["Index Name"] for n in nodes if "Index Name" in n}
        self.assertEqual(indexes, {"oda_phone_e164", "res_partner_pkey"})

        # the plan of the question that `_oda_few` asks first
        partners = type(self.env["res.partner"])
        self.patch(partners, "_oda_few", lambda self, domain: domain)
        for term in ("069123456", "munteanu"):
            query = self.env["res.partner"]._search(
                [("display_name", "ilike", term)], limit=8
            )
            sql = query.select()
            nodes = self.nodes(sql.code, sql.params)
            partner_scans = [
                n
                for n in nodes
                if n["Node Type"] == "Seq Scan" and n["Relation Name"] == "res_partner"
            ]
            self.assertFalse(partner_scans, term)
            self.assertIn(
                "res_partner_oda_complete_name_trgm",
                {n.get("Index Name") for n in nodes},
            )
