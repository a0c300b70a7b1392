# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, new_test_user

from odoo.addons.oda_base.tests.net_servers import examples

from .. import import_values as values
from .. import importing
from ..models import oda_import_read, oda_import_row
from ..models.oda_import_run import ImportCancelled
from .test_import import ImportCase

PLACES = {
    "soroca": [
        values.Place(1, "district", "", None),
        values.Place(2, "town", "soroca", 1),
    ],
    "horodiste": [
        values.Place(3, "village", "calarasi", 9),
        values.Place(4, "village", "rezina", 8),
    ],
}
CATALOGUE = values.Catalogue(
    {
        "gender": values.words_of(values.GENDERS),
        "legal_form": values.words_of(values.LEGAL_FORMS),
        "lang": {"ro": "ro_RO"},
        "tags": {"brutarie": 5, "it": 6},
        "consent_source": {"hartie": "paper"},
        "consent_yes": {"yes": True},
        "field:x_colour": {"red": 11, "blue": 12},
        "field:x_colours": {"red": 11, "blue": 12},
    },
    PLACES,
    {"1071": 71, "10": 10, "c": 3, "fabricarea painii": 71},
    {
        "field:x_colour": "choice",
        "field:x_colours": "choices",
        "field:x_jobs": "integer",
        "field:x_sum": "float",
        "field:x_day": "date",
        "field:x_yes": "boolean",
        "field:x_text": "text",
    },
    {"field:x_jobs": "Jobs"},
)


class TestValues(BaseCase):
    def judge(self, **cells):
        row = {key.replace("__", ":"): text for key, text in cells.items()}
        row |= {"name": "Ion", "phone": "069123456"}
        return importing.judge(row, catalogue=CATALOGUE)

    def test_what_is_named_is_found(self):
        for target, text, value in (
            ("gender", "Ж", "female"),
            ("gender", "bărbat", "male"),
            ("legal_form", "S.R.L.".replace(".", ""), "srl"),
            ("legal_form", "Gospodărie Țărănească", "gt"),
            ("lang", "RO", "ro_RO"),
            ("activity", "10.71", 71),
            ("activity", "C 1071", 71),
            ("activity", "10.71 Fabricarea pâinii", 71),
            ("activity", "c", 3),
            ("activity", "Fabricarea pâinii", 71),
            ("locality", "or. Soroca", 2),
            ("locality", "Horodiște, r-nul Rezina", 4),
            ("tags", "IT; brutărie", [6, 5]),
            ("staff", "12", 12),
            ("consent_processing", "da", True),
            ("consent_news", "Нет", False),
            ("consent_source", "Hârtie", "paper"),
            ("consent_at", "17.05.2024", "2024-05-17"),
            ("field:x_colour", "RED", 11),
            ("field:x_colours", "blue, red", [12, 11]),
            ("field:x_jobs", "1 200", 1200),
            ("field:x_sum", "1.250,50", 1250.5),
            ("field:x_day", "2024-02-29", "2024-02-29"),
            ("field:x_yes", "+", True),
            ("field:x_text", "a\nb", "a\nb"),
        ):
            with self.subTest(target=target, text=text):
                verdict = self.judge(**{target: text})
                self.assertEqual(verdict.words, ())
                self.assertEqual(verdict.clean[target], value)
                self.assertEqual(verdict.state, "ok")

    def test_what_is_not_known_is_left_out_and_said(self):
        for target, text, code in (
            ("gender", "x", "gender"),
            ("legal_form", "GmbH", "legal_form"),
            ("lang", "klingon", "lang"),
            ("activity", "99.99", "activity"),
            ("locality", "Nicăieri", "locality"),
            ("locality", "Horodiște", "localities"),
            ("district", "Nicăieri", "district"),
            ("staff", "-3", "staff"),
            ("staff", "mulți", "staff"),
            ("founded", "anul trecut", "founded"),
            ("consent_calls", "poate", "consent_calls"),
            ("consent_source", "bârfă", "consent_source"),
            ("consent_at", "31.02.2024", "consent_at"),
            ("consent_at", "01.01.2999", "consent_at"),
            ("field:x_colour", "green", "own"),
            ("field:x_colours", "red; green", "own"),
            ("field:x_jobs", "2,5", "own"),
            ("field:x_day", "2024-02-30", "own"),
            ("field:x_yes", "hm", "own"),
        ):
            with self.subTest(target=target, text=text):
                verdict = self.judge(**{target: text})
                self.assertEqual([word for word, _value in verdict.words], [code])
                self.assertNotIn(target, verdict.clean)
                self.assertEqual(verdict.state, "warning", "the row is imported")
                self.assertEqual(verdict.clean["name"], "Ion")

    def test_places(self):
        clean = self.judge(locality="Horodiște", district="r. Călărași").clean
        self.assertEqual((clean["locality"], clean["city"]), (3, "Horodiște"))
        clean = self.judge(locality="Nicăieri").clean
        self.assertEqual(clean["city"], "Nicăieri", "nothing is lost")
        clean = self.judge(locality="Soroca", city="Soroca Nouă").clean
        self.assertEqual((clean["locality"], clean["city"]), (2, "Soroca Nouă"))
        self.assertEqual(self.judge(district="Soroca").clean["locality"], 2)

    def test_some_tags_are_better_than_none(self):
        verdict = self.judge(tags="IT, altceva")
        self.assertEqual(verdict.clean["tags"], [6])
        self.assertEqual(verdict.words, (("tags", "altceva"),))

    def test_a_yes_needs_the_right_to_record_it(self):
        catalogue = CATALOGUE._replace(choices=dict(CATALOGUE.choices, consent_yes={}))
        cells = {"name": "Ion", "phone": "069123456", "consent_news": "da"}
        verdict = importing.judge(cells, catalogue=catalogue)
        self.assertEqual(verdict.words, (("consent_yes", "da"),))
        self.assertNotIn("consent_news", verdict.clean)
        verdict = importing.judge(dict(cells, consent_news="nu"), catalogue=catalogue)
        self.assertIs(verdict.clean["consent_news"], False)

    def test_firms_and_people(self):
        self.assertEqual(self.judge(legal_form="SRL").clean["is_company"], "1")
        for more in ({"company": "Pâine SRL"}, {"first_name": "Ion"}):
            self.assertNotIn("is_company", self.judge(legal_form="SRL", **more).clean)
        self.assertNotIn("is_company", self.judge(legal_form="patentă").clean)

    def test_formulas_are_never_taken(self):
        for target in ("gender", "tags", "field:x_text", "consent_news", "locality"):
            verdict = self.judge(**{target: "=1+1"})
            self.assertEqual(verdict.state, "error")

    @examples
    @given(st.text(max_size=40))
    def test_any_text_is_read_or_refused(self, text):
        self.assertIn(values.yes_or_no(text), (True, False, None))
        number = values.number(text)
        self.assertTrue(number is None or isinstance(number, float))
        whole = values.whole(text)
        self.assertTrue(whole is None or abs(whole) < 10**9)
        values.day(text)
        values.place(text, text, CATALOGUE)
        values.activity(text, CATALOGUE)
        for target in CATALOGUE.kinds:
            values.own(text, target, CATALOGUE)

    @examples
    @given(st.integers(-999_999_999, 999_999_999))
    def test_numbers_in_the_ways_of_here(self, number):
        self.assertEqual(values.whole(str(number)), number)
        grouped = None if 1000 <= abs(number) < 10**6 else number
        self.assertEqual(values.whole(f"{number:,}"), grouped, "1,250 is not guessed")
        self.assertEqual(values.whole(f"{number:,}".replace(",", " ")), number)

    @examples
    @given(st.dates(min_value=values.date(1900, 1, 1)))
    def test_days(self, day):
        self.assertEqual(values.day(day.isoformat()), day)
        self.assertEqual(values.day(f"{day:%d.%m.}{day.year}"), day)


