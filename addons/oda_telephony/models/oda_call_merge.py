# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from .. import callstate
from .oda_call_processing import Work


class OdaCall(models.Model):
    """A transfer makes two ids of the exchange one call: everything moves along."""

    _inherit = "oda.call"

    @api.model
    def _merge(self, account, works, work, other_callid):
        """Make another call id a part of this call, known already or not."""
        if other_callid not in works:
            # It may lead to a call that this batch is about to change.
            here = {one.call: one for one in works.values() if one.call}
            for callid, found in self._load(account, {other_callid}).items():
                works[callid] = here.get(found.call, found)
        other = works.get(other_callid) or Work(self.browse(), None)
        if other is work:
            return
        if other.state is not None:
            work.state, _merged, effects = callstate.absorb(work.state, other.state)
            # What the other was about to do falls to this one: it is not told again.
            work.effects += other.effects + effects
        self._write_calls([work], account)
        if not other.call:
            # Its pushes may still come: leave a sign that leads them here.
            other.call = self.create(
                {
                    "account_id": account.id,
                    "company_id": account.company_id.id,
                    "callid": other_callid,
                }
            )
        self._move_along(other.call, work.call)
        for callid, one in list(works.items()):
            if one is other:
                works[callid] = work
        works[other_callid] = work

    @api.model
    def _move_along(self, old, main):
        """Hand over what hangs on `old`; its cards go, those of `main` come."""
        old._lock()
        main._lock()
        self.search([("merged_into_id", "=", old.id)]).merged_into_id = main
        watchers = old.leg_ids.user_id
        if old.partner_id and not main.partner_id:
            main.partner_id = old.partner_id
        # Two ids may be about two people: each one's case is their own.
        if old.lead_id and not main.lead_id and old.partner_id == main.partner_id:
            main.lead_id = old.lead_id
        known = {leg.login: leg for leg in main.leg_ids}
        for leg in old.leg_ids:
            twin = known.get(leg.login)
            if twin is None:
                leg.call_id = main
            else:
                self._join_legs(twin, leg)
        have = set(main.recording_ids.mapped("url"))
        old.recording_ids.filtered(lambda one: one.url not in have).call_id = main
        vals = {"merged_into_id": main.id, "decide_at": False}
        if old.partner_id == main.partner_id:
            # One call more on the cards of person and consultation it is not.
            vals.update(partner_id=False, lead_id=False)
        old.write(vals)
        for user in watchers:
            user._bus_send(
                "oda_telephony.call",
                {"id": old.id, "version": old.version + 1, "state": "gone"},
            )
        main._bus_tell(watchers)

    @api.model
    def _join_legs(self, twin, leg):
        """One person, two legs of what is one call: keep both texts, one session.

        What the person may go on with on either card, they may on the one left.
        """
        text = leg.session_id.content or leg.note or ""
        mine = twin.session_id.content or twin.note or ""
        if text and text not in mine:
            mine = f"{mine}\n{text}".strip()
        # sudo: which leg a session belongs to is the system's to say
        session = leg.session_id.sudo()
        vals = {"named": twin.named or leg.named}
        if not leg.closed and leg.state in ("ringing", "talking", "done"):
            vals["closed"] = False
        leg.write({"session_id": False, "note": False, "closed": True})
        if session and not twin.session_id:
            session.res_id = twin.id
            vals.update(session_id=session.id, note=False)
        elif session:
            session.unlink()  # its text lives on in the other one
        twin.write(vals)
        if mine:
            twin._keep_note(mine)
