# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import ROLES, CrmCase

#: letter -> what is tried; see `TestMatrix._may_<word>`
OPERATIONS = {
    "r": "read",
    "w": "write",
    "c": "create",
    "u": "unlink",
    "x": "export",
    "i": "import",
    "m": "merge",
    "g": "group",
    "n": "names",
    "a": "attachment",
}
LOOK = "rgna"  # see, count, find, open what is attached
#: model -> role -> what it may do with the record of a person of another flow and
#: department (`c`, `i`: add one of its own); whoever is not named may do nothing
STRANGERS = {
    "crm.lead": {
        "consultant": "c",
        "lead": "c",
        "head": LOOK + "wcuxim",
        "supervisor": LOOK,
        "marketing": LOOK + "c",
        "admin": LOOK + "wcuxim",
        "auditor": LOOK,
        "connector": LOOK + "wc",
    },
    "res.partner": {
        "consultant": LOOK + "c",
        "lead": LOOK + "wcm",
        "head": LOOK + "wcuxim",
        "supervisor": LOOK,
        "marketing": LOOK + "wcxi",
        "cashier": LOOK,
        "accountant": LOOK,
        "admin": LOOK + "wcuxim",
        "auditor": LOOK,
        "connector": LOOK + "wc",
    },
    "oda.consultation.session": {
        "consultant": "c",
        "lead": "c",
        "head": LOOK + "wcxi",
        "supervisor": LOOK,
        "admin": LOOK + "wcuxi",
        "auditor": LOOK,
        "connector": LOOK + "wc",
    },
    "oda.phone": {
        "consultant": LOOK,
        "lead": LOOK + "wcu",
        "head": LOOK + "wcuxi",
        "supervisor": LOOK,
        "marketing": LOOK + "wcuxi",
        "cashier": LOOK,
        "accountant": LOOK,
        "admin": LOOK + "wcuxi",
        "auditor": LOOK,
        "connector": LOOK + "wc",
    },
    "oda.department": {
        **dict.fromkeys(ROLES, "rgna"),
        "admin": "rgnawcu",
    },
    "oda.right": {"supervisor": "rgna", "auditor": "rgna", "admin": "rgnawcu"},
}
#: the same with the role's own record, where it is more than with a stranger's
OWN = {
    "crm.lead": {
        "consultant": LOOK + "wc",
        "lead": LOOK + "wcm",
        "marketing": LOOK + "wc",
    },
    "res.partner": {"consultant": LOOK + "wc", "lead": LOOK + "wcm"},
    "oda.consultation.session": {
        "consultant": LOOK + "wc",
        "lead": LOOK + "wc",
    },
    "oda.phone": {"consultant": LOOK + "wcu"},
}


