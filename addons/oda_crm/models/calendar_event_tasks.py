# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class CalendarEvent(models.Model):
    """A deleted meeting leaves its task; a moved one moves its time along."""

    _inherit = "calendar.event"

    def unlink(self):
        # sudo: SQL would cascade to the tasks, whoever may see them
        tasks = self.env["mail.activity"].sudo().with_context(active_test=False)
        tasks.search(
            [("calendar_event_id", "in", self.ids), ("res_model", "=", "crm.lead")]
        ).calendar_event_id = False
        return super().unlink()

    def _sync_activities(self, fields):
        super()._sync_activities(fields)
        if "start" not in fields or self.env.context.get(
            "mail_activity_meeting_update"
        ):
            return
        for event in self:
            if event.activity_ids and not event.allday:
                event.activity_ids.with_context(
                    calendar_event_meeting_update=True
                ).oda_due_at = event.start
