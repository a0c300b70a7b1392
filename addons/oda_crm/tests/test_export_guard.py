# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import csv
import io
import json

import openpyxl

from odoo import http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

#: what a stranger may have typed into a form of ours
NASTY = (
    "=1+1",
    "+373 69 123 456",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "'=1+1",
    "''+1",
    '=HYPERLINK("http://x.example")',
    "＝1",
    "O'Neil",
    "plain",
)


@tagged("post_install", "-at_install")
class TestExportGuard(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.head = new_test_user(cls.env, "exporter", groups="oda_base.group_head")
        cls.consultant = new_test_user(
            cls.env, "looker", groups="oda_base.group_consultant"
        )
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Row {n}", "comment": False} for n in range(len(NASTY))]
        )
        for partner, text in zip(cls.partners, NASTY, strict=True):
            partner.with_context(mail_notrack=True).street = text

    def _export(self, kind, groupby=None, compat=True, login="exporter"):
        self.authenticate(login, login)
        data = {
            "model": "res.partner",
            "fields": [
                {"name": "id", "label": "ID", "type": "char"},
                {"name": "name", "label": "=Name", "type": "char"},
                {"name": "street", "label": "Street", "type": "char"},
            ],
            "ids": self.partners.ids,
            "domain": [],
            "import_compat": compat,
            "groupby": groupby or [],
        }
        return self.url_open(
            f"/web/export/{kind}",
            data={"data": json.dumps(data), "csrf_token": self._token()},
        )

    def _token(self):
        return http.Request.csrf_token(self)

    def _streets(self, rows):
        return [row[2] for row in rows[1:]]

    def _check(self, streets):
        for text, cell in zip(NASTY, streets, strict=True):
            with self.subTest(text=text):
                self.assertNotIn(cell[0], "=+-@\t\r＝")
                self.assertEqual(
                    cell, text if text in ("O'Neil", "plain") else "'" + text
                )

    def test_csv(self):
        response = self._export("csv", compat=False)
        self.assertEqual(response.status_code, 200, response.text[:300])
        rows = list(csv.reader(io.StringIO(response.content.decode())))
        self._check(self._streets(rows))
        self.assertEqual(rows[0][1], "'=Name")

    def test_xlsx_has_no_formula_and_no_link(self):
        response = self._export("xlsx", compat=False)
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        cells = list(sheet.iter_rows())
        self._check(self._streets([[cell.value for cell in row] for row in cells]))
        for row in cells:
            for cell in row:
                self.assertIn(cell.data_type, "sn")
                self.assertFalse(cell.hyperlink)

    def test_grouped_xlsx(self):
        response = self._export("xlsx", groupby=["street"], compat=False)
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        for row in sheet.iter_rows():
            for cell in row:
                self.assertIn(cell.data_type, "sn")
                self.assertNotIn(str(cell.value or "x")[0], "=+-@\t")

    def test_pivot(self):
        self.authenticate("exporter", "exporter")
        table = {
            "title": "Consultations",
            "model": "crm.lead",
            "measure_count": 1,
            "origin_count": 1,
            "col_group_headers": [],
            "measure_headers": [],
            "origin_headers": [],
            "rows": [{"indent": 0, "title": "=1+1", "values": []}],
        }
        response = self.url_open(
            "/web/pivot/export_xlsx",
            data={"data": json.dumps(table), "csrf_token": self._token()},
        )
        self.assertEqual(response.status_code, 200, response.text[:300])
        sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]
        self.assertEqual([cell.value for cell in cells], ["'=1+1"])
        self.assertEqual(cells[0].data_type, "s")

    def test_what_was_exported_comes_back_the_same(self):
        response = self._export("csv")
        self.partners.street = "changed"
        wizard = (
            self.env["base_import.import"]
            .with_user(self.head)
            .create(
                {
                    "res_model": "res.partner",
                    "file": response.content,
                    "file_type": "text/csv",
                    "file_name": "x.csv",
                }
            )
        )
        options = {"quoting": '"', "separator": ",", "has_headers": True}
        result = wizard.execute_import(
            ["id", "name", "street"], ["id", "name", "street"], options
        )
        self.assertFalse(result["messages"])
        self.assertEqual(self.partners.mapped("street"), [t.strip() for t in NASTY])

    def test_each_export_is_in_the_journal(self):
        events = self.env["oda.event"]
        before = events.search([("code", "=", "data.export")])
        self._export("csv")
        event = events.search([("code", "=", "data.export")]) - before
        self.assertEqual(len(event), 1)
        self.assertEqual(event.user_id, self.head)
        self.assertEqual(event.details["count"], len(NASTY))
        self.assertEqual(event.details["model"], "res.partner")
        self.assertEqual(event.details["fields"], ["id", "name", "street"])

    def test_without_the_right_nothing_leaves(self):
        with mute_logger("odoo.addons.web.controllers.export", "odoo.http"):
            for kind in ("csv", "xlsx"):
                response = self._export(kind, login="looker")
                self.assertEqual(response.status_code, 500)
                self.assertNotIn("plain", response.text)
        # Odoo's own right alone is not enough either
        self.consultant.group_ids += self.env.ref("base.group_allow_export")
        partners = self.partners.with_user(self.consultant)
        with self.assertRaisesRegex(AccessError, "export"):
            partners.export_data(["name"])
        with self.assertRaisesRegex(AccessError, "import"):
            partners.load(["name"], [["x"]])
        wizard = (
            self.env["base_import.import"]
            .with_user(self.consultant)
            .create({"res_model": "res.partner", "file": b"name\nx\n"})
        )
        with self.assertRaises(AccessError):
            wizard.execute_import(["name"], ["name"], {"has_headers": True})

    def test_cards_to_download(self):
        ids = ",".join(map(str, self.partners.ids[:2]))
        for login, status in (("exporter", 200), ("looker", 403)):
            self.authenticate(login, login)
            for url in (f"?partner_ids={ids}", f"?partner_ids={self.partners.ids[0]}"):
                with (
                    self.subTest(login=login, url=url),
                    mute_logger("odoo.http"),
                ):
                    response = self.url_open(f"/web/partner/vcard{url}")
                    self.assertEqual(response.status_code, status)
