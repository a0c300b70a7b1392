# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain

from .. import callbacks

#: A caller who rings so often without an answer is only counted on.
MANY = 100


class OdaCallback(models.Model):
    """What is owed, computed again from all calls of a caller whenever one is over."""

    _inherit = "oda.callback"

    @api.model
    def _settle(self, calls):
        """Bring the rows of these calls' callers up to date; for any calls, any time.

        A caller is a person, whichever of their numbers rang; where several people
        share a number, or nobody is known by it, the number.
        """
        # sudo: what is owed is kept by the system, whoever caused it
        self, calls = self.sudo(), calls.sudo()
        self._settle_nameless(calls.filtered(lambda call: not call.e164))
        calls = calls.filtered(lambda call: call.e164 and not call.merged_into_id)
        kinds = {call: call._callback_kind() for call in calls}
        calls = calls.filtered(lambda call: kinds[call] or call.callback_id)
        if not calls:
            return
        callers = {}
        for call in calls:
            key = (call.company_id, call.partner_id, call.partner_id or call.e164)
            callers[key] = callers.get(key, calls.browse()) | call
        # Everybody who settles one caller queues here; who comes second looks again.
        self.env["oda.claim"]._claim(
            *{f"callback:{call.company_id.id}:{call.e164}" for call in calls},
            *{
                f"callback:{call.company_id.id}:p{call.partner_id.id}"
                for call in calls
                if call.partner_id
            },
        )
        known = self._rows_about(calls)
        for (company, partner, _key), some in callers.items():
            mine = known.filtered(partial(_concerns, company, partner, some))
            if mine or any(kinds[call] == "missed" for call in some):
                self.with_company(company)._replay(company, partner, some, mine)

    @api.model
    def _rows_about(self, calls):
        """Return the rows that these calls may change, in one question."""
        return self.search(
            Domain("company_id", "in", calls.company_id.ids)
            & (
                Domain("partner_id", "in", calls.partner_id.ids)
                | Domain("e164", "in", list(set(calls.mapped("e164"))))
            )
            & (
                Domain("state", "=", "open")
                | Domain("id", "in", calls.callback_id.ids)
                | Domain("call_id", "in", calls.ids)
                # ended after one of these, which was not known of then
                | Domain("ended_at", ">=", min(calls.mapped("started_at")))
            )
            & Domain("drop_kind", "not in", ("joined", "nameless")),
            order="first_missed_at, id",
        )

    def _settle_again(self):
        """Settle rows whose calls or person have changed by other ways than a call."""
        # sudo: as above
        for row in self.sudo().exists():
            if row.missed_ids:
                self._settle(row.missed_ids)
            elif row.state == "open":
                row._turn_out_answered()

    @api.model
    def _settle_nameless(self, calls):
        """Keep missed calls without a number: nobody can be called, all are counted."""
        for call in calls.filtered(lambda one: not one.merged_into_id):
            missed = call._callback_kind() == "missed"
            row = call.callback_id
            if missed and not row:
                hours = self._hours(call.company_id)
                call.callback_id = self.create(
                    {
                        "company_id": call.company_id.id,
                        "phone": call.phone,
                        "line_id": call._callback_line().id,
                        "first_missed_at": call.started_at,
                        "last_missed_at": call.started_at,
                        "missed_count": 1,
                        "out_of_hours": not callbacks.is_working(
                            hours, call.started_at
                        ),
                        "state": "dropped",
                        "drop_kind": "nameless",
                        "ended_at": call.started_at,
                    }
                )
            elif row and not missed:
                call.callback_id = False
                row.write({"missed_count": 0, "drop_kind": "answered"})

    # === ONE CALLER ===#

    @api.model
    def _replay(self, company, partner, calls, rows):
        """Compute what is owed to one caller, and make the rows say so."""
        if self._count_on(calls, rows):
            return
        since = min(
            [*calls.mapped("started_at"), *filter(None, rows.mapped("first_missed_at"))]
        )
        whose = Domain(
            "e164", "in", list({*calls.mapped("e164"), *rows.mapped("e164")})
        )
        if partner:
            whose |= Domain("partner_id", "=", partner.id)
        mine = Domain("company_id", "=", company.id) & whose
        if partner:
            # A number that others share as well says nothing about this person.
            mine &= Domain("partner_id", "in", (False, partner.id))
        of_number = Domain.TRUE if partner else Domain("partner_id", "=", False)
        rows |= self.search(
            mine
            & of_number
            & (Domain("ended_at", ">=", since) | Domain("state", "=", "open"))
            & Domain("drop_kind", "not in", ("joined", "nameless"))
        )
        rows = rows.sorted(lambda row: (row.first_missed_at or row.create_date, row.id))
        since = min([since, *filter(None, rows.mapped("first_missed_at"))])
        history = (
            self.env["oda.call"].search(
                mine
                & Domain("merged_into_id", "=", False)
                & Domain("outcome", "!=", False)
                & Domain("started_at", ">=", since),
                order="started_at, id",
            )
            | calls
        )
        moments = [
            callbacks.Moment(call._callback_moment(), kind, call.id)
            for call in history
            if (kind := call._callback_kind())
        ]
        moments += [
            callbacks.Moment(row.ended_at, "closed", row.id)
            for row in rows
            if row.by_hand or row.drop_kind == "person"
        ]
        found = callbacks.debts(moments)
        chosen = callbacks.match(found, {row.id: row.missed_ids.ids for row in rows})
        self._write_debts(company, partner, found, chosen, rows, history)

    @api.model
    def _write_debts(self, company, partner, found, chosen, rows, history):
        kept = self.browse(filter(None, chosen.values()))
        for row in rows - kept:
            row._turn_out_answered(joined=bool(kept))
        # Those that end first: of two open ones the index would refuse the second.
        for place in sorted(chosen, key=lambda one: found[one].is_open):
            debt, row = found[place], self.browse(chosen[place] or ())
            missed = history.browse(debt.missed)
            if not row:
                row = self._owe(company, partner, debt, missed)
            stray = row.missed_ids - missed
            if stray:
                stray.callback_id = False
            if late := missed.filtered(lambda call, row=row: call.callback_id != row):
                late.callback_id = row
            row._follow(debt, missed, partner)

    @api.model
    def _count_on(self, calls, rows):
        """Count one more call of who rings on and on, without reading all of them."""
        row = rows.filtered(
            lambda one: one.state == "open" and one.missed_count >= MANY
        )
        if len(rows) != 1 or not row or calls.callback_id:
            return False
        if any(
            call._callback_kind() != "missed" or call.started_at < row.last_missed_at
            for call in calls
        ):
            return False
        calls.callback_id = row
        row.write(
            {
                "missed_count": row.missed_count + len(calls),
                "last_missed_at": max(calls.mapped("started_at")),
            }
        )
        return True

    @api.model
    def _owe(self, company, partner, debt, missed):
        """Make the row of a new debt; its task and people come with `_follow`."""
        last = missed.sorted("started_at")[-1:]
        hours = self._hours(company)
        return self.create(
            {
                "company_id": company.id,
                "e164": last.e164,
                "phone": last.phone,
                "partner_id": partner.id,
                "line_id": last._callback_line().id,
                "first_missed_at": debt.first_at,
                "last_missed_at": debt.last_at,
                "out_of_hours": not callbacks.is_working(hours, debt.first_at),
                # Not open before it is known to be: a talk may have ended it.
                "state": "dropped",
            }
        )

    def _follow(self, debt, missed, partner):
        """Make one row say what its debt is; plan or close its task."""
        self.ensure_one()
        vals = {
            "first_missed_at": debt.first_at,
            "last_missed_at": debt.last_at,
            "missed_count": len(debt.missed),
            "attempts": debt.attempts,
            "last_attempt_at": debt.attempt_at or False,
            "partner_id": self.partner_id.id or partner.id,
        }
        if not self.due_at or self.first_missed_at != debt.first_at:
            vals["due_at"] = self._due(debt.first_at)
        if debt.closed:
            return self._write_changed(vals)
        before = self.state
        if debt.talk:
            talk = self.env["oda.call"].browse(debt.talk)
            vals.update(
                self._ended_at(debt.ended_at, vals.get("due_at"), debt.first_at)
            )
            vals.update(
                state="done",
                call_id=talk.id,
                by_hand=False,
                drop_kind=False,
                ended_at=debt.ended_at,
                lead_id=self.lead_id.id or talk.lead_id.id,
                user_id=self.user_id.id or talk.user_id.id,
            )
            if before != "done" or self.call_id != talk:
                vals["reason"] = talk._callback_words(self.user_id)
            self._write_changed(vals)
            self._close_task(self.reason)
            return None
        if before != "open":
            vals.update(
                state="open",
                call_id=False,
                called_back_at=False,
                ended_at=False,
                in_time=False,
                minutes=0,
                by_hand=False,
                drop_kind=False,
                reason=False,
            )
        self._write_changed(vals)
        if before != "open":
            self._begin(missed)
        return None

    def _write_changed(self, vals):
        """Write what differs: a row that is settled again changes nothing."""
        vals = {
            name: value
            for name, value in vals.items()
            # a talk in the very first minute is measured too
            if name == "minutes"
            or self._fields[name].convert_to_write(self[name], self) != (value or False)
        }
        if vals:
            self.write(vals)

    def _ended_at(self, moment, due_at=None, first_at=None):
        """Return the values that measure a talk at a moment."""
        due_at, first_at = due_at or self.due_at, first_at or self.first_missed_at
        return {
            "called_back_at": moment,
            "in_time": bool(due_at and moment <= due_at),
            "minutes": callbacks.minutes_between(
                self._hours(self.company_id), first_at, moment
            ),
        }

    def _turn_out_answered(self, joined=False):
        """Nothing is owed here after all: end the row, and say why."""
        self.ensure_one()
        self.missed_ids.callback_id = False
        ended = self.by_hand or self.drop_kind == "person"
        if ended or self.drop_kind in ("answered", "joined"):
            return
        words = self.env._("The exchange corrected itself: the call was answered.")
        if joined:
            words = self.env._("Joined with another call to return of this caller.")
        self.write(
            {
                "state": "dropped",
                "drop_kind": "joined" if joined else "answered",
                "reason": words,
                "ended_at": fields.Datetime.now(),
                "missed_count": 0,
                "call_id": False,
                "called_back_at": False,
                "in_time": False,
            }
        )
        self._close_task(words, cancelled=True)

    # === CARDS THAT BECOME ONE ===#

    @api.model
    def _merge_partners(self, sources, target):
        """Move rows and their calls to one card; of several open rows one stays."""
        open_rows = self.search(
            [("partner_id", "in", (sources | target).ids), ("state", "=", "open")],
            order="first_missed_at, id",
        )
        for _company, rows in open_rows.grouped("company_id").items():
            first, rest = rows[:1], rows[1:]
            calls = rest.missed_ids
            for row in rest:
                row._turn_out_answered(joined=True)
            calls.callback_id = first
            first.partner_id = target
            if rest:
                first._recount()
        self.search([("partner_id", "in", sources.ids)]).partner_id = target
        self.flush_model()

    def _recount(self):
        """Count what a row stands for after it took in another's calls."""
        self.ensure_one()
        moments = sorted(self.missed_ids.mapped("started_at"))
        self.write(
            {
                "first_missed_at": moments[0],
                "last_missed_at": moments[-1],
                "missed_count": len(moments),
                "due_at": self._due(moments[0]),
            }
        )


def _concerns(company, partner, calls, row):
    """Return whether a row is about the caller of these calls."""
    if row in calls.callback_id:
        return True
    if row.company_id != company:
        return False
    if partner and row.partner_id:
        return row.partner_id == partner
    return not row.partner_id and row.e164 in calls.mapped("e164")
