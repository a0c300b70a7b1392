# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a consultant or marketing tries by RPC, beside what the screens offer."""

import base64

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import CrmCase


class TestAttacks(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = new_test_user(
            cls.env, "attacked", groups="oda_base.group_consultant"
        )
        cls.flow = cls.env["crm.team"].create({"name": "Far"})
        cls.hidden = cls.env["res.partner"].create(
            {"name": "Ion Secret", "email": "secret@example.com"}
        )
        cls.case = cls.env["crm.lead"].create(
            {
                "name": "Secret case",
                "type": "opportunity",
                "partner_id": cls.hidden.id,
                "user_id": cls.stranger.id,
                "team_id": cls.flow.id,
                "description": "Secret description",
            }
        )
        group = cls.env["oda.instrument.group"].create({"name": "G"})
        cls.text = cls.env["oda.instrument"].create(
            {"name": "T", "kind": "text", "group_id": group.id}
        )
        cls.session = (
            cls.env["oda.consultation.session"]
            .with_user(cls.stranger)
            .create(
                {
                    "partner_id": cls.hidden.id,
                    "lead_id": cls.case.id,
                    "content": "Secret content",
                }
            )
        )
        cls.session._set_answers({cls.text.id: "Secret answer"})
        cls.private = (
            cls.env["oda.segment"]
            .with_user(cls.stranger)
            .create({"name": "Secret segment", "domain": "[]"})
        )

    # === SEGMENTS ===#

    def test_a_condition_is_not_slipped_into_anothers_segment(self):
        for user in (self.consultant, self.marketing):
            with self.subTest(user=user.login):
                mine = (
                    self.env["oda.segment"]
                    .with_user(user)
                    .create({"name": "Mine", "part_ids": [Command.create({})]})
                )
                with self.assertRaises(AccessError):
                    mine.part_ids.segment_id = self.private
                with self.assertRaises(AccessError):
                    mine.part_ids.write({"segment_id": self.private.id})
        self.assertFalse(self.private.part_ids)

    def test_a_condition_moves_among_ones_own(self):
        one, two = (
            self.env["oda.segment"]
            .with_user(self.consultant)
            .create([{"name": "A", "part_ids": [Command.create({})]}, {"name": "B"}])
        )
        one.part_ids.segment_id = two
        self.assertEqual(len(two.part_ids), 1)

    def test_a_cold_list_is_of_a_segment_in_sight(self):
        Lists = self.env["oda.cold.list"].with_user(self.marketing)
        with self.assertRaises(AccessError):
            Lists.create({"name": "L", "segment_id": self.private.id})
        with self.assertRaises(AccessError):
            Lists.with_context(default_segment_id=self.private.id).create({"name": "L"})
        own = Lists.create({"name": "L"})
        with self.assertRaises(AccessError):
            own.segment_id = self.private
        shared = (
            self.env["oda.segment"]
            .with_user(self.lead)
            .create({"name": "S", "domain": "[]", "shared": True})
        )
        own.segment_id = shared
        self.assertEqual(own.segment_id, shared)

    def test_nothing_is_asked_out_by_counting(self):
        """Conditions are judged with the rights of who asks, however deep."""
        asked = (
            ("consultation", "[('description', 'ilike', 'Secret')]"),
            ("consultation", "[('message_ids.body', 'ilike', 'Secret')]"),
            ("session", "[('content', 'ilike', 'Secret')]"),
            ("advice", "[('value_text', 'ilike', 'Secret')]"),
            ("advice", "[('session_id.content', 'ilike', 'Secret')]"),
            ("advice", "[('lead_id.description', 'ilike', 'Secret')]"),
            ("programme", "[('partner_id.opportunity_ids.name', 'ilike', 'Secret')]"),
        )
        for kind, domain in asked:
            with self.subTest(kind=kind, domain=domain):
                part = {"kind": kind, "domain": domain}
                segment = (
                    self.env["oda.segment"]
                    .with_user(self.consultant)
                    .create({"name": "x", "part_ids": [Command.create(part)]})
                )
                self.assertEqual(segment.member_count, 0)
                self.assertFalse(segment.sample_ids)
                self.assertFalse(segment._partners())

    def test_groups_of_answers_tell_nothing_hidden(self):
        Answer = self.env["oda.instrument.answer"].with_user(self.consultant)
        for groupby in (["lead_id"], ["session_id"], ["lead_id.name"], ["value_text"]):
            self.assertFalse(Answer.formatted_read_group([], groupby, ["__count"]))
        theirs = self.env["oda.instrument.answer"].with_user(self.marketing)
        for groupby, aggregates in (
            (["value_text"], ["__count"]),
            (["session_id.content"], ["__count"]),
            (["instrument_id"], ["value_text:array_agg"]),
        ):
            with self.subTest(groupby=groupby), self.assertRaises(AccessError):
                theirs.formatted_read_group([], groupby, aggregates)
            with self.assertRaises(AccessError):
                theirs.web_read_group([], groupby, aggregates)

    def test_nested_specifications_obey(self):
        people = self.env["res.partner"].with_user(self.consultant)
        found = people.web_search_read(
            [("id", "=", self.hidden.id)],
            {
                "opportunity_ids": {"fields": {"name": {}}},
                "oda_consultation_ids": {"fields": {"description": {}}},
                "oda_session_ids": {"fields": {"content": {}}},
                "oda_answer_ids": {"fields": {"value": {}}},
                "oda_advised": {},
                "activity_ids": {"fields": {"summary": {}}},
            },
        )["records"]
        self.assertEqual(len(found), 1, "beneficiaries are seen by consultants")
        del found[0]["id"]
        self.assertFalse(any(found[0].values()), found)
        theirs = people.with_user(self.marketing)
        for spec in (
            {"oda_session_ids": {"fields": {"content": {}}}},
            {"oda_answer_ids": {"fields": {"value_text": {}}}},
            {"oda_answer_ids": {"fields": {"session_id": {"fields": {"content": {}}}}}},
            {"oda_idnp": {}},
        ):
            with self.subTest(spec=spec), self.assertRaises(AccessError):
                theirs.web_search_read([("id", "=", self.hidden.id)], spec)

    # === WHAT HANGS ON A HIDDEN CASE ===#

    def test_a_meeting_about_a_hidden_case_is_not_seen(self):
        meeting = (
            self.env["calendar.event"]
            .with_user(self.stranger)
            .create(
                {
                    "name": "Secret meeting",
                    "start": "2030-01-01 10:00:00",
                    "stop": "2030-01-01 11:00:00",
                    "opportunity_id": self.case.id,
                    "partner_ids": [Command.set(self.stranger.partner_id.ids)],
                }
            )
        )
        domain = [("id", "=", meeting.id)]
        theirs = self.env["calendar.event"].with_user(self.consultant)
        self.assertFalse(theirs.search(domain))
        self.assertFalse(theirs.formatted_read_group(domain, ["opportunity_id"]))
        with self.assertRaises(AccessError):
            meeting.with_user(self.consultant).read(["name"])
        with self.assertRaises(AccessError):
            meeting.with_user(self.consultant).write({"name": "x"})
        for user in (self.stranger, self.head, self.supervisor):
            self.assertTrue(meeting.with_user(user).read(["name"]), user.login)
        meeting.partner_ids += self.consultant.partner_id
        self.assertTrue(theirs.search(domain), "who is invited sees it")
        meeting.opportunity_id = False
        meeting.partner_ids -= self.consultant.partner_id
        self.assertTrue(theirs.search(domain), "other meetings are as ever")

    def test_wizards_of_others_are_not_read(self):
        upload = (
            self.env["base_import.import"]
            .with_user(self.marketing)
            .create(
                {
                    "res_model": "res.partner",
                    "file": base64.b64encode(b"name\nSecret"),
                    "file_name": "secret.csv",
                }
            )
        )
        result = self.env["oda.task.result"].with_user(self.stranger).create({})
        for record, owner in ((upload, self.marketing), (result, self.stranger)):
            with self.subTest(model=record._name):
                self.assertTrue(record.with_user(owner).read([]))
                with self.assertRaises(AccessError):
                    record.with_user(self.consultant).read([])
                mine = record.with_user(self.consultant)
                self.assertFalse(mine.search([("id", "=", record.id)]))

    # === IMPORTS ===#

    def test_the_file_of_another_is_out_of_reach(self):
        data = base64.b64encode(b"Nume;Telefon\nSecret;069777002\n")
        one = self.env["oda.import"].with_user(self.marketing).create({"file": data})
        one.action_read()
        for model, domain in (
            ("oda.import", [("id", "=", one.id)]),
            ("oda.import.row", [("import_id", "=", one.id)]),
            ("oda.import.column", [("import_id", "=", one.id)]),
            (
                "ir.attachment",
                [
                    ("res_model", "=", "oda.import"),
                    ("res_id", "=", one.id),
                    ("res_field", "=", "file"),
                ],
            ),
        ):
            for user in (self.consultant, self.head):
                with self.subTest(model=model, user=user.login):
                    records = self.env[model].with_user(user)
                    self.assertFalse(records.search(domain))
                    self.assertFalse(
                        records.formatted_read_group(domain, ["create_uid"])
                        if model != "oda.import.row"
                        else records.formatted_read_group(domain, ["name"])
                    )
        with self.assertRaises(AccessError):
            one.row_ids.with_user(self.head).write({"choice": "create"})
        with self.assertRaises(AccessError):
            one.column_ids.with_user(self.head).write({"target": False})
