# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta
from unittest.mock import patch

from markupsafe import Markup
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import SQL, mute_logger

from odoo.addons.oda_base import settings
from odoo.addons.oda_crm import unsubscribe
from odoo.addons.oda_crm.models import oda_programme_news as news_module
from odoo.addons.oda_crm.models import res_partner_contact as contact_module

from .common import CrmCase

KEY = "k" * 40


class ProgrammeCase(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        section = settings.parse_section({"secret_key": KEY})
        cls.startClassPatcher(patch.object(settings, "oda_section", lambda: section))
        # These tests are about us without a register of consents.
        Partner = cls.env.registry["res.partner"]
        cls.startClassPatcher(
            patch.object(Partner, "_oda_consents", lambda self, purpose: self.browse())
        )
        cls.programme = (
            cls.env["oda.programme"]
            .with_user(cls.marketing)
            .create({"name": "PARE 1+1", "code": "PARE", "state": "active"})
        )
        cls.people = cls.env["res.partner"].create(
            [{"name": f"Adept {n}", "email": f"adept{n}@example.com"} for n in range(5)]
        )
        cls.followers = cls.follow(cls.people)

    @classmethod
    def follow(cls, people, source="asked", programme=None):
        programme = programme or cls.programme
        return (
            cls.env["oda.programme.follower"]
            .with_user(cls.consultant)
            .create(
                [
                    {
                        "partner_id": person.id,
                        "programme_id": programme.id,
                        "source": source,
                    }
                    for person in people
                ]
            )
        )

    def news(self, **values):
        return (
            self.env["oda.programme.news"]
            .with_user(self.marketing)
            .create(
                {
                    "programme_id": self.programme.id,
                    "name": "Se deschide",
                    "body": "<p>Apel nou</p>",
                    **values,
                }
            )
        )

    def send(self, news):
        news.action_publish()
        for _batch in range(10):
            if news.state != "publishing":
                return
            news._job_publish()

    def letters(self, people=None):
        people = people or self.people
        return self.env["mail.mail"].search([("recipient_ids", "in", people.ids)])


class TestNews(ProgrammeCase):
    def test_each_follower_one_letter(self):
        news = self.news()
        self.send(news)
        self.assertEqual(news.state, "published")
        letters = self.letters()
        self.assertEqual(len(letters), 5)
        self.assertEqual(letters.recipient_ids, self.people)
        self.assertEqual((news.total, news.told_count, news.progress), (5, 5, 100))
        letter = letters[0]
        self.assertIn("Apel nou", letter.body_html)
        token = letter.headers.split("/oda/unsubscribe/")[1].split(">")[0]
        self.assertIn(token, letter.body_html)
        self.assertIn("One-Click", letter.headers)
        self.assertEqual(
            unsubscribe.read(token),
            (letter.recipient_ids.id, "news", self.programme.id),
        )

    def test_never_twice(self):
        news = self.news()
        self.send(news)
        news._job_publish()
        news.sudo().write({"state": "publishing", "last_partner_id": 0})
        news._job_publish()
        self.assertEqual(len(self.letters()), 5, "rows say who was told")

    def test_a_crash_leaves_rows_and_letters_or_neither(self):
        news = self.news()
        with patch.object(news_module, "TELL_BATCH", 2):
            news.action_publish()
            news._job_publish()
            self.assertEqual(len(self.letters()), 2)
            self.assertAlmostEqual(news.progress, 40)
            create = type(self.env["mail.mail"]).create

            def dies(model, vals_list):
                create(model, vals_list)
                raise ZeroDivisionError

            with (
                patch.object(type(self.env["mail.mail"]), "create", dies),
                self.assertRaises(ZeroDivisionError),
                self.env.cr.savepoint(),
            ):
                news._job_publish()
            self.assertEqual(len(self.letters()), 2)
            self.assertEqual(len(news.notice_ids), 2)
            for _batch in range(3):
                news._job_publish()
        self.assertEqual(len(self.letters()), 5)
        self.assertEqual(news.state, "published")

    def test_stopped_and_gone_on_with(self):
        news = self.news()
        with patch.object(news_module, "TELL_BATCH", 2):
            news.action_publish()
            news._job_publish()
            news.action_cancel()
            news._job_publish()
            self.assertEqual(len(self.letters()), 2)
            self.send(news)
        self.assertEqual(len(self.letters()), 5)
        self.assertEqual(news.total, 5)

    def test_who_is_not_told(self):
        silent, refused, homeless, proposed = self.people[:4]
        self.followers[0].action_stop()
        refused._oda_unsubscribe("news")
        homeless.email = "no address"
        self.followers[3].sudo().source = "proposed"
        stranger = self.env["res.partner"].create(
            {"name": "stranger", "email": "stranger@example.com"}
        )
        news = self.news()
        self.send(news)
        self.assertEqual(self.letters().recipient_ids, self.people[4])
        self.assertFalse(self.letters(stranger))
        states = {n.partner_id: n.state for n in news.notice_ids}
        self.assertEqual(states[homeless], "unreached")
        self.assertEqual(states[proposed], "refused")
        self.assertNotIn(silent, states)
        self.assertEqual(news.untold_count, 2)

    def test_unsubscribed_between_the_batches(self):
        news = self.news()
        with patch.object(news_module, "TELL_BATCH", 2):
            news.action_publish()
            news._job_publish()
            self.people[4]._oda_unsubscribe("news", self.programme)
            for _batch in range(3):
                news._job_publish()
        self.assertNotIn(self.people[4], self.letters().recipient_ids)

    def test_in_the_language_of_each(self):
        self.env["res.lang"]._activate_lang("ro_RO")
        self.people[0].lang = "ro_RO"
        news = self.news(name="Open", body="<p>Open now</p>")
        news.with_context(lang="ro_RO").write(
            {"name": "Deschis", "body": "<p>Acum</p>"}
        )
        self.send(news)
        theirs = self.letters(self.people[0])
        self.assertEqual(theirs.subject, "Deschis")
        self.assertIn("Acum", theirs.body_html)
        self.assertEqual(self.letters(self.people[1]).subject, "Open")

    def test_html_is_harmless(self):
        news = self.news(
            name="<script>alert(1)</script>\nBcc: x@example.com",
            body="<p>ok<script>alert(1)</script></p>",
        )
        self.send(news)
        letter = self.letters()[0]
        self.assertNotIn("<script>", letter.body_html)
        self.assertNotIn("\n", letter.subject)

    def test_what_was_sent_stays(self):
        news = self.news()
        self.send(news)
        with self.assertRaises(UserError):
            news.name = "other"
        with self.assertRaises(UserError):
            news.unlink()
        with self.assertRaises(UserError):
            self.news(body=False).action_publish()

    def test_no_key_no_letter(self):
        section = settings.parse_section({})
        news = self.news()
        with (
            patch.object(settings, "oda_section", lambda: section),
            self.assertRaises(UserError),
        ):
            news.action_publish()
        self.assertEqual(news.state, "draft")

    def test_the_sweeper_goes_on(self):
        news = self.news()
        news.action_publish()
        jobs = [("model_name", "=", "oda.programme.news")]
        self.env["queue.job"].search(jobs).unlink()
        self.env["oda.programme.news"]._cron_wake()
        job = self.env["queue.job"].search(jobs)
        self.assertEqual(len(job), 1)
        self.env["oda.programme.news"]._cron_wake()
        self.assertEqual(self.env["queue.job"].search(jobs), job, "one is enough")

    def test_rights(self):
        news = self.news()
        for user in (self.consultant, self.supervisor):
            self.assertTrue(news.with_user(user).has_access("read"))
            with self.assertRaises(AccessError):
                news.with_user(user).action_publish()
        portal = new_test_user(self.env, "news_citizen", groups="base.group_portal")
        for user in (self.cashier, portal):
            self.assertFalse(news.with_user(user).has_access("read"))
        company = self.env["res.company"].create({"name": "Other centre"})
        self.programme.sudo().company_id = company
        for record in (news, self.programme, self.followers[0]):
            self.assertFalse(record.with_user(self.consultant).has_access("read"))


class TestCalls(ProgrammeCase):
    def call(self, opens, closes, **values):
        now = fields.Datetime.now()
        return self.env["oda.programme.call"].create(
            {
                "programme_id": self.programme.id,
                "name": "Apelul 7",
                "opens_at": now + timedelta(days=opens),
                "closes_at": now + timedelta(days=closes),
                **values,
            }
        )

    def test_states(self):
        states = [
            self.call(*days).state for days in ((1, 30), (-1, 30), (-1, 3), (-9, -1))
        ]
        self.assertEqual(states, ["planned", "open", "closing", "closed"])
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.call(2, 1)

    def announce(self):
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 1
        ):
            self.env["oda.programme.call"]._cron_announce()
        return self.env["oda.programme.news"].search(
            [("programme_id", "=", self.programme.id)], order="id"
        )

    def test_opening_and_closing_are_told_once_each(self):
        call = self.call(-1, 30, budget="20 milioane <b>lei</b>")
        news = self.announce()
        self.assertEqual((len(news), news.call_id), (1, call))
        self.assertEqual(news.state, "publishing")
        self.assertIn("20 milioane &lt;b&gt;lei", news.body)
        self.assertEqual(self.announce(), news)
        call.closes_at = fields.Datetime.now() + timedelta(days=3)
        both = self.announce()
        self.assertEqual(len(both), 2)
        self.assertEqual(self.announce(), both)

    def test_nothing_to_tell(self):
        self.call(2, 30)
        self.call(-9, -1)
        self.programme.state = "draft"
        self.call(-1, 30)
        self.assertFalse(self.announce())

    def test_opening_right_before_the_end_is_one_news(self):
        self.call(-1, 2)
        self.assertEqual(len(self.announce()), 1)
        self.assertEqual(len(self.announce()), 1)


