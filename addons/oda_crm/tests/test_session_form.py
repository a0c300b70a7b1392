# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import CrmCase

FORM = "oda.consultation.session"


class FormCase(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(
            cls.env, "test_colleague", groups="oda_base.group_consultant"
        )
        cls.case = cls.env["crm.lead"]._oda_find_or_open(cls.partner)
        cls.group = cls.env["oda.instrument.group"].create({"name": "Test programmes"})
        Instrument = cls.env["oda.instrument"]
        cls.tick = Instrument.create({"name": "Grant", "group_id": cls.group.id})
        cls.number = Instrument.create(
            {
                "name": "Sum",
                "group_id": cls.group.id,
                "kind": "number",
                "unit": "lei",
            }
        )
        cls.one = Instrument.create(
            {
                "name": "Form",
                "group_id": cls.group.id,
                "kind": "one",
                "options_text": "SRL; Patent ;SRL",
            }
        )
        cls.text = Instrument.create(
            {"name": "Obstacle", "group_id": cls.group.id, "kind": "text"}
        )

    @classmethod
    def new_session(cls, user=None, **values):
        return (
            cls.env[FORM]
            .with_user(user or cls.consultant)
            .create({"partner_id": cls.partner.id, "lead_id": cls.case.id, **values})
        )

    def draft(self, session, number, base, page="page-a", user=None, **values):
        Session = self.env[FORM].with_user(user or self.consultant)
        return Session.oda_session_save_draft(session.id, number, base, values, page)


class TestInstrument(FormCase):
    def test_options_as_text(self):
        self.assertEqual(self.one.options_text, "SRL; Patent")
        srl = self.one.option_ids[0]
        self.one.options_text = "Cooperative; SRL"
        self.assertEqual(self.one.option_ids.mapped("name"), ["Cooperative", "SRL"])
        self.assertEqual(self.one.option_ids[1], srl, "the same one, moved")
        everything = self.one.with_context(active_test=False).option_ids
        self.assertIn("Patent", everything.mapped("name"), "archived, not gone")
        self.one.options_text = "Patent; SRL"
        self.assertEqual(len(self.one.with_context(active_test=False).option_ids), 3)

    def test_catalogue_of_a_flow(self):
        flow = self.env["crm.team"].create({"name": "Cold calls"})
        other = self.env["crm.team"].create({"name": "Ads"})
        self.tick.team_ids = flow
        empty = self.env["oda.instrument"].create(
            {"name": "No options yet", "group_id": self.group.id, "kind": "one"}
        )
        Instrument = self.env["oda.instrument"].with_user(self.consultant)

        def shown(team):
            groups = Instrument.get_catalogue(team)
            mine = next(one for one in groups if one["id"] == self.group.id)
            return [one["id"] for one in mine["instruments"]]

        self.assertIn(self.tick.id, shown(flow.id))
        self.assertNotIn(self.tick.id, shown(other.id))
        self.assertIn(self.number.id, shown(other.id))
        self.assertIn(self.tick.id, shown(False))
        self.assertNotIn(empty.id, shown(False))
        self.number.active = False
        self.assertNotIn(self.number.id, shown(False))

    def test_old_answers_keep_their_words(self):
        session = self.new_session()
        srl = self.one.option_ids[0]
        session._set_answers({self.one.id: srl.id})
        self.one.name = "Legal form wished"
        srl.name = "Limited company"
        self.env.flush_all()
        session.invalidate_recordset()
        self.assertEqual(session.chips[0]["name"], "Form")
        self.assertEqual(session.chips[0]["value"], "SRL")
        other = self.new_session()
        other._set_answers({self.one.id: srl.id})
        self.assertEqual(other.chips[0]["name"], "Legal form wished")
        self.assertEqual(other.chips[0]["value"], "Limited company")
        self.assertEqual(self.one.version_ids.mapped("number"), [2, 1])

    def test_same_words_same_version(self):
        for _ in range(3):
            self.new_session()._set_answers({self.tick.id: True})
        self.assertEqual(len(self.tick.version_ids), 1)
        self.tick.sequence = 99
        self.new_session()._set_answers({self.tick.id: True})
        self.assertEqual(len(self.tick.version_ids), 1, "order is no wording")

    def test_a_language_more_is_no_new_wording_a_changed_one_is(self):
        self.env["res.lang"]._activate_lang("ro_RO")
        self.new_session()._set_answers({self.tick.id: True})
        self.tick.with_context(lang="ro_RO").name = "Grant nerambursabil"
        self.new_session()._set_answers({self.tick.id: True})
        # The first version knows no Romanian: its words are a new key only.
        self.assertEqual(len(self.tick.version_ids), 1)
        first = self.tick.version_ids.with_context(lang="ro_RO")
        self.assertEqual(first.name, "Grant nerambursabil", "it learns them")
        self.tick.with_context(lang="en_US").name = "Non-refundable grant"
        self.new_session()._set_answers({self.tick.id: True})
        self.assertEqual(len(self.tick.version_ids), 2)
        last = self.tick.version_ids[0].with_context(lang="ro_RO")
        self.assertEqual(last.name, "Grant nerambursabil")

    def test_an_option_more_is_a_new_version(self):
        srl = self.one.option_ids[0]
        self.new_session()._set_answers({self.one.id: srl.id})
        self.one.options_text += "; Cooperative"
        self.new_session()._set_answers({self.one.id: srl.id})
        self.assertEqual(len(self.one.version_ids), 2)

    def test_what_was_answered_is_archived_not_removed(self):
        self.new_session()._set_answers({self.one.id: self.one.option_ids[0].id})
        for refused in (
            self.one.unlink,
            self.one.option_ids[0].unlink,
            lambda: self.one.write({"kind": "text"}),
            lambda: self.one.option_ids[0].write({"instrument_id": self.tick.id}),
        ):
            with self.assertRaisesRegex(UserError, "archive it|stays with"):
                refused()
        self.one.option_ids[1].unlink()
        self.text.unlink()

    def test_only_administrators_change_the_catalogue(self):
        for user in (self.consultant, self.head, self.marketing):
            with self.assertRaises(AccessError):
                self.tick.with_user(user).name = "x"
        self.tick.with_user(self.admin).name = "Grant!"


class TestAnswers(FormCase):
    def test_kinds_and_taking_away(self):
        session = self.new_session()
        srl = self.one.option_ids[0]
        values = {
            self.tick.id: True,
            self.number.id: 0,
            self.one.id: srl.id,
            self.text.id: "<b>x</b>",
        }
        session._set_answers(values)
        self.assertEqual(session.answers, {str(key): values[key] for key in values})
        session._set_answers({self.tick.id: None, self.text.id: " "})
        self.assertEqual(
            session.answers.keys(), {str(self.number.id), str(self.one.id)}
        )

    def test_with_the_form_that_makes_the_session(self):
        session = self.new_session(answers={str(self.tick.id): True})
        self.assertEqual(session.answer_ids.user_id, self.consultant)
        self.assertEqual(session.answer_ids.lead_id, self.case)
        self.assertEqual(session.answer_ids.channel, "in_person")

    def test_the_same_again_keeps_who_and_when(self):
        session = self.new_session()
        session._set_answers({self.tick.id: True})
        session.answer_ids.sudo().answered_at = before = (
            fields.Datetime.now() - timedelta(days=1)
        )
        session.with_user(self.lead)._set_answers({self.tick.id: True})
        self.assertEqual(session.answer_ids.answered_at, before)
        self.assertEqual(session.answer_ids.user_id, self.consultant)

    def test_nonsense_is_refused_in_words(self):
        session = self.new_session()
        for values in (
            [],
            {"x": True},
            {2**40: True},
            {self.tick.id: "yes"},
            {self.number.id: "many"},
            {self.one.id: self.one.option_ids[0].id + 100_000},
            {self.text.id: {"a": 1}},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                session._set_answers(values)
        self.tick.active = False
        with self.assertRaisesRegex(UserError, "any more"):
            session._set_answers({self.tick.id: True})

    def test_nobody_writes_answers_directly(self):
        session = self.new_session()
        session._set_answers({self.tick.id: True})
        vals = {
            "session_id": session.id,
            "instrument_id": self.number.id,
            "version_id": session.answer_ids.version_id.id,
            "answered_at": fields.Datetime.now(),
        }
        Answer = self.env["oda.instrument.answer"]
        for user in (self.consultant, self.head, self.admin, self.marketing):
            with self.assertRaises(AccessError):
                Answer.with_user(user).create(vals)
            with self.assertRaises(AccessError):
                session.answer_ids.with_user(user).unlink()

    def test_marketing_counts_but_does_not_read_what_was_written(self):
        session = self.new_session()
        session._set_answers({self.text.id: "no collateral"})
        answer = session.answer_ids.with_user(self.marketing)
        self.assertEqual(answer.instrument_id, self.text)
        with self.assertRaises(AccessError):
            answer.read(["value_text"])
        self.assertNotIn("value", answer.fields_get())

    def test_latest_of_a_consultation_for_the_rules(self):
        day = timedelta(days=1)
        old = self.new_session(started_at=fields.Datetime.now() - 3 * day)
        new = self.new_session(started_at=fields.Datetime.now() - day)
        new._set_answers({self.number.id: 0, self.tick.id: True})
        old._set_answers({self.number.id: 5})  # noted later, said earlier
        empty = self.case.copy()
        ids = [self.number.id, self.tick.id, self.text.id]
        self.assertEqual(
            (self.case | empty)._answers_instrument(ids),
            {
                self.case.id: {
                    self.number.id: 0.0,
                    self.tick.id: True,
                    self.text.id: None,
                },
                empty.id: dict.fromkeys(ids),
            },
        )

    def test_advised_on_both_cards(self):
        self.new_session()._set_answers({self.tick.id: True})
        self.new_session()._set_answers({self.tick.id: True, self.number.id: 2})
        for record in (self.case, self.partner):
            chips = record.with_user(self.consultant).oda_advised
            self.assertEqual(
                sorted((one["name"], one["count"]) for one in chips),
                [("Grant", 2), ("Sum", 1)],
            )

    def test_a_list_of_sessions_costs_the_same_queries(self):
        def queries(count):
            sessions = self.env[FORM].create(
                [{"partner_id": self.partner.id} for _ in range(count)]
            )
            for session in sessions:
                session._set_answers(
                    {self.tick.id: True, self.one.id: self.one.option_ids[0].id}
                )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            sessions.with_user(self.consultant).read(["chips", "may_edit", "content"])
            return self.env.cr.sql_log_count - before

        queries(1)
        self.assertEqual(queries(3), queries(30))

    def test_another_centres_answers_are_out_of_sight(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        session = self.env[FORM].create(
            {"partner_id": self.partner.id, "company_id": company.id}
        )
        session._set_answers({self.tick.id: True})
        answers = self.env["oda.instrument.answer"].with_user(self.consultant)
        self.assertFalse(answers.search([("session_id", "=", session.id)]))
        self.assertFalse(self.partner.with_user(self.consultant).oda_advised)


class TestWhoseSession(FormCase):
    def test_a_colleague_reads_but_does_not_write(self):
        session = self.new_session(content="mine")
        seen = session.with_user(self.colleague)
        self.assertEqual(seen.content, "mine")
        self.assertFalse(seen.may_edit)
        for change in (
            lambda: seen.write({"content": "theirs"}),
            lambda: seen.write({"channel": "phone"}),
            lambda: seen.write({"answers": {str(self.tick.id): True}}),
            lambda: seen._set_answers({self.tick.id: True}),
            lambda: seen.action_oda_end(),
            lambda: self.draft(session, 1, 1, user=self.colleague, content="theirs"),
        ):
            with self.assertRaisesRegex(AccessError, "test_consultant"):
                change()
        self.assertEqual(session.content, "mine")

    def test_a_team_lead_may_and_it_is_known(self):
        session = self.new_session(content="what Ana wrote")
        self.assertTrue(session.with_user(self.lead).may_edit)
        self.draft(session, 1, 1, user=self.lead, content="what the lead wrote")
        self.draft(session, 2, 2, user=self.lead, content="what the lead wrote!")
        self.assertEqual(session.content, "what the lead wrote!")
        events = self.env["oda.event"].search(
            [("code", "=", "session.change"), ("res_id", "=", session.id)]
        )
        self.assertEqual(len(events), 1, "once a sitting")
        self.assertEqual(events.user_id, self.lead)
        self.assertNotIn("Ana", str(events.details), "no text in the journal")
        kept = session.with_user(self.lead).text_ids
        self.assertEqual(kept.text, "what Ana wrote")
        self.assertEqual(kept.user_id, self.consultant)
        self.assertEqual(kept.changed_by_id, self.lead)

    def test_one_sitting_is_one_text_later_ones_are_kept(self):
        session = self.new_session(content="first")
        for number, text in enumerate(["first w", "first words"], 1):
            self.draft(session, number, number, content=text)
        self.assertFalse(session.sudo().text_ids)
        session.sudo().content_at = fields.Datetime.now() - timedelta(hours=1)
        self.draft(session, 3, 3, content="")
        self.assertEqual(session.sudo().text_ids.text, "first words")

    def test_under_ones_own_name(self):
        with self.assertRaisesRegex(AccessError, "own name"):
            self.new_session(user_id=self.colleague.id)
        session = self.new_session()
        for owner in (self.colleague.id, False):
            with self.assertRaisesRegex(AccessError, "own name"):
                session.user_id = owner
        self.assertTrue(self.new_session(user=self.lead, user_id=self.consultant.id))

    def test_a_plain_write_is_a_version_too(self):
        session = self.new_session(content="x")
        for user, text in ((self.consultant, "own"), (self.connector, "by a job")):
            session.with_user(user).write({"content": text, "channel": "phone"})
            self.assertEqual(session.content, text)
            self.assertEqual(session.content_user_id, user)
        self.assertEqual(session.content_version, 3)
        session.with_user(self.connector).content = "by a job"
        self.assertEqual(session.content_version, 3, "the same text is no change")

    def test_bookkeeping_is_not_written_by_hand(self):
        session = self.new_session(content="x")
        for vals in (
            {"content_version": 0},
            {"content_user_id": self.colleague.id},
            {"draft_state": {}},
        ):
            with self.assertRaises(AccessError):
                session.write(vals)
            with self.assertRaises(AccessError):
                self.new_session(**vals)

    def test_history_is_read_by_leads_written_by_nobody(self):
        session = self.new_session(content="x")
        self.env["oda.consultation.session.text"]._keep(session)
        texts = session.sudo().text_ids
        self.assertTrue(texts.with_user(self.lead).has_access("read"))
        for user in (self.consultant, self.marketing, self.cashier):
            self.assertFalse(texts.with_user(user).has_access("read"))
        for user in (self.lead, self.admin):
            self.assertFalse(texts.with_user(user).has_access("write"))
            self.assertFalse(texts.with_user(user).has_access("unlink"))

    def test_several_consultants_on_one_case(self):
        self.new_session(content="one")
        self.new_session(user=self.colleague, content="two", channel="phone")
        sessions = self.case.with_user(self.consultant).oda_session_ids
        self.assertEqual(set(sessions.mapped("content")), {"one", "two"})
        self.assertEqual(sessions.user_id, self.consultant | self.colleague)

    def test_walk_in_goes_on_with_the_open_consultation(self):
        action = self.partner.with_user(self.consultant).action_oda_new_session()
        self.assertEqual(action["context"]["default_lead_id"], self.case.id)
        stranger = self.env["res.partner"].create({"name": "Elena"})
        action = stranger.with_user(self.consultant).action_oda_new_session()
        form = (
            self.env[FORM].with_user(self.consultant).with_context(**action["context"])
        )
        self.assertFalse(stranger.opportunity_ids, "nothing is made by looking")
        session = form.create({"content": "came in"})
        self.assertEqual(session.partner_id, stranger)
        self.assertEqual(session.channel, "in_person")
        self.assertEqual(session.lead_id.partner_id, stranger)
        self.assertEqual(session.lead_id.user_id, self.consultant)
        again = form.create({"content": "came again"})
        self.assertEqual(again.lead_id, session.lead_id)


class TestSessionDraft(FormCase):
    def test_saved_as_typed(self):
        session = self.new_session()
        told = self.draft(session, 1, 0, content="Vrea")
        self.assertEqual((told["version"], told["outcome"]), (1, "taken"))
        told = self.draft(
            session, 2, 1, content="Vrea grant", answers={str(self.tick.id): True}
        )
        self.assertEqual(told["chips"][0]["name"], "Grant")
        self.assertEqual(session.content, "Vrea grant")
        told = self.draft(
            session, 1, 0, content="Vr", answers={str(self.tick.id): None}
        )
        self.assertEqual(told["outcome"], "late")
        self.assertEqual(session.content, "Vrea grant")
        self.assertTrue(session.answer_ids, "answers of a late packet are late too")

    def test_two_people_both_texts_and_both_know(self):
        session = self.new_session()
        self.draft(session, 1, 0, content="de la consultant")
        told = self.draft(
            session, 1, 0, page="page-b", user=self.lead, content="de la <b>lead</b>"
        )
        self.assertEqual(told["outcome"], "both")
        self.assertEqual(told["author"], self.consultant.name)
        self.assertEqual(told["content"], session.content)
        self.assertTrue(session.content.startswith("de la consultant\n\n--- "))
        self.assertIn(self.lead.name, session.content)
        self.assertTrue(session.content.endswith("de la <b>lead</b>"))
        self.assertEqual(session.content[told["prefix"] :], "de la <b>lead</b>")

    def test_a_form_or_the_phone_wrote_in_between(self):
        session = self.new_session()
        self.draft(session, 1, 0, content="typed")
        session.sudo().content = "written by the call"
        self.assertEqual(session.content_version, 2)
        told = self.draft(session, 2, 1, content="typed on")
        self.assertEqual(told["outcome"], "both")
        self.assertIn("written by the call", session.content)

    def test_long_texts(self):
        session = self.new_session()
        long = "ș<i>\n" * 4000
        self.draft(session, 1, 0, content=long)
        self.assertEqual(session.content, long)
        with self.assertRaisesRegex(ValidationError, "100001 characters"):
            self.draft(session, 2, 1, content="x" * 100_001)
        with self.assertRaisesRegex(ValidationError, "characters"):
            session.content = "x" * 100_001
        self.assertEqual(session.content, long)

    def test_attackers(self):
        session = self.new_session(content="kept")
        Session = self.env[FORM].with_user(self.consultant)
        save = Session.oda_session_save_draft
        for args in (
            ("1", 0, {}, "page"),
            (1, -1, {}, "page"),
            (True, 0, {}, "page"),
            (2**40, 0, {}, "page"),
            (1, 0, [], "page"),
            (1, 0, {"user_id": self.colleague.id}, "page"),
            (1, 0, {"content": False}, "page"),
            (1, 0, {"content": {}}, "page"),
            (1, 0, {"answers": "x"}, "page"),
            (1, 0, {"answers": []}, "page"),
            (1, 0, {}, ""),
            (1, 0, {}, "p" * 65),
            (1, 0, {}, None),
        ):
            with self.subTest(args=args), self.assertRaises(UserError):
                save(session.id, *args)
        for wrong in (0, -1, "x", 2**40, [session.id], None, 999_999):
            with self.subTest(id=wrong), self.assertRaises(UserError):
                save(wrong, 1, 0, {"content": "x"}, "page")
        portal = new_test_user(self.env, "test_portal", groups="base.group_portal")
        for user in (portal, self.marketing, self.supervisor, self.cashier):
            with self.assertRaises(AccessError):
                self.draft(session, 1, 1, user=user, content="x")
        company = self.env["res.company"].create({"name": "Other centre"})
        foreign = self.env[FORM].create(
            {"partner_id": self.partner.id, "company_id": company.id}
        )
        with self.assertRaises(AccessError):
            self.draft(foreign, 1, 0, content="x")
        self.assertEqual(session.content, "kept")

    def test_nul_does_not_break_it(self):
        session = self.new_session()
        self.draft(session, 1, 0, content="a\0b")
        self.assertEqual(session.content, "ab")

    def test_a_draft_costs_few_queries(self):
        session = self.new_session(content="x")
        self.draft(session, 1, 1, content="xy")
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.draft(session, 2, 2, content="xyz")
        self.env.flush_all()
        self.assertLessEqual(self.env.cr.sql_log_count - before, 15)


@tagged("post_install", "-at_install")
class TestDraftRpc(HttpCase, FormCase):
    def rpc(self, method, *args, model=FORM):
        return self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "params": {"model": model, "method": method, "args": args, "kwargs": {}}
            },
        ).json()

    def test_over_the_wire(self):
        session = self.new_session()
        self.env.cr.flush()
        self.consultant.password = "test_consultant_1"
        self.authenticate("test_consultant", "test_consultant_1")
        args = (session.id, 1, 0, {"content": "prin rețea"}, "page")
        answer = self.rpc("oda_session_save_draft", *args)
        self.assertEqual(answer["result"]["outcome"], "taken")
        self.assertEqual(session.content, "prin rețea")
        for method, rest in (
            ("_set_answers", [[session.id], {}]),
            ("_store_text", [[session.id], {}, {}]),
            ("_answers_instrument", [[self.case.id], []]),
        ):
            model = "crm.lead" if method == "_answers_instrument" else FORM
            with mute_logger("odoo.http"):
                self.assertIn("error", self.rpc(method, *rest, model=model))

    def test_a_colleague_over_the_wire(self):
        session = self.new_session(content="mine")
        self.colleague.password = "test_colleague_1"
        self.authenticate("test_colleague", "test_colleague_1")
        with mute_logger("odoo.http"):
            args = ([session.id], {"content": "x", "content_version": 9})
            self.assertIn("error", self.rpc("write", *args))
            args = (session.id, 1, 9, {"content": "x"}, "page")
            answer = self.rpc("oda_session_save_draft", *args)
        self.assertIn("team lead", answer["error"]["data"]["message"])
        self.assertEqual(session.content, "mine")
