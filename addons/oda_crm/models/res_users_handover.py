# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from markupsafe import Markup

from odoo import models
from odoo.tools.misc import clean_context

LISTED = 100  # tasks named in the message; the rest are counted


class ResUsers(models.Model):
    """Who leaves hands over: no task goes with them."""

    _inherit = "res.users"

    def write(self, vals):
        if "active" in vals and not vals["active"]:
            self.filtered("active")._oda_hand_over_tasks()
        return super().write(vals)

    def action_archive(self):
        # before core, which deletes the tasks of whom it archives
        self.filtered("active")._oda_hand_over_tasks()
        return super().action_archive()

    def unlink(self):
        self._oda_hand_over_tasks()
        return super().unlink()

    def _oda_hand_over_tasks(self):
        """Give the open tasks of these users, on all models, to who stays.

        To the leader of the consultation's flow, else of the user's team, else a head,
        else an administrator. A consultation keeps the name of who advised; its card
        says that they left, and its flow's leader is asked instead.
        """
        if not self or not (self.env.su or self.has_access("write")):
            return
        # sudo: tasks of every model, readable to who archives a user or not
        tasks = self.env["mail.activity"].sudo().search([("user_id", "in", self.ids)])
        moving = defaultdict(tasks.browse)
        of_flow = self._oda_flow_leaders(tasks)
        of_team = {user: self._oda_team_leader(user) for user in self}
        fallback = self._oda_last_resort()
        for task in tasks:
            heir = of_flow.get(task.id) or of_team[task.user_id] or fallback
            moving[heir] += task
        context = dict(clean_context(self.env.context), mail_activity_quick_update=True)
        for heir, some in moving.items():
            before = {task.id: task.user_id.name for task in some}
            # pylint: disable-next=context-overridden  # without the caller's defaults
            some.with_context(context).write({"user_id": heir.id})
            self._oda_tell_heir(heir, some, before)
        if tasks:
            self.env["oda.event"]._log("tasks.handed_over", self, count=len(tasks))

    def _oda_flow_leaders(self, tasks):
        """``{task id: leader of its consultation's flow}``, who stays."""
        on_leads = tasks.filtered(lambda task: task.res_model == "crm.lead")
        # sudo: whose flow it is, whoever removes the user
        leads = self.env["crm.lead"].sudo().browse(set(on_leads.mapped("res_id")))
        leaders = {
            lead.id: lead.team_id.user_id
            for lead in leads.exists()
            if self._oda_stays(lead.team_id.user_id)
        }  # sudo above: only who leads the flow
        return {
            task.id: leaders[task.res_id] for task in on_leads if task.res_id in leaders
        }

    def _oda_team_leader(self, user):
        # sudo: who leads whom is no secret
        leader = user.sudo().crm_team_ids.user_id.filtered(self._oda_stays)
        return leader[:1]

    def _oda_last_resort(self):
        """A head, else an administrator, else whoever archives."""
        for xmlid in ("oda_base.group_head", "oda_base.group_admin"):
            group = self.env.ref(xmlid).sudo()  # sudo: names of colleagues
            found = group.all_user_ids.filtered(self._oda_stays).sorted("id")
            # an administrator implies much: prefer who is no machine
            if people := found.filtered(lambda user: user.id != 1):
                return people[:1]
        return self.env.user

    def _oda_stays(self, user):
        return bool(user and user.active and not user.share and user not in self)

    def _oda_tell_heir(self, heir, tasks, before):
        """One message an heir, in their language, with what was handed over."""
        env = tasks.with_context(lang=heir.lang or self.env.lang).env
        lines = Markup().join(
            Markup(
                '<li><a href="/mail/view?model=%s&amp;res_id=%s">%s</a>: %s (%s)</li>'
            )
            % (
                task.res_model or "mail.activity",
                task.res_id or task.id,
                task.res_name or "",
                task.display_name or "",
                before[task.id],
            )
            for task in tasks[:LISTED]
        )
        more = len(tasks) - LISTED
        if more > 0:
            lines += Markup("<li>%s</li>") % env._("and %s more", more)
        env["mail.thread"].message_notify(
            partner_ids=heir.partner_id.ids,
            subject=env._("Tasks handed over to you: %s", len(tasks)),
            body=Markup("<p>%s</p><ul>%s</ul>")
            % (env._("These tasks are yours now:"), lines),
        )
