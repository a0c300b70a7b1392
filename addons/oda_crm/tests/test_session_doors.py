# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError

from .common import CrmCase


class TestSessionDoors(CrmCase):
    def _tied(self):
        lead = self.env["crm.lead"]._oda_find_or_open(self.partner)
        source = self.env["crm.lead"].create(
            {"name": "source", "company_id": self.env.company.id}
        )
        return (
            self.env["oda.consultation.session"]
            .with_user(self.connector)
            ._open(source, self.partner, lead, "phone", user_id=self.consultant.id)
        )

    def test_source_is_not_set_through_defaults(self):
        sessions = self.env["oda.consultation.session"].with_user(self.consultant)
        with self.assertRaises(AccessError):
            sessions.with_context(
                default_res_model="crm.lead", default_res_id=1
            ).create({"partner_id": self.partner.id})

    def test_source_is_not_removed_by_hand(self):
        session = self._tied().with_user(self.consultant)
        for vals in ({"res_id": False}, {"res_model": False}, {"res_id": 0}):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                session.write(vals)

    def test_a_copy_is_no_second_session_of_the_call(self):
        copy = self._tied().with_user(self.consultant).copy()
        self.assertFalse(copy.res_id)

    def test_beneficiary_of_another_company_is_not_touched(self):
        company = self.env["res.company"].create({"name": "Alt centru"})
        theirs = self.env["res.partner"].create(
            {"name": "Al Altora", "company_id": company.id}
        )
        sessions = self.env["oda.consultation.session"].with_user(self.consultant)
        with self.assertRaises(AccessError):
            sessions.create({"partner_id": theirs.id})
        mine = sessions.create({"partner_id": self.partner.id})
        with self.assertRaises(AccessError):
            mine.partner_id = theirs
        self.assertFalse(theirs.oda_adviser_id)

    def test_removed_talk_gives_the_adviser_back(self):
        Session = self.env["oda.consultation.session"]
        Session.create(
            {
                "partner_id": self.partner.id,
                "user_id": self.lead.id,
                "started_at": "2026-01-01 10:00:00",
            }
        )
        last = Session.create(
            {"partner_id": self.partner.id, "user_id": self.consultant.id}
        )
        self.assertEqual(self.partner.oda_adviser_id, self.consultant)
        last.with_user(self.admin).unlink()
        self.assertEqual(self.partner.oda_adviser_id, self.lead)

    def test_stranger_merged_into_a_known_person_makes_no_stranger(self):
        stranger, created = self.env["res.partner"]._oda_find_or_create_by_phone(
            "+37379123123"
        )
        self.assertTrue(created and stranger.oda_is_new)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.partner | stranger).ids, self.partner)
        self.assertEqual(self.partner.name, "Vasile Croitoru")
        self.assertFalse(self.partner.oda_is_new)

    def test_known_person_merged_into_a_stranger_keeps_the_name(self):
        stranger, _created = self.env["res.partner"]._oda_find_or_create_by_phone(
            "+37379123123"
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.partner | stranger).ids, stranger)
        self.assertEqual(stranger.name, "Vasile Croitoru")
        self.assertFalse(stranger.oda_is_new)

    def test_merged_consultations_keep_their_sessions(self):
        leads = self.env["crm.lead"].create(
            [
                {"name": name, "type": "opportunity", "partner_id": self.partner.id}
                for name in ("unu", "doi")
            ]
        )
        Session = self.env["oda.consultation.session"]
        sessions = Session.create(
            [{"partner_id": self.partner.id, "lead_id": lead.id} for lead in leads]
        )
        kept = leads.with_user(self.head).merge_opportunity()
        self.assertEqual(sessions.lead_id.ids, kept.ids)
        self.assertEqual(len(sessions.filtered("lead_id")), 2)

    def test_changing_anothers_session_is_journalled(self):
        session = self._tied()
        session.with_user(self.lead).write({"content": "altceva", "channel": "online"})
        event = self.env["oda.event"].search(
            [("code", "=", "session.change"), ("res_id", "=", session.id)]
        )
        self.assertEqual(event.user_id, self.lead)
        self.assertEqual(event.details["fields"], ["channel", "content"])
        self.assertNotIn("altceva", str(event.details))
        session.with_user(self.consultant).write({"content": "al meu"})
        self.assertEqual(
            self.env["oda.event"].search_count(
                [("code", "=", "session.change"), ("res_id", "=", session.id)]
            ),
            1,
        )

    def test_a_year_mistyped_does_not_keep_the_adviser_for_ever(self):
        Session = self.env["oda.consultation.session"]
        Session.create(
            {
                "partner_id": self.partner.id,
                "user_id": self.lead.id,
                "started_at": "2062-01-01 10:00:00",
            }
        )
        Session.create({"partner_id": self.partner.id, "user_id": self.consultant.id})
        self.assertEqual(self.partner.oda_adviser_id, self.consultant)
