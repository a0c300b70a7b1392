# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class ResourceCalendar(models.Model):
    """Which of the schedules is the one that time limits are counted by."""

    _inherit = "resource.calendar"

    oda_counts = fields.Boolean(
        string="Counts for the centre", compute="_compute_oda_counts"
    )

    @api.depends_context("company")
    def _compute_oda_counts(self):
        for calendar in self:
            calendar.oda_counts = calendar == self.env.company.resource_calendar_id

    def action_oda_use(self):
        """Count the centre's time limits by this schedule from now on."""
        self.ensure_one()
        self.env.company.resource_calendar_id = self
