# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CalendarEvent(models.Model):
    """The centre's words for core's fields: nothing but labels."""

    _inherit = "calendar.event"

    opportunity_id = fields.Many2one(string="Consultation")
