# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import io
import zipfile

from odoo import Command, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_rules import RulesCase

HTML = "<img src=x onerror=alert(1)>"
#: settings of the flows, which heads and administrators keep: not a ban
SETTINGS = {"oda.stage.rule"}
#: what the ORM writes for any field of these types
WRONG = {
    "integer": 77,
    "float": 7.7,
    "boolean": True,
    "char": "forged",
    "text": "forged",
    "datetime": "2001-01-01 00:00:00",
    "date": "2001-01-01",
    "json": {"forged": 1},
}


@tagged("post_install", "-at_install")
class TestBadInput(RulesCase):
    """What clumsy people and attackers send: words, and everything as it was.

    The rest of the list of bad input is tested where it belongs: a rule on a field
    that goes, properties of a wrong type and two people on one card in
    `test_stage_rule`, results of tasks in `test_tasks`, rows of files in
    `test_import`, nonsense sent to public methods in `test_public_methods`.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner.write({"user_id": cls.consultant.id, "email": "v@example.com"})
        cls.lead_of_mine = cls.case(partner_id=cls.partner.id)
        cls.programme = cls.env["oda.programme"].create({"name": "P", "code": "BAD"})
        cls.segment = cls.env["oda.segment"].create({"name": "S", "shared": True})

    def _records(self):
        """One record of each model that has fields only the system sets."""
        event = self.env["event.event"].create(
            {
                "name": "Fair",
                "date_begin": "2031-01-01 08:00:00",
                "date_end": "2031-01-01 12:00:00",
            }
        )
        source = (
            self.env["oda.import"]
            .with_user(self.head)
            .create({"file": base64.b64encode(b"Nume;Telefon\nIon Rusu;069 000 001\n")})
        )
        source.action_read()
        session = self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner.id,
                "lead_id": self.lead_of_mine.id,
                "user_id": self.consultant.id,
                "content": "x",
            }
        )
        news = self.env["oda.programme.news"].create(
            {"programme_id": self.programme.id, "name": "N"}
        )
        call = self.env["oda.programme.call"].create(
            {
                "programme_id": self.programme.id,
                "name": "C",
                "opens_at": "2030-01-01 00:00:00",
                "closes_at": "2030-02-01 00:00:00",
            }
        )
        follower = self.env["oda.programme.follower"].create(
            {"programme_id": self.programme.id, "partner_id": self.partner.id}
        )
        registration = self.env["event.registration"].create(
            {"event_id": event.id, "partner_id": self.partner.id}
        )
        cold = self.env["oda.cold.list"].create({"name": "L"})
        right = self.env["oda.right"].search([("level", "=", "consultant")], limit=1)
        known = (
            self.lead_of_mine | self.lead_of_mine,
            self.lead_of_mine.activity_ids[:1],
            session,
            source,
            source.column_ids[:1],
            source.row_ids[:1],
            news,
            call,
            follower,
            registration,
            cold,
            right,
            self.env["oda.card.group"].create({"name": "G"}),
        )
        return {one._name: one.sudo() for one in known}

    def _guarded_fields(self):
        """`{model: fields}`: stored, not computed, shown read-only by all screens."""
        found = {}
        for name, model in self.env.items():
            if model._abstract or model._transient or name in SETTINGS:
                continue
            own = name.startswith("oda.") and model._module == "oda_crm"
            for field in model._fields.values():
                ours = own or (
                    field._module == "oda_crm" and field.name.startswith("oda_")
                )
                if (
                    ours
                    and field.store
                    and field.readonly
                    and not field.compute
                    and not field.related
                    and field.name not in models.MAGIC_COLUMNS
                    and field.name != "parent_path"
                    and field.type != "one2many"
                ):
                    found.setdefault(name, []).append(field)
        return found

    @mute_logger("odoo.sql_db")
    def test_read_only_fields_are_refused_over_rpc(self):
        """`readonly` only tells the screen: the ORM refuses, whoever sends it."""
        records = self._records()
        roles = ("consultant", "lead", "head", "marketing", "supervisor", "admin")
        tried = 0
        for name, wanted in self._guarded_fields().items():
            writers = [
                role
                for role in roles
                if self.env[name].with_user(getattr(self, role)).has_access("write")
            ]
            if not writers:
                continue
            self.assertIn(name, records, "a record of it is needed here")
            for field in wanted:
                for role in writers:
                    with self.subTest(field=str(field), role=role):
                        self._try(records[name], field, getattr(self, role))
                        tried += 1
        self.assertGreater(tried, 100)

    def _try(self, record, field, user):
        value = WRONG.get(field.type)
        if field.type == "selection":
            value = field.get_values(self.env)[-1]
        elif field.type in ("many2one", "many2one_reference"):
            value = 1
        before = record[field.name]
        try:
            with self.env.cr.savepoint():
                record.with_user(user).write({field.name: value})
                record.env.flush_all()
                record.invalidate_recordset()
                self.assertEqual(record[field.name], before, "was written")
        except (AccessError, UserError) as error:
            self.assertTrue(str(error))

    def test_html_in_every_text(self):
        """Names of everything are code: no message that we write carries it."""
        last = self.env["mail.message"].search([], order="id desc", limit=1).id or 0
        self.flow.name = self.stages[0].name = HTML
        self.stages[1].name = self.consultant.name = HTML
        self.flow.lead_properties_definition = [
            {"name": "plan", "string": HTML, "type": "text"}
        ]
        self.partner.name = HTML
        lead = self.case(
            partner_id=self.partner.id,
            name=HTML,
            contact_name=HTML,
            city=HTML,
            lead_properties={"plan": HTML},
        )
        task = lead.activity_ids
        task.summary = HTML
        mine = lead.with_user(self.consultant)
        mine.oda_plan_next_step(task.activity_type_id.id, HTML)
        task.with_user(self.consultant).action_feedback(feedback=f"two words {HTML}")
        mine.oda_move(self.stages[1].id)
        lead.with_user(self.head).oda_move(
            self.stages[3].id, reason=f"because of {HTML}"
        )
        lead.with_user(self.head).team_id = self.env["crm.team"].create(
            {"name": "Other"}
        )
        self.consultant.active = False
        self.env["oda.stale"]._oda_tell({(3, self.head.id, self.flow.id): lead.ids})
        self.env.flush_all()
        told = self.env["mail.message"].search([("id", ">", last)])
        self.assertTrue(told)
        for message in told:
            self.assertNotIn("<img", message.body or "")
        page = lead.with_user(self.head).oda_timeline_page()
        self.assertTrue(any(HTML in str(entry) for entry in page["entries"]))

    def test_texts_of_ten_thousand_characters(self):
        """Kept whole or refused in words, never cut in silence nor a traceback."""
        long = "ă" * 10_000
        for record, name in (
            (self.lead_of_mine, "name"),
            (self.lead_of_mine, "contact_name"),
            (self.lead_of_mine, "oda_cold_note"),
            (self.partner, "name"),
            (self.partner, "street"),
            (self.lead_of_mine.activity_ids, "summary"),
            (self.segment, "name"),
            (self.segment, "description"),
            (self.programme, "name"),
            (self.flow, "name"),
            (self.stages[0], "name"),
        ):
            with self.subTest(field=f"{record._name}.{name}"):
                try:
                    with self.env.cr.savepoint():
                        record.with_user(self.admin).write({name: long})
                        self.env.flush_all()
                except (UserError, ValidationError) as error:
                    self.assertTrue(str(error))
                    continue
                record.invalidate_recordset()
                self.assertEqual(record[name], long)

    def test_files_that_are_no_table(self):
        """Bombs, huge cells and nonsense are told in words; the import stays."""
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", "x")
            archive.writestr("xl/workbook.xml", b"\0" * 300_000_000)
        files = {
            "bomb": bomb.getvalue(),
            "cell of 10 MB": b"Nume;Telefon\n" + b"x" * 10_000_000 + b";069000001\n",
            "quote never closed": b'Nume;Telefon\n"' + b"x;y\n" * 50_000,
            "nothing": b"",
            "nul": b"\0" * 1000,
            "formulas": b"Nume;Telefon\n=HYPERLINK(1);069 000 001\n",
        }
        Import = self.env["oda.import"].with_user(self.head)
        # Progress is told in transactions that do not see the one of a test.
        self.patch(
            self.env.registry["oda.import"], "_oda_tell_progress", lambda *_: None
        )
        for name, data in files.items():
            with self.subTest(file=name):
                try:
                    with self.env.cr.savepoint():
                        one = Import.create({"file": base64.b64encode(data)})
                        one.action_read()
                        if one.state == "reading":  # a large one, by its job
                            one._oda_read_all()
                except (UserError, ValidationError) as error:
                    self.assertTrue(str(error))
                    continue
                self.assertIn(one.state, ("draft", "preview"))
                self.assertTrue(
                    all(len(row.name or "") < 20_000 for row in one.row_ids)
                )

    def test_a_write_of_everything_forbidden_changes_nothing(self):
        """One forbidden name among good ones: nothing of it is written."""
        lead = self.lead_of_mine.with_user(self.consultant)
        with self.assertRaises(AccessError):
            lead.write({"contact_name": "Good", "oda_next_step_missing": True})
        with self.assertRaises(AccessError):
            lead.write(
                {
                    "contact_name": "Good",
                    "activity_ids": [
                        Command.create({"oda_done_at": fields.Datetime.now()})
                    ],
                }
            )
        self.env.invalidate_all()
        self.assertNotEqual(lead.contact_name, "Good")
        self.assertTrue(lead.activity_ids)
