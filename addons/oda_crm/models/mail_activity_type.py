# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models

from .. import duetime


class MailActivityType(models.Model):
    """What a kind of task asks for when it is closed, and its working-day delays."""

    _inherit = "mail.activity.type"

    oda_result_required = fields.Boolean(
        string="Result needed",
        default=True,
        help="A task of this type on a consultation closes only with a written result.",
    )
    oda_least_words = fields.Integer(
        string="Least words",
        default=2,
        help="How many words a result has at least.",
    )

    _oda_least_words_positive = models.Constraint(
        "CHECK (oda_least_words >= 1)", "A result has at least one word."
    )

    def write(self, vals):
        done = super().write(vals)
        if "name" in vals:
            # rules ask for tasks by this name
            self.env.registry.clear_cache()
        return done

    def unlink(self):
        """Switch off the stage rules that ask for a task of a type that goes."""
        # sudo: who may remove a type may not know of the flows
        rules = self.env["oda.stage.rule"].sudo()
        rules.search([("activity_type_id", "in", self.ids)])._switch_off()
        return super().unlink()

    def _get_date_deadline(self):
        """Days of delay are working days; weeks and months end on one."""
        day = super()._get_date_deadline()
        calendar = self.env["oda.worktime"]._working_calendar()
        if self.delay_unit == "days":
            base = fields.Date.subtract(day, days=self.delay_count)
            return duetime.shift_days(calendar, base, self.delay_count)
        return duetime.shift_days(calendar, day, 0)
