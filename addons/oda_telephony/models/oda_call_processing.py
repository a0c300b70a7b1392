# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timezone

from odoo import api, fields, models

from odoo.addons.oda_base import phone as numbers

from .. import callstate

_QUIET = {"tracking_disable": True, "mail_create_nosubscribe": True}


class _Work:
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
        self._apply_events(account, [(event, row.received_at) for row, event in events])
        return results

    @api.model
    def _apply_events(self, account, events):
        """Apply `[(CallEvent, received_at)]` in order and store what changed."""
        works = self._load(account, {event.callid for event, _at in events})
        for event, received_at in events:
            work = works.get(event.callid)
            if work is None:
                work = works[event.callid] = _Work(self.browse(), None)
            work.state, effects = callstate.apply(work.state, event, received_at)
            work.effects += effects
            for effect in effects:
                if isinstance(effect, callstate.Merged):
                    self._merge(account, works, work, effect.other_callid)
        self._store(account, list(dict.fromkeys(works.values())))

    @api.model
    def _load(self, account, callids):
        """Return `{callid: _Work}` of known calls; merged ones lead to the main."""
        calls = self.search(
            [("account_id", "=", account.id), ("callid", "in", list(callids))]
        )
        works, by_call = {}, {}
        for call in calls:
            main = call.merged_into_id or call
            if main not in by_call:
                by_call[main] = _Work(main, callstate.from_json(main.state_json))
            works[call.callid] = by_call[main]
        return works

    @api.model
    def _merge(self, account, works, work, other_callid):
        """Make another call id a part of this call, known already or not."""
        if other_callid not in works:
            works.update(self._load(account, {other_callid}))
        other = works.get(other_callid)
        if other is work:
            return
        if other is None:
            # Its pushes may still come: leave a sign that leads them here.
            other = _Work(self.browse(), None)
            other.call = self._placeholder(account, other_callid)
        if other.state is not None:
            work.state, _merged, effects = callstate.absorb(work.state, other.state)
            work.effects += effects
        self._write_call(work, account)
        if not other.call:
            other.call = self._placeholder(account, other_callid)
        other.call.write({"merged_into_id": work.call.id, "decide_at": False})
        for callid, one in list(works.items()):
            if one is other:
                works[callid] = work
        works[other_callid] = work

    def _placeholder(self, account, callid):
        return self.create(
            {
                "account_id": account.id,
                "company_id": account.company_id.id,
                "callid": callid,
            }
        )

    # === STORING ===#

    @api.model
    def _store(self, account, works):
        works = [work for work in works if work.changed]
        logins = {
            leg.user for work in works for leg in work.state.legs.values() if leg.person
        }
        users = self.env["oda.pbx.user"]._users_of(account, sorted(logins))
        for work in works:
            self._write_call(work, account, users)
            self._identify(work)
            self._write_legs(work, users)
            self._talk(work, users)
            self._offer_recordings(work)
            self._tell(work, users)

    def _write_call(self, work, account, users=None):
        """Create or update the row; only columns that changed are written."""
        state = work.state
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
        if not work.call:
            work.call = self.create(
                dict(
                    vals,
                    account_id=account.id,
                    company_id=account.company_id.id,
                    callid=state.callid,
                )
            )
        else:
            work.call.write(dict(vals, version=work.call.version + 1))

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
        if call.partner_id or not call.e164:
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
            lead = self._open_consultation(call, found)
        call.write({"partner_id": found.id, "lead_id": lead.id})

    def _open_consultation(self, call, partner, user=None):
        return self.env["crm.lead"]._oda_find_or_open(
            partner,
            name=self.env._("Call from %s", partner.name),
            user=user,
        )

    def _write_legs(self, work, users):
        call = work.call
        known = {leg.login: leg for leg in call.leg_ids}
        new = []
        for leg in work.state.legs.values():
            if not leg.person:
                continue
            vals = {
                "state": leg.state,
                "ring_at": _naive(leg.ring_at),
                "answer_at": _naive(leg.answer_at),
                "end_at": _naive(leg.end_at),
            }
            row = known.get(leg.user)
            if row is None:
                user = users.get(leg.user)
                new.append(
                    dict(
                        vals,
                        call_id=call.id,
                        login=leg.user,
                        user_id=user.id if user else False,
                    )
                )
            elif any(row[name] != value for name, value in vals.items()):
                row.write(vals)
        if new:
            self.env["oda.call.leg"].create(new)

    def _talk(self, work, users):
        """Open the session when somebody talks, close it when the call is over."""
        call = work.call
        for effect in work.effects:
            if isinstance(effect, callstate.CallAnswered):
                call._begin_session(users.get(effect.user))
        if call.state == "ended" and call.outcome == "answered":
            if not call.session_id:
                call._begin_session(call.user_id)
            call.session_id._close(call.ended_at)

    def _begin_session(self, user):
        """Open the call's session; a known person without a case gets one now."""
        self.ensure_one()
        if not self.partner_id:
            return
        lead = self.lead_id
        if not lead and self.direction == "in":
            lead = self._open_consultation(self, self.partner_id, user)
            self.lead_id = lead
        if lead and user and not lead.user_id:
            lead.with_context(**_QUIET).user_id = user
        if self.session_id:
            if user and not self.session_id.user_id:
                self.session_id.user_id = user
            return
        self.session_id = self.env["oda.consultation.session"]._open(
            self,
            self.partner_id,
            lead,
            "phone",
            user_id=user.id if user else False,
            direction="out" if self.direction == "out" else "in",
            started_at=self.answered_at or self.started_at or fields.Datetime.now(),
        )
        if self.note:
            self.session_id.content = self.note
            self.note = False

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
    def _cron_decide(self, now=None, limit=500):
        """Conclude calls whose last word is long ago (no history came)."""
        now = now or fields.Datetime.now()
        user = self.env["oda.connector.account"]._jobs_user()
        calls = self.with_user(user).search(
            [("decide_at", "<=", now), ("merged_into_id", "=", False)], limit=limit
        )
        for account in calls.account_id:
            works = []
            for call in calls.filtered(lambda one, a=account: one.account_id == a):
                work = _Work(call, callstate.from_json(call.state_json))
                work.state, work.effects = callstate.decide(work.state, now)
                works.append(work)
            calls.with_company(account.company_id)._store(account, works)
            for work in works:
                if not work.changed:
                    # Too early after all: look again when it says so.
                    work.call.decide_at = _naive(callstate.due_at(work.state))
