# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models
from odoo.exceptions import UserError

SHORTEST = 10  # letters of a reason


# pylint: disable-next=no-wizard-in-models  # one model a file, all in one place
class OdaRecordingHold(models.TransientModel):
    """Why recordings are kept longer, and until when."""

    _name = "oda.recording.hold"
    _description = "Hold Recordings"

    recording_ids = fields.Many2many("oda.recording", required=True)
    reason = fields.Char(
        required=True, help="For instance: complaint no. 12, request of the court."
    )
    until = fields.Date(help="Empty: until somebody lets them go.")

    def action_apply(self):
        """Hold them; refused in words when something is missing."""
        self.ensure_one()
        reason = " ".join((self.reason or "").split())
        if len(reason) < SHORTEST:
            raise UserError(
                self.env._("Write the reason in at least %s letters.", SHORTEST)
            )
        if self.until and self.until < fields.Date.context_today(self):
            raise UserError(self.env._("The day until which they are held is over."))
        if not self.recording_ids:
            raise UserError(self.env._("Choose the recordings to hold."))
        self.recording_ids._hold(reason[:1000], self.until)
        return {"type": "ir.actions.act_window_close"}
