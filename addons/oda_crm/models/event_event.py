# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from psycopg2 import IntegrityError

from odoo import models
from odoo.exceptions import ConcurrencyError, UserError, ValidationError
from odoo.tools import SQL

from .. import seats
from .crm_lead import QUIET

_TAKEN = """
SELECT id, event_slot_id, event_ticket_id FROM event_registration
 WHERE event_id = %s AND active AND state IN ('open', 'done')
"""


class EventEvent(models.Model):
    """Seats that cannot be oversold, however many ask at once."""

    _inherit = "event.event"

    def _oda_register(self, partners, source, lead=None):
        """Register beneficiaries for the event, each once.

        :param partners: recordset of `res.partner` that the caller may read
        :param str source: where it came from, e.g. ``cold_call``; short, no person
        :param lead: the consultation in which it was agreed, or None
        :return: their registrations in force, new and old, one a partner
        :raise ValidationError: not enough seats; nobody is registered then
        :raise UserError: the event is over
        """
        self.ensure_one()
        self.check_access("read")
        partners.check_access("read")
        if self.is_finished:
            raise UserError(
                self.env._("“%s” is over: nobody registers any more.", self.name)
            )
        # Who looks before the lock may look into the past.
        self._oda_hold_seats()
        # sudo: an adviser registers people without managing events
        Registration = self.env["event.registration"].sudo()
        known = Registration.search(
            [
                ("event_id", "=", self.id),
                ("partner_id", "in", partners.ids),
                ("state", "!=", "cancel"),
            ],
            order="id",
        )
        new = partners - known.partner_id
        if not new:
            return self._oda_one_each(known)
        if self.is_multi_slots:
            raise UserError(
                self.env._(
                    "“%s” is held several times: register in the event, where the "
                    "slot is chosen.",
                    self.name,
                )
            )
        values = [
            {
                "event_id": self.id,
                "partner_id": partner.id,
                "oda_source": source,
                "oda_lead_id": lead.id if lead else False,
                "state": "open",
            }
            for partner in new
        ]
        try:
            with self.env.cr.savepoint():
                known |= Registration.with_context(**QUIET).create(values)
        except IntegrityError as error:
            # Registered while we waited; our snapshot cannot see it. Odoo repeats
            # a whole request for that reason.
            raise ConcurrencyError("registered meanwhile") from error
        return self._oda_one_each(known)

    def _oda_one_each(self, registrations):
        first = {}
        for registration in registrations:
            first.setdefault(registration.partner_id, registration.id)
        return self.env["event.registration"].browse(first.values())

    def _oda_hold_seats(self):
        """Queue up for the seats of these events until the transaction ends.

        Only who holds the rows may take a seat. Everybody waits here in turn
        instead of failing and coming again; in order of ids: no deadlock.
        """
        if self.ids:
            self.env.flush_all()
            self.env.cr.execute(
                "SELECT id FROM event_event WHERE id = ANY(%s) ORDER BY id "
                "FOR NO KEY UPDATE",
                (sorted(self.ids),),
                log_exceptions=False,
            )

    def _oda_check_seats(self):
        """Refuse more seats than there are, those taken meanwhile included.

        Must run under `_oda_hold_seats`: whoever took a seat before us has
        committed by then, but our snapshot is older. A second look sees it.
        """
        limited = self.filtered(lambda event: event._oda_limits())
        if not limited:
            return
        with self.env.registry.cursor() as fresh:
            for event in limited:
                fresh.execute(_TAKEN, (event.id,))
                committed = [seats.Seat(*row) for row in fresh.fetchall()]
                self.env.cr.execute(_TAKEN, (event.id,))
                own = [seats.Seat(*row) for row in self.env.cr.fetchall()]
                committed = event._oda_without_given_back(committed, own)
                missing = seats.missing(
                    seats.together(committed, own), event._oda_limits()
                )
                if missing:
                    raise ValidationError(
                        self.env._(
                            "“%(event)s”: %(count)s too many. All seats are taken; "
                            "raise the number of seats or choose another event.",
                            event=event.name,
                            count=missing,
                        )
                    )

    def _oda_without_given_back(self, committed, own):
        """Drop the seats that this very transaction has given back."""
        unknown = {seat.registration for seat in committed}
        unknown -= {seat.registration for seat in own}
        if not unknown:
            return committed
        # A row of ours has our transaction's number; one that somebody else has
        # changed since our snapshot still has its old one in our view.
        self.env.cr.execute(
            SQL(
                "SELECT id FROM event_registration WHERE id IN %s AND "
                "NOT (active AND state IN ('open', 'done')) AND "
                "xmin::text::bigint >= mod(pg_current_xact_id()::text::bigint, "
                "4294967296)",
                tuple(unknown),
            )
        )
        given_back = {row[0] for row in self.env.cr.fetchall()}
        return [seat for seat in committed if seat.registration not in given_back]

    def _oda_limits(self):
        """Return the `seats.Limits`, or None when seats are not limited."""
        self.ensure_one()
        # sudo: the number of seats is no secret, and the guard binds everybody
        event = self.sudo()
        most = event.seats_max if event.seats_limited else None
        tickets = {
            ticket.id: ticket.seats_max
            for ticket in event.event_ticket_ids
            if ticket.seats_limited and ticket.seats_max
        }
        if not most and not tickets:
            return None
        return seats.Limits(most or None, event.is_multi_slots, tickets)
