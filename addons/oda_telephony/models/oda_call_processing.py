# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
from datetime import timedelta, timezone

from odoo import api, fields, models

from odoo.addons.oda_base import phone as numbers
from odoo.addons.oda_base.transaction import in_own_transaction

from .. import callstate

_logger = logging.getLogger(__name__)


class Work:
    """One call while a batch of its pushes is applied."""

    def __init__(self, call, state):
        self.call, self.state, self.stored = call, state, state
        self.effects = []

    @property
    def changed(self):
        """True when there is something to store: states are never edited."""
        return self.state is not self.stored


def _naive(moment):
    """Return an aware moment as Odoo stores it: naive UTC, whole seconds."""
    if moment is None:
        return False
    return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)


class OdaCall(models.Model):
    """From pushes to the rows of calls, legs, sessions and recordings."""

    _inherit = "oda.call"

    # === THE INBOX'S VERB ===#

    @api.model
    def _oda_process_inbound(self, rows):
        """Work stored pushes of one account; return `[(row, state, note)]`."""
        account = rows.account_id
        driver = account._driver()
        results, events = [], []
        bodies = rows._raw_bodies()
        for row in rows:
            event = driver.parse(row.content_type, bodies[row.id])
            if event.kind == "ignored":
                results.append((row, "ignored", event.reason))
            else:
                events.append((row, event))
                results.append((row, "done", "; ".join(event.notes)))
        self._apply_events(
            account,
            [
                (event, row.received_at - timedelta(seconds=event.age))
                for row, event in events
            ],
        )
        return results

    @api.model
    def _apply_events(self, account, events):
        """Apply `[(CallEvent, received_at)]` in order and store what changed."""
        works = self._load(account, {event.callid for event, _at in events})
        for event, received_at in events:
            work = works.get(event.callid)
            if work is None:
                work = works[event.callid] = Work(self.browse(), None)
            state = callstate.ring_again(work.state, event, received_at)
            work.state, effects = callstate.apply(state, event, received_at)
            work.effects += effects
            for effect in effects:
                if isinstance(effect, callstate.Merged):
                    self._merge(account, works, work, effect.other_callid)
        self._store(account, list(dict.fromkeys(works.values())))

    @api.model
    def _load(self, account, callids):
        """Return `{callid: Work}` of known calls; merged ones lead to the main."""
        calls = self.search(
            [("account_id", "=", account.id), ("callid", "in", list(callids))]
        )
        mains = {call: call._main() for call in calls}
        self.browse().union(*mains.values())._lock()
        works, by_call = {}, {}
        for call, main in mains.items():
            if main not in by_call:
                by_call[main] = Work(main, callstate.from_json(main.state_json))
            works[call.callid] = by_call[main]
        return works

    # === STORING ===#

    @api.model
    def _store(self, account, works):
        works = [work for work in works if work.changed]
        logins = {
            leg.user for work in works for leg in work.state.legs.values() if leg.person
        }
        users = self.env["oda.pbx.user"]._users_of(account, sorted(logins))
        # Told over the bus they need this one field, not all that a user has.
        self.env["res.users"].union(*users.values()).fetch(["partner_id"])
        before = [work.stored and work.stored.outcome for work in works]
        self._write_calls(works, account, users)
        self.env["oda.dial"]._adopt(works)
        for work in works:
            self._identify(work)
        self._write_legs(works, users)
        self.env["oda.pbx.user"]._presence_of_calls(account, works)
        for work in works:
            self._talk(work)
            self._offer_recordings(work)
            self._tell(work, users)
        concluded = self.browse().union(
            *(
                work.call
                for work, outcome in zip(works, before, strict=True)
                if work.state.outcome and work.state.outcome != outcome
            )
        )
        if concluded:
            concluded._concluded()

    def _concluded(self):
        """These calls' outcome is final, or has just changed; rooms extend it.

        Called once a batch, in its transaction, when sessions and legs are written.
        """

    @api.model
    def _write_calls(self, works, account, users=None):
        """Create the rows of new calls at once; write what changed of the others."""
        fresh = [work for work in works if not work.call]
        created = self.create(
            [
                dict(
                    self._call_vals(work.state, users),
                    account_id=account.id,
                    company_id=account.company_id.id,
                    callid=work.state.callid,
                )
                for work in fresh
            ]
        )
        for work in works:
            if work.call:
                vals = self._call_vals(work.state, users)
                work.call.write(dict(vals, version=work.call.version + 1))
        for work, call in zip(fresh, created, strict=True):
            work.call = call

    def _call_vals(self, state, users=None):
        """Return the columns that spell a call's state out."""
        user = (users or {}).get(state.answered_by)
        due = callstate.due_at(state)
        vals = {
            "direction": state.direction or False,
            "phone": state.phone or False,
            "e164": numbers.parse(state.phone).e164 or False,
            "did": state.did or False,
            "group_name": state.group_name or False,
            "state": state.state,
            "outcome": state.outcome or False,
            "outcome_source": state.outcome_source or False,
            "started_at": _naive(state.started_at),
            "answered_at": _naive(state.answered_at),
            "ended_at": _naive(state.ended_at),
            "duration": self._talk_seconds(state),
            "wait": state.wait or 0,
            "rating": state.rating or 0,
            "decide_at": _naive(due),
            "state_json": callstate.to_json(state),
        }
        if user:
            vals["user_id"] = user.id
        return vals

    @staticmethod
    def _talk_seconds(state):
        if state.duration is not None:
            return state.duration
        if state.started_at and state.ended_at:
            return max(0, int((state.ended_at - state.started_at).total_seconds()))
        return 0

    def _identify(self, work):
        """Find who calls; a stranger who calls us gets a card and a consultation.

        We never open cards for people we dial. Several people on one number:
        nobody is guessed, the person who answers chooses.
        """
        call = work.call
        if call.partner_id or call.lead_id or not call.e164:
            return
        Partner = self.env["res.partner"]
        if call.direction != "in":
            found = Partner.browse(self.env["oda.phone"]._lookup(call.e164))
            created = False
        else:
            found, created = Partner._oda_find_or_create_by_phone(call.e164)
        if len(found) != 1:
            return
        lead = self.env["crm.lead"]._oda_find_open(found)
        if created:
            lead = call._open_consultation(found)
        call.write({"partner_id": found.id, "lead_id": lead.id})

    @api.model
    def _write_legs(self, works, users):
        """Write what changed of the legs; create the new ones of all calls at once."""
        new = []
        for work in works:
            new += self._changed_legs(work, users)
        self.env["oda.call.leg"].create(new)

    def _changed_legs(self, work, users):
        """Write the known legs of a call; return the values of its new ones."""
        call = work.call
        known = {leg.login: leg for leg in call.leg_ids}
        new = []
        for leg in work.state.legs.values():
            if not leg.person:
                continue
            rings = leg.state == "ringing" and leg.user in work.state.popped_users
            vals = {
                # Somebody else picked up: its own CANCELLED may still be on its way.
                "state": "lost" if leg.state == "ringing" and not rings else leg.state,
                "ring_at": _naive(leg.ring_at),
                "answer_at": _naive(leg.answer_at),
                "end_at": _naive(leg.end_at),
            }
            row = known.get(leg.user)
            user = users.get(leg.user)
            if row is None:
                new.append(
                    dict(
                        vals,
                        call_id=call.id,
                        login=leg.user,
                        user_id=user.id if user else False,
                    )
                )
                continue
            if user and not row.user_id:
                vals["user_id"] = user.id  # mapped since it first rang
            if row.closed and leg.state == "ringing" and row.state != "ringing":
                vals["closed"] = False  # closed was the card of the first ring
            if any(row[name] != vals[name] for name in vals if name != "user_id") or (
                "user_id" in vals
            ):
                row.write(vals)
        return new

    def _talk(self, work):
        """Open a session for each talker, close those whose talk is over."""
        work.call.leg_ids._open_sessions()
        work.call.leg_ids._close_sessions()

    def _offer_recordings(self, work):
        for effect in work.effects:
            if isinstance(effect, callstate.RecordingOffered):
                self.env["oda.recording"]._offer(work.call, effect.url)

    def _tell(self, work, users):
        """Send the browsers concerned what their card has to show now."""
        logins = dict.fromkeys(
            effect.user
            for effect in work.effects
            if isinstance(
                effect,
                (callstate.LegRinging, callstate.LegStopped, callstate.CallAnswered),
            )
        )
        told = [users[login] for login in logins if users.get(login)]
        work.call._bus_tell(self.env["res.users"].union(*told))

    def _bus_tell(self, users):
        """Tell users which state their own card of this call is in. At commit."""
        for user in users:
            user._bus_send(
                "oda_telephony.call",
                {
                    "id": self.id,
                    "version": self.version,
                    "state": self._state_for(user),
                },
            )

    # === SILENCE DECIDES ===#

    @api.model
    def _cron_decide(self, limit=500):
        """Conclude calls whose last word is long ago (no history came).

        Each in a transaction of its own: one that cannot be concluded is put
        off and must not hold up the others.
        """
        user = self.env["oda.connector.account"]._jobs_user()
        due = self.search(
            [
                ("decide_at", "<=", fields.Datetime.now()),
                ("merged_into_id", "=", False),
            ],
            order="decide_at",
            limit=limit,
        )
        for call_id in due.ids:
            self._decide_one(user.id, call_id)

    @api.model
    def _decide_one(self, uid, call_id):
        def decide(env):
            env["oda.call"].browse(call_id)._decide()

        def put_off(env):
            later = fields.Datetime.now() + timedelta(hours=1)
            env["oda.call"].browse(call_id).decide_at = later

        try:
            in_own_transaction(self.env.registry, uid, decide)
        except Exception as error:  # noqa: BLE001
            _logger.error("call %s cannot be concluded: %s", call_id, error)
            in_own_transaction(self.env.registry, uid, put_off)

    def _decide(self, now=None):
        """Conclude this call if its silence has lasted long enough."""
        self.ensure_one()
        self._lock()
        if self.merged_into_id:
            # A part of another call meanwhile, which decides for both.
            self.decide_at = False
            return
        work = Work(self, callstate.from_json(self.state_json))
        work.state, work.effects = callstate.decide(
            work.state, now or fields.Datetime.now()
        )
        if work.changed:
            account = self.account_id
            self.with_company(account.company_id)._store(account, [work])
        else:
            # Too early after all: look again when it says so.
            self.decide_at = _naive(callstate.due_at(work.state))
