# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import tagged

from odoo.addons.oda_crm import layout
from odoo.addons.oda_crm.hooks import post_init_hook

from .common import CrmCase


@tagged("post_install", "-at_install")
class TestPostInit(CrmCase):
    """The addon comes to a database that has had consultations for years."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cases = cls.env["crm.lead"].create(
            [
                {
                    "name": f"Case {number}",
                    "type": "opportunity",
                    "partner_id": cls.partner.id,
                    "user_id": cls.consultant.id,
                }
                for number in range(4)
            ]
        )
        cls.env.flush_all()
        # as if none of the addon's code had ever run on them
        cls.env.cr.execute(
            "DELETE FROM mail_activity WHERE res_model = 'crm.lead' AND res_id IN %s",
            (tuple(cls.cases[:3].ids),),
        )
        cls.env.cr.execute(
            "UPDATE crm_lead SET oda_next_step_missing = NULL WHERE id IN %s",
            (tuple(cls.cases.ids),),
        )
        cls.env.cr.execute(
            "UPDATE res_partner SET oda_adviser_id = NULL WHERE id = %s",
            (cls.partner.id,),
        )
        cls.env.invalidate_all()
        cls.cron = cls.env.ref("oda_crm.cron_repair_next_steps")

    def test_flags_stand_at_once_and_the_night_job_is_woken(self):
        before = self.env["ir.cron.trigger"].search_count(
            [("cron_id", "=", self.cron.id)]
        )
        post_init_hook(self.env)
        self.env.invalidate_all()
        self.assertEqual(
            self.cases.mapped("oda_next_step_missing"), [True, True, True, False]
        )
        self.assertEqual(self.partner.oda_adviser_id, self.consultant)
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", self.cron.id)]),
            before + 1,
        )

    def test_set_based(self):
        self.env["res.partner"].search([], limit=1)
        with self.assertQueryCount(12):
            post_init_hook(self.env)

    def test_labels_of_bridges_follow_a_language(self):
        """The card's fields of the beneficiary are made before translations come."""
        name = layout.bridge_name("oda_legal_form")
        fields = self.env["ir.model.fields"]
        fields._get("res.partner", "oda_legal_form")._oda_bridge()
        bridge = fields._get("crm.lead", name)
        bridge.field_description = "Something else"
        self.env["ir.module.module"]._load_module_terms(["oda_crm"], ["en_US"])
        self.assertEqual(bridge.field_description, "Beneficiary: Legal Form")
