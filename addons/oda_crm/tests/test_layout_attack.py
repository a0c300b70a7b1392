# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from odoo.addons.oda_crm import layout

from .common import CrmCase
from .test_card_layout import LayoutCase
from .test_new_field import TestNewField as NewFieldCase


@tagged("post_install", "-at_install")
class TestFieldAttack(NewFieldCase):
    """What a clumsy or a hostile person does to the fields of administrators."""

    # The tests of the parent run where they stand.
    for _name in dir(NewFieldCase):
        if _name.startswith("test_"):
            locals()[_name] = None
    del _name

    def test_a_field_removed_while_somebody_types(self):
        field = self.make("Suma")
        gone = field.name
        lead = self.lead_of(user_id=self.consultant.id)
        mine = lead.with_user(self.consultant)
        field.with_user(self.admin).unlink()
        spec = {"name": {}, gone: {}, "partner_id": {"fields": {"display_name": {}}}}
        (told,) = mine.web_save({"name": "Bakery", gone: "12 <b>lei</b>"}, spec)
        self.assertEqual(lead.name, "Bakery")
        self.assertEqual(told["name"], "Bakery")
        self.assertNotIn(gone, told)
        note = lead.message_ids.sorted("id")[-1].body
        self.assertIn("12 &lt;b&gt;lei&lt;/b&gt;", note)
        mine.onchange({"name": "x", gone: "y"}, ["name"], spec)
        mine.onchange({"name": "x", gone: "y"}, [gone], spec)
        self.assertTrue(mine.web_read(spec))
        self.assertTrue(mine.web_search_read([("id", "=", lead.id)], spec)["records"])

    def test_a_removed_field_is_no_way_around_other_checks(self):
        lead = self.lead_of(user_id=self.consultant.id)
        mine = lead.with_user(self.consultant)
        with self.assertRaises(ValueError):
            mine.web_save({"no_such_field": 1}, {"name": {}})
        with self.assertRaises(ValueError):
            mine.write({"x_oda_gone": 1})
        with self.assertRaises(AccessError):
            lead.with_user(self.cashier).web_save({"x_oda_gone": 1}, {"name": {}})

    def test_the_technical_name_stays(self):
        field = self.make("Suma")
        with self.assertRaises(UserError):
            field.with_user(self.admin).name = "x_oda_other"
        field.with_user(self.admin).name = field.name
        field.with_user(self.admin).field_description = "Sum"

    def test_a_name_is_claimed_before_it_is_looked_for(self):
        """Two administrators, one label: the second is repeated and sees the first."""
        claimed = []
        claim = type(self.env["oda.claim"])
        with patch.object(claim, "_claim", lambda self, *keys: claimed.extend(keys)):
            self.make("Suma")
        self.assertIn("oda.new.field", claimed)

    def test_choices_without_end(self):
        with self.assertRaises(UserError) as refused:
            options = "\n".join(map(str, range(layout.MOST_OPTIONS + 1)))
            self.make("Domeniu", kind="choice", options=options)
        self.assertIn(str(layout.MOST_OPTIONS), str(refused.exception))

    def test_a_percent_is_a_sign_like_any_other(self):
        field = self.make("Cota", kind="choice", options="50 lei\n5%\n5_ lei")
        names = self.env["oda.card.option"].search([("field_id", "=", field.id)])
        self.assertEqual(names.mapped("name"), ["50 lei", "5%", "5_ lei"])
        with self.assertRaises(ValidationError):
            names[0].name = "5%"

    def test_named_like_a_core_field(self):
        names = [
            self.make(label, label_en=label).name
            for label in ("stage id", "partner_id", "create uid", "name_", "x_oda_p_x")
        ]
        self.assertEqual(len(set(names)), 5)
        for name in names:
            self.assertTrue(name.startswith("x_oda_"))
            self.assertFalse(name.startswith(layout.BRIDGE))

    def test_the_beneficiarys_data_leave_by_the_beneficiarys_right(self):
        """A field of the beneficiary on the card is no way around the export right."""
        field = self.make("Nevoie", model="res.partner")
        bridge = layout.bridge_name(field.name)
        lead = self.lead_of(partner_id=self.partner.id)
        rows = self.env["oda.right"].search([("level", "=", "admin")])
        rows = rows.filtered(lambda row: row.subject == "beneficiary")
        mine = lead.with_user(self.admin)
        self.assertTrue(mine.export_data([bridge])["datas"])
        rows.can_export = False
        with self.assertRaises(AccessError):
            mine.export_data(["name", bridge])
        self.assertTrue(mine.export_data(["name"])["datas"])


@tagged("post_install", "-at_install")
class TestLayoutAttack(LayoutCase):
    def test_a_key_is_short(self):
        for key in ("x" * 10_000, "", 'a" b', "<b>", "a'b"):
            with self.subTest(key=key[:10]), self.assertRaises(ValidationError):
                self.env["oda.card.group"].with_user(self.admin).create(
                    {"name": "Need", "key": key}
                )

    def test_number_of_a_person_stays_with_who_may_read_it(self):
        self.group("Who", self.field("oda_idnp", "res.partner"))
        self.addCleanup(self.registry.reset_changes)
        self.partner.oda_idnp = "2097003643224"
        lead = self.env["crm.lead"].create(
            {"name": "Case", "partner_id": self.partner.id}
        )
        bridge = "x_oda_p_oda_idnp"
        theirs = lead.with_user(self.marketing)
        self.assertNotIn(bridge, theirs.fields_get())
        for read in (
            lambda: theirs.read([bridge]),
            lambda: theirs.search([(bridge, "!=", False)]),
            lambda: theirs.export_data([bridge]),
        ):
            with self.assertRaises(AccessError):
                read()

    def test_undo_says_what_it_undid(self):
        self.group("Need", self.field("city"))
        self.commit()
        layout_ = self.env["oda.card.group"].with_user(self.admin)
        action = layout_.action_undo_last()
        self.assertIn(self.env.user.name, action["params"]["message"])
        self.assertEqual(action["params"]["next"]["tag"], "soft_reload")

    def test_an_administrator_of_another_company(self):
        """The layout is one for the house; what it shows follows everybody's rights."""
        company = self.env["res.company"].create({"name": "Another centre"})
        stranger = new_test_user(
            self.env,
            "strange_layout_admin",
            groups="oda_base.group_admin",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.env["crm.lead"].create({"name": "Ours", "company_id": self.env.company.id})
        group = self.group("Need", self.field("city"))
        action = group.with_user(stranger).action_preview()
        seen = self.env["crm.lead"].with_user(stranger).browse(action["res_id"])
        self.assertFalse(seen.exists().filtered("company_id"))


@tagged("post_install", "-at_install")
class TestDemoAttack(CrmCase):
    def test_what_people_imported_is_not_put_away(self):
        """The demo on a database that is used already leaves its people alone."""
        mine = self.partner
        for module in ("__import__", "__export__", "custom_addon"):
            self.env["ir.model.data"].create(
                {
                    "module": module,
                    "name": f"grid_{module}",
                    "model": "res.partner",
                    "res_id": mine.id,
                }
            )
        self.assertNotIn(mine, self.env["oda.demo"]._stock("res.partner"))
        self.assertIn(
            self.env.ref("base.user_admin").partner_id,
            self.env["oda.demo"]._stock("res.partner"),
        )
