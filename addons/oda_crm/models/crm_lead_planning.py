# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import clean_context

from .people import whole


class CrmLead(models.Model):
    """Who does the next step of a consultation, and how it is planned."""

    _inherit = "crm.lead"

    def _oda_step_owner(self):
        """Who does the next step: the responsible, or else the flow's leader."""
        return self._oda_step_owners()[:1]

    def _oda_step_owners(self):
        """The responsible and the flow's leader, as far as they are here."""
        return (self.user_id | self.team_id.user_id).filtered("active")

    def _oda_plan_by_system(self, summary=None):
        """Give each of these consultations a task for its responsible, quietly.

        Due in working time (``oda_crm.first_step_minutes``, 60 by default); without
        letters, followers or notifications: calls open consultations at high rate.
        """
        if not self:
            return self.env["mail.activity"]
        # sudo: the house plans these, whoever opened the case; then a parameter
        # pylint: disable-next=context-overridden  # the caller's defaults are not ours
        self = self.sudo().with_context(
            dict(
                clean_context(self.env.context),
                mail_activity_quick_update=True,
                oda_no_new_followers=True,
            )
        )
        minutes = self.env["ir.config_parameter"].get_param(
            "oda_crm.first_step_minutes", "60"
        )
        minutes = int(minutes) if minutes.isdigit() else 60
        kind = self.env.ref("oda_crm.activity_type_next_step")
        model_id = self.env["ir.model"]._get_id("crm.lead")
        vals_list = []
        for company, leads in self.grouped("company_id").items():
            tasks = self.env["mail.activity"].with_company(company)
            due_at = tasks._oda_due_in(minutes)
            for lead in leads:
                owner = lead._oda_step_owner()
                lang = owner.lang or self.env.lang
                vals_list.append(
                    {
                        "res_model_id": model_id,
                        "res_id": lead.id,
                        "activity_type_id": kind.id,
                        "summary": summary or kind.with_context(lang=lang).summary,
                        "user_id": owner.id,
                        "oda_due_at": due_at,
                        "automated": True,
                    }
                )
        return self.env["mail.activity"].create(vals_list)

    def _oda_first_step_follows(self, owners):
        """Automatic tasks go on to whom the consultation is given now.

        :param dict owners: ``{lead: who might have had its tasks before}``
        """
        given = self.filtered(lambda lead: lead.user_id != owners[lead][:1])
        if not given:
            return
        # sudo: the house planned them, the house moves them
        found = (
            self.env["mail.activity"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "crm.lead"),
                    ("res_id", "in", given.ids),
                    ("automated", "=", True),
                ]
            )
        )
        moving = defaultdict(found.browse)
        for task in found:
            lead = self.browse(task.res_id).sudo()  # sudo: names of colleagues
            owner = lead._oda_step_owner()
            before = owners[self.browse(lead.id)]
            if owner and owner != task.user_id and task.user_id <= before:
                moving[owner] += task
        for owner, tasks in moving.items():
            tasks.with_context(mail_activity_quick_update=True).user_id = owner

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        if self.env.context.get("oda_no_new_followers"):
            return True
        return super().message_subscribe(partner_ids, subtype_ids)

    def oda_plan_next_step(self, type_id, summary="", due_at=None, user_id=None):
        """Plan a task on this consultation; public, for people and the web client.

        :param int type_id: a task type usable on consultations
        :param due_at: UTC datetime (or string), or a key of the quick choices:
            ``hour``, ``today``, ``morning``; by default one working hour from now
        :param int user_id: who does it; by default the responsible, or the caller
        :return int: id of the task. UserError in words when something is wrong
        """
        self.ensure_one()
        self.check_access("write")
        kind = self.env["mail.activity.type"].browse(whole([type_id])).exists()
        if not kind or not kind.active or kind.res_model not in (False, "crm.lead"):
            raise UserError(self.env._("Choose what kind of task comes next."))
        # sudo: only whether this colleague still works here
        user = self.env["res.users"].sudo().browse(whole([user_id])).exists()
        # sudo: who leads the flow, which need not be readable
        user = user or self.sudo()._oda_step_owner() or self.env.user
        if not user.active or user.share:
            raise UserError(self.env._("Choose a colleague who works here now."))
        said = summary if isinstance(summary, str) else ""
        task = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": self.id,
                "activity_type_id": kind.id,
                "summary": said.strip() or kind.summary or kind.name,
                "user_id": user.id,
                "oda_due_at": self._oda_due_at(due_at),
            }
        )
        return task.id

    @api.model
    def _oda_due_at(self, due_at):
        """A due moment as it came from outside -> naive UTC; UserError in words."""
        choices = self.env["mail.activity"]._oda_due_choices()
        try:
            if not due_at or due_at in choices:
                return choices[due_at or "hour"]
            moment = fields.Datetime.to_datetime(due_at)
        except (TypeError, ValueError):
            moment = None
        if not moment:
            raise UserError(self.env._("Write the date and the time of the task."))
        if moment < fields.Datetime.now():
            raise UserError(self.env._("This time has passed: choose a later one."))
        return moment.replace(tzinfo=None)
