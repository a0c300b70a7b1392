# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from .common import CrmCase


class TestSession(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead_record = cls.env["crm.lead"]._oda_find_or_open(cls.partner)
        # Any record with a company may be the source of a session.
        cls.source = cls.env["crm.lead"].create(
            {"name": "source", "company_id": cls.env.company.id}
        )

    def _open(self, **values):
        return (
            self.env["oda.consultation.session"]
            .with_user(self.connector)
            ._open(self.source, self.partner, self.lead_record, "phone", **values)
        )

    def test_one_session_a_source(self):
        first = self._open(user_id=self.consultant.id)
        self.assertEqual(self._open(), first)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            first.sudo().copy({"res_model": first.res_model, "res_id": first.res_id})

    def test_close_once_and_never_before_the_start(self):
        start = fields.Datetime.now()
        session = self._open(started_at=start)
        session._close(start - timedelta(hours=1))
        self.assertEqual(session.ended_at, start)
        session._close(start + timedelta(hours=1))
        self.assertEqual(session.ended_at, start, "the first end stands")

    def test_end_before_start_is_refused(self):
        start = fields.Datetime.now()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self._open(started_at=start, ended_at=start - timedelta(seconds=1))

    def test_source_is_not_set_by_hand(self):
        sessions = self.env["oda.consultation.session"].with_user(self.consultant)
        with self.assertRaises(AccessError):
            sessions.create(
                {
                    "partner_id": self.partner.id,
                    "res_model": "crm.lead",
                    "res_id": self.source.id,
                }
            )

    def test_deleting_a_person_does_not_delete_what_was_said(self):
        self._open()
        with self.assertRaises(UserError):
            self.partner.unlink()

    def test_others_still_read_their_cards(self):
        self._open()
        for user in (self.marketing, self.accountant):
            shown = self.partner.with_user(user).fields_get()
            self.assertNotIn("oda_session_ids", shown)
        self.lead_record.with_user(self.marketing).read()

    def test_counts_on_both_cards(self):
        self._open()
        self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id, "channel": "in_person"}
        )
        self.assertEqual(self.partner.oda_session_count, 2)
        self.assertEqual(self.lead_record.oda_session_count, 1)

    def test_merging_people_keeps_their_sessions(self):
        double = self.env["res.partner"].create({"name": "Vasile C."})
        session = self.env["oda.consultation.session"].create(
            {"partner_id": double.id, "content": "a venit la centru"}
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.partner | double).ids, self.partner)
        self.assertEqual(session.partner_id, self.partner)

    def _talk(self, user, minutes_ago, partner=None):
        return self.env["oda.consultation.session"].create(
            {
                "partner_id": (partner or self.partner).id,
                "user_id": user.id,
                "started_at": fields.Datetime.now() - timedelta(minutes=minutes_ago),
            }
        )

    def test_adviser_is_who_spoke_last(self):
        self.assertFalse(self.partner.oda_adviser_id)
        self.lead_record.user_id = self.head
        self.assertEqual(self.partner.oda_adviser_id, self.head, "nobody spoke yet")
        talk = self._talk(self.consultant, 10)
        self.assertEqual(self.partner.oda_adviser_id, self.consultant)
        self._talk(self.lead, 60)
        self.assertEqual(self.partner.oda_adviser_id, self.consultant, "an older talk")
        talk.user_id = self.supervisor
        self.assertEqual(self.partner.oda_adviser_id, self.supervisor)
        other = self.env["res.partner"].create({"name": "Elena"})
        talk.partner_id = other
        self.assertEqual(other.oda_adviser_id, self.supervisor)
        self.assertEqual(self.partner.oda_adviser_id, self.lead)

    def test_adviser_follows_a_consultation_to_another_person(self):
        other = self.env["res.partner"].create({"name": "Elena"})
        self.lead_record.user_id = self.head
        self.lead_record.partner_id = other
        self.assertEqual(other.oda_adviser_id, self.head)
        self.assertFalse(self.partner.oda_adviser_id)

    def test_adviser_of_merged_people_is_who_spoke_last_with_either(self):
        double = self.env["res.partner"].create({"name": "Vasile C."})
        self._talk(self.lead, 60)
        self._talk(self.consultant, 5, double)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.partner | double).ids, self.partner)
        self.assertEqual(self.partner.oda_adviser_id, self.consultant)

    def test_adviser_that_stays_touches_nobody(self):
        self._talk(self.consultant, 10)
        self.env.flush_all()
        query = "SELECT xmin::text FROM res_partner WHERE id = %s"
        self.env.cr.execute(query, (self.partner.id,))
        before = self.env.cr.fetchone()
        with self.env.cr.savepoint():  # its writes would carry an xmin of their own
            self._talk(self.consultant, 1)
            self.env.flush_all()
            self.env.cr.execute(query, (self.partner.id,))
            self.assertEqual(self.env.cr.fetchone(), before)
