# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


# pylint: disable-next=no-wizard-in-models  # it is one screen of a model beside it
class OdaTaskResult(models.TransientModel):
    """The dialog of list and form buttons: what came out, or why it is dropped."""

    _name = "oda.task.result"
    _description = "Result of a Task"

    task_ids = fields.Many2many("mail.activity", string="Tasks", readonly=True)
    outcome = fields.Selection(
        [("done", "Done"), ("cancelled", "Cancelled")], required=True, default="done"
    )
    text = fields.Text(string="Result")

    def action_confirm(self):
        """Close the tasks as the person who asks, with the guard's own words."""
        self.ensure_one()
        # the tasks as they are now: a colleague may have closed one meanwhile
        tasks = self.task_ids.with_context(active_test=False)
        if self.outcome == "cancelled":
            action = tasks.oda_cancel(self.text or "")
        else:
            leads = tasks._oda_leads()
            tasks.action_feedback(feedback=self.text or False)
            action = leads._oda_next_step_action()
        return action or {"type": "ir.actions.act_window_close"}
