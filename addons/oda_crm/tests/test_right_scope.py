# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
from types import SimpleNamespace
from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.bus.models.bus import channel_with_db

from .common import CrmCase


@tagged("post_install", "-at_install")
class TestRightScope(CrmCase):
    """What "own", "team" and "department" mean, and what hangs on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = new_test_user(
            cls.env, "stranger", groups="oda_base.group_consultant"
        )
        cls.flow, cls.abroad = cls.env["crm.team"].create(
            [{"name": "Flow"}, {"name": "Another flow"}]
        )
        cls.case = cls._case(cls.stranger, cls.abroad)

    @classmethod
    def _case(cls, user, flow, **values):
        partner = cls.env["res.partner"].create({"name": "Ion Secret"})
        return cls.env["crm.lead"].create(
            {
                "name": "Case",
                "type": "opportunity",
                "partner_id": partner.id,
                "user_id": user.id if user else False,
                "team_id": flow.id,
                **values,
            }
        )

    def _sees(self, user, record=None, operation="read"):
        record = (record or self.case).with_user(user)
        found = bool(record.search([("id", "=", record.id)]))
        if operation == "read":
            self.assertEqual(found, record.has_access("read"), "search and read agree")
            return found
        return record.has_access(operation)

    def _right(self, **values):
        row = self.env["oda.right"].search(
            [
                ("level", "=", values.pop("level", "consultant")),
                ("subject", "=", values.pop("subject", "consultation")),
                ("department_id", "=", False),
            ]
        )
        row.write(values)

    def test_not_a_strangers(self):
        self.assertFalse(self._sees(self.consultant))
        self.assertTrue(self._sees(self.stranger))

    def test_who_joins_the_flow_sees_it_and_who_leaves_does_not(self):
        member = self.env["crm.team.member"].create(
            {"user_id": self.consultant.id, "crm_team_id": self.abroad.id}
        )
        self.assertTrue(self._sees(self.consultant))
        self.assertTrue(self._sees(self.consultant, operation="write"))
        member.active = False
        self.assertFalse(self._sees(self.consultant))
        member.active = True
        self.assertTrue(self._sees(self.consultant))
        member.unlink()
        self.assertFalse(self._sees(self.consultant))

    def test_who_leads_the_flow_is_in_it(self):
        self.abroad.user_id = self.consultant
        self.assertTrue(self._sees(self.consultant))
        self.abroad.user_id = False
        self.assertFalse(self._sees(self.consultant))

    def test_several_consultants_continue_one_case(self):
        self._right(see="own", edit="own")
        self.env["oda.consultation.session"].create(
            {
                "partner_id": self.case.partner_id.id,
                "lead_id": self.case.id,
                "user_id": self.consultant.id,
            }
        )
        self.assertTrue(self._sees(self.consultant))
        self.assertTrue(self._sees(self.consultant, operation="write"))

    def test_what_nobody_works_on_is_the_teams(self):
        left = new_test_user(self.env, "left", groups="oda_base.group_consultant")
        cases = {
            "nobody": self._case(None, self.abroad),
            "the system": self._case(self.env.ref("base.user_root"), self.abroad),
            "who left": self._case(left, self.abroad),
        }
        left.active = False
        for name, case in cases.items():
            with self.subTest(case=name):
                self.assertTrue(self._sees(self.consultant, case))
        self._right(see="own", edit="own")
        for name, case in cases.items():
            with self.subTest(case=name):
                self.assertFalse(self._sees(self.consultant, case))

    def test_department_of_the_responsible_and_those_below(self):
        above = self.env["oda.department"].create({"name": "Above"})
        below = above.create({"name": "Below", "parent_id": above.id})
        self.stranger.oda_department_id = below
        self.assertFalse(self._sees(self.lead))
        self.lead.oda_department_id = above
        self.assertTrue(self._sees(self.lead))
        self.lead.oda_department_id = False
        self.assertFalse(self._sees(self.lead))
        above.manager_id = self.lead
        self.assertTrue(self._sees(self.lead), "who leads a department sees it")

    def test_people_of_the_same_department_are_a_team(self):
        department = self.env["oda.department"].create({"name": "Credit"})
        below = department.create({"name": "Small credit", "parent_id": department.id})
        self.consultant.oda_department_id = department
        self.stranger.oda_department_id = department
        self.assertTrue(self._sees(self.consultant))
        self.stranger.oda_department_id = below
        self.assertFalse(self._sees(self.consultant), "a department below is another")

    def test_one_case_of_one_matter_whoever_sees_it(self):
        """Who may not see the open consultation does not open a second one."""
        Lead = self.env["crm.lead"].with_user(self.consultant)
        found = Lead._oda_find_or_open(self.case.partner_id)
        self.assertEqual(found, self.case)
        self.assertFalse(found.env.su)
        with self.assertRaises(AccessError):
            found.read(["name"])

    def test_companies_are_not_crossed(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        case = self._case(None, self.abroad, company_id=company.id)
        for user in (self.head, self.admin, self.consultant):
            self.assertFalse(self._sees(user, case))

    def test_house_contacts_are_seen_by_all_and_edited_by_few(self):
        employee = new_test_user(self.env, "employee", groups="base.group_user")
        house = (self.stranger.partner_id, self.env.company.partner_id)
        for partner in house:
            self.assertTrue(self._sees(employee, partner))
            self.assertFalse(self._sees(self.consultant, partner, "write"))
        self.assertFalse(self._sees(employee, self.partner), "no level, no beneficiary")

    def test_portal_people_see_themselves_as_ever(self):
        portal = new_test_user(self.env, "citizen", groups="base.group_portal")
        self.assertTrue(self._sees(portal, portal.partner_id))
        self.assertFalse(self._sees(portal, self.partner))
        for model in ("crm.lead", "oda.consultation.session", "oda.right"):
            self.assertFalse(self.env[model].with_user(portal).has_access("read"))

    def test_beneficiary_scopes(self):
        self._right(subject="beneficiary", see="own", edit="own")
        self.env["res.partner"].flush_model()
        own, other = self.case.partner_id, self.partner
        self.assertTrue(self._sees(self.stranger, own), "has their consultation")
        self.assertFalse(self._sees(self.consultant, own))
        self.assertFalse(self._sees(self.stranger, other))
        self._right(subject="beneficiary", see="team", edit="team")
        self.assertTrue(self._sees(self.consultant, other), "nobody's")
        self.assertFalse(self._sees(self.consultant, own))
        self.abroad.member_ids = self.consultant
        self.assertTrue(self._sees(self.consultant, own))

    def test_the_number_follows_its_person(self):
        self._right(subject="beneficiary", see="own", edit="own")
        phone = self.partner.oda_phone_ids
        self.assertFalse(self._sees(self.consultant, phone))
        self.partner.oda_adviser_id = self.consultant
        self.assertTrue(self._sees(self.consultant, phone))

    def test_what_hangs_on_a_hidden_case_is_hidden(self):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "secret.txt",
                "datas": base64.b64encode(b"secret"),
                "res_model": "crm.lead",
                "res_id": self.case.id,
            }
        )
        message = self.case.message_post(body="secret")
        task = self.case.activity_schedule(
            "mail.mail_activity_data_todo", summary="secret", user_id=self.stranger.id
        )
        for record in (attachment, message, task):
            with self.subTest(model=record._name):
                mine = record.with_user(self.consultant)
                self.assertFalse(mine.search([("id", "=", record.id)]))
                with self.assertRaises(AccessError):
                    mine.read(["display_name"])
        self.abroad.member_ids = self.consultant
        self.env.invalidate_all()
        for record in (attachment, message, task):
            with self.subTest(model=record._name):
                mine = record.with_user(self.consultant)
                self.assertTrue(mine.search([("id", "=", record.id)]))

    def test_counts_and_groups_and_reports(self):
        leads = self.env["crm.lead"].with_user(self.consultant)
        domain = [("id", "=", self.case.id)]
        self.assertFalse(leads.search_count(domain))
        self.assertFalse(leads._read_group(domain, ["user_id"], ["__count"]))
        self.assertFalse(leads.formatted_read_group(domain, ["stage_id"], ["__count"]))
        self.assertFalse(leads.web_read_group(domain, ["team_id"], [])["groups"])
        self.assertFalse(leads.name_search("Case", domain))
        partners = self.env["res.partner"].with_user(self.consultant)
        found = partners.search([("opportunity_ids", "any", domain)])
        self.assertFalse(found, "not even through its beneficiary")
        self.case.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.stranger.id
        ).action_feedback(feedback="done")
        self.env.flush_all()
        report = self.env["crm.activity.report"]
        domain = [("lead_id", "=", self.case.id)]
        self.assertTrue(report.search(domain))
        self.assertFalse(report.with_user(self.consultant).search(domain))

    def test_the_bus_is_not_listened_to_by_naming_a_record(self):
        asked = [f"crm.lead_{self.case.id}", f"res.partner_{self.partner.id}"]
        request = SimpleNamespace(session=SimpleNamespace(uid=self.consultant.id))
        with (
            patch("odoo.addons.bus.models.ir_websocket.request", request),
        ):
            channels = (
                self.env["ir.websocket"]
                .with_user(self.consultant)
                ._prepare_subscribe_data(asked, 0)["channels"]
            )
        for record in (self.case, self.partner, self.stranger.partner_id):
            wire = channel_with_db(self.env.cr.dbname, record)
            self.assertNotIn(
                wire, [channel_with_db(self.env.cr.dbname, one) for one in channels]
            )

    def test_refusal_says_what_and_whom_to_ask(self):
        with self.assertRaisesRegex(AccessError, "Who can do what"):
            self.case.with_user(self.consultant).read(["name"])
        with self.assertRaisesRegex(AccessError, "Own and team"):
            self.case.with_user(self.consultant).write({"name": "x"})
        with self.assertRaises(AccessError) as caught:
            self.case.with_user(self.consultant).read(["name"])
        self.assertNotIn("Secret", str(caught.exception))

    def test_no_button_for_what_is_refused(self):
        leads = self.env["crm.lead"]
        for user, operation, may in (
            (self.consultant, "unlink", False),
            (self.consultant, "create", True),
            (self.supervisor, "create", False),
            (self.supervisor, "write", False),
            (self.auditor, "write", False),
            (self.head, "unlink", True),
        ):
            self.assertEqual(leads.with_user(user).has_access(operation), may)
        for user, shut in (
            (self.consultant, {"import", "export_xlsx"}),
            (self.head, set()),
        ):
            arch = leads.with_user(user).get_view(view_type="list")["arch"]
            root = etree.fromstring(arch)
            found = {n for n in ("import", "export_xlsx") if root.get(n) == "0"}
            self.assertEqual(found, shut)

    def test_giving_a_case_away(self):
        """A person may hand over what is theirs, not take what is not."""
        own = self._case(self.consultant, self.flow)
        own.with_user(self.consultant).user_id = self.stranger
        with self.assertRaises(AccessError):
            self.case.with_user(self.consultant).user_id = self.consultant

    def test_the_door_is_not_opened_by_a_context(self):
        mine = self.case.with_user(self.consultant).with_context(
            install_mode=True,
            tracking_disable=True,
            import_file=True,
            active_test=False,
            bin_size=True,
        )
        self.assertFalse(mine.has_access("read"))

    def test_a_user_with_only_odoos_sales_right_is_not_let_in(self):
        sales = new_test_user(
            self.env, "sales", groups="sales_team.group_sale_salesman_all_leads"
        )
        self.assertFalse(self._sees(sales))
        self.assertFalse(self._sees(sales, self.partner))

    def test_settings_people_are_administrators(self):
        settings = new_test_user(
            self.env,
            "settings",
            groups="base.group_system,sales_team.group_sale_manager",
        )
        self.assertTrue(self._sees(settings))
        user = new_test_user(self.env(user=settings), "made by settings")
        self.assertTrue(user)

    def test_a_department_is_of_one_company_and_no_circle(self):
        one = self.env["oda.department"].create({"name": "One"})
        two = one.create({"name": "Two", "parent_id": one.id})
        with self.assertRaises(Exception):  # noqa: B017  # either of Odoo's words
            one.parent_id = two

    def test_a_department_with_people_is_not_deleted(self):
        department = self.env["oda.department"].create({"name": "Field work"})
        self.consultant.oda_department_id = department
        self.consultant.active = False
        with self.assertRaises(UserError):
            department.unlink()
        self.consultant.oda_department_id = False
        self.assertTrue(department.unlink())

    def test_merging_needs_the_right_and_both_records(self):
        other = self._case(self.stranger, self.abroad)
        both = self.case | other
        with self.assertRaises(AccessError):
            both.with_user(self.lead).merge_opportunity()
        mine = self._case(self.lead, self.flow)
        with self.assertRaises(AccessError):
            (mine | other).with_user(self.lead).merge_opportunity()
        own = self._case(self.lead, self.flow)
        self.assertTrue((mine | own).with_user(self.lead).merge_opportunity())
