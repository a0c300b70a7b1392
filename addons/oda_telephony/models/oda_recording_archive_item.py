# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaRecordingArchiveItem(models.Model):
    """A recording in an archive: in which part, and what became of it there."""

    _name = "oda.recording.archive.item"
    _description = "Recording in an Archive"
    _log_access = False
    _order = "archive_id, position"
    _rec_name = "recording_id"

    archive_id = fields.Many2one(
        "oda.recording.archive", required=True, readonly=True, ondelete="cascade"
    )
    recording_id = fields.Many2one(
        "oda.recording", required=True, readonly=True, index=True, ondelete="restrict"
    )
    part = fields.Integer(required=True, readonly=True)
    position = fields.Integer(required=True, readonly=True)
    state = fields.Selection(
        [
            ("todo", "Waits"),
            ("done", "In it"),
            ("differs", "In it, but not as it was fetched"),
            ("damaged", "Damaged: not in it"),
            ("missing", "Missing: not in it"),
        ],
        required=True,
        readonly=True,
        default="todo",
    )

    _place_uniq = models.Constraint(
        "UNIQUE(archive_id, part, position)", "One row a recording."
    )
