# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import datetime
import io
import zipfile
from unittest.mock import patch

import openpyxl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from .. import importing, tables
from ..tables import Formula, TableError

patient = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow]
)


def xlsx(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class TestTables(BaseCase):
    def test_encodings_of_here(self):
        table = "Nume;Telefon\nȘtefan Țurcan;069123456\n"
        cyrillic = "Имя;Телефон\nИван Петров и его сын;069123456\nАнна;079\n"
        for text, encoding in (
            (table, "utf-8"),
            (table, "utf-8-sig"),
            (table, "utf-16"),
            (cyrillic, "windows-1251"),
        ):
            with self.subTest(encoding=encoding):
                rows, found, delimiter = tables.read(text.encode(encoding))
                self.assertEqual(delimiter, ";")
                self.assertEqual(
                    rows, [line.split(";") for line in text.strip().split("\n")], found
                )

    def test_delimiters(self):
        for delimiter in tables.DELIMITERS:
            text = delimiter.join(["Nume", "Note, lungi; |x", "E"]) + "\n"
            text = text.replace("Note, lungi; |x", '"Note, lungi; |x"')
            text += delimiter.join(["Ion", '"a, b; c"', "x"]) + "\n"
            with self.subTest(delimiter=delimiter):
                self.assertEqual(tables.guess_delimiter(text), delimiter)

    def test_a_chosen_encoding_that_does_not_fit(self):
        with self.assertRaises(TableError) as caught:
            tables.read("Имя\nИван".encode("windows-1251"), encoding="utf-8")
        self.assertEqual(caught.exception.code, "encoding")

    def test_what_is_no_table(self):
        for data, code in (
            (b"", "empty"),
            (b"  \n \n", "empty"),
            (b"Nume\n", "empty"),
            (b"Nume\n\x00\x00", "binary"),
            (b"PK\x03\x04 not a zip", "zip"),
            (b"a\n" * (tables.ROWS_MAX + 2), "rows"),
            ((b"a," * 300 + b"\n") * 2, None),
            (b",".join([b"a"] * 300) + b"\nx", "columns"),
            (b"x" * (tables.SIZE_MAX + 1), "size"),
        ):
            with self.subTest(data=data[:20]):
                if code is None:
                    with self.assertRaises(TableError):
                        tables.read(data)
                    continue
                with self.assertRaises(TableError) as caught:
                    tables.read(data)
                self.assertEqual(caught.exception.code, code)

    def test_spreadsheet_values(self):
        rows, encoding, _delimiter = tables.read(
            xlsx(
                [
                    ["Nume", "Telefon", "IDNP", "Data", "Suma", "Bifat"],
                    [
                        "Ion",
                        37369123456.0,
                        2001234567890,
                        datetime.datetime(2001, 5, 17),
                        1.5,
                        True,
                    ],
                    ["=1+1", "+37369", None, datetime.date(2000, 1, 2), 0, False],
                ]
            )
        )
        self.assertIsNone(encoding)
        self.assertEqual(
            rows[1], ["Ion", "37369123456", "2001234567890", "2001-05-17", "1.5", "1"]
        )
        self.assertIsInstance(rows[2][0], Formula)
        self.assertEqual(rows[2][0], "=1+1")
        self.assertNotIsInstance(rows[2][1], Formula)

    def test_bombs(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b"0" * (3 * 1024 * 1024))
        with (
            patch.object(tables, "UNPACKED_MAX", 2 * 1024 * 1024),
            self.assertRaises(TableError) as caught,
        ):
            tables.read(out.getvalue())
        self.assertEqual(caught.exception.code, "bomb")
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(
                "xl/workbook.xml",
                b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>',
            )
        with self.assertRaises(TableError) as caught:
            tables.read(out.getvalue())
        self.assertEqual(caught.exception.code, "bomb")

    def test_blank_lines_and_short_rows(self):
        rows, *_rest = tables.read(b"Nume,Telefon,\n\nIon\n ,,\nAna,069,x\n")
        self.assertEqual(
            rows, [["Nume", "Telefon", ""], ["Ion", "", ""], ["Ana", "069", "x"]]
        )

    def test_a_long_cell_is_cut(self):
        rows, *_rest = tables.read(b"Nume,b\n" + b"x" * 50_000 + b",1\n")
        self.assertEqual(len(rows[1][0]), tables.CELL_MAX)

    @patient
    @given(st.binary(max_size=300))
    def test_any_bytes_give_rows_or_a_reason(self, data):
        try:
            rows, _encoding, _delimiter = tables.read(data)
        except TableError as error:
            self.assertTrue(error.code)
        else:
            self.assertEqual(len({len(row) for row in rows}), 1)

    @patient
    @given(
        st.lists(
            st.lists(
                st.text(alphabet="abțЖ,;|\"' 1", min_size=1, max_size=6).filter(
                    str.strip
                ),
                min_size=3,
                max_size=3,
            ),
            min_size=2,
            max_size=5,
        )
    )
    def test_what_we_write_we_read(self, rows):
        found, *_rest = tables.read(tables.write_csv(rows), delimiter=",")
        self.assertEqual(found, rows)


class TestColumns(BaseCase):
    def test_three_languages(self):
        for headers, targets in (
            (["Nume și Prenume", "Nr. telefon", "E-mail"], ["name", "phone", "email"]),
            (["ФИО", "Телефон", "Эл. почта"], ["name", "phone", "email"]),
            (["Name", "Mobile", "EMAIL", "?"], ["name", "phone", "email", None]),
            (["Prenume", "Nume"], ["first_name", "last_name"]),
            (["IDNP", "Cod fiscal", "Data nașterii"], ["idnp", "idno", "birth"]),
            (["Telefon", "Telefon mobil", "Tel."], ["phone", "phone2", None]),
            (["Населённый пункт", "Город"], ["locality", "city"]),
        ):
            with self.subTest(headers=headers):
                self.assertEqual(importing.guess_columns(headers), targets)

    def test_what_people_chose_goes_first(self):
        key = importing.normal("Cod intern")
        self.assertEqual(importing.guess_columns(["Cod intern"], {key: "ref"}), ["ref"])
        key = importing.normal("Telefon")
        self.assertEqual(importing.guess_columns(["Telefon"], {key: None}), [None])

    def test_only_what_can_be_stored(self):
        self.assertEqual(
            importing.guess_columns(["Nume", "IDNP"], available=["name"]),
            ["name", None],
        )

    @patient
    @given(st.lists(st.text(max_size=12), max_size=8))
    def test_no_target_twice(self, headers):
        found = [one for one in importing.guess_columns(headers) if one]
        self.assertEqual(len(found), len(set(found)))


class TestJudge(BaseCase):
    today = datetime.date(2026, 3, 1)

    def judge(self, **cells):
        return importing.judge(cells, today=self.today)

    def test_a_good_row(self):
        verdict = self.judge(
            name=" Ion\u00a0 Munteanu ",
            phone="069 123 456",
            email="Ion@Example.com ",
            birth="17.05.1981",
        )
        self.assertEqual(verdict.state, "ok")
        self.assertEqual(verdict.e164, ("+37369123456",))
        self.assertEqual(
            verdict.clean,
            {
                "name": "Ion Munteanu",
                "phone": "+373 69 123 456",
                "email": "ion@example.com",
                "birth": "1981-05-17",
            },
        )

    def test_what_is_wrong_is_named(self):
        for cells, code in (
            ({"name": "Ion", "phone": "12x"}, "phone"),
            ({"name": "Ion", "phone": "anonymous"}, "phone"),
            ({"name": "Ion", "email": "ion@"}, "email"),
            ({"name": "Ion", "email": "a@b.c, d@e.f"}, "email"),
            ({"name": "Ion", "idnp": "123"}, "idnp"),
            ({"name": "Ion", "idno": "1008600038412"}, "idno"),
            ({"name": "Ion", "birth": "31.02.2001"}, "birth"),
            ({"name": "Ion", "birth": "2030-01-01"}, "birth"),
            ({"name": Formula("=A1")}, "formula"),
            ({"name": '=HYPERLINK("x")'}, "formula"),
            ({"phone": "069123456"}, "nameless"),
            ({"name": "x" * 300, "phone": "069123456"}, "long_name"),
        ):
            with self.subTest(cells=cells):
                verdict = self.judge(**cells)
                self.assertEqual(verdict.state, "error")
                self.assertEqual(verdict.words[0][0], code)

    def test_good_identities(self):
        self.assertEqual(
            self.judge(name="SRL", idno=" 1008600038413 ").clean["idno"],
            "1008600038413",
        )

    def test_a_guarded_phone_is_a_phone(self):
        self.assertEqual(
            self.judge(name="Ion", phone="'+373 69 123 456").e164, ("+37369123456",)
        )

    def test_dates(self):
        for text, found in (
            ("1981", "1981"),
            ("29723", "1981-05-17"),
            ("1981-05-17 00:00:00", "1981-05-17"),
            ("5/7/1981", "1981-07-05"),
            ("1899", None),
            ("2027", None),
            ("x", None),
            ("99999", None),
        ):
            with self.subTest(text=text):
                self.assertEqual(importing.judge_date(text, self.today), found)

    def test_nobody_can_reach(self):
        verdict = self.judge(name="Ion")
        self.assertEqual(
            (verdict.state, verdict.words[0][0]), ("warning", "unreachable")
        )

    def test_two_names_and_a_company_alone(self):
        self.assertEqual(
            self.judge(first_name="Ion", last_name="Munteanu").clean["name"],
            "Ion Munteanu",
        )
        verdict = self.judge(company="Nord SRL", phone="022123456")
        self.assertEqual(verdict.clean["name"], "Nord SRL")
        self.assertIn("is_company", verdict.clean)

    @patient
    @given(
        st.dictionaries(
            st.sampled_from(importing.TARGETS),
            st.text(max_size=40) | st.text(alphabet="+0123456789 -@.=", max_size=20),
        )
    )
    def test_any_row_gets_a_verdict(self, cells):
        verdict = importing.judge(cells)
        self.assertIn(verdict.state, ("ok", "warning", "error"))
        if verdict.state != "error":
            self.assertTrue(verdict.clean["name"])
        self.assertEqual(verdict.state == "ok", not verdict.words)
        for _code, value in verdict.words:
            self.assertLessEqual(len(value), 60)
