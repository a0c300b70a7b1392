# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from .. import duetime


class MailActivityPlanTemplate(models.Model):
    """Plans count working days as well."""

    _inherit = "mail.activity.plan.template"

    def _get_date_deadline(self, base_date=False):
        day = super()._get_date_deadline(base_date)
        calendar = self.env["oda.worktime"]._working_calendar()
        if self.delay_unit != "days":
            return duetime.shift_days(calendar, day, 0)
        days = self.delay_count
        if self.delay_from == "before_plan_date":
            days = -days
        base = fields.Date.subtract(day, days=days)
        return duetime.shift_days(calendar, base, days)
