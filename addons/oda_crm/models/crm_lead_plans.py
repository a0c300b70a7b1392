# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models
from odoo.tools.misc import clean_context


class CrmLead(models.Model):
    """Entering a stage starts its plans."""

    _inherit = "crm.lead"

    def _oda_enter_stage(self):
        """Start the plans of the stages these consultations have just entered.

        A step that is still open from an earlier visit is not planned twice.

        :return: the consultations that got a task
        """
        plans = self.env["oda.stage.plan"]._by_stage()
        todo = [
            (lead, plan_id)
            for lead in self
            for team_id, plan_id in plans.get(lead.stage_id.id, ())
            if not team_id or team_id == lead.team_id.id
        ]
        if not todo:
            return self.browse()
        # sudo: the house plans; people move the card
        tasks = self.env["mail.activity"].sudo()
        known = {
            (task.res_id, task.activity_type_id, task.summary or "")
            for task in tasks.search(
                [
                    ("res_model", "=", "crm.lead"),
                    ("res_id", "in", [lead.id for lead, _plan in todo]),
                ]
            )
        }
        vals_list = []
        for lead, plan_id in todo:
            plan = self.env["mail.activity.plan"].sudo().browse(plan_id)  # sudo: same
            if plan.company_id and plan.company_id != lead.company_id:
                continue
            for step in plan.template_ids if plan.active else ():
                key = (lead.id, step.activity_type_id, step.summary or "")
                if key not in known:
                    known.add(key)
                    vals_list.append(lead.sudo()._oda_plan_step(step))  # sudo: same
        context = dict(clean_context(self.env.context), mail_activity_quick_update=True)
        # pylint: disable-next=context-overridden  # the caller's defaults are not ours
        created = tasks.with_context(context).create(vals_list)
        return self.browse({task.res_id for task in created})

    def _oda_plan_step(self, step):
        """Values of the task that one step of a plan asks for."""
        owner = self._oda_step_owner() or self.env.user
        if step.responsible_type != "on_demand":
            found = step._determine_responsible(owner, self)["responsible"]
            owner = found if found.active else owner
        return {
            "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
            "res_id": self.id,
            "activity_type_id": step.activity_type_id.id,
            "summary": step.summary,
            "note": step.note,
            "user_id": owner.id,
            "date_deadline": step._get_date_deadline(),
            "automated": True,
        }
