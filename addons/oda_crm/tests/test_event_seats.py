# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import queue
import threading
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged

from .common import CrmCase


def event_values(**values):
    start = fields.Datetime.now() + timedelta(days=10)
    return {
        "name": "Seminar",
        "date_begin": start,
        "date_end": start + timedelta(hours=4),
        **values,
    }


class TestSeats(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.event = cls.env["event.event"].create(
            event_values(seats_limited=True, seats_max=2)
        )
        cls.people = cls.env["res.partner"].create(
            [{"name": f"P{n}", "email": f"p{n}@example.com"} for n in range(4)]
        )

    def register(self, partners, event=None, user=None):
        event = (event or self.event).with_user(user or self.consultant)
        partners = partners.with_user(user or self.consultant)
        return event._oda_register(partners, "test")

    def test_once_a_person(self):
        first = self.register(self.people[0])
        again = self.register(self.people[:2])
        self.assertIn(first, again)
        self.assertEqual(again.sudo().partner_id, self.people[:2])
        self.assertEqual(self.event.seats_taken, 2)
        self.assertEqual(first.sudo().email, "p0@example.com")

    def test_too_many_are_refused_as_a_whole(self):
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.register(self.people[:3])
        self.assertEqual(self.event.seats_taken, 0)
        self.register(self.people[:2])
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.register(self.people[2])

    def test_every_door_is_watched(self):
        Registration = self.env["event.registration"]
        self.register(self.people[:2])
        values = {"event_id": self.event.id, "partner_id": self.people[2].id}
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            Registration.create(values)
        draft = Registration.create({**values, "state": "draft"})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            draft.action_confirm()
        other = self.env["event.event"].create(event_values())
        there = Registration.create({**values, "event_id": other.id})
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            there.event_id = self.event

    def test_a_seat_given_back_is_free(self):
        taken = self.register(self.people[:2])
        taken[0].sudo().action_cancel()
        again = self.register(self.people[2])
        self.assertEqual(again.sudo().partner_id, self.people[2])
        # whoever cancelled may come again when there is room
        self.event.seats_max = 3
        back = self.register(self.people[0])
        self.assertNotEqual(back, taken[0])

    def test_without_a_limit(self):
        event = self.env["event.event"].create(event_values())
        self.assertEqual(len(self.register(self.people, event)), 4)

    def test_tickets_have_limits_of_their_own(self):
        event = self.env["event.event"].create(event_values())
        ticket = self.env["event.event.ticket"].create(
            {"name": "T", "event_id": event.id, "seats_max": 1}
        )
        values = {"event_id": event.id, "event_ticket_id": ticket.id}
        self.env["event.registration"].create(values)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.env["event.registration"].create(values)

    def test_an_event_that_is_over(self):
        past = fields.Datetime.now() - timedelta(days=2)
        event = self.env["event.event"].create(
            event_values(date_begin=past, date_end=past + timedelta(hours=1))
        )
        with self.assertRaises(UserError):
            self.register(self.people[0], event)

    def test_who_may(self):
        portal = new_test_user(self.env, "seat_citizen", groups="base.group_portal")
        for user in (portal, self.cashier):
            with self.assertRaises(AccessError):
                self.register(self.people[0], user=user)
        company = self.env["res.company"].create({"name": "Other centre"})
        self.event.company_id = company
        with self.assertRaises(AccessError):
            self.register(self.people[0])

    def test_merged_people_keep_both_seats(self):
        taken = self.register(self.people[:2])
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge(self.people[:2].ids, self.people[0])
        self.assertEqual(taken.sudo().exists().partner_id, self.people[0])
        self.assertEqual(len(taken.exists()), 2)


@tagged("post_install", "-at_install")
class TestSeatsRace(BaseCase):
    """Real transactions: many ask at once, nobody sits on somebody's lap."""

    people = 300
    seats = 50
    threads = 20

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        # The suite's main thread holds it; other threads would wait for the end.
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.event_id = (
                env["event.event"]
                .create(event_values(seats_limited=True, seats_max=self.seats))
                .id
            )
            self.partner_ids = (
                env["res.partner"]
                .create([{"name": f"Race {n}"} for n in range(self.people)])
                .ids
            )
        self.addCleanup(self._cleanup)

    def _cleanup(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            event = env["event.event"].browse(self.event_id)
            event.registration_ids.unlink()
            event.unlink()
            env["res.partner"].browse(self.partner_ids).unlink()

    def _run(self, take):
        """Have 20 threads call `take(env, partner_id)`; return the outcomes."""
        waiting = queue.SimpleQueue()
        for partner_id in self.partner_ids:
            waiting.put(partner_id)
        barrier = threading.Barrier(self.threads)
        outcomes = []

        def work():
            first = True
            while True:
                try:
                    partner_id = waiting.get_nowait()
                except queue.Empty:
                    return
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    # The snapshot is older than everybody else's seat.
                    env["event.event"].browse(self.event_id).read(["seats_taken"])
                    if first:
                        barrier.wait(timeout=30)
                        first = False
                    try:
                        take(env, partner_id)
                        cr.commit()  # pylint: disable=invalid-commit
                        outcomes.append("seat")
                    except ValidationError:
                        cr.rollback()
                        outcomes.append("full")
                    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                        cr.rollback()
                        outcomes.append("conflict")

        threads = [threading.Thread(target=work) for _ in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        return outcomes

    def _taken(self):
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT count(*), count(DISTINCT partner_id) FROM event_registration "
                "WHERE event_id = %s AND active AND state IN ('open', 'done')",
                (self.event_id,),
            )
            return cr.fetchone()

    def test_our_verb(self):
        def take(env, partner_id):
            partner = env["res.partner"].browse(partner_id)
            env["event.event"].browse(self.event_id)._oda_register(partner, "race")

        outcomes = self._run(take)
        self.assertEqual(self._taken(), (self.seats, self.seats))
        self.assertEqual(outcomes.count("seat"), self.seats)
        self.assertEqual(outcomes.count("full"), self.people - self.seats)

    def test_cores_own_way(self):
        def take(env, partner_id):
            env["event.registration"].create(
                {"event_id": self.event_id, "partner_id": partner_id}
            )

        outcomes = self._run(take)
        self.assertEqual(self._taken(), (self.seats, self.seats))
        self.assertEqual(outcomes.count("conflict"), 0, "queued, not repeated")

    def test_the_same_person_twice_at_once(self):
        self.partner_ids, rest = self.partner_ids[:1] * 40, self.partner_ids
        self.addCleanup(setattr, self, "partner_ids", rest)

        def take(env, partner_id):
            partner = env["res.partner"].browse(partner_id)
            event = env["event.event"].browse(self.event_id)
            try:
                event._oda_register(partner, "race")
            except Exception as error:
                if type(error).__name__ != "ConcurrencyError":
                    raise
                # pylint: disable-next=translation-required
                raise ValidationError("repeated by Odoo") from error

        with patch("odoo.sql_db._logger.error"):
            self._run(take)
        self.assertEqual(self._taken(), (1, 1))
