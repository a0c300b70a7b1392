# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaCallLeg(models.Model):
    """One person's phone within a call: when it rang and what became of it.

    Whoever talked has a session of their own, also after a transfer: nobody
    writes over what another consultant heard.
    """

    _name = "oda.call.leg"
    _description = "Call Leg"
    _log_access = False
    _order = "id"
    _rec_name = "login"

    call_id = fields.Many2one("oda.call", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="call_id.company_id")
    login = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    state = fields.Selection(
        [
            ("ringing", "Rings"),
            ("talking", "Talks"),
            ("done", "Talked"),
            ("lost", "Somebody else answered"),
            ("no_answer", "No answer"),
        ],
        readonly=True,
    )
    ring_at = fields.Datetime(readonly=True)
    answer_at = fields.Datetime(readonly=True)
    end_at = fields.Datetime(readonly=True)
    closed = fields.Boolean(
        readonly=True, help="The person has closed the card of this call."
    )
    session_id = fields.Many2one(
        "oda.consultation.session",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    note = fields.Text(
        readonly=True, help="What was typed before there was a session for it."
    )
    named = fields.Boolean(
        readonly=True, help="This person wrote the caller's name on this call."
    )

    _login_uniq = models.Constraint("UNIQUE(call_id, login)", "One leg a phone.")
    _live_idx = models.Index(
        "(user_id, id DESC) WHERE closed IS NOT TRUE "
        "AND state IN ('ringing', 'talking', 'done')"
    )

    def _of_same_person(self):
        """Return the other legs of the call that are phones of the same person."""
        return (self.call_id.leg_ids - self).filtered(
            lambda one: one.user_id and one.user_id == self.user_id
        )

    # === SESSIONS ===#

    def _talked(self):
        """Return the legs whose person speaks or spoke."""
        return self.filtered(lambda leg: leg.state in ("talking", "done"))

    def _open_sessions(self):
        """Give each talker a session, once it is known who calls."""
        for leg in self._talked():
            call = leg.call_id
            if leg.session_id or not call.partner_id:
                continue
            call._take_case(leg.user_id)
            session = self.env["oda.consultation.session"]._open(
                leg,
                call.partner_id,
                call.lead_id,
                "phone",
                user_id=leg.user_id.id,
                direction="out" if call.direction == "out" else "in",
                started_at=leg.answer_at or call.answered_at or call.started_at,
            )
            # Typed on whichever of the person's phones was the first to ring.
            noted = call.leg_ids.filtered("note") & (leg | leg._of_same_person())
            if noted:
                session.content = "\n".join(noted.mapped("note"))
                noted.note = False
            leg.session_id = session

    def _close_sessions(self):
        """End the sessions of phones at rest."""
        for leg in self.filtered(lambda leg: leg.state == "done"):
            if leg.session_id and not leg.session_id.ended_at:
                leg.session_id._close(leg.end_at or leg.call_id.ended_at)

    def _keep_note(self, note):
        """Keep the person's own text: in their session, or here until there is one."""
        self.ensure_one()
        self._open_sessions()
        if not self.session_id:
            self.note = note
        elif (self.session_id.content or "") != note:
            self.session_id.content = note

    @api.model
    def _text(self, legs):
        """Return what all talkers of a call wrote, one after another."""
        texts = [leg.session_id.content or leg.note for leg in legs]
        return "\n".join(text for text in texts if text)
