# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestNames(TransactionCase):
    """Core's menus bear our words in every language, whichever came first."""

    def test_language_activated_later(self):
        self.env["res.lang"]._activate_and_install_lang("ro_RO")
        menu = self.env.ref("crm.crm_menu_root").with_context(lang="ro_RO")
        self.assertEqual(menu.name, "Consultații")

    def test_core_translation_was_there_first(self):
        self.env["res.lang"]._activate_and_install_lang("ro_RO")
        menu = self.env.ref("crm.crm_menu_root").with_context(lang="ro_RO")
        other = self.env.ref("crm.crm_menu_report").with_context(lang="ro_RO")
        menu.name, other.name = "CRM", "Altfel"
        self.env["ir.module.module"]._oda_load_names("oda_crm", ["crm.crm_menu_root"])
        self.assertEqual(menu.name, "Consultații")
        self.assertEqual(other.name, "Altfel")
