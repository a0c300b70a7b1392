# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaRecordingArchivePart(models.Model):
    """One file of an archive: a whole ZIP that opens without the others."""

    _name = "oda.recording.archive.part"
    _description = "Part of an Archive"
    _log_access = False
    _order = "archive_id, number"
    _rec_name = "name"

    archive_id = fields.Many2one(
        "oda.recording.archive", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="archive_id.company_id")
    number = fields.Integer(required=True, readonly=True)
    name = fields.Char(string="File", readonly=True)
    state = fields.Selection(
        [("todo", "Waits"), ("done", "Ready"), ("removed", "Removed")],
        required=True,
        readonly=True,
        default="todo",
    )
    attempts = fields.Integer(readonly=True)
    count = fields.Integer(string="Recordings", readonly=True)
    size = fields.Float(string="Bytes", digits=(20, 0), readonly=True)
    sha256 = fields.Char(string="SHA-256", readonly=True)
    url = fields.Char(string="Download", compute="_compute_url")

    _number_uniq = models.Constraint("UNIQUE(archive_id, number)", "One row a part.")

    @api.depends("state")
    @api.depends_context("uid")
    def _compute_url(self):
        for part in self:
            part.url = (
                f"/oda/recording/archive/{part.archive_id.id}/{part.number}"
                if part.state == "done" and part.archive_id._may_take()
                else False
            )
