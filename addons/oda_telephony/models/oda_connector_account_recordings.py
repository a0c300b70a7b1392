# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.oda_base import phone as numbers

MAX_MB = 2000  # what an attachment can hold
MONTHS = 120


class OdaConnectorAccount(models.Model):
    """What holds for the recordings of an exchange."""

    _inherit = "oda.connector.account"

    recording_months = fields.Integer(
        string="Keep recordings, months", help="0: as long as the company says."
    )
    recording_max_mb = fields.Integer(
        string="Largest recording, MB",
        default=25,
        help="25 MB are about two hours. What is larger is not copied.",
    )
    recording_announced = fields.Selection(
        [("none", "No"), ("in", "To callers"), ("all", "To both sides")],
        string="The recording is announced",
        default="none",
        required=True,
        help="Whether the exchange says, before people talk, that they are recorded.",
    )
    recording_silent_lines = fields.Char(
        string="Lines without announcement",
        help="Dialled numbers, separated by commas, whose callers are not told.",
    )
    recording_announced_only = fields.Boolean(
        string="Copy only what was announced",
        help="Recordings of calls without the announcement stay at the exchange.",
    )

    @api.constrains("recording_months", "recording_max_mb")
    def _check_recording_limits(self):
        for account in self:
            if not 0 <= account.recording_months <= MONTHS:
                raise ValidationError(
                    self.env._("Recordings are kept 1 to %s months.", MONTHS)
                )
            if not 1 <= account.recording_max_mb <= MAX_MB:
                raise ValidationError(
                    self.env._("A recording may have 1 to %s MB.", MAX_MB)
                )

    @api.constrains("recording_silent_lines")
    def _check_recording_silent_lines(self):
        for account in self:
            for line in account._silent_lines():
                if not re.fullmatch(r"\+?[0-9 ()-]{3,25}", line):
                    raise ValidationError(
                        self.env._("This is not a number that is dialled: %s", line)
                    )

    def _silent_lines(self):
        lines = (one.strip() for one in (self.recording_silent_lines or "").split(","))
        return [one for one in lines if one]

    def _recording_max_bytes(self):
        self.ensure_one()
        return (self.recording_max_mb or 25) * 1024 * 1024

    def _announces_recording(self, call):
        """True when whoever was outside was told that the call is recorded."""
        self.ensure_one()
        if self.recording_announced == "none" or call.direction == "internal":
            return False
        if call.direction == "out":
            return self.recording_announced == "all"
        dialled = _same(call.did)
        return not dialled or dialled not in map(_same, self._silent_lines())


def _same(number):
    """A form in which the same number is the same text."""
    parsed = numbers.parse(number or "")
    return parsed.e164 or parsed.digits or ""
