# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.oda_crm import layout

from .test_card_layout import LayoutCase

LANGS = ("ro_RO", "ru_RU")


@tagged("post_install", "-at_install")
class TestNewField(LayoutCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for lang in LANGS:
            cls.env["res.lang"]._activate_lang(lang)
        cls.need = cls.env["oda.card.group"].create({"name": "Need"})
        # A field changes the registry; what a test made goes with it.
        cls.addClassCleanup(cls.registry.reset_changes)

    def tearDown(self):
        super().tearDown()
        self.registry.reset_changes()

    def make(self, label="Suma de probă", user=None, **vals):
        """Have the administrator add a field; return it."""
        wizard = self.env["oda.new.field"].with_user(user or self.admin)
        wizard.create(
            {"label_ro": label, "group_id": self.need.id, **vals}
        ).action_make()
        return self.env["ir.model.fields"].search(
            [
                ("model", "in", ("crm.lead", "res.partner")),
                ("name", "=like", "x\\_oda\\_%"),
                ("name", "not =like", "x\\_oda\\_p\\_%"),
            ],
            order="id desc",
            limit=1,
        )

    def lead_of(self, **vals):
        return self.env["crm.lead"].create({"name": "Case", **vals})

    # === A FIELD LIKE ANY OTHER ===#

    def test_a_new_field_takes_part_in_everything(self):
        field = self.make("Suma de probă", kind="monetary", label_en="Sum on trial")
        name = field.name
        self.assertEqual(name, "x_oda_suma_de_proba")
        self.assertTrue(self.registry.registry_invalidated)
        # the view, at once, for others
        holder = self.holder(self.need)
        self.assertTrue(holder.xpath(f".//field[@name='{name}']"))
        views = (
            self.env["crm.lead"].with_user(self.consultant).get_views([(False, "form")])
        )
        self.assertIn(name, views["models"]["crm.lead"]["fields"])
        # import
        leads = self.env["crm.lead"].with_user(self.admin)
        done = leads.load(["name", name], [["First", "1000"], ["Second", "250.5"]])
        self.assertFalse(done["messages"])
        first, second = leads.browse(done["ids"])
        self.assertEqual(second[name], 250.5)
        # export
        cells = (first | second).with_user(self.admin).export_data(["name", name])
        self.assertEqual(cells["datas"], [["First", 1000.0], ["Second", 250.5]])
        # search
        self.assertEqual(
            leads.search([(name, ">", 500), ("id", "in", done["ids"])]), first
        )
        # group
        ((total,),) = leads._read_group(
            [("id", "in", done["ids"])], aggregates=[f"{name}:sum"]
        )
        self.assertEqual(total, 1250.5)

    def test_each_kind(self):
        given = {
            "char": "a",
            "text": "b",
            "integer": 3,
            "float": 0.5,
            "monetary": 10.0,
            "date": "2026-01-31",
            "boolean": True,
        }
        for model in ("crm.lead", "res.partner"):
            for kind, value in given.items():
                with self.subTest(model=model, kind=kind):
                    field = self.make(f"{kind} {model}", kind=kind, model=model)
                    record = self.env[model].create({"name": "x", field.name: value})
                    record.invalidate_recordset()
                    read = record.with_user(self.consultant).read([field.name])[0]
                    self.assertEqual(str(read[field.name]), str(value))
        self.arch()
        self.arch("kanban")

    def test_choice(self):
        field = self.make(
            "Domeniu de probă", kind="choice", options="Comerț\nAgricultură\n\n"
        )
        options = self.env["oda.card.option"].search([("field_id", "=", field.id)])
        self.assertEqual(options.mapped("name"), ["Comerț", "Agricultură"])
        leads = self.env["crm.lead"].with_user(self.admin)
        done = leads.load(["name", field.name], [["First", "Comerț"]])
        self.assertFalse(done["messages"])
        groups = leads._read_group(
            [("id", "in", done["ids"])], [field.name], ["__count"]
        )
        self.assertEqual(groups, [(options[0].with_env(leads.env), 1)])

    def test_several_choices(self):
        field = self.make(
            "Nevoi de probă", kind="choices", options="Plan\nCredit\nGrant"
        )
        leads = self.env["crm.lead"].with_user(self.admin)
        done = leads.load(["name", field.name], [["First", "Plan,Grant"]])
        self.assertFalse(done["messages"])
        lead = leads.browse(done["ids"])
        self.assertEqual(lead[field.name].mapped("name"), ["Plan", "Grant"])
        self.assertEqual(leads.search([(field.name, "=", "Grant")]), lead)
        cells = lead.with_user(self.admin).export_data([field.name])["datas"]
        self.assertEqual(cells[0][0], "Plan,Grant")
        node = self.holder(self.need).xpath(f".//field[@name='{field.name}']")[0]
        self.assertEqual(node.get("widget"), "many2many_tags")

    def test_the_same_choice_of_two_fields(self):
        first = self.make("Are plan", kind="choice", options="Da\nNu")
        second = self.make("Are credit", kind="choice", options="Da\nNu")
        leads = self.env["crm.lead"]
        done = leads.load(["name", first.name, second.name], [["Case", "Da", "Nu"]])
        self.assertFalse(done["messages"])
        lead = leads.browse(done["ids"])
        self.assertEqual(lead[first.name].field_id, first)
        self.assertEqual(lead[second.name].field_id, second)
        with self.assertRaises(ValidationError):
            lead.with_user(self.consultant).write({first.name: lead[second.name].id})
        with self.assertRaises(ValidationError):
            leads.with_user(self.consultant).create(
                {"name": "x", first.name: lead[second.name].id}
            )

    def test_a_field_of_the_beneficiary(self):
        field = self.make(
            "Nevoi de probă",
            kind="choices",
            options="Plan\nCredit",
            model="res.partner",
        )
        plan, credit = self.env["oda.card.option"].search([("field_id", "=", field.id)])
        lead = self.lead_of(partner_id=self.partner.id)
        mine = lead.with_user(self.consultant)
        bridge = layout.bridge_name(field.name)
        mine[bridge] = plan
        self.assertEqual(self.partner[field.name], plan)
        self.partner[field.name] |= credit
        self.assertEqual(mine[bridge], plan | credit)
        self.assertTrue(self.holder(self.need).xpath(f".//field[@name='{bridge}']"))
        other = self.make("Altele", kind="choice", options="Plan\nAlt")
        wrong = self.env["oda.card.option"].search([("field_id", "=", other.id)])
        with self.assertRaises(ValidationError):
            mine[bridge] = wrong[0]

    # === THE LIFE OF A FIELD ===#

    def test_labels_in_three_languages(self):
        field = self.make("Suma", label_ru="Сумма", label_en="Sum")
        told = [
            self.env["crm.lead"]
            .with_context(lang=lang)
            .fields_get([field.name], ["string"])[field.name]["string"]
            for lang in ("en_US", *LANGS)
        ]
        self.assertEqual(told, ["Sum", "Suma", "Сумма"])

    def test_one_label_is_enough(self):
        field = self.make(False, label_ru="Сумма")
        self.assertEqual(field.name, "x_oda_summa")
        self.assertEqual(field.with_context(lang="ro_RO").field_description, "Сумма")

    def test_rename(self):
        field = self.make("Suma", on_kanban=True)
        lead = self.lead_of(**{field.name: "12"})
        row = self.env["oda.card.field"].search([("field_id", "=", field.id)])
        action = row.with_user(self.admin).action_rename()
        wizard = self.env["oda.new.field"].with_user(self.admin)
        wizard = wizard.with_context(**action["context"])
        self.assertEqual(wizard.default_get(["label_ro"])["label_ro"], "Suma")
        wizard.create({"label_ro": "Suma nouă"}).action_rename()
        text = etree.tostring(self.arch("kanban", lang="ro_RO"), encoding="unicode")
        self.assertIn("Suma nouă", text)
        self.assertEqual(lead[field.name], "12")

    def test_a_rename_is_told_and_taken_back(self):
        field = self.make("Suma", label_ru="Сумма")
        self.commit()
        row = self.env["oda.card.field"].search([("field_id", "=", field.id)])
        wizard = self.env["oda.new.field"].with_user(self.admin)
        wizard = wizard.with_context(default_card_field_id=row.id)
        wizard.create({"label_ro": "Suma nouă", "label_ru": "Новая"}).action_rename()
        self.commit()
        event = self.events()[0]
        self.assertIn("Suma nouă", str(event.details["after"]))
        self.assertIn("Suma", str(event.details["before"]))
        self.env["oda.card.group"].with_user(self.admin).action_undo_last()
        self.commit()
        for lang, label in (("ro_RO", "Suma"), ("ru_RU", "Сумма")):
            name = field.with_context(lang=lang).field_description
            self.assertEqual(name, label, lang)
        self.assertEqual(self.events()[0].details["undoes"], event.id)

    def test_a_rename_of_the_beneficiarys_field_is_taken_back_on_both(self):
        field = self.make("Suma", model="res.partner")
        self.commit()
        row = self.env["oda.card.field"].search([("field_id", "=", field.id)])
        wizard = self.env["oda.new.field"].with_user(self.admin)
        wizard = wizard.with_context(default_card_field_id=row.id)
        wizard.create({"label_ro": "Alta"}).action_rename()
        self.commit()
        self.env["oda.card.group"].with_user(self.admin).action_undo_last()
        bridge = self.env["ir.model.fields"]._get("crm.lead", f"x_oda_p_{field.name}")
        self.assertIn("Suma", bridge.with_context(lang="ro_RO").field_description)

    def test_core_fields_are_not_renamed(self):
        row = self.env["oda.card.field"].create(
            {"group_id": self.need.id, "field_id": self.field("city").id}
        )
        wizard = self.env["oda.new.field"].with_user(self.admin)
        with self.assertRaises(UserError):
            wizard.create(
                {"card_field_id": row.id, "label_ro": "Altfel"}
            ).action_rename()

    def test_a_hidden_choice_stays_where_it_was_made(self):
        field = self.make(
            "Domeniu de probă", kind="choice", options="Comerț\nAgricultură"
        )
        used, free = self.env["oda.card.option"].search([("field_id", "=", field.id)])
        lead = self.lead_of(**{field.name: used.id})
        with self.assertRaises(UserError):
            used.with_user(self.admin).unlink()
        used.active = False
        self.assertEqual(lead[field.name].display_name, "Comerț")
        offered = self.env["oda.card.option"].search([("field_id", "=", field.id)])
        self.assertEqual(offered, free)
        free.with_user(self.admin).unlink()

    def test_hiding_keeps_answers(self):
        field = self.make("Suma")
        lead = self.lead_of(**{field.name: "12"})
        self.need.field_ids.active = False
        self.assertIsNone(self.holder(self.need))
        self.assertEqual(lead[field.name], "12")

    def test_deleting_takes_the_field_off_the_cards(self):
        mine = self.make("Suma", on_kanban=True)
        his = self.make(
            "Nevoi de probă", kind="choices", options="a\nb", model="res.partner"
        )
        names = (mine.name, layout.bridge_name(his.name))
        for field in (mine, his):
            field.with_user(self.admin).unlink()
        self.assertFalse(self.need.field_ids)
        for name in names:
            self.assertNotIn(name, self.env["crm.lead"]._fields)
        for kind in ("form", "kanban"):
            text = etree.tostring(self.arch(kind), encoding="unicode")
            self.assertFalse([name for name in names if name in text])
        self.assertFalse(
            self.env["oda.card.option"].search([("field_id", "=", his.id)])
        )

    def test_a_column_that_vanished_breaks_nothing(self):
        field = self.make("Suma", on_kanban=True)
        fields_ = dict(self.env["crm.lead"]._fields)
        del fields_[field.name]
        with patch.object(type(self.env["crm.lead"]), "_fields", fields_):
            groups = self.env["oda.card.layout"]._oda_layout()
        self.assertEqual([g["fields"] for g in groups], [[]])

    # === WHAT CANNOT BE ===#

    def test_bad_labels(self):
        self.make("Suma")
        for labels in (
            {"label_ro": ""},
            {"label_ro": "   "},
            {"label_ro": "x" * 10_000},
            {"label_ro": "suma "},
            {"label_ro": "Altfel", "label_en": "SUMA"},
        ):
            with self.subTest(labels=str(labels)[:40]):
                wizard = self.env["oda.new.field"].with_user(self.admin)
                with self.assertRaises(UserError):
                    wizard.create({"group_id": self.need.id, **labels}).action_make()

    def test_html_in_a_label_is_text(self):
        field = self.make("<script>alert(1)</script>")
        self.assertEqual(field.name, "x_oda_script_alert_1_script")
        self.arch()

    def test_a_list_needs_choices(self):
        for options in (False, "", "one", "one\n one \n"):
            with self.subTest(options=options), self.assertRaises(UserError):
                self.make("Domeniu de probă", kind="choice", options=options)

    def test_no_more_than_the_most(self):
        self.make("Suma")
        with patch.object(layout, "MOST_FIELDS", 1), self.assertRaises(UserError):
            self.make("Alta")

    def test_only_administrators(self):
        for user in (self.consultant, self.head):
            with self.assertRaises(AccessError):
                self.make("Suma", user=user)
        wizard = self.env["oda.new.field"].create(
            {"label_ro": "Suma", "group_id": self.need.id}
        )
        with self.assertRaises(AccessError):
            wizard.with_user(self.consultant).action_make()

    def test_choices_are_read_by_all_and_made_by_administrators(self):
        field = self.make("Domeniu de probă", kind="choice", options="a\nb")
        option = self.env["oda.card.option"].search([("field_id", "=", field.id)])[0]
        option.with_user(self.consultant).read(["name"])
        with self.assertRaises(AccessError):
            option.with_user(self.consultant).name = "c"
        with self.assertRaises(ValidationError):
            option.with_user(self.admin).field_id = self.field("city")
        with self.assertRaises(ValidationError):
            option.with_user(self.admin).name = "b"
