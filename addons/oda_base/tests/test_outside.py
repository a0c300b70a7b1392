# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from lxml import etree

from odoo.tests import HttpCase, TransactionCase, tagged

from .. import outside

ARCH = """
<form>
    <button name="iap_enrich" type="object"/>before
    <button name="action_generate_leads" type="object"/>
    <button name="77" type="action"/>
    <button name="mine_own" type="object"/>
    <field name="partner_id" widget="res_partner_many2one"/>
    <field name="name" widget="field_partner_autocomplete"/>
    <field name="phone" widget="phone" options="{'enable_sms': true, 'x': 1}"/>
    <field name="mobile" widget="phone"/>
    <field name="fax" widget="phone" options="{'x': context}"/>
</form>
"""


class TestStrip(TransactionCase):
    def stripped(self, *shut):
        arch = etree.fromstring(ARCH)
        outside.strip(arch, shut, [77])
        return arch

    def test_all_shut(self):
        arch = self.stripped(*outside.DOORS)
        self.assertEqual(arch.xpath("//button/@name"), ["mine_own"])
        self.assertFalse(arch.xpath("//field[@name='partner_id']/@widget"))
        self.assertFalse(arch.xpath("//field[@name='name']/@widget"))
        (options,) = arch.xpath("//field[@name='phone']/@options")
        self.assertEqual(options, "{'enable_sms': False, 'x': 1}")
        (options,) = arch.xpath("//field[@name='mobile']/@options")
        self.assertEqual(options, "{'enable_sms': False}")
        (options,) = arch.xpath("//field[@name='fax']/@options")
        self.assertEqual(options, "{'x': context}", "not ours to rewrite")
        self.assertIn("before", "".join(arch.itertext()), "only the button goes")

    def test_an_open_door_keeps_its_buttons(self):
        arch = self.stripped("sms")
        self.assertEqual(
            arch.xpath("//button/@name"),
            ["iap_enrich", "action_generate_leads", "mine_own"],
        )
        self.assertTrue(arch.xpath("//field[@widget='res_partner_many2one']"))


class TestShutHelpers(TransactionCase):
    def test_partner_form_asks_nobody_outside(self):
        partner = self.env["res.partner"]
        arch = partner.get_view(view_type="form")["arch"]
        self.assertNotIn("field_partner_autocomplete", arch)
        self.assertNotIn("res_partner_many2one", arch)
        for field in etree.fromstring(arch).xpath("//field[@widget='phone']"):
            self.assertIn("'enable_sms': False", field.get("options"))

    def test_a_door_opened_again_shows_its_helper(self):
        self.env["res.partner"].get_view(view_type="form")  # cached, door shut
        name = outside.DOORS["autocomplete"]
        self.env["ir.config_parameter"].set_param(name, "https://a.example.com")
        arch = self.env["res.partner"].get_view(view_type="form")["arch"]
        self.assertIn("res_partner_many2one", arch)


@tagged("post_install", "-at_install")
class TestLoginPage(HttpCase):
    def test_nobody_signs_up_alone(self):
        page = self.url_open("/web/login").text
        self.assertNotIn("/web/signup", page)
        scope = self.env["ir.config_parameter"].get_param(
            "auth_signup.invitation_scope"
        )
        self.assertEqual(scope, "b2b")
        self.assertIn("Login or email", page)