@tagged("post_install", "-at_install")
class TestMatrix(CrmCase):
    """Every role x model x operation, with a stranger's record and one's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = new_test_user(
            cls.env, "stranger", groups="oda_base.group_consultant"
        )
        cls.abroad = cls.env["crm.team"].create({"name": "Another flow"})
        department = cls.env["oda.department"].create({"name": "Another department"})
        cls.stranger.oda_department_id = department
        cls.departments = cls.env["oda.department"].create(
            [{"name": "Shop"}, {"name": "Bank"}]
        )
        cls.rows = cls.env["oda.right"].create(
            [
                {
                    "level": "lead",
                    "subject": "beneficiary",
                    "department_id": one.id,
                }
                for one in cls.departments
            ]
        )

    def _records(self, user):
        """Return `{model: two records}` that `user` works on."""
        partners = self.env["res.partner"].create(
            [
                {
                    "name": f"Ion {number}",
                    "phone": f"+373 69 00{number} 00{user.id % 9}",
                }
                for number in (1, 2)
            ]
        )
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": f"Case {partner.name}",
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "user_id": user.id,
                    "team_id": self.abroad.id,
                }
                for partner in partners
            ]
        )
        sessions = self.env["oda.consultation.session"].create(
            [
                {
                    "partner_id": lead.partner_id.id,
                    "lead_id": lead.id,
                    "user_id": user.id,
                }
                for lead in leads
            ]
        )
        return {
            "crm.lead": leads,
            "res.partner": partners,
            "oda.consultation.session": sessions,
            "oda.phone": partners.oda_phone_ids,
            "oda.department": self.departments,
            "oda.right": self.rows,
        }

    # === WHAT IS TRIED; True when it went through ===#

    def _may_read(self, one):
        seen = bool(one.search([("id", "=", one.id)]))
        self.assertEqual(one.has_access("read"), seen)
        one.read(["display_name"])
        return seen

    def _may_write(self, one):
        one.write(
            {
                "oda.consultation.session": {"content": "x"},
                "oda.phone": {"note": "x"},
                "oda.right": {"see": "own"},
            }.get(one._name, {"name": "x"})
        )
        self.env.flush_all()
        return True

    def _may_create(self, one):
        values = {
            "oda.consultation.session": lambda: {
                "partner_id": one.sudo().partner_id.id,
                "user_id": one.env.uid,
            },
            "oda.phone": lambda: {
                "partner_id": one.sudo().partner_id.id,
                "raw": "+37379222333",
            },
            "oda.right": lambda: {
                "level": "head",
                "subject": "consultation",
                "department_id": self.departments[0].id,
            },
        }
        vals = values.get(one._name, lambda: {"name": "new"})()
        return bool(one.create(vals))

    def _may_unlink(self, one):
        if one._name == "res.partner":
            one = (
                self.env["res.partner"]
                .create(
                    {"name": "lone", "oda_adviser_id": one.sudo().oda_adviser_id.id}
                )[0]
                .with_env(one.env)
            )
        return bool(one.unlink())

    def _may_export(self, one):
        return bool(one.export_data(["id"])["datas"])

    def _may_import(self, one):
        if one._name == "oda.phone":
            result = one.load(
                ["partner_id/.id", "raw"],
                [[str(one.sudo().partner_id.id), "079111333"]],
            )
        elif one._name == "oda.consultation.session":
            result = one.load(
                ["partner_id/.id", "content"], [[str(one.sudo().partner_id.id), "x"]]
            )
        else:
            result = one.load(["name"], [["imported"]])
        return bool(result["ids"])

    def _may_merge(self, one):
        both = self.tried[one._name].with_env(one.env)
        if one._name == "crm.lead":
            return bool(both.merge_opportunity())
        self.tried["oda.consultation.session"].unlink()
        wizard = one.env["base.partner.merge.automatic.wizard"]
        wizard = wizard.with_context(
            active_model="res.partner", active_ids=both.ids
        ).create({})
        wizard.action_merge()
        return len(both.sudo().exists()) == 1

    def _may_group(self, one):
        domain = [("id", "=", one.id)]
        counts = {
            one._read_group(domain, aggregates=["__count"])[0][0],
            one.formatted_read_group(domain, aggregates=["__count"])[0]["__count"],
            one.search_count(domain),
        }
        self.assertEqual(len(counts), 1)
        return bool(counts.pop())

    def _may_names(self, one):
        # sudo: the name, whatever the person sees
        name = (
            "" if one._name == "oda.consultation.session" else one.sudo().display_name
        )
        if one._name == "oda.right":
            name = one.sudo().level
        found = one.name_search(name, [("id", "=", one.id)])
        return [key for key, _name in found] == one.ids

    def _may_attachment(self, one):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "x.txt",
                "datas": base64.b64encode(b"x"),
                "res_model": one._name,
                "res_id": one.id,
            }
        )
        mine = attachment.with_user(one.env.user)
        found = bool(mine.search([("id", "=", attachment.id)]))
        mine.read(["datas"])
        self.assertTrue(found)
        return True

    # === THE TABLE ===#

    def _try(self, word, one):
        try:
            with self.env.cr.savepoint() as savepoint:
                done = getattr(self, f"_may_{word}")(one)
                self.env.flush_all()
                savepoint.rollback()
                return done
        except AccessError:
            return False
        except UserError as error:
            # Odoo's own words for whoever lacks its export group
            self.assertEqual(word, "export", error)
            return False
        finally:
            self.env.invalidate_all(flush=False)
            self.env.registry.clear_cache()

    def _check(self, model, role, records, allowed):
        user = getattr(self, role)
        self.tried = records
        one = records[model][0].with_user(user)
        for letter, word in OPERATIONS.items():
            skip = {
                "m": model not in ("crm.lead", "res.partner"),
                "x": model in ("oda.department", "oda.right"),
                "i": model in ("oda.department", "oda.right"),
            }
            if skip.get(letter):
                continue
            with self.subTest(model=model, role=role, operation=word):
                self.assertEqual(self._try(word, one), letter in allowed)

    @mute_logger("odoo.models.unlink", "odoo.addons.base.models.ir_rule")
    def test_with_a_strangers_record(self):
        records = self._records(self.stranger)
        for model, table in STRANGERS.items():
            for role in ROLES:
                self._check(model, role, records, table.get(role, ""))

    @mute_logger("odoo.models.unlink", "odoo.addons.base.models.ir_rule")
    def test_with_ones_own_record(self):
        for role in {role for table in OWN.values() for role in table}:
            records = self._records(getattr(self, role))
            for model, table in OWN.items():
                if role in table:
                    self._check(model, role, records, table[role])
