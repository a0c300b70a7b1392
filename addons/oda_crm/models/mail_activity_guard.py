# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from contextlib import contextmanager

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import results
from ..exceptions import ResultRefused
from .people import is_system, whole

# Which tasks are on their way out with a judged result: {id: outcome}. It lives in
# the transaction, where no call from outside can put anything.
LETTING_OUT = "oda_crm.tasks_letting_out"
SET_BY_SYSTEM = {"oda_outcome", "oda_done_at"}
LAST_RESULTS = """
    SELECT DISTINCT ON (res_id, activity_type_id) res_id, activity_type_id, feedback
      FROM mail_activity
     WHERE res_model = 'crm.lead' AND res_id = ANY(%s) AND NOT active
       AND feedback <> '' AND oda_outcome IS DISTINCT FROM 'system'
  ORDER BY res_id, activity_type_id, COALESCE(oda_done_at, write_date) DESC, id DESC
"""


class MailActivity(models.Model):
    """The ways out of a task all meet here: it leaves with a written result.

    People are refused in words; what the system closes gets a note of that, and the
    consultation left without a next step gets a new one.
    """

    _inherit = "mail.activity"

    feedback = fields.Text(index="trigram")
    oda_outcome = fields.Selection(
        [
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("system", "Closed by the system"),
        ],
        string="Outcome",
        readonly=True,
        copy=False,
    )
    oda_done_at = fields.Datetime(string="Closed at", readonly=True, copy=False)
    oda_result_required = fields.Boolean(
        string="Result needed", compute="_compute_oda_result_required"
    )
    oda_least_words = fields.Integer(
        string="Least words", compute="_compute_oda_result_required"
    )

    _oda_done_on_lead_idx = models.Index(
        "(res_id, oda_done_at) WHERE res_model = 'crm.lead' AND oda_outcome = 'done'"
    )
    _oda_done_at_idx = models.Index(
        "(oda_done_at) WHERE res_model = 'crm.lead' AND oda_outcome = 'done'"
    )

    @api.depends("res_model", "activity_type_id")
    def _compute_oda_result_required(self):
        for task in self:
            kind = task.activity_type_id
            bound = task.res_model == "crm.lead" and kind.oda_result_required
            task.oda_result_required = bound
            task.oda_least_words = kind.oda_least_words if bound else 0

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._oda_refuse_system_fields(vals)
        tasks = super().create(vals_list)
        leads = tasks.filtered("active")._oda_leads()
        if not is_system(self.env):
            closed = tasks.filtered(lambda task: not task.active)
            closed._oda_judge_own_results()
            tasks._oda_give_responsible()
        flagged = leads.sudo().filtered("oda_next_step_missing")  # sudo: a flag
        flagged._oda_refresh_next_step()
        return tasks

    def write(self, vals):
        self._oda_refuse_system_fields(vals)
        closing = "active" in vals and not vals["active"]
        moving = not vals.keys().isdisjoint({"res_id", "res_model_id", "res_model"})
        if not (closing or moving or vals.keys() & {"active", "feedback", "user_id"}):
            return super().write(vals)
        out = self.env.cr.cache.get(LETTING_OUT, {})
        leads = self._oda_leads()
        if not is_system(self.env):
            (self - self.browse(out))._oda_refuse_write(vals)
        done = True
        if closing:
            done &= self._oda_write_closed(vals, out)
        else:
            done &= super().write(vals)
        if closing or moving:
            (leads | self._oda_leads())._oda_step_removed()
        elif vals.get("active"):
            leads._oda_refresh_next_step()
        elif "user_id" in vals and not vals["user_id"]:
            self._oda_give_responsible()
        return done

    def unlink(self):
        if not is_system(self.env):
            self._oda_refuse_unlink()
        leads = self.filtered("active")._oda_leads()
        done = super().unlink()
        leads.exists()._oda_step_removed()
        return done

    @api.autovacuum
    def _gc_delete_old_overdue_activities(self):
        """Core's vacuum, which leaves the tasks of consultations alone."""
        # sudo: a parameter
        years = (
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("mail.activity.gc.delete_overdue_years", "0")
        )
        if not str(years).isdigit() or not int(years):
            return
        before = fields.Date.subtract(fields.Date.today(), years=int(years))
        self.search(
            [("date_deadline", "<", before), ("res_model", "!=", "crm.lead")],
            limit=10_000,
        ).unlink()

    # === WAYS OUT ===#

    def _action_done(self, feedback=False, attachment_ids=None):
        closed = self.filtered(lambda task: not task.active)._oda_leads()
        if closed and not is_system(self.env):
            raise UserError(
                self.env._("This task is closed already. Reload to see its result.")
            )
        bound = self.filtered("oda_result_required")
        if bound:
            feedback = bound._oda_result(feedback, attachment_ids)
        self._oda_refuse_open_parts()
        with bound._oda_letting_out("done"):
            result = super()._action_done(
                feedback=feedback, attachment_ids=attachment_ids
            )
        if not is_system(self.env):
            self._oda_leads()._oda_real_step()
        return result

    def action_feedback_schedule_next(self, feedback=False, attachment_ids=None):
        leads = self._oda_leads()
        action = super().action_feedback_schedule_next(feedback, attachment_ids)
        return leads._oda_next_step_action() or action

    def action_cancel(self):
        kept = self.filtered("active")._oda_kept()
        if not kept or is_system(self.env):
            return super().action_cancel()
        if self._oda_from_button():
            return self.filtered("active")._oda_result_dialog("cancelled")
        raise UserError(self._oda_words_for_cancelling())

    def oda_cancel(self, reason):
        """Cancel open tasks with a written reason, which is kept as their result.

        Public. Raises UserError when the reason is none, AccessError as a write does.
        """
        self.check_access("write")
        tasks = self.filtered("active")
        bound = tasks.filtered(lambda task: task.res_model == "crm.lead")
        (tasks - bound).unlink()
        if not bound:
            return False
        reason = bound._oda_result(reason)
        bound._oda_refuse_open_parts()
        leads = bound._oda_leads()
        for task in bound:
            # sudo: as core does when it says that a task is done
            task._oda_leads().sudo().message_post(
                body=Markup("<p>%s</p><p>%s</p>")
                % (self.env._("Task cancelled: %s", task.display_name), reason),
                author_id=self.env.user.partner_id.id,
                mail_activity_type_id=task.activity_type_id.id,
                subtype_xmlid="mail.mt_activities",
            )
        with bound._oda_letting_out("cancelled"):
            bound.write({"active": False, "feedback": reason})
        return leads._oda_next_step_action()

    @contextmanager
    def _oda_letting_out(self, outcome):
        """Within it these tasks may be archived: their result has been judged."""
        out = self.env.cr.cache.setdefault(LETTING_OUT, {})
        out.update(dict.fromkeys(self.ids, outcome))
        try:
            yield
        finally:
            for task_id in self.ids:
                out.pop(task_id, None)

    def _oda_write_closed(self, vals, out):
        """Archive with what is known of the outcome; the first closing counts."""
        done = True
        tasks = self.filtered(lambda task: task.active and task._oda_leads())
        system = is_system(self.env)
        default = "system" if system else "done"
        for outcome in {out.get(task.id, default) for task in tasks}:
            some = tasks.filtered(
                lambda task, o=outcome: out.get(task.id, default) == o
            )
            extra = {"oda_outcome": outcome, "oda_done_at": fields.Datetime.now()}
            if outcome == "system" and not vals.get("feedback"):
                mute = some.filtered(lambda task: not task.feedback)
                super(MailActivity, mute).write(
                    {"feedback": self.env._("Closed by the system.")}
                )
            done &= super(MailActivity, some).write({**vals, **extra})
        if rest := self - tasks:
            done &= super(MailActivity, rest).write(vals)
        return done

    # === JUDGING ===#

    def _oda_leads(self):
        """The consultations these tasks are on."""
        tasks = self.sudo()  # sudo: only whose task it is
        return self.env["crm.lead"].browse(
            {task.res_id for task in tasks if task.res_model == "crm.lead"}
        )

    def _oda_kept(self):
        """Tasks that may not simply disappear: of open consultations, with result."""
        bound = self.filtered("oda_result_required")
        # sudo: only whether it is open
        leads = bound._oda_leads().sudo().exists().filtered("oda_is_open")
        return bound.filtered(lambda task: task.res_id in leads._ids)

    def _oda_result(self, feedback, attachment_ids=None):
        """Judge a result for these tasks and return it as it is to be kept.

        A document to upload speaks for itself: its name is the result. What the
        system closes without a word is noted so.
        """
        if feedback and not isinstance(feedback, str):
            raise ResultRefused(self._oda_words(results.EMPTY))
        if not feedback and attachment_ids:
            uploads = self.filtered(lambda t: t.activity_category == "upload_file")
            if uploads == self:
                files = self.env["ir.attachment"].browse(whole(attachment_ids)).exists()
                feedback = ", ".join(files.mapped("name"))
                if feedback:
                    return feedback
        if is_system(self.env):
            return feedback or self.env._("Closed by the system.")
        self._oda_judge(dict.fromkeys(self, feedback))
        return feedback

    def _oda_judge_own_results(self):
        bound = self.filtered("oda_result_required")
        bound._oda_judge({task: task.feedback for task in bound})

    def _oda_judge(self, texts):
        """Refuse in words the first text that is no result: ``{task: text}``."""
        if not texts:
            return
        self.env["mail.activity"].flush_model(
            ["res_model", "res_id", "active", "feedback", "oda_outcome", "oda_done_at"]
        )
        lead_ids = list({task.res_id for task in texts})
        self.env.cr.execute(LAST_RESULTS, [lead_ids])
        last = {(lead, kind): text for lead, kind, text in self.env.cr.fetchall()}
        for task, text in texts.items():
            key = (task.res_id, task.activity_type_id.id)
            fault = results.judge(text, last.get(key), task.oda_least_words)
            if fault:
                raise ResultRefused(task._oda_words(fault))
            last[key] = text  # one text does not close two tasks of a kind

    # === REFUSALS ===#

    def _oda_refuse_system_fields(self, vals):
        names = SET_BY_SYSTEM | {f"default_{name}" for name in SET_BY_SYSTEM}
        if self.env.su or names.isdisjoint(vals.keys() | self.env.context.keys()):
            return
        raise AccessError(self.env._("How a task ended is noted by the system."))

    def _oda_refuse_write(self, vals):
        """What people may not write on tasks of consultations."""
        tasks = self.filtered(lambda task: task.res_model == "crm.lead")
        if not tasks:
            return
        opened = tasks.filtered("active")
        if "active" in vals and not vals["active"]:
            bound = opened.filtered("oda_result_required")
            bound._oda_judge(
                {task: vals.get("feedback", task.feedback) for task in bound}
            )
            opened._oda_refuse_open_parts()
        if "feedback" in vals:
            written = (tasks - opened).filtered(
                lambda task: task.feedback and task.feedback != vals["feedback"]
            )
            if written:
                raise UserError(
                    self.env._("The result of a closed task stays as it was written.")
                )
        if self._oda_leaves_consultations(vals) and opened._oda_kept():
            raise UserError(opened._oda_words_for_cancelling())

    def _oda_leaves_consultations(self, vals):
        """True when a write takes tasks to another model or to nowhere.

        From one consultation to another they may go: merging does that.
        """
        model_id = self.env["ir.model"]._get_id("crm.lead")
        if vals.get("res_model_id", model_id) != model_id:
            return True
        if "res_id" not in vals:
            return False
        # sudo: only whether it is there
        return not self.env["crm.lead"].sudo().browse(vals["res_id"] or ()).exists()

    def _oda_refuse_unlink(self):
        if kept := self.filtered("active")._oda_kept():
            raise UserError(kept._oda_words_for_cancelling())
        written = self.filtered(
            lambda task: (
                not task.active and task.feedback and task.res_model == "crm.lead"
            )
        )
        if written:
            raise UserError(self.env._("Results of closed tasks are kept."))

    def _oda_refuse_open_parts(self):
        """A task closes after its parts, or together with them."""
        if is_system(self.env):
            return
        parts = self.sudo().oda_child_ids.filtered("active") - self  # sudo: to count
        if parts:
            raise UserError(
                self.env._(
                    "“%(task)s” has open subtasks; close them first: %(parts)s",
                    task=parts[0].oda_parent_id.display_name,
                    parts=", ".join(parts[:5].mapped("display_name")),
                )
            )

    def _oda_give_responsible(self):
        """A task of an open consultation has somebody who does it, if at all."""
        nobodys = self.filtered(
            lambda task: (
                task.active and not task.user_id and task.res_model == "crm.lead"
            )
        )
        for task in nobodys:
            # sudo: only whose consultation it is
            owner = task._oda_leads().sudo()._oda_step_owner()
            if not owner and not is_system(self.env):
                owner = self.env.user
            if owner:
                task.with_context(mail_activity_quick_update=True).user_id = owner
