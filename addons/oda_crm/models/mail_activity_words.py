# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.http import request

from .. import results
from ..exceptions import ResultRefused
from .people import is_system


class MailActivity(models.Model):
    """What the guard of tasks says, and the dialogs its buttons open."""

    _inherit = "mail.activity"

    def action_done(self):
        """A web button opens the dialog for the result; a call is refused in words."""
        bound = self.filtered(lambda task: task.active and task.oda_result_required)
        if not bound or is_system(self.env):
            return super().action_done()
        if self._oda_from_button():
            return self.filtered("active")._oda_result_dialog("done")
        raise ResultRefused(self._oda_words(results.EMPTY))

    def action_done_redirect_to_other(self):
        bound = self.filtered(lambda task: task.active and task.oda_result_required)
        if bound and self._oda_from_button():
            return self.filtered("active")._oda_result_dialog("done")
        return super().action_done_redirect_to_other()

    def _oda_words(self, fault):
        """What is wrong with a result and what to do, in words."""
        name = self[:1].display_name or ""
        if fault == results.SHORT:
            return self.env._(
                "“%(task)s” needs a result of at least %(count)s words: what was done "
                "or agreed?",
                task=name,
                count=max(self[:1].oda_least_words, 1),
            )
        if fault == results.REPEAT:
            return self.env._(
                "“%(task)s” needs a result of its own: this is the last one again.",
                task=name,
            )
        if fault == results.LONG:
            return self.env._(
                "The result of “%(task)s” is longer than %(count)s characters. Put the "
                "rest in a note or in an attachment.",
                task=name,
                count=results.LONGEST,
            )
        return self.env._(
            "“%(task)s” closes with a written result: what was done or agreed?",
            task=name,
        )

    def _oda_words_for_cancelling(self):
        return self.env._(
            "“%(task)s” is a task of an open consultation: close it with a result, or "
            "cancel it with a reason.",
            task=self[:1].display_name or "",
        )

    @api.model
    def _oda_from_button(self):
        """True when a button of the web client asks, which can open a dialog."""
        path = request.httprequest.path if request else ""
        return path.startswith("/web/dataset/call_button")

    def _oda_result_dialog(self, outcome):
        """The dialog in which a result, or a reason for cancelling, is written."""
        cancelled = outcome == "cancelled"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel the task")
            if cancelled
            else self.env._("Result of the task"),
            "res_model": "oda.task.result",
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_task_ids": self.ids, "default_outcome": outcome},
        }

    def _to_store_defaults(self, target):
        return super()._to_store_defaults(target) + [
            "oda_result_required",
            "oda_least_words",
            "oda_due_at",
        ]
