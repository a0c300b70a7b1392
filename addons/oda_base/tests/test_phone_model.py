# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

A, B, C = "+37369123456", "+37379654321", "+37322212345"


@tagged("-at_install", "post_install")
class TestPhoneMirror(TransactionCase):
    """``res.partner.phone`` and the primary row tell the same story."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.md")
        cls.partners = cls.env["res.partner"]

    def person(self, phone=None, **vals):
        return self.partners.create({"name": "Ana Rusu", "phone": phone, **vals})

    def numbers(self, partner):
        self.env.flush_all()
        partner.invalidate_recordset()
        return [(row.e164 or row.raw, row.is_primary) for row in partner.oda_phone_ids]

    def test_create_write_empty(self):
        partner = self.person("069 123 456")
        self.assertEqual(self.numbers(partner), [(A, True)])
        self.assertEqual(partner.oda_phone_ids.raw, "069 123 456")
        self.assertEqual(partner.oda_phone_ids.kind, "mobile")
        row = partner.oda_phone_ids
        partner.phone = "+373 79 654 321"
        self.assertEqual(self.numbers(partner), [(B, True)])
        self.assertEqual(partner.oda_phone_ids, row, "corrected, not added")
        partner.oda_phone_ids = [Command.create({"raw": "022 212345"})]
        self.assertEqual(self.numbers(partner), [(B, True), (C, False)])
        partner.phone = False
        self.assertEqual(self.numbers(partner), [(C, False)])
        self.assertFalse(partner.phone, "another number does not slip in its place")
        partner.phone = "022212345"
        self.assertEqual(self.numbers(partner), [(C, True)])

    def test_same_number_in_another_form(self):
        partner = self.person("069123456")
        row = partner.oda_phone_ids
        row.note = "după ora 18"
        partner.phone = "00373 69 123456"
        self.assertEqual(self.numbers(partner), [(A, True)])
        self.assertEqual(partner.oda_phone_ids, row)
        self.assertEqual(row.raw, "00373 69 123456")
        self.assertEqual(row.note, "după ora 18")

    def test_field_switches_between_known_numbers(self):
        partner = self.person("069123456")
        partner.oda_phone_ids = [Command.create({"raw": "079654321"})]
        partner.phone = "79654321"
        self.assertEqual(self.numbers(partner), [(B, True), (A, False)])

    def test_list_drives_the_field(self):
        partner = self.person("069123456")
        partner.oda_phone_ids = [Command.create({"raw": "079 654 321"})]
        second = partner.oda_phone_ids[-1]
        second.is_primary = True
        self.assertEqual(partner.phone, "079 654 321")
        self.assertEqual(self.numbers(partner), [(B, True), (A, False)])
        second.raw = "022 212 345"
        self.assertEqual(partner.phone, "022 212 345")
        second.is_primary = False
        self.assertTrue(second.is_primary, "somebody with a phone has a main number")
        second.unlink()
        self.assertEqual(partner.phone, "069123456")
        self.assertEqual(self.numbers(partner), [(A, True)])
        partner.oda_phone_ids.unlink()
        self.assertFalse(partner.phone)

    def test_first_number_of_the_list_becomes_main(self):
        partner = self.person()
        partner.oda_phone_ids = [
            Command.create({"raw": "069123456"}),
            Command.create({"raw": "079654321"}),
        ]
        self.assertEqual(self.numbers(partner), [(A, True), (B, False)])
        self.assertEqual(partner.phone, "069123456")

    def test_field_and_list_together(self):
        partner = self.person("069123456")
        partner.write(
            {"phone": "079654321", "oda_phone_ids": [Command.create({"raw": C})]}
        )
        self.assertEqual(partner.phone, "079654321")
        self.assertEqual(self.numbers(partner), [(B, True), (C, False)])
        partner.write(
            {
                "phone": "069123456",
                "oda_phone_ids": [Command.delete(partner.oda_phone_ids[0].id)],
            }
        )
        self.assertEqual(partner.phone, "069123456", "what was typed is not lost")
        self.assertIn((A, True), self.numbers(partner))
        other = self.person(
            "069123456", oda_phone_ids=[Command.create({"raw": "079654321"})]
        )
        self.assertEqual(other.phone, "069123456")
        self.assertEqual(sorted(self.numbers(other)), [(A, True), (B, False)])
        starred = self.person(
            "069123456",
            oda_phone_ids=[Command.create({"raw": "079654321", "is_primary": True})],
        )
        self.assertEqual(starred.phone, "079654321")
        self.assertEqual(self.numbers(starred), [(B, True), (A, False)])

    def test_wrong_numbers_are_kept(self):
        partner = self.person("suna la vecina")
        self.assertEqual(self.numbers(partner), [("suna la vecina", True)])
        self.assertEqual(partner.oda_phone_ids.kind, "invalid")
        self.assertEqual(partner.phone, "suna la vecina")
        self.assertFalse(self.env["oda.phone"]._lookup("suna la vecina"))

    def test_country_comes_later(self):
        partner = self.person("333 123 4567")
        self.assertEqual(partner.oda_phone_ids.kind, "invalid")
        partner.country_id = self.env.ref("base.it")
        self.assertEqual(self.numbers(partner), [("+393331234567", True)])
        double = self.person("333 123 4567")
        double.oda_phone_ids = [Command.create({"raw": "+393331234567"})]
        double.country_id = self.env.ref("base.it")
        self.env.flush_all()
        self.assertEqual(len(double.oda_phone_ids), 2, "kept apart, no crash")

    def test_romanian_number_at_home(self):
        partner = self.person("0721 123 456", country_id=self.env.ref("base.ro").id)
        self.assertEqual(self.numbers(partner), [("+40721123456", True)])

    def test_e164_alone_is_accepted(self):
        partner = self.person()
        row = self.env["oda.phone"].create({"partner_id": partner.id, "e164": A})
        self.assertEqual((row.raw, row.e164), (A, A))
        row.write({"e164": B})
        self.assertEqual((row.raw, row.e164, partner.phone), (B, B, B))

    def test_shared_and_unique(self):
        one, two = self.person("069123456"), self.person("69123456")
        self.assertEqual(self.numbers(one), self.numbers(two))
        with (
            self.assertRaises(UniqueViolation),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.env["oda.phone"].create(
                {"partner_id": one.id, "raw": "+373 69 12 34 56"}
            )

    def test_row_moves_to_another_contact(self):
        one, two = self.person("069123456"), self.person("079654321")
        one.oda_phone_ids.partner_id = two
        self.assertEqual(self.numbers(two), [(B, True), (A, False)])
        self.assertEqual(two.phone, "079654321")

    def test_copy_and_delete(self):
        partner = self.person("069123456")
        twin = partner.copy()
        self.assertEqual(self.numbers(twin), [(A, True)])
        rows = partner.oda_phone_ids
        partner.unlink()
        self.assertFalse(rows.exists())

    def test_import(self):
        result = self.partners.load(
            ["name", "phone"], [["Ana", "069123456"], ["Ion", "nu are"], ["Olga", ""]]
        )
        self.assertFalse(result["messages"])
        people = self.partners.browse(result["ids"])
        self.assertEqual(
            people.oda_phone_ids.mapped("kind"),
            ["mobile", "invalid"],
        )

    def test_batch_costs_no_query_per_contact(self):
        def cost(count):
            people = self.partners.create(
                [{"name": f"P{i}", "phone": f"0691{i:05d}"} for i in range(count)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            people.mapped("phone")
            before = self.cr.sql_log_count
            people._oda_mirror_phone()
            self.env.flush_all()
            unchanged = self.cr.sql_log_count - before
            people.oda_phone_ids.with_context(oda_phone_mirroring=True).unlink()
            self.env.flush_all()
            before = self.cr.sql_log_count
            people._oda_mirror_phone()
            self.env.flush_all()
            return unchanged, self.cr.sql_log_count - before

        cost(5)  # warm the registry
        few, many = cost(10), cost(90)
        self.assertLessEqual(many[0], few[0] + 1)
        self.assertLessEqual(many[1], few[1] + 2)

    def test_form(self):
        with Form(self.partners) as form:
            form.name = "Ion"
            form.phone = "069123456"
        partner = form.record
        self.assertEqual(self.numbers(partner), [(A, True)])
        with Form(partner) as form:
            with form.oda_phone_ids.new() as row:
                row.raw = "079654321"
                self.assertEqual(row.raw, "+373 79 654 321", "shown as it is dialled")
                self.assertEqual(row.label, "mobile")
        self.assertEqual(self.numbers(partner), [(A, True), (B, False)])
        with Form(partner) as form:
            with form.oda_phone_ids.edit(1) as row:
                row.is_primary = True
            with form.oda_phone_ids.edit(0) as row:
                self.assertFalse(row.is_primary, "one star at a time")
        self.assertEqual(self.numbers(partner), [(B, True), (A, False)])

    def test_add_verb(self):
        one, two = self.person("069123456"), self.person()
        rows = self.env["oda.phone"]._add(
            [
                (one.id, "+373 69 123 456"),
                (two.id, "069123456"),
                (two.id, "anonymous"),
                (two.id, "37369123456"),
            ]
        )
        self.assertEqual(rows.partner_id, one | two)
        self.assertEqual(len(rows), 2)
        self.assertEqual(two.phone, "+373 69 123 456")

    def test_backfill(self):
        people = self.partners.create(
            [{"name": f"P{i}", "phone": f"0691{i:05d}"} for i in range(25)]
        )
        people[3].phone = "vecina"
        people[4].active = False
        people[5].oda_phone_ids = [Command.create({"raw": "079654321"})]
        self.env.flush_all()
        expected = [
            (row.partner_id, row.raw, row.e164, row.kind, row.is_primary)
            for row in people.oda_phone_ids.filtered("is_primary").sorted("partner_id")
        ]
        phones = self.env["oda.phone"]
        self.cr.execute(
            "DELETE FROM oda_phone WHERE is_primary AND partner_id = ANY(%s)",
            (people.ids,),
        )
        # one contact was half done: the number is there, the star is not
        self.cr.execute(
            "INSERT INTO oda_phone (partner_id, raw, e164) VALUES (%s, %s, %s)",
            (people[0].id, "+37369100000", "+37369100000"),
        )
        self.env.invalidate_all()
        phones._backfill(batch=7)
        self.assertEqual(
            [
                (row.partner_id, row.raw, row.e164, row.kind, row.is_primary)
                for row in phones.search([("partner_id", "in", people.ids)])
                .filtered("is_primary")
                .sorted("partner_id")
                if row.partner_id != people[0]
            ],
            expected[1:],
        )
        self.assertEqual(len(people[0].oda_phone_ids), 1)
        self.assertTrue(people[0].oda_phone_ids.is_primary)
        self.assertEqual(phones._backfill(), 0, "a second run finds nothing to do")

    def test_rights(self):
        reader = new_test_user(self.env, "phone_reader", groups="base.group_user")
        keeper = new_test_user(
            self.env,
            "phone_keeper",
            groups="base.group_user,base.group_partner_manager",
        )
        portal = new_test_user(self.env, "phone_portal", groups="base.group_portal")
        partner = self.person("069123456")
        row = partner.oda_phone_ids
        self.assertTrue(row.with_user(reader).has_access("read"))
        self.assertFalse(row.with_user(portal).has_access("read"))
        with self.assertRaises(AccessError):
            row.with_user(reader).raw = "079654321"
        with self.assertRaises(AccessError):
            partner.with_user(reader).phone = "079654321"
        partner.with_user(keeper).phone = "079654321"
        self.assertEqual(self.numbers(partner), [(B, True)])
        row.with_user(keeper).raw = "069123456"
        self.assertEqual(partner.phone, "069123456")
        # a person may change their own number, without rights over the numbers
        reader.with_user(reader).write({"phone": "022212345"})
        self.assertEqual(self.numbers(reader.partner_id), [(C, True)])

    def test_company_rule(self):
        other = self.env["res.company"].create({"name": "Filiala"})
        theirs = self.person("069123456", company_id=other.id)
        user = new_test_user(
            self.env, "phone_here", groups="base.group_user,base.group_partner_manager"
        )
        self.assertFalse(theirs.oda_phone_ids.with_user(user).has_access("read"))
        self.assertFalse(self.env["oda.phone"].with_user(user)._lookup("069123456"))
        self.assertEqual(
            self.env["oda.phone"].with_company(other)._lookup("069123456"), theirs.ids
        )


@tagged("-at_install", "post_install")
class TestPhoneMerge(TransactionCase):
    """Merging contacts with core's own wizard keeps every number."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.company.country_id = cls.env.ref("base.md")

    def merge(self, *partners):
        wizard = (
            self.env["base.partner.merge.automatic.wizard"]
            .with_context(
                active_model="res.partner", active_ids=[p.id for p in partners]
            )
            .create({"dst_partner_id": partners[0].id})
        )
        wizard.action_merge()
        self.env.flush_all()
        self.env.invalidate_all()
        return [
            (row.e164 or row.raw, row.is_primary) for row in partners[0].oda_phone_ids
        ]

    def person(self, phone, *others):
        partner = self.env["res.partner"].create({"name": "Ana", "phone": phone})
        partner.oda_phone_ids = [Command.create({"raw": raw}) for raw in others]
        self.env.flush_all()
        return partner

    def test_union(self):
        target = self.person("069123456", "079654321")
        source = self.person("+37379654321", "022212345", "vecina")
        third = self.person("069 12 34 56", "vecina")
        source.oda_phone_ids.filtered(lambda r: r.e164 == B).write(
            {"note": "seara", "label": "home"}
        )
        numbers = self.merge(target, source, third)
        self.assertEqual(
            sorted(numbers),
            [(C, False), (A, True), (B, False), ("vecina", False)],
        )
        self.assertFalse((source | third).exists())
        kept = target.oda_phone_ids.filtered(lambda row: row.e164 == B)
        self.assertEqual((kept.note, kept.label), ("seara", "home"))
        self.assertEqual(target.phone, "069123456")

    def test_target_without_phone(self):
        target, source = self.person(False), self.person("069123456", "079654321")
        self.assertEqual(self.merge(target, source), [(A, True), (B, False)])
        self.assertEqual(target.phone, "069123456")

    def test_source_not_yet_backfilled(self):
        target, source = self.person("069123456"), self.person("079654321")
        self.cr.execute("DELETE FROM oda_phone WHERE partner_id = %s", (source.id,))
        self.env.invalidate_all()
        self.assertEqual(self.merge(target, source), [(A, True), (B, False)])