FULL = (
    "Prenume;Nume de familie;Telefon;Localitate;Raion;CAEM;Forma juridică;Gen;Limba;"
    "Site;Funcția;Etichete;Acord;Sursa acordului;Data acordului;Culoare;Locuri\n"
    "Ana;Rusu;069 111 222;Segsat;Segraion;10.71;II;F;rom;ana.md;directoare;"
    "segbrut;da;hârtie;17.05.2024;Roșu;3\n"
    "Ion;Ceban;069 111 223;Nicăieri;;;;;;;;altceva;nu;;;Verde;x\n"
)


class TestImportColumns(ImportCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("ro_RO")
        district, cls.village = cls.env["oda.locality"].create(
            [
                {"name": "Segraion", "kind": "district", "region": "north"},
                {"name": "Segsat", "kind": "village"},
            ]
        )
        cls.village.parent_id = district
        cls.tag = cls.env["res.partner.category"].create({"name": "Segbrut"})
        model = cls.env["ir.model"]._get("res.partner")
        cls.colour, cls.jobs = cls.env["ir.model.fields"].create(
            [
                {
                    "name": "x_oda_colour",
                    "field_description": "Culoare",
                    "model_id": model.id,
                    "ttype": "many2one",
                    "relation": "oda.card.option",
                },
                {
                    "name": "x_oda_jobs",
                    "field_description": "Locuri",
                    "model_id": model.id,
                    "ttype": "integer",
                },
            ]
        )
        cls.red = cls.env["oda.card.option"].create(
            {"name": "Roșu", "field_id": cls.colour.id}
        )

    def _people(self):
        people = self.env["res.partner"]
        return [
            people.search([("name", "=", name)]) for name in ("Ana Rusu", "Ion Ceban")
        ]

    def test_every_column(self):
        one = self._preview(FULL, user=self.head)
        self.assertNotIn(False, one.column_ids.mapped("target"))
        good, poor = one.row_ids.sorted("number")
        self.assertEqual((good.verdict, good.words), ("ok", False))
        self.assertEqual(poor.verdict, "warning")
        for word in ("Nicăieri", "altceva", "Culoare: Verde", "Locuri: x"):
            self.assertIn(word, poor.words)
        self._run(one)
        self.assertEqual((one.created_count, one.refused_count), (2, 0), one.message)
        ana, ion = self._people()
        self.assertEqual(ana.oda_locality_id, self.village)
        self.assertEqual(ana.city, "Segsat")
        self.assertEqual(ana.oda_activity_class_id.code, "10.71")
        self.assertEqual(ana.oda_legal_form, "ii")
        self.assertFalse(ana.is_company, "a first name is a person's")
        self.assertEqual(ana.oda_gender, "female")
        self.assertEqual(ana.category_id, self.tag)
        self.assertEqual(ana.function, "directoare")
        self.assertIn("ana.md", ana.website)
        self.assertEqual(ana.x_oda_colour, self.red)
        self.assertEqual(ana.x_oda_jobs, 3)
        consent = ana.oda_consent_ids
        self.assertEqual(
            (consent.purpose, consent.granted, consent.source, consent.text_version),
            ("processing", True, "paper", "x.csv"),
        )
        self.assertEqual(str(consent.at), "2024-05-17 00:00:00")
        self.assertEqual(consent.user_id, self.head)
        self.assertEqual(ion.city, "Nicăieri")
        self.assertFalse(ion.x_oda_colour)
        self.assertFalse(ion.oda_consent_ids.granted)
        self.assertEqual(ion.oda_consent_ids.source, "import")

    def test_marketing_records_no_yes(self):
        one = self._preview(FULL)
        good = one.row_ids.sorted("number")[0]
        self.assertIn("consent", good.words)
        self._run(one)
        ana, ion = self._people()
        self.assertFalse(ana.oda_consent_ids)
        self.assertEqual(ion.oda_consent_ids.mapped("granted"), [False])

    def test_a_known_card_is_filled_in_not_overwritten(self):
        self.partner.write({"oda_gender": "male", "x_oda_jobs": 7})
        other = self.env["res.partner.category"].create({"name": "Segalt"})
        self.partner.category_id = other
        text = (
            "Nume;Telefon;Gen;Locuri;Etichete;Localitate;Acord noutăți\n"
            "V;069 555 111;F;9;segbrut;Segsat;da\n"
        )
        self._run(self._preview(text, user=self.head))
        self.assertEqual(self.partner.oda_gender, "male")
        self.assertEqual(self.partner.x_oda_jobs, 7)
        self.assertEqual(self.partner.category_id, other | self.tag)
        self.assertEqual(self.partner.oda_locality_id, self.village)
        self.assertTrue(self.partner.oda_consent_news)

    def test_an_old_list_does_not_undo_a_no(self):
        self.partner._oda_give_consent("news", granted=False, source="unsubscribe")
        text = "Nume;Telefon;Acord noutăți\nV;069 555 111;da\n"
        self._run(self._preview(text, user=self.head))
        self.assertFalse(self.partner.oda_consent_news)
        text = (
            "Nume;Telefon;Acord noutăți;Data acordului\nV;069 555 111;da;17.05.2024\n"
        )
        self._run(self._preview(text, user=self.head))
        self.assertFalse(self.partner.oda_consent_news, "the no is later")
        self.assertEqual(len(self.partner.oda_consent_ids), 2)

    def test_a_field_deleted_meanwhile(self):
        gone = self.jobs.copy({"name": "x_oda_gone", "field_description": "Dispare"})
        text = "Nume;Telefon;Dispare\nIon Ceban;069 111 223;5\n"
        one = self._preview(text, user=self.head)
        self.assertIn("field:x_oda_gone", one.column_ids.mapped("target"))
        gone.unlink()
        self._run(one)
        self.assertEqual((one.state, one.created_count), ("done", 1), one.message)
        again = self._preview(text, user=self.head)
        column = again.column_ids.filtered(lambda c: c.header == "Dispare")
        self.assertFalse(column.target)

    def test_a_field_one_may_not_write_is_not_offered(self):
        access = type(self.partner)._has_field_access

        def no_jobs(records, field, operation):
            return field.name != "x_oda_jobs" and access(records, field, operation)

        with patch.object(type(self.partner), "_has_field_access", no_jobs):
            one = self._preview(FULL)
        column = one.column_ids.filtered(lambda c: c.header == "Locuri")
        self.assertFalse(column.target)

    def test_marketing_neither_imports_nor_finds_by_idnp(self):
        """Whoever does not see personal numbers does not learn whose they are."""
        self.partner.oda_idnp = "2000000000004"
        text = "Nume;Telefon;IDNP\nCineva;069 000 111;2000000000004\n"
        theirs = self._preview(text)
        self.assertNotIn("idnp", theirs.column_ids.mapped("target"))
        self.assertFalse(theirs.row_ids.is_duplicate)
        with self.assertRaises(AccessError):
            theirs.row_ids.idnp = "2000000000004"
        with self.assertRaises(AccessError):
            theirs.row_ids.read(["idnp"])
        own = self._preview(text, user=self.head)
        self.assertEqual(own.row_ids.duplicate_of, self.partner)
        self.assertEqual(own.row_ids.read(["idnp"])[0]["idnp"], "2000000000004")
        with self.assertRaises(UserError):
            theirs.column_ids[2].target = "idnp"

    def test_refused_rows_have_all_their_columns(self):
        text = FULL + "Rău;Rău;abc;Segsat;;;;;;;;;da;;;Roșu;5\n"
        one = self._preview(text, user=self.head)
        self._run(one)
        self.assertEqual(one.refused_count, 1)
        lines = base64.b64decode(one.refused_file).decode("utf-8-sig").splitlines()
        self.assertIn("Locuri", lines[0])
        self.assertIn("Roșu", lines[1])


class TestImportReadByJob(ImportCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(oda_import_read, "AT_ONCE", 10))
        self.told = []

        def tell(records, percent):
            self.told.append(percent)
            if self.env["oda.import.progress"].search(
                [("import_id", "=", records.id), ("cancel_asked", "=", True)]
            ):
                raise ImportCancelled

        self.startPatcher(
            patch.object(type(self.env["oda.import"]), "_oda_tell_progress", tell)
        )

    def test_a_large_file_is_read_in_the_background(self):
        one = self._import()
        one.action_read()
        self.assertEqual(one.state, "reading")
        self.assertFalse(one.row_ids)
        self.assertEqual(one.get_progress(), {"state": "reading", "percent": 0})
        self.assertEqual(
            self.env["queue.job"].search_count(
                [("model_name", "=", "oda.import"), ("method_name", "=", "_job_read")]
            ),
            1,
        )
        with patch.object(oda_import_row, "BATCH", 2):
            one._job_read()
        self.assertEqual(self.told, [0, 10, 45, 81])
        self.assertEqual((one.state, one.row_count, one.error_count), ("preview", 5, 1))
        rows = self._rows(one)
        self.assertEqual(rows[5].same_as, 2, "doubles are found across batches")
        one._job_read()
        self.assertEqual(one.row_count, 5, "read is read")
        self._run(one)
        self.assertEqual(one.state, "done")

    def test_nothing_else_meanwhile(self):
        one = self._import()
        one.action_read()
        calls = (
            one.action_read,
            one.action_run,
            one.unlink,
            lambda: one.write({"file": base64.b64encode(b"x")}),
        )
        for number, call in enumerate(calls):
            with self.subTest(call=number), self.assertRaises(UserError):
                call()

    def test_it_can_be_stopped(self):
        one = self._import()
        one.action_read()
        one.action_cancel()
        with self.assertRaises(ImportCancelled):
            one._oda_read_all()
        with patch.object(
            type(one), "_oda_read_all", side_effect=ImportCancelled, autospec=True
        ):
            one._job_read()
        self.assertEqual(one.state, "draft")
        self.assertIn("not read", one.message)
        one.action_read()
        one._job_read()
        self.assertEqual((one.state, one.message), ("preview", False))

    def test_a_file_nobody_can_read_is_said(self):
        one = self._import(b"A,B\n" + b"1,2\n" * 10)
        one.action_read()
        one._job_read()
        self.assertEqual(one.state, "draft")
        self.assertIn("names", one.message)

    def test_a_right_taken_away_meanwhile(self):
        one = self._import()
        one.action_read()
        self.env["oda.right"].search(
            [("level", "=", "marketing"), ("subject", "=", "beneficiary")]
        ).can_import = False
        one._job_read()
        self.assertEqual(one.state, "draft")
        self.assertFalse(one.row_ids)

    def test_not_of_another(self):
        one = self._import()
        other = new_test_user(
            self.env, "seg_importer", groups="oda_base.group_marketing"
        )
        for method in ("action_read", "action_cancel", "get_progress"):
            with self.assertRaises(AccessError):
                getattr(one.with_user(other), method)()
