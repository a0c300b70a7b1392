# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oda_base import phone as numbers

#: an unfinished card is not shown any more after so long
CARD_AGE = timedelta(hours=12)
RING_AGE = timedelta(minutes=10)
EARLIER = 3  # talks shown on the card
NOTE_MAX = 20_000  # characters
NAME_MAX = 120
_FOLLOWED = ("lang", "tz", "uid")


class OdaCall(models.Model):
    """What the browser asks and says about a call, under the person's rights."""

    _inherit = "oda.call"

    # === STATE OF MY CARD ===#

    def _state_for(self, user):
        """Return 'ringing', 'talking', 'result' or 'gone' for one person."""
        self.ensure_one()
        leg = self._leg_of(user)
        now = fields.Datetime.now()
        if not leg or leg.closed or now - (self.started_at or now) > CARD_AGE:
            return "gone"
        if leg.state == "talking" and self.state == "talking":
            return "talking"
        if leg.state == "ringing" and self.state in ("ringing", "talking"):
            fresh = now - (leg.ring_at or now) < RING_AGE
            return "ringing" if fresh else "gone"
        return "result" if leg.state == "done" else "gone"

    def _leg_of(self, user):
        """Return the person's leg; the one that says most when there are two."""
        # sudo: one's own leg, whatever else one may read
        legs = self.sudo().leg_ids.filtered(lambda leg: leg.user_id == user)
        order = ("lost", "no_answer", "done", "ringing", "talking")
        return legs.sorted(lambda leg: (order.index(leg.state), leg.id))[-1:]

    def _for_card(self):
        """Return the call as its card shows it: whole, in its own company.

        Not to be reached without a leg of one's own: see the callers.
        """
        self.ensure_one()
        # sudo: having a leg in the call is the right to its card
        call = self.sudo().exists()
        if not call:
            return call
        call = call._main()
        # Whoever asks may send any context: of it only the language is followed,
        # since companies are not checked under these rights.
        context = {
            key: value for key, value in self.env.context.items() if key in _FOLLOWED
        }
        context["allowed_company_ids"] = call.company_id.ids
        # pylint: disable-next=context-overridden  # on purpose: nothing else of it
        return call.with_context(context)

    def _my_leg(self):
        """Return the person's open leg of this call, or refuse in words."""
        call = self._for_card()
        leg = call._leg_of(self.env.user) if call else self.env["oda.call.leg"]
        if not leg or leg.closed or leg.state in ("lost", "no_answer"):
            raise UserError(self.env._("This call is not one of yours."))
        return leg

    @api.model
    def get_live_calls(self):
        """Return the cards this person should see now, oldest first."""
        # sudo: only one's own legs are searched
        legs = (
            self.env["oda.call.leg"]
            .sudo()
            .search(
                [
                    ("user_id", "=", self.env.uid),
                    ("closed", "=", False),
                    ("state", "in", ("ringing", "talking", "done")),
                ],
                order="id desc",
                limit=20,
            )
        )
        ids = {leg.call_id._main().id for leg in legs}
        cards = [self.browse(call_id).get_card() for call_id in sorted(ids)]
        return [card for card in cards if card]

    def get_card(self):
        """Return the card of this call for this person, or False when it is gone.

        Shape: see `static/src/calls_service/call.js`; times are naive UTC text.
        """
        call = self._for_card()
        user = self.env.user
        state = call._state_for(user) if call else "gone"
        if state == "gone":
            return False
        leg = call._leg_of(user)
        earlier = call._earlier_talks()
        lead = call._card_case()
        own = leg.session_id
        return {
            "id": call.id,
            "version": call.version,
            "state": state,
            "direction": call.direction or "in",
            "phone": call._card_phone(),
            "started_at": fields.Datetime.to_string(call.started_at),
            "answered_at": fields.Datetime.to_string(call.answered_at),
            "ended_at": fields.Datetime.to_string(call.ended_at),
            "server_now": fields.Datetime.to_string(fields.Datetime.now()),
            "partner": call._card_partner(),
            "candidates": call._card_candidates(),
            "last": call._card_talk(earlier[:1]) if earlier else False,
            "earlier": [call._card_talk(one) for one in earlier],
            "lead": call._card_lead(lead) if lead else False,
            "routed": call._card_routed(earlier[:1], lead, leg),
            "session": {"id": own.id, "content": own.content or leg.note or ""}
            if own or leg.note
            else False,
            "recording": call._card_recording(user),
        }

    def _card_case(self):
        """Return the consultation that the card shows and opens; may be empty."""
        lead = self.lead_id
        if not lead and self.partner_id:
            lead = self.env["crm.lead"].sudo()  # sudo: as the card
            lead = lead.with_company(self.company_id)._oda_find_open(self.partner_id)
        return lead

    def _earlier_talks(self):
        """Return the beneficiary's latest talks before this call, with a content."""
        # sudo: as the card
        sessions = self.env["oda.consultation.session"].sudo()
        if not self.partner_id:
            return sessions
        return sessions.search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("company_id", "=", self.company_id.id),
                ("id", "not in", self.leg_ids.session_id.ids),
                ("content", "!=", False),
            ],
            limit=EARLIER,
        )

    def _card_phone(self):
        return {
            "raw": self.phone or "",
            "display": self.phone_display or "",
            "locality": numbers.locality(self.e164) or "",
        }

    def _card_partner(self):
        partner = self.partner_id
        if not partner:
            return False
        return {
            "id": partner.id,
            "name": "" if partner.oda_is_new else partner.name,
            "company": partner.parent_id.name or partner.company_name or "",
            "is_new": partner.oda_is_new,
        }

    def _card_candidates(self):
        """Return who else may be behind the number, with the reason to choose."""
        if self.partner_id or not self.e164:
            return []
        partners = self.env["res.partner"].browse(
            self.env["oda.phone"]._lookup(self.e164)
        )
        rows = []
        for partner in partners:
            last = self.env["oda.consultation.session"].search(
                [
                    ("partner_id", "=", partner.id),
                    ("company_id", "=", self.company_id.id),
                ],
                limit=1,
            )
            reason = partner.parent_id.name or partner.company_name or ""
            if last:
                when = fields.Datetime.context_timestamp(last, last.started_at)
                reason = self.env._("last talk %s", f"{when:%d.%m.%Y}")
            rows.append({"id": partner.id, "name": partner.name, "reason": reason})
        return rows

    def _card_talk(self, session):
        channels = dict(session._fields["channel"]._description_selection(self.env))
        return {
            "id": session.id,
            "who": session.user_id.name or "",
            "when": fields.Datetime.to_string(session.started_at),
            "channel": channels.get(session.channel, ""),
            "text": (session.content or "")[:300],
        }

    def _card_lead(self, lead):
        activity = lead.activity_ids.sorted("date_deadline")[:1]
        return {
            "id": lead.id,
            "name": lead.name,
            "stage": lead.stage_id.name or "",
            "next_task": {
                "summary": activity.summary or activity.activity_type_id.name or "",
                "due": fields.Date.to_string(activity.date_deadline),
            }
            if activity
            else False,
        }

    def _card_routed(self, last, lead, leg):
        """Say in words why it rings here; nobody sent us a call that we make."""
        if self.direction == "out":
            return ""
        user = leg.user_id
        if last and last.user_id == user:
            return self.env._("sent to you: the last talk was with you")
        if self.partner_id.oda_is_new or leg.named:
            return self.env._("new client")
        # One opened by this call is theirs because they answered, not before.
        if lead.user_id == user and lead.create_date < self.started_at:
            return self.env._("sent to you: you own the open consultation")
        return self.group_name or ""

    def _card_recording(self, user):
        recording = self.recording_ids[:1]
        if not recording:
            return False
        # The person's own rights, in their own companies: not that of the call.
        mine = recording.with_user(user).with_context(
            allowed_company_ids=list(user._get_company_ids())
        )
        audible = mine._may_hear()
        return {
            "id": recording.id,
            "state": recording.state,
            "url": f"/oda/recording/{recording.id}" if audible else "",
            "duration": recording.duration,
        }

    # === WHAT THE PERSON SAYS ===#

    def save_draft(self, values):
        """Keep what is typed during the talk; return the card.

        :param dict values: any of `note`, `name`, `company` (text) and
            `partner_id` (one of the card's candidates)
        """
        self._check_said(values)
        leg = self._my_leg()
        leg.call_id._lock(touch=True)
        partner_id = values.get("partner_id")
        if partner_id and partner_id != leg.call_id.partner_id.id:
            leg.call_id._choose_partner(partner_id)
        name, company = self._typed(values, "name"), self._typed(values, "company")
        if name or company:
            self._name_stranger(leg, name, company)
        if "note" in values:
            leg._keep_note(self._typed(values, "note", NOTE_MAX))
        return self.get_card()

    def _typed(self, values, name, limit=NAME_MAX):
        """Return a text that came over RPC, whatever came."""
        text = values.get(name) or ""
        if not isinstance(text, str):
            raise UserError(self.env._("This is not a text: %s", name))
        # Half of an emoji, as a script may cut it, no database takes.
        text = text.replace("\0", "").encode("utf-8", "replace").decode()
        return text.strip()[:limit]

    def _check_said(self, values):
        if not isinstance(values, dict):
            raise UserError(self.env._("This is not a text: %s", "values"))

    def _choose_partner(self, partner_id):
        """Settle who is behind a number that several people share."""
        candidates = [row["id"] for row in self._card_candidates()]
        if partner_id not in candidates:
            raise UserError(self.env._("This person does not have this number."))
        partner = self.env["res.partner"].browse(partner_id)
        lead = self.env["crm.lead"]._oda_find_open(partner)
        self.write(
            {
                "partner_id": partner.id,
                "lead_id": lead.id,
                "version": self.version + 1,
            }
        )
        self.leg_ids._open_sessions()
        self.leg_ids._close_sessions()

    def _name_stranger(self, leg, name, company):
        """Write the name of a person nobody knew; known ones are not renamed here."""
        partner = leg.call_id.partner_id
        if not partner:
            raise UserError(self.env._("Choose first who is calling."))
        if not (partner.oda_is_new or leg.named):
            raise UserError(
                self.env._(
                    "This person has a name already: open the card to change it."
                )
            )
        vals = {}
        if name:
            vals["name"] = name
        if company:
            vals["company_name"] = company
        # The name is written while the person types: still new to whoever does.
        leg.named = True
        lead, automatic = leg.call_id.lead_id, leg.call_id._case_name(partner)
        partner.write(vals)
        if lead.name == automatic:
            lead.with_context(tracking_disable=True).name = leg.call_id._case_name(
                partner
            )

    def finish(self, values):
        """Write the result of a call that is over and close the card."""
        self._check_said(values)
        leg = self._my_leg()
        note = self._typed(values, "note", NOTE_MAX)
        if not note:
            raise UserError(self.env._("Write in a few words what was said."))
        leg.call_id._lock(touch=True)
        leg._keep_note(note)
        self._close_card(leg)
        return True

    def dismiss(self):
        """Close the card without a result."""
        leg = self._my_leg()
        leg.call_id._lock(touch=True)
        self._close_card(leg)
        return True

    def _close_card(self, leg):
        call = leg.call_id
        call.leg_ids.filtered(lambda one: one.user_id == leg.user_id).closed = True
        self.env.user._bus_send(
            "oda_telephony.call",
            {"id": call.id, "version": call.version + 1, "state": "gone"},
        )

    def action_open_card(self):
        """Return the action that opens the consultation, else the beneficiary."""
        call = self._for_card()
        if not call or not call._leg_of(self.env.user):
            self.check_access("read")
        record = call._card_case() or call.partner_id or call
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
            "target": "current",
        }
