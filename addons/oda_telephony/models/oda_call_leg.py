# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaCallLeg(models.Model):
    """One person's phone within a call: when it rang and what became of it."""

    _name = "oda.call.leg"
    _description = "Call Leg"
    _log_access = False
    _order = "id"
    _rec_name = "login"

    call_id = fields.Many2one("oda.call", required=True, ondelete="cascade")
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

    _login_uniq = models.Constraint("UNIQUE(call_id, login)", "One leg a phone.")
    _live_idx = models.Index("(user_id, id DESC) WHERE closed IS NOT TRUE")
