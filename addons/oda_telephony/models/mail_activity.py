# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models
from odoo.exceptions import UserError

from odoo.addons.oda_crm import results
from odoo.addons.oda_crm.models.people import is_system

# Results of tasks on their way out: {id: text}. Core archives before it writes them.
# In the transaction, where no call from outside can put anything.
RESULTS = "oda_telephony.results_of_returns"


class MailActivity(models.Model):
    """The task of a call to return, and the row it stands for, go together.

    On consultations the ways out of a task are guarded already; on a beneficiary's
    card, or on nothing at all, such a task is guarded here.
    """

    _inherit = "mail.activity"

    def _oda_callbacks(self):
        """Return the open rows these tasks stand for; no query for other tasks."""
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        kind = ref("oda_telephony.activity_type_callback", raise_if_not_found=False)
        # sudo: the row follows its task, whoever may see it
        rows = self.env["oda.callback"].sudo()
        # sudo: the kind of a task says nothing of its contents
        mine = self.sudo().filtered(lambda task: task.activity_type_id.id == kind)
        if not mine:
            return rows
        return rows.search([("activity_id", "in", mine.ids), ("state", "=", "open")])

    def write(self, vals):
        closing = "active" in vals and not vals["active"]
        if not closing and "user_id" not in vals:
            return super().write(vals)
        rows = self._oda_callbacks()
        if closing and rows and not is_system(self.env):
            rows.activity_id._oda_judge_return(vals)
        texts = {row: row.activity_id._oda_return_text(vals) for row in rows}
        done = super().write(vals)
        if "user_id" in vals:
            for row in rows.filtered(
                lambda one: one.user_id != one.activity_id.user_id
            ):
                row._give_to(row.activity_id.user_id)
        if closing:
            self._oda_end_callbacks(texts)
        return done

    def _action_done(self, feedback=False, attachment_ids=None):
        if not is_system(self.env) and (rows := self._oda_callbacks()):
            rows.activity_id._oda_judge_return({"feedback": _text(feedback)})
        said = self.env.cr.cache.setdefault(RESULTS, {})
        said.update(dict.fromkeys(self.ids, feedback or ""))
        try:
            return super()._action_done(
                feedback=feedback, attachment_ids=attachment_ids
            )
        finally:
            for task_id in self.ids:
                said.pop(task_id, None)

    def oda_cancel(self, reason):
        """Cancelling the task of a call to return drops the call, with the reason."""
        self.check_access("write")
        rows = self._oda_callbacks()
        loose = rows.filtered(lambda row: row.activity_id.res_model != "crm.lead")
        if loose and not is_system(self.env):
            loose.with_env(self.env).oda_drop(reason)
        gone = loose.activity_id
        return super(MailActivity, (self - gone).with_env(self.env)).oda_cancel(reason)

    def unlink(self):
        rows = self._oda_callbacks()
        if rows and not is_system(self.env):
            # pylint: disable-next=no-raise-unlink  # as for tasks of consultations
            raise UserError(
                self.env._(
                    "“%s” is a call to return: call, or drop it with a reason.",
                    rows[0].activity_id.display_name,
                )
            )
        return super().unlink()

    def _oda_return_text(self, vals):
        """Return what is, or is about to be, the result of this task."""
        said = self.env.cr.cache.get(RESULTS, {})
        return vals.get("feedback") or said.get(self.id) or self.feedback or ""

    def _oda_judge_return(self, vals):
        """Refuse to close such a task outside of consultations without a result."""
        for task in self.filtered(lambda one: one.res_model != "crm.lead"):
            if fault := results.judge(task._oda_return_text(vals), None, 2):
                raise UserError(task._oda_words(fault))

    def _oda_end_callbacks(self, texts):
        """A person closed tasks: what they wrote is the result of the row.

        :param dict texts: row -> result
        """
        for row, text in texts.items():
            task = row.activity_id
            if row.state != "open" or task.active:
                continue
            if is_system(self.env) or task.oda_outcome == "system":
                continue  # the call is still owed: the sweep plans another task
            state = "dropped" if task.oda_outcome == "cancelled" else "done"
            # sudo: of the row only; the journal names who did it
            row.with_user(self.env.user).sudo()._end_by_hand(state, text)


def _text(value):
    return value if isinstance(value, str) else ""