class TestFollowers(ProgrammeCase):
    def test_stop_and_again(self):
        follower = self.followers[0]
        follower.action_stop()
        self.assertTrue(follower.unsubscribed_at)
        self.assertEqual(self.programme.follower_count, 4)
        follower.action_follow_again()
        self.assertFalse(follower.unsubscribed_at)
        self.assertEqual(follower.source, "asked")
        events = self.env["oda.event"].search(
            [("res_model", "=", "res.partner"), ("res_id", "=", self.people[0].id)]
        )
        self.assertEqual(
            set(events.mapped("code")), {"contact.unsubscribe", "programme.follow"}
        )

    def test_asking_again_is_a_newer_word(self):
        person = self.people[0]
        person._oda_unsubscribe("news")
        self.assertEqual(person._oda_refused("news"), person)
        self.assertTrue(self.followers[0].unsubscribed_at)
        # said yesterday
        yesterday = fields.Datetime.now() - timedelta(days=1)
        for table in ("oda_contact_refusal", "oda_consent"):
            if table.replace("_", ".", 1) in self.env or table == "oda_contact_refusal":
                self.env.cr.execute(
                    SQL("UPDATE %s SET at = %s", SQL.identifier(table), yesterday)
                )
        self.env.invalidate_all()
        proposed, asked = self.env["oda.programme"].create(
            [{"name": "Start", "code": "ST"}, {"name": "Women", "code": "FE"}]
        )
        self.follow(person, "proposed", proposed)
        self.follow(person, "asked", asked)
        self.assertFalse(person._oda_may_be_told("news", proposed))
        self.assertEqual(person._oda_may_be_told("news", asked), person)
        self.assertFalse(person._oda_may_be_told("news", self.programme))
        self.assertFalse(person._oda_may_be_told("news"))

    def test_dates_are_not_edited_by_hand(self):
        for user in (self.consultant, self.marketing):
            with self.assertRaises(AccessError):
                self.followers[0].with_user(user).write({"unsubscribed_at": False})
        for user in (self.cashier, self.supervisor):
            with self.assertRaises(AccessError):
                self.followers[0].with_user(user).action_stop()

    def test_merged_people_a_no_wins(self):
        self.followers[1].action_stop()
        self.people[1]._oda_unsubscribe("letters")
        self.people[0]._oda_unsubscribe("letters")
        news = self.news()
        self.send(news)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(self.people[:2].ids, self.people[0])
        follower = self.people[0].oda_programme_follower_ids
        self.assertEqual(len(follower), 1)
        self.assertTrue(follower.unsubscribed_at)
        self.assertEqual(self.people[0]._oda_refused("letters"), self.people[0])

    def test_one_short_name_a_company(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.programme.copy({"code": "pare"})
        self.assertEqual(self.programme.copy().code, "PARE (copy)")
        self.assertEqual(self.programme.display_name, "PARE 1+1")

    def test_consultation_tied_to_a_programme(self):
        lead = self.env["crm.lead"].create(
            {
                "name": "x",
                "type": "opportunity",
                "partner_id": self.people[0].id,
                "oda_programme_id": self.programme.id,
            }
        )
        self.programme.invalidate_recordset()
        self.assertEqual(self.programme.lead_count, 1)
        action = self.programme.action_open_leads()
        self.assertEqual(self.env["crm.lead"].search(action["domain"]), lead)

    def test_documents_are_the_programmes(self):
        document = (
            self.env["ir.attachment"]
            .with_user(self.marketing)
            .create({"name": "ghid.pdf", "raw": b"%PDF-1.4"})
        )
        self.programme.attachment_ids = document
        self.assertEqual(
            (document.res_model, document.res_id), ("oda.programme", self.programme.id)
        )
        document.with_user(self.consultant).read(["name", "raw"])


class TestTell(ProgrammeCase):
    def tell(self, people=None, body="hi <b>there</b>", record=None, purpose="news"):
        return (
            (people or self.people)
            .with_user(self.marketing)
            ._oda_tell("Subject", body, purpose, record or self.programme)
        )

    def test_text_is_escaped_and_html_is_not(self):
        self.tell(self.people[0])
        self.tell(self.people[1], Markup("<b>bold</b>"))
        self.assertIn("&lt;b&gt;there", self.letters(self.people[0]).body_html)
        self.assertIn("<b>bold</b>", self.letters(self.people[1]).body_html)

    def test_without_consent_nobody(self):
        told = self.people._oda_tell("S", "b", "news")
        self.assertEqual(told["refused"], self.people)
        self.assertFalse(self.letters())

    def test_the_register_of_consents_is_asked(self):
        person = self.people[3]

        def consents(partners, purpose):
            return partners & person if purpose == "letters" else partners.browse()

        with patch.object(
            self.env.registry["res.partner"], "_oda_consents", consents, create=True
        ):
            told = self.people._oda_tell("S", "b", "letters")
            self.assertEqual(told["email"], person)
            self.assertFalse(self.people._oda_tell("S", "b", "news")["email"])
            person._oda_unsubscribe("letters")
            told = self.people._oda_tell("S", "b", "letters")
        self.assertEqual(told["refused"], self.people, "the last word is no")

    def test_preferred_channel_then_email(self):
        first, second = self.people[:2]
        handed = []

        class Channel:
            def with_context(self, **_context):
                return self

            def _oda_channel_send(self, partners, *args):
                handed.append((partners, *args))
                return partners & first

        original = type(self.env["oda.contact.channel"])._of
        self.env.cr.execute(
            "UPDATE res_partner SET oda_preferred_channel = 'pigeon' "
            "WHERE id = ANY(%s)",
            ((first | second).ids,),
        )
        self.env.invalidate_all()
        with patch.object(
            type(self.env["oda.contact.channel"]),
            "_of",
            lambda model, code: (
                Channel() if code == "pigeon" else original(model, code)
            ),
        ):
            told = self.tell()
        self.assertEqual(handed[0][0], first | second)
        self.assertEqual(told["pigeon"], first)
        self.assertEqual(told["email"], self.people - first, "who was not reached")

    def test_a_channel_whose_addon_is_gone(self):
        self.env.cr.execute(
            "UPDATE res_partner SET oda_preferred_channel = 'gone' WHERE id = %s",
            (self.people[0].id,),
        )
        self.env.invalidate_all()
        self.assertEqual(self.tell(self.people[0])["email"], self.people[0])

    def test_channels_refuse_until_they_are_written(self):
        with self.assertRaises(NotImplementedError):
            self.env["oda.contact.channel"]._oda_channel_send(self.people, "", "", "")

    def test_many_are_left_to_jobs(self):
        with patch.object(contact_module, "TELL_BATCH", 2):
            told = self.tell(body="<i>5 > 4</i>")
        self.assertEqual(told, {"later": self.people})
        jobs = self.env["queue.job"].search(
            [("method_name", "=", "_oda_job_tell")], order="id"
        )
        self.assertEqual([len(job.records) for job in jobs], [2, 2, 1])
        self.assertFalse(self.letters())
        jobs[0].records._oda_job_tell(*jobs[0].args)
        self.assertEqual(len(self.letters()), 2)
        self.assertIn("&lt;i&gt;5 &gt; 4", self.letters()[0].body_html)

    def test_a_wrong_purpose_is_a_bug(self):
        with self.assertRaises(ValueError):
            self.tell(purpose="Spaces and all")
