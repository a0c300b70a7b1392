# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re

from lxml import etree

from odoo.tests import Form, tagged

from .common import CrmCase

# Words of core that people of the centre do not use.
FOREIGN = re.compile(
    r"opportunit|\bleads?\b|pipeline|\bsales|customer|prospect|\bdeal\b"
    r"|odoo\.com|Brandon|Lumber|B2B",
    re.I,
)
# In helps of technical settings that no role sees on a card; and our own "team lead".
ALLOWED = re.compile(r"team\s+leads?\b|mailing|blacklist|alias|bounce|Gmail", re.I)
SHOWN = ("string", "placeholder", "title", "confirm", "data-tooltip", "aria-label")


@tagged("post_install", "-at_install")
class TestWords(CrmCase):
    def foreign(self, user, model, types):
        """Foreign words that this person reads on the screens of a model."""
        views = (
            self.env[model]
            .with_user(user)
            .get_views([(False, one) for one in types], {"toolbar": True})
        )
        labels = views["models"][model]["fields"]
        for kind, view in views["views"].items():
            for node in etree.fromstring(view["arch"]).iter(etree.Element):
                if any(
                    one.get(name) in ("1", "True")
                    for one in (node, *node.iterancestors())
                    for name in ("invisible", "column_invisible")
                ):
                    continue
                said = [node.get(name) for name in SHOWN]
                said += [node.text, node.tail]
                if node.tag == "field" and not node.get("string"):
                    said.append(labels.get(node.get("name"), {}).get("string"))
                yield from self.found(said, f"{model} {kind} {node.tag}")
            buttons = [
                one["name"] for part in view.get("toolbar", {}).values() for one in part
            ]
            yield from self.found(buttons, f"{model} {kind} toolbar")

    def found(self, said, where):
        for text in filter(None, said):
            if FOREIGN.search(text) and not ALLOWED.search(text):
                yield f"{where}: {text.strip()}"

    def test_screens_speak_of_consultations(self):
        for user, model, types in (
            (self.consultant, "crm.lead", "form kanban list search pivot graph"),
            (self.consultant, "crm.lead", "calendar activity"),
            (self.consultant, "res.partner", "form kanban list search"),
            (self.consultant, "oda.consultation.session", "form list kanban search"),
            (self.consultant, "oda.programme", "form list kanban search"),
            (self.consultant, "oda.segment", "form list search"),
            (self.consultant, "crm.activity.report", "list search pivot graph"),
            (self.consultant, "oda.flow.report", "pivot graph search"),
            (self.consultant, "calendar.event", "form search"),
            (self.consultant, "crm.lead.lost", "form"),
            (self.lead, "crm.merge.opportunity", "form"),
            (self.lead, "crm.team", "kanban list form search"),
            (self.admin, "crm.team", "kanban list form search"),
            (self.admin, "crm.stage", "form list search"),
            (self.admin, "crm.lost.reason", "form list search"),
            (self.admin, "crm.team.member", "form list search"),
            (self.admin, "oda.stage.rule", "form list search"),
        ):
            with self.subTest(model=model, types=types, user=user.login):
                found = list(self.foreign(user, model, types.split()))
                self.assertFalse(found, "\n".join(found))

    def test_analysis_counts_consultations(self):
        for kind in ("graph", "pivot"):
            view = self.env.ref(f"crm.crm_opportunity_report_view_{kind}")
            arch = self.env["crm.lead"].get_view(view.id, kind)["arch"]
            self.assertFalse(list(self.found([arch], kind)))
            self.assertNotIn("measure", arch, "there is no revenue to add up")

    def test_titles_of_screens(self):
        menus = self.env["ir.ui.menu"].with_user(self.lead).load_web_menus(False)
        names = [one["name"] for one in menus.values()]
        actions = self.env["ir.actions.act_window"].search(
            [("res_model", "in", ("crm.lead", "crm.team", "crm.lost.reason"))]
        )
        # those of leads and of forecasts are behind switches that nobody here sets
        behind = re.compile(r"\bleads?\b|forecast|convert", re.I)
        names += [one.name for one in actions if not behind.search(one.name)]
        found = list(self.found(names, "title"))
        self.assertFalse(found, "\n".join(found))

    def test_chatter_says_consultation(self):
        lead = self.env["crm.lead"].create({"name": "Proba", "type": "opportunity"})
        subtypes = lead.message_ids.subtype_id
        self.assertIn(self.env.ref("crm.mt_lead_create"), subtypes)
        found = list(self.found(subtypes.mapped("description"), "chatter"))
        self.assertFalse(found)

    def test_words_of_cores_scripts(self):
        http = self.env["ir.http"].with_context(lang="en_US")
        for lang in ("en_US", None):
            found, _params = http._get_translations_for_webclient(["mail", "web"], lang)
            mail = {one["id"]: one["string"] for one in found["mail"]["messages"]}
            self.assertNotIn("ctivi", mail["Activity"] + mail["Planned Activities"])
            ids = [one["id"] for one in found["mail"]["messages"]]
            self.assertEqual(len(ids), len(set(ids)), "each term once")
        found, _params = http._get_translations_for_webclient(["base"], "en_US")
        self.assertEqual(list(found), ["base"], "asked for nothing else, told nothing")
        found, _params = http._get_translations_for_webclient(["mail"], "xx_YY")
        self.assertIn("mail", found, "anybody may ask for any language")

    def test_marks_of_a_beneficiary(self):
        self.env["crm.lead"].create(
            {"name": "Proba", "type": "opportunity", "partner_id": self.partner.id}
        )
        hook = self.partner.with_user(self.lead)._compute_application_statistics_hook()
        labels = [one["label"] for one in hook[self.partner.id]]
        self.assertIn("Consultations", labels)
        self.assertNotIn("Opportunities", labels)

    def test_new_contact_is_a_person(self):
        action = self.env.ref("contacts.action_contacts")
        self.assertNotIn("is_company", action.context or "")
        arch = etree.fromstring(self.env["crm.lead"].get_view(view_type="form")["arch"])
        (field,) = arch.xpath(
            "//group[@name='opportunity_partner']/field[@name='partner_id']"
        )
        for firm, person, company in (
            (False, False, False),
            ("Firma SRL", False, True),
            ("Firma SRL", "Ion Popa", False),
            (False, "Ion Popa", False),
        ):
            names = set(re.findall(r": ([a-z_0-9]+)(?: or|,)", field.get("context")))
            values = dict.fromkeys(names | {"partner_name", "contact_name"}, False)
            values |= {"partner_name": firm, "contact_name": person}
            # pylint: disable=eval-used
            context = eval(field.get("context"), {"bool": bool}, values)  # noqa: S307
            self.assertEqual(context["default_is_company"], company)
        with Form(self.env["res.partner"].with_user(self.consultant)) as form:
            self.assertEqual(form.company_type, "person")
            form.name = "Ion Popa"
