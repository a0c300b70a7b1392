# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaConsultationSessionText(models.Model):
    """A text that stood in a session before somebody else, or later, changed it."""

    _name = "oda.consultation.session.text"
    _description = "Earlier Text of a Session"
    _log_access = False
    _order = "id desc"
    _rec_name = "at"

    session_id = fields.Many2one(
        "oda.consultation.session",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="session_id.company_id")
    user_id = fields.Many2one(
        "res.users", string="Written by", readonly=True, ondelete="restrict", index=True
    )
    at = fields.Datetime(string="Written", readonly=True)
    text = fields.Text(readonly=True)
    changed_by_id = fields.Many2one(
        "res.users", string="Changed by", readonly=True, ondelete="restrict", index=True
    )
    changed_at = fields.Datetime(
        string="Changed", readonly=True, default=fields.Datetime.now
    )

    @api.model
    def _keep(self, sessions):
        """Keep the present texts of sessions that are about to change."""
        # sudo: nobody writes history by hand
        self.sudo().create(
            [
                {
                    "session_id": session.id,
                    "user_id": session.content_user_id.id,
                    "at": session.content_at,
                    "text": session.content,
                    "changed_by_id": self.env.uid,
                }
                for session in sessions
                if session.content
            ]
        )
