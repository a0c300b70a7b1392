# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import NO_ACCESS


class OdaRecording(models.Model):
    """The sound of a call, copied from the exchange before it forgets it.

    Here is the row; how it is fetched, kept, heard, drawn and removed is in files
    of their own beside this one.
    """

    _name = "oda.recording"
    _description = "Call Recording"
    _order = "id desc"

    call_id = fields.Many2one(
        "oda.call", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="call_id.company_id", store=True, index=True)
    account_id = fields.Many2one(related="call_id.account_id", store=True, index=True)
    partner_id = fields.Many2one(related="call_id.partner_id")
    user_id = fields.Many2one(
        related="call_id.user_id", store=True, index="btree_not_null"
    )
    # Stored: what is over age, and what a month's archive holds, is asked by it.
    started_at = fields.Datetime(related="call_id.started_at", store=True)
    # The link opens without a password: as good as the recording itself.
    url = fields.Char(readonly=True, groups="oda_base.group_connector")
    state = fields.Selection(
        [
            ("pending", "Being fetched"),
            ("stored", "Stored"),
            ("failed", "Refused"),
            ("missing", "The exchange no longer has it"),
            ("deleted", "Removed"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    words = fields.Char(string="What became of it", readonly=True)
    attempts = fields.Integer(readonly=True)
    next_try_at = fields.Datetime(readonly=True)
    fetched_at = fields.Datetime(readonly=True)
    # Closed to the ORM: heard through the controller, which journals it.
    audio = fields.Binary(attachment=True, readonly=True, groups=NO_ACCESS)
    # Sealed with the server's key; without one the sound lies in the clear.
    audio_key = fields.Char(readonly=True, groups=NO_ACCESS)
    mimetype = fields.Char(readonly=True)
    size = fields.Integer(string="Bytes", readonly=True)
    sha256 = fields.Char(string="SHA-256", readonly=True)
    duration = fields.Integer(string="Seconds", readonly=True)

    _url_uniq = models.UniqueIndex("(call_id, md5(url))", "One row a recording.")
    _todo_idx = models.Index("(next_try_at) WHERE state = 'pending'")
    _age_idx = models.Index("(account_id, started_at) WHERE state = 'stored'")
    _period_idx = models.Index("(company_id, started_at) WHERE state = 'stored'")

    @api.depends("call_id")
    def _compute_display_name(self):
        for recording in self:
            recording.display_name = recording.call_id.display_name
