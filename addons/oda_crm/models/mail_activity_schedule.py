# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


# pylint: disable-next=no-wizard-in-models  # it extends core's, beside the tasks
class MailActivitySchedule(models.TransientModel):
    """The dialog that plans a task asks for the time, too."""

    _inherit = "mail.activity.schedule"

    oda_due_at = fields.Datetime(
        string="Due at",
        compute="_compute_oda_due_at",
        store=True,
        readonly=False,
    )

    @api.depends("date_deadline")
    def _compute_oda_due_at(self):
        tasks = self.env["mail.activity"]
        for scheduler in self:
            day = scheduler.date_deadline
            due = scheduler.oda_due_at
            if day and (not due or tasks._oda_local_day(due, self.env.user) != day):
                scheduler.oda_due_at = tasks._oda_due_from_day(day, self.env.user)
            else:
                scheduler.oda_due_at = due

    @api.onchange("oda_due_at")
    def _onchange_oda_due_at(self):
        if self.oda_due_at:
            self.date_deadline = self.env["mail.activity"]._oda_local_day(
                self.oda_due_at, self.env.user
            )

    def _action_schedule_activities(self):
        tasks = super()._action_schedule_activities()
        if tasks and self.oda_due_at:
            tasks.oda_due_at = self.oda_due_at
        return tasks

    def action_schedule_activities_done(self):
        """What was done is written down: the dialog for the result opens."""
        return self._action_schedule_activities().action_done()
