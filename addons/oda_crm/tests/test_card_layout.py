# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from .common import CrmCase


class LayoutCase(CrmCase):
    """Two flows and an empty layout: `cls.ads`, `cls.cold`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = cls.env["oda.card.group"].with_context(active_test=False)
        groups.search([]).unlink()
        cls.ads, cls.cold = cls.env["crm.team"].create(
            [{"name": "Ads"}, {"name": "Cold calls"}]
        )

    @classmethod
    def field(cls, name, model="crm.lead"):
        return cls.env["ir.model.fields"]._get(model, name)

    def group(self, name, *fields, flows=None, **more):
        return self.env["oda.card.group"].create(
            {
                "name": name,
                "team_ids": [(6, 0, flows.ids if flows else [])],
                "field_ids": [(0, 0, {"field_id": f.id, **more}) for f in fields],
            }
        )

    def arch(self, kind="form", user=None, lang=None):
        """The view as `user`'s browser gets it."""
        env = self.env(user=user or self.consultant)
        lead = env["crm.lead"].with_context(lang=lang or "en_US")
        ref = {
            "form": "crm.crm_lead_view_form",
            "kanban": "crm.crm_case_kanban_view_leads",
        }[kind]
        views = lead.get_views([(env.ref(ref).id, kind)])
        return etree.fromstring(views["views"][kind]["arch"])

    def holder(self, group, **more):
        found = self.arch(**more).xpath(f"//div[@data-oda-group='{group.key}']")
        return found[0] if found else None

    def commit(self):
        """What a commit does before it: one event, one message."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def events(self):
        return self.env["oda.event"].search([("code", "=", "layout.change")])


@tagged("post_install", "-at_install")
class TestCardLayout(LayoutCase):
    # === WHAT THE CARD SHOWS ===#

    def test_a_group_stands_on_the_cards_of_its_flows(self):
        mine = self.group("Need", self.field("city"), flows=self.ads)
        everybody = self.group("Other", self.field("website"))
        holder = self.holder(mine)
        self.assertEqual(holder.get("invisible"), f"team_id not in [{self.ads.id}]")
        self.assertTrue(holder.xpath(".//field[@name='city']"))
        self.assertIsNone(self.holder(everybody).get("invisible"))

    def test_a_change_is_seen_by_the_next_reader(self):
        group = self.group("Need", self.field("city"))
        self.assertTrue(self.holder(group).xpath(".//field[@name='city']"))
        row = group.field_ids
        row.active = False
        self.assertIsNone(self.holder(group))
        row.active = True
        self.assertTrue(self.holder(group).xpath(".//field[@name='city']"))

    def test_a_worker_that_missed_the_signal_shows_the_new_card(self):
        group = self.group("Need", self.field("city"))
        self.arch()
        with patch.object(type(self.env.registry), "clear_cache", lambda *a: None):
            self.env.cr.execute(
                "UPDATE oda_card_field SET on_form = FALSE WHERE group_id = %s",
                (group.id,),
            )
            self.env.invalidate_all()
            self.assertIsNone(self.holder(group))

    def test_an_unchanged_layout_is_built_once(self):
        self.group("Need", self.field("city"))
        self.arch()
        lead = type(self.env["crm.lead"])
        with patch.object(lead, "_oda_write_form", side_effect=AssertionError):
            self.arch()

    def test_order_and_kanban(self):
        group = self.group("Need", self.field("city"), self.field("website"))
        first, second = group.field_ids
        first.write({"sequence": 20, "on_kanban": True})
        second.sequence = 10
        names = [n.get("name") for n in self.holder(group).iter("field")]
        self.assertEqual(names, ["website", "city"])
        lines = self.arch("kanban").xpath("//div[@name='oda_card_fields']/div/field")
        self.assertEqual([line.get("name") for line in lines], ["city"])

    def test_names_in_the_reader_language(self):
        self.env["res.lang"]._activate_lang("ro_RO")
        group = self.group("Need", self.field("city"))
        group.update_field_translations("name", {"ro_RO": "Nevoia"})
        titles = [
            self.holder(group, lang=lang).find("widget").get("title")
            for lang in ("en_US", "ro_RO")
        ]
        self.assertEqual(titles, ["Need", "Nevoia"])

    def test_html_and_control_letters_are_letters(self):
        group = self.group('<b>Need</b> & "co" \x01', self.field("city"))
        self.assertEqual(
            self.holder(group).find("widget").get("title"), '<b>Need</b> & "co"'
        )

    def test_every_view_of_the_consultation_opens(self):
        fields_ = self.env["ir.model.fields"].search(
            self.env["oda.card.field"]._oda_choosable(), limit=400
        )
        lead = [f for f in fields_ if f.model == "crm.lead"]
        self.group("All", *lead)
        arch = self.arch()
        self.assertGreater(len(arch.xpath("//div[@data-oda-group]//field")), 50)
        self.arch("kanban", user=self.admin)

    def test_the_questions_stand_once(self):
        block = "//div[@name='oda_core_questions']"
        self.assertFalse(self.arch().xpath(block)[0].get("invisible"))
        self.group("Questions", self.field("lead_properties"), flows=self.ads)
        self.assertEqual(
            self.arch().xpath(block)[0].get("invisible"), f"team_id in [{self.ads.id}]"
        )

    def test_anchors_of_core_stand(self):
        arch = self.arch(user=self.env.ref("base.user_admin"))
        for path in (
            "//header/field[@name='stage_id']",
            "//sheet",
            "//div[@name='button_box']",
            "//group[@name='opportunity_partner']",
            "//notebook/page[@name='internal_notes']",
            "//chatter",
        ):
            with self.subTest(path=path):
                self.assertTrue(arch.xpath(path))

    def test_no_money_on_the_card(self):
        for kind in ("form", "kanban"):
            for name in ("expected_revenue", "probability", "priority"):
                for node in self.arch(kind).xpath(f"//field[@name='{name}']"):
                    hidden = [
                        n
                        for n in (node, *node.iterancestors())
                        if n.get("invisible") == "1"
                    ]
                    bare = node.getparent().tag == "kanban"
                    with self.subTest(kind=kind, name=name):
                        self.assertTrue(hidden or bare)

    # === FIELDS OF THE BENEFICIARY ===#

    def test_a_field_of_the_beneficiary_is_shown_and_written(self):
        group = self.group("Who", self.field("function", "res.partner"))
        self.assertTrue(self.holder(group).xpath(".//field[@name='x_oda_p_function']"))
        lead = self.env["crm.lead"].create(
            {"name": "Bakery", "partner_id": self.partner.id}
        )
        self.partner.function = "Baker"
        mine = lead.with_user(self.consultant)
        self.assertEqual(mine.x_oda_p_function, "Baker")
        mine.x_oda_p_function = "Owner"
        self.assertEqual(self.partner.function, "Owner")
        found = mine.search([("x_oda_p_function", "=", "Owner")])
        self.assertEqual(found, lead)

    def test_what_only_some_may_read_stays_so(self):
        name = "website"
        field = self.env["res.partner"]._fields[name]
        self.patch(field, "groups", "oda_base.group_admin")
        self.group("Who", self.field(name, "res.partner"))
        path = f"//field[@name='x_oda_p_{name}']"
        self.assertFalse(self.arch().xpath(path))
        self.assertTrue(self.arch(user=self.admin).xpath(path))

    # === WHAT CANNOT BE ===#

    def test_at_most_four_on_a_kanban_card(self):
        names = ("city", "website", "referred", "function")
        self.group("Need", *map(self.field, names), on_kanban=True)
        more = self.group("Ads", self.field("phone"), flows=self.ads)
        with self.assertRaises(UserError) as refused:
            more.field_ids.on_kanban = True
        self.assertIn("Ads", str(refused.exception))
        self.assertIn("City", str(refused.exception))

    def test_four_in_each_of_two_flows(self):
        names = ("city", "website", "referred", "function")
        self.group("A", *map(self.field, names), flows=self.ads, on_kanban=True)
        other = self.group("B", self.field("phone"), flows=self.cold, on_kanban=True)
        with self.assertRaises(UserError):
            other.team_ids = False
        with self.assertRaises(UserError):
            other.team_ids = self.ads

    def test_what_cannot_be_drawn_is_refused_in_words(self):
        for field in (
            self.field("activity_ids"),
            self.field("message_ids"),
            self.field("child_ids", "res.partner"),
            self.field("image_1920", "res.partner"),
            self.field("login", "res.users"),
        ):
            with self.subTest(field=field.name), self.assertRaises(UserError):
                self.group("Bad", field)

    @mute_logger("odoo.sql_db")
    def test_a_field_stands_once_in_a_group(self):
        with self.assertRaises(Exception) as refused, self.env.cr.savepoint():
            self.group("Twice", self.field("city"), self.field("city"))
        self.assertIn("oda_card_field", str(refused.exception))

    def test_names_of_groups(self):
        for name in ("", "   ", "x" * 61, "x" * 10_000):
            with self.subTest(name=name[:3]), self.assertRaises(ValidationError):
                self.group(name or " ")

    def test_a_removed_flow_hides_its_groups(self):
        group = self.group("Need", self.field("city"), flows=self.ads)
        both = self.group("Both", self.field("phone"), flows=self.ads | self.cold)
        self.ads.unlink()
        self.assertFalse(group.active)
        self.assertTrue(both.active)
        self.assertIsNone(self.holder(group))

    # === WHO ===#

    def test_only_administrators(self):
        group = self.group("Need", self.field("city"))
        for role in ("consultant", "lead", "head", "supervisor", "marketing"):
            user = getattr(self, role)
            with self.subTest(role=role):
                with self.assertRaises(AccessError):
                    group.with_user(user).name = "Mine"
                with self.assertRaises(AccessError):
                    group.field_ids.with_user(user).on_kanban = True
                with self.assertRaises(AccessError):
                    group.with_user(user).action_undo_last()
                with self.assertRaises(AccessError):
                    self.env["oda.card.group"].with_user(user).create({"name": "x"})
                with self.assertRaises(AccessError):
                    self.env["oda.new.field"].with_user(user).create({})
                with self.assertRaises(AccessError):
                    self.env["oda.new.field"].with_user(user).default_get(["model"])
                with self.assertRaises(AccessError):
                    group.with_user(user).action_preview()
        group.with_user(self.admin).name = "Mine"

    def test_a_context_opens_no_door(self):
        group = self.group("Need", self.field("city"))
        keys = {"install_mode": True, "oda_undo": True, "tracking_disable": True}
        with self.assertRaises(AccessError):
            group.with_user(self.consultant).with_context(**keys).name = "Mine"

    # === THE JOURNAL AND UNDO ===#

    def test_one_event_and_one_message_a_transaction(self):
        self.commit()
        before = self.events()
        sent = []
        bus = type(self.env["bus.bus"])
        with patch.object(
            bus, "_sendone", lambda self, target, kind, payload: sent.append(kind)
        ):
            group = self.group("Need", self.field("city"), self.field("phone"))
            group.name = "Needs"
            group.field_ids[0].width = "full"
            self.commit()
        event = self.events() - before
        self.assertEqual(len(event), 1)
        self.assertEqual(sent.count("oda.layout"), 1)
        self.assertEqual(event.details["before"], [])
        (told,) = event.details["after"]
        self.assertEqual(told["name"]["en_US"], "Needs")
        self.assertEqual(told["fields"][0]["field"], "crm.lead.city")

    def test_nothing_changed_nothing_told(self):
        group = self.group("Need", self.field("city"))
        self.commit()
        before = self.events()
        group.name = "Need"
        self.commit()
        self.assertEqual(self.events(), before)

    def test_undo(self):
        group = self.group("Need", self.field("city"), flows=self.ads, on_kanban=True)
        key = group.key
        self.commit()
        group.name = "Changed"
        self.commit()
        group.unlink()
        self.commit()
        layout = self.env["oda.card.group"].with_user(self.admin)
        # as the button calls it: with the rows that are chosen, here none
        call_kw(layout, "action_undo_last", [[]], {})  # the removal
        self.commit()
        again = self.env["oda.card.group"].search([("key", "=", key)])
        self.assertEqual(again.name, "Changed")
        self.assertEqual(again.team_ids, self.ads)
        self.assertEqual(again.field_ids.field_id, self.field("city"))
        self.assertTrue(again.field_ids.on_kanban)
        layout.action_undo_last()  # the renaming
        self.commit()
        self.assertEqual(again.name, "Need")
        layout.action_undo_last()  # the making
        self.commit()
        self.assertFalse(again.exists())

    def test_undo_of_a_full_kanban_card(self):
        names = ("city", "website", "referred", "function")
        group = self.group("Need", *map(self.field, names), on_kanban=True)
        self.commit()
        group.field_ids[0].on_kanban = False
        group.write({"field_ids": [(0, 0, {"field_id": self.field("phone").id})]})
        group.field_ids.filtered(
            lambda row: row.field_id.name == "phone"
        ).on_kanban = True
        self.commit()
        self.env["oda.card.group"].with_user(self.admin).action_undo_last()
        shown = group.field_ids.filtered("on_kanban").field_id
        self.assertEqual(set(shown.mapped("name")), set(names))

    def test_nothing_to_undo(self):
        with (
            patch.object(
                type(self.env["oda.event"]),
                "search",
                lambda self, *a, **k: self.browse(),
            ),
            self.assertRaises(UserError),
        ):
            self.env["oda.card.group"].with_user(self.admin).action_undo_last()

    # === THE BROWSER'S KEEP ===#

    def test_the_version_tells_layouts_apart(self):
        layout = self.env["oda.card.layout"]
        empty = layout._oda_version()
        group = self.group("Need", self.field("city"))
        full = layout._oda_version()
        self.assertNotEqual(full, empty)
        group.unlink()
        self.assertEqual(layout._oda_version(), empty)

    def test_the_version_costs_one_statement(self):
        self.group("Need", self.field("city"))
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.env["oda.card.layout"]._oda_version()

    def test_preview_writes_nothing(self):
        group = self.group("Need", self.field("city"), flows=self.ads)
        action = group.with_user(self.admin).action_preview()
        arch = etree.fromstring(
            self.env["crm.lead"].get_view(action["views"][0][0], "form")["arch"]
        )
        self.assertEqual((arch.get("create"), arch.get("edit")), ("0", "0"))
        self.assertTrue(arch.xpath(f"//div[@data-oda-group='{group.key}']"))


@tagged("post_install", "-at_install")
class TestDefaultLayout(TransactionCase):
    def test_the_card_to_begin_with(self):
        for name in ("contact", "origin", "questions"):
            group = self.env.ref(f"oda_crm.card_group_{name}")
            self.assertFalse(group.team_ids)
            self.assertTrue(group.field_ids)

    def test_words(self):
        labels = self.env["crm.lead"].fields_get(
            ["name", "partner_id", "user_id", "team_id"], ["string"]
        )
        self.assertEqual(
            {name: told["string"] for name, told in labels.items()},
            {
                "name": "Consultation",
                "partner_id": "Beneficiary",
                "user_id": "Responsible",
                "team_id": "Flow",
            },
        )
        action = self.env.ref("oda_crm.action_oda_beneficiary")
        menu = self.env.ref("crm.res_partner_menu_customer")
        self.assertEqual(menu.action, action)

    def test_people_of_the_house_are_no_beneficiaries(self):
        partners = self.env["res.partner"]
        outsider = partners.create({"name": "Somebody"})
        former = self.env["res.users"].create(
            {"name": "Former", "login": "former colleague"}
        )
        citizen = self.env["res.users"].create(
            {
                "name": "Citizen",
                "login": "a citizen",
                "group_ids": [(6, 0, [self.env.ref("base.group_portal").id])],
            }
        )
        former.active = False
        connector = self.env.ref("oda_base.user_connector").partner_id
        house = partners.search([("oda_is_house", "=", True)])
        others = partners.search([("oda_is_house", "=", False)])
        for partner in (former.partner_id, connector, self.env.company.partner_id):
            self.assertIn(partner, house)
            self.assertNotIn(partner, others)
        self.assertIn(outsider, others)
        self.assertIn(citizen.partner_id, others)
        self.assertEqual((house | outsider).mapped("oda_is_house").count(False), 1)
