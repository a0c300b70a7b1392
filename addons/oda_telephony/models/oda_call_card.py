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


class OdaCall(models.Model):
    """What the browser asks and says about a call, under the person's rights."""

    _inherit = "oda.call"

    # === STATE OF MY CARD ===#

    def _state_for(self, user):
        """Return 'ringing', 'talking', 'result' or 'gone' for one person."""
        self.ensure_one()
        # sudo: one's own leg, whatever else one may read
        legs = self.sudo().leg_ids.filtered(lambda leg: leg.user_id == user)
        leg = legs.sorted("id")[-1:]
        now = fields.Datetime.now()
        if not leg or leg.closed or now - (self.started_at or now) > CARD_AGE:
            return "gone"
        if leg.state == "talking" and self.state == "talking":
            return "talking"
        if leg.state == "ringing" and self.state in ("ringing", "talking"):
            fresh = now - (leg.ring_at or now) < RING_AGE
            return "ringing" if fresh else "gone"
        return "result" if leg.state == "done" else "gone"

    @api.model
    def get_live_calls(self):
        """Return the cards this person should see now, oldest first."""
        # sudo: only one's own legs are searched
        legs = (
            self.env["oda.call.leg"]
            .sudo()
            .search(
                [("user_id", "=", self.env.uid), ("closed", "=", False)],
                order="id desc",
                limit=20,
            )
        )
        cards = [self.browse(call.id).get_card() for call in legs.call_id.sorted("id")]
        return [card for card in cards if card]

    def get_card(self):
        """Return the card of this call for this person, or False when it is gone.

        Shape: see `static/src/calls_service/call.js`; times are naive UTC text.
        """
        self.ensure_one()
        if not self.exists():
            return False
        # sudo: having a leg in the call is the right to its card
        call = self.sudo()
        call = call.merged_into_id or call
        state = call._state_for(self.env.user)
        if state == "gone":
            return False
        partner = call.partner_id
        sessions = self.env["oda.consultation.session"].sudo()  # sudo: as above
        earlier = sessions
        if partner:
            earlier = sessions.search(
                [
                    ("partner_id", "=", partner.id),
                    ("id", "!=", call.session_id.id or 0),
                    ("content", "!=", False),
                ],
                limit=EARLIER,
            )
        leads = self.env["crm.lead"].sudo()  # sudo: as above
        lead = call.lead_id or (partner and leads._oda_find_open(partner))
        return {
            "id": self.id,
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
            "routed": call._card_routed(earlier[:1], lead, self.env.user),
            "session": {
                "id": call.session_id.id,
                "content": call.content or "",
            }
            if call.session_id or call.note
            else False,
            "recording": call._card_recording(self.env.user),
        }

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
                [("partner_id", "=", partner.id)], limit=1
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

    def _card_routed(self, last, lead, user):
        """Say in words why it rings here."""
        if last and last.user_id == user:
            return self.env._("sent to you: the last talk was with you")
        if lead and lead.user_id == user:
            return self.env._("sent to you: you own the open consultation")
        return self.group_name or ""

    def _card_recording(self, user):
        recording = self.recording_ids[:1]
        if not recording:
            return False
        audible = recording.with_user(user).has_access("read")
        return {
            "id": recording.id,
            "state": recording.state,
            "url": f"/oda/recording/{recording.id}" if audible else "",
            "duration": recording.duration,
        }

    # === WHAT THE PERSON SAYS ===#

    def _my_call(self):
        """Return the call with our own rights, if the person has a leg in it."""
        self.ensure_one()
        # sudo: a leg of one's own is the right to write its card
        call = self.sudo()
        call = call.merged_into_id or call
        mine = call.leg_ids.filtered(lambda leg: leg.user_id == self.env.user)
        if not mine:
            raise UserError(self.env._("This call is not one of yours."))
        return call

    def save_draft(self, values):
        """Keep what is typed during the talk; return the card.

        :param dict values: any of `note`, `name`, `company`, `partner_id`
        """
        call = self._my_call()
        if values.get("partner_id"):
            call._choose_partner(int(values["partner_id"]), self.env.user)
        if values.get("name") or values.get("company"):
            call._name_stranger(values)
        if "note" in values:
            call._keep_note(values["note"], self.env.user)
        return self.get_card()

    def _choose_partner(self, partner_id, user):
        candidates = {row["id"] for row in self._card_candidates()}
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
        if self.state == "talking" or self.outcome == "answered":
            self._begin_session(user)

    def _name_stranger(self, values):
        if not self.partner_id:
            raise UserError(self.env._("Choose first who is calling."))
        vals = {}
        if name := (values.get("name") or "").strip()[:120]:
            vals["name"] = name
        if company := (values.get("company") or "").strip()[:120]:
            vals["company_name"] = company
        if vals:
            self.partner_id.write(vals)

    def _keep_note(self, note, user):
        note = (note or "")[:NOTE_MAX]
        if not self.partner_id:
            # Hidden number, or nobody chosen yet: kept on the call till then.
            self.note = note
            return
        if not self.session_id:
            self._begin_session(user)
        if (self.session_id.content or "") != note:
            self.session_id.content = note

    def finish(self, values):
        """Write the result of a call that is over and close the card."""
        call = self._my_call()
        note = (values.get("note") or "").strip()
        if not note:
            raise UserError(self.env._("Write in a few words what was said."))
        call._keep_note(note, self.env.user)
        self._close_my_card(call)
        return True

    def dismiss(self):
        """Close the card without a result."""
        self._close_my_card(self._my_call())
        return True

    def _close_my_card(self, call):
        call.leg_ids.filtered(lambda leg: leg.user_id == self.env.user).closed = True
        self.env.user._bus_send(
            "oda_telephony.call",
            {"id": self.id, "version": call.version + 1, "state": "gone"},
        )

    def action_open_card(self):
        """Return the action that opens the consultation, else the beneficiary."""
        self.ensure_one()
        # sudo: where to go; opening it obeys the person's rights
        call = self.sudo()
        call = call.merged_into_id or call
        record = call.lead_id or call.partner_id
        if not record:
            record = call
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
            "target": "current",
        }
