# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import csv
import io
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from .. import tables
from ..models.oda_import_run import ImportCancelled
from .common import ROLES, CrmCase

CSV = """Nume;Telefon;E-mail;Oraș;Ce e asta
Ion Munteanu;069 111 222;ion@example.com;Bălți;x
Ana Rusu;abc;ana@example.com;Cahul;
Vasile C.;069 555 111;vasile@example.com;Orhei;
Ion M.;+373 69 111 222;;Soroca;
Elena;079 000 333;;Edineț;<b>x</b>
"""


class ImportCase(CrmCase):
    """Imports whose jobs run in the test's own transaction."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Import = cls.env["oda.import"].with_user(cls.marketing)

    def setUp(self):
        super().setUp()
        # own transactions see nothing of the one of a test
        patcher = patch(
            "odoo.addons.oda_crm.models.oda_import_run.in_own_transaction",
            lambda registry, uid, function, **kw: function(
                self.env(user=uid, context=kw.get("context") or {})
            ),
        )
        patcher.start()
        self.addCleanup(patcher.stop)

    def _import(self, text=CSV, user=None, **values):
        data = text.encode() if isinstance(text, str) else text
        return (
            self.env["oda.import"]
            .with_user(user or self.marketing)
            .create({"file": base64.b64encode(data), "name": "x.csv", **values})
        )

    def _preview(self, *args, **values):
        one = self._import(*args, **values)
        one.action_read()
        return one

    def _rows(self, one):
        return {row.number: row for row in one.row_ids}

    def _run(self, one):
        one.action_run()
        one._job_run()
        self.env.invalidate_all()


class TestImport(ImportCase):
    def test_preview(self):
        one = self._preview()
        self.assertEqual(one.state, "preview")
        self.assertEqual((one.encoding, one.delimiter), ("utf-8", ";"))
        self.assertEqual(
            one.column_ids.mapped("target"), ["name", "phone", "email", "city", False]
        )
        rows = self._rows(one)
        self.assertEqual(
            [rows[n].verdict for n in range(2, 7)],
            ["ok", "error", "warning", "warning", "ok"],
        )
        self.assertIn("abc", rows[3].words)
        self.assertEqual(rows[4].duplicate_of, self.partner)
        self.assertEqual(rows[4].choice, "update")
        self.assertEqual(rows[5].same_as, 2)
        self.assertEqual(rows[5].choice, "skip")
        self.assertEqual(
            (one.row_count, one.ok_count, one.warning_count, one.error_count),
            (5, 2, 2, 1),
        )
        self.assertEqual(one.duplicate_count, 2)
        self.assertFalse(
            self.env["res.partner"].search([("name", "=", "Ion Munteanu")]),
            "nothing is created before it was looked at",
        )

    def test_putting_a_row_right(self):
        one = self._preview()
        rows = self._rows(one)
        rows[3].phone = "069111222"
        self.assertEqual(rows[3].verdict, "warning")
        self.assertEqual(rows[3].same_as, 2)
        rows[3].phone = "069 777 888"
        self.assertEqual(rows[3].verdict, "ok")
        self.assertFalse(rows[3].words)
        rows[2].phone = "069 999 000"
        self.assertFalse(rows[5].same_as, "the other line is no double any more")
        self.assertEqual(rows[5].verdict, "ok")

    def test_import_creates_fills_in_and_leaves(self):
        self.partner.city = False
        one = self._preview()
        self._run(one)
        self.assertEqual(one.state, "done", one.message)
        self.assertEqual(
            (
                one.created_count,
                one.updated_count,
                one.skipped_count,
                one.refused_count,
            ),
            (2, 1, 1, 1),
        )
        made = self.env["res.partner"].search([("name", "=", "Ion Munteanu")])
        self.assertEqual(made.city, "Bălți")
        self.assertEqual(made.oda_phone_ids.e164, "+37369111222")
        self.assertEqual(made.create_uid, self.marketing)
        self.assertEqual(self.partner.name, "Vasile Croitoru", "nothing overwritten")
        self.assertEqual(self.partner.email, "vasile@example.com")
        self.assertEqual(self.partner.city, "Orhei")
        self.assertEqual(len(self.partner.oda_phone_ids), 1)
        self.assertEqual(one.progress, 100)
        event = self.env["oda.event"].search([("code", "=", "data.import")], limit=1)
        self.assertEqual(event.details["created"], 2)

    def test_refused_rows_come_back_as_a_file(self):
        one = self._preview("Nume,Telefon\nIon,'=1\nAna,+1+1\nMaria,069123123\n")
        self._run(one)
        self.assertEqual(one.refused_count, 2)
        data = base64.b64decode(one.refused_file).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(data)))
        self.assertEqual([row[0] for row in rows[1:]], ["2", "3"])
        for row in rows:
            for cell in row:
                self.assertNotIn(cell[:1] or "x", "=+-@")
        self.assertIn("phone", rows[2][-1])

    def test_each_choice(self):
        text = "Nume,Telefon,E-mail\nVasile C.,069555111,v@example.com\n"
        for choice, counts in (
            ("skip", (0, 0, 1)),
            ("update", (0, 1, 0)),
            ("create", (1, 0, 0)),
        ):
            with self.subTest(choice=choice):
                one = self._preview(text, on_duplicate=choice)
                self.assertEqual(one.row_ids.choice, choice)
                self._run(one)
                self.assertEqual(
                    (one.created_count, one.updated_count, one.skipped_count), counts
                )
        one = self._preview(text)
        one.on_duplicate = "skip"
        self.assertEqual(one.row_ids.choice, "skip")

    def test_columns_chosen_by_hand_are_remembered(self):
        one = self._preview()
        column = one.column_ids.filtered(lambda c: c.header == "Ce e asta")
        column.target = "note"
        one.action_read()
        self._run(one)
        made = self.env["res.partner"].search([("name", "=", "Elena")])
        self.assertIn("&lt;b&gt;", made.comment, "text is text")
        again = self._preview()
        self.assertEqual(
            again.column_ids.filtered(lambda c: c.header == "Ce e asta").target, "note"
        )
        again.column_ids[4].target = "phone"
        self.assertFalse(again.column_ids[1].target, "one column, one meaning")

    def test_what_odoo_refuses_is_refused_alone(self):
        Partner = type(self.env["res.partner"])
        create = Partner.create

        def picky(records, vals_list):
            if any(vals.get("name") == "Elena" for vals in vals_list):
                # pylint: disable-next=translation-required  # of a test
                raise UserError("Elena is not welcome")
            return create(records, vals_list)

        one = self._preview()
        with patch.object(Partner, "create", picky):
            self._run(one)
        self.assertEqual(one.created_count, 1)
        row = self._rows(one)[6]
        self.assertEqual((row.outcome, row.words), ("refused", "Elena is not welcome"))

    def test_an_error_leaves_nothing(self):
        one = self._preview()
        one.action_run()
        with (
            patch.object(
                type(one), "_oda_finish", side_effect=UserError("the end is refused")
            ),
        ):
            one._job_run()
        self.assertEqual((one.state, one.message), ("failed", "the end is refused"))

    def test_cancel(self):
        one = self._preview()
        one.action_run()
        one.action_cancel()
        with self.assertRaises(ImportCancelled):
            one._oda_create_all()
        one._job_run()
        self.assertEqual(one.state, "cancelled")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Elena")]))
        other = self._preview()
        other.action_cancel()
        self.assertEqual(other.state, "cancelled")
        self.assertFalse(other.row_ids)

    def test_twice_is_once(self):
        one = self._preview()
        one.action_run()
        with self.assertRaises(UserError):
            one.action_run()
        with self.assertRaises(UserError):
            one.unlink()
        one._job_run()
        one._job_run()
        self.assertEqual(
            self.env["res.partner"].search_count([("name", "=", "Elena")]), 1
        )
        for vals in ({"on_duplicate": "create"}, {"file": base64.b64encode(b"x")}):
            with self.assertRaises(UserError):
                one.write(vals)
        with self.assertRaises(UserError):
            one.row_ids[0].name = "x"
        with self.assertRaises(UserError):
            one.action_read()

    def test_files_nobody_can_read(self):
        for data, word in (
            (b"\x00\x01\x02\x00", "text file"),
            (b"Nume\n", "no rows"),
            (b"PK\x03\x04xxxx", "spreadsheet"),
            (b"A,B\n1,2\n", "names"),
        ):
            with self.subTest(data=data), self.assertRaisesRegex(UserError, word):
                self._preview(data)
        with patch.object(tables, "SIZE_MAX", 10), self.assertRaises(UserError):
            self._import()
        one = self._import("Nume\nIon\n")
        one.encoding = "utf-16"
        with self.assertRaises(UserError):
            one.action_read()

    def test_rights(self):
        theirs = self._preview()
        for role in ROLES:
            may = role in ("head", "marketing", "admin")
            user = getattr(self, role)
            with self.subTest(role=role):
                if may:
                    self._preview(user=user)
                else:
                    with self.assertRaises(AccessError), self.env.cr.savepoint():
                        self._import(user=user)
                seen = self.env["oda.import"].with_user(user)
                if role in ("marketing", "admin", "auditor"):
                    self.assertTrue(seen.search([("id", "=", theirs.id)]))
                elif seen.has_access("read"):
                    self.assertFalse(seen.search([("id", "=", theirs.id)]))
                    with self.assertRaises(AccessError):
                        theirs.row_ids.with_user(user).read(["phone"])

    def test_a_right_taken_away_meanwhile(self):
        one = self._preview()
        one.action_run()
        self.env["oda.right"].search(
            [("level", "=", "marketing"), ("subject", "=", "beneficiary")]
        ).can_import = False
        one._job_run()
        self.assertEqual(one.state, "failed")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Elena")]))

    def test_forbidden_fields(self):
        one = self._preview()
        row = one.row_ids[0]
        calls = (
            lambda: one.write({"state": "running"}),
            lambda: one.write({"user_id": self.admin.id}),
            lambda: one.write({"created_count": 5}),
            lambda: row.write({"verdict": "ok"}),
            lambda: row.write({"duplicate_of": self.admin.partner_id.id}),
            lambda: row.write({"import_id": one.id}),
            lambda: one.column_ids[0].write({"import_id": one.id}),
            lambda: one.column_ids[0].write({"position": 3}),
            lambda: one.column_ids.create({"import_id": one.id, "header": "x"}),
            lambda: one.column_ids.unlink(),
            lambda: row.create({"import_id": one.id, "name": "x"}),
            lambda: self.Import.create({"file": b"eA==", "user_id": self.admin.id}),
        )
        for number, call in enumerate(calls):
            with self.subTest(call=number), self.assertRaises(AccessError):
                call()

    def test_a_known_person_one_may_not_see_is_not_told(self):
        self.env["oda.right"].search(
            [("level", "=", "marketing"), ("subject", "=", "beneficiary")]
        ).write({"see": "own", "edit": "own"})
        self.partner.oda_adviser_id = self.consultant
        row = self._rows(self._preview())[4]
        self.assertTrue(row.is_duplicate)
        self.assertFalse(row.duplicate_of)
        self.assertEqual(row.choice, "skip")
        self.assertNotIn("Croitoru", row.words)

    def test_formulas_of_a_spreadsheet(self):
        from .test_importing_plain import xlsx

        one = self._preview(
            xlsx([["Nume", "Telefon"], ["=1+1", "069123123"], ["Ion", 37369123124]]),
            name="x.xlsx",
        )
        bad, good = one.row_ids
        self.assertEqual((bad.verdict, good.verdict), ("error", "ok"))
        bad.name = "Ana"
        self.assertEqual(bad.verdict, "ok")
        self._run(one)
        self.assertEqual(one.created_count, 2)

    def test_old_files_are_forgotten(self):
        one = self._preview()
        self._run(one)
        self.env["oda.import"]._gc_staging()
        self.assertTrue(one.row_ids)
        self.env.cr.execute(
            "UPDATE oda_import SET create_date = now() - interval '40 days'"
        )
        self.env.invalidate_all()
        self.env["oda.import"]._gc_staging()
        self.assertFalse(one.row_ids)
        self.assertEqual(one.created_count, 2)

    def test_the_screen(self):
        user = new_test_user(
            self.env, "screen", groups="oda_base.group_marketing,base.group_user"
        )
        form = Form(self.env["oda.import"].with_user(user))
        form.file = base64.b64encode(CSV.encode())
        one = form.save()
        one.action_read()
        self.assertEqual(one.get_progress(), {"state": "preview", "percent": 0})
        action = one.with_context(search_default_errors=1).action_show_rows()
        self.assertEqual(action["context"], {"search_default_errors": 1})
