# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from .people import is_system

# What decides whether a consultation is open.
OPENNESS = {"active", "type", "stage_id", "probability", "won_status"}
# Writes that are no work on the consultation: they close it, reopen it, set its next
# step, or are nobody's business but the screen's.
NOT_BUSINESS = {
    "active",
    "activity_ids",
    "automated_probability",
    "color",
    "date_closed",
    "date_last_stage_update",
    "lost_reason_id",
    "message_follower_ids",
    "message_main_attachment_id",
    "probability",
}
SET_BY_SYSTEM = {"oda_next_step_missing", "oda_stale_level"}
# The row is written even when nothing changes: of two people who close the two last
# tasks at once the second must start again on a snapshot that shows the first.
REFRESH = """
    UPDATE crm_lead l SET oda_next_step_missing = v.missing
      FROM (SELECT c.id, c.oda_next_step_missing AS was,
                   c.active AND c.type = 'opportunity' AND c.won_status = 'pending'
                   AND NOT EXISTS (SELECT FROM mail_activity a
                                    WHERE a.res_model = 'crm.lead'
                                      AND a.res_id = c.id AND a.active) AS missing
              FROM crm_lead c WHERE c.id = ANY(%s)) v
     WHERE v.id = l.id AND (%s OR v.was IS DISTINCT FROM v.missing)
 RETURNING l.id, v.missing, v.was IS DISTINCT FROM v.missing
"""
ORPHANS_AT_ONCE = 20  # consultations one dialog asks about


class CrmLead(models.Model):
    """An open consultation always has a next step: at least one open task."""

    _inherit = "crm.lead"

    oda_is_open = fields.Boolean(compute="_compute_oda_is_open")
    oda_next_step_missing = fields.Boolean(
        string="Without a next step",
        readonly=True,
        copy=False,
        help="This consultation is open and has no open task.",
    )
    oda_next_step = fields.Json(compute="_compute_oda_next_step", exportable=False)

    _oda_next_step_missing_idx = models.Index("(user_id) WHERE oda_next_step_missing")

    @api.depends("active", "type", "won_status")
    def _compute_oda_is_open(self):
        for lead in self:
            lead.oda_is_open = (
                lead.active
                and lead.type == "opportunity"
                and lead.won_status == "pending"
            )

    @api.depends("activity_ids", "oda_next_step_missing", "won_status")
    def _compute_oda_next_step(self):
        """The next step as the card and the kanban show it; one query for all.

        ``{missing}`` or ``{id, name, icon, due_at, user, user_id, count}``; moments
        are UTC strings. False when the consultation is closed.
        """
        domain = [("res_model", "=", "crm.lead"), ("res_id", "in", self.ids)]
        tasks = defaultdict(list)
        # sudo: who sees the consultation sees what is next, whoever does it
        found = self.env["mail.activity"].sudo().search(domain)
        for task in found.sorted(lambda task: (task.oda_due_at or _end(task), task.id)):
            tasks[task.res_id].append(task)
        for lead in self:
            if own := tasks.get(lead._origin.id):
                lead.oda_next_step = {**_as_json(own[0]), "count": len(own)}
            else:
                lead.oda_next_step = lead.oda_is_open and {"missing": True}

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._oda_refuse_set_by_system(vals)
        # Core makes tasks before the followers, and both subscribe the same people.
        given = [vals.get("activity_ids") for vals in vals_list]
        bare = [
            {k: v for k, v in vals.items() if k != "activity_ids"} for vals in vals_list
        ]
        leads = super().create(bare)
        for lead, commands in zip(leads, given, strict=True):
            if commands:
                lead.activity_ids = commands
        opened = leads.filtered("oda_is_open")
        planned = opened._oda_enter_stage()
        with_tasks = opened.browse(
            lead.id for lead, tasks in zip(leads, given, strict=True) if tasks
        )
        missing = (opened & with_tasks)._oda_refresh_next_step()
        missing |= opened - planned - with_tasks
        missing._oda_plan_by_system()
        return leads

    def write(self, vals):
        self._oda_refuse_set_by_system(vals)
        deciding = not vals.keys().isdisjoint(OPENNESS)
        opened = self.filtered("oda_is_open") if deciding else self.browse()
        unqualified = self.filtered(lambda one: one.type == "lead" and "type" in vals)
        stuck = self._oda_stuck(vals)
        stages = {lead: lead.stage_id for lead in self} if "stage_id" in vals else {}
        owners = {}
        if "user_id" in vals:
            # sudo: names of colleagues
            owners = {lead: lead.sudo()._oda_step_owners() for lead in self}
        done = super().write(vals)
        if deciding:
            after = self.filtered("oda_is_open")
            changed = (opened | after) - (opened & after)
            missing = changed._oda_refresh_next_step() if changed else changed
            asked = missing - unqualified
            (missing & unqualified)._oda_plan_by_system()
            if is_system(self.env):
                asked._oda_plan_by_system()
            else:
                asked._oda_tell_missing()
        moved = self.browse(
            lead.id for lead, stage in stages.items() if lead.stage_id != stage
        )
        if moved:
            moved._oda_real_step()
            moved.filtered("oda_is_open")._oda_enter_stage()
        if stuck:
            stuck._oda_refuse_stuck()
        if owners:
            self._oda_first_step_follows(owners)
        return done

    def action_restore(self):
        """Reopening asks for the next step."""
        result = super().action_restore()
        return self._oda_next_step_action() or result

    # === THE FLAG ===#

    def _oda_refresh_next_step(self, touch=False):
        """Bring the flag of these consultations up to date in one statement.

        :param bool touch: write the rows in any case, so that two transactions that
            take tasks away from one consultation meet
        :return: those that have no next step now
        """
        if not self.ids:
            return self.browse()
        self.env["mail.activity"].flush_model(["res_model", "res_id", "active"])
        self.flush_model(["active", "type", "won_status", "oda_next_step_missing"])
        self.env.cr.execute(REFRESH, [self.ids, touch])
        rows = self.env.cr.fetchall()
        changed = self.browse(row[0] for row in rows if row[2])
        changed.invalidate_recordset(["oda_next_step_missing"], flush=False)
        missing = {row[0] for row in rows if row[1]}
        if not touch:  # rows that did not change were not returned
            missing |= set((self - changed).filtered("oda_next_step_missing")._ids)
        self.invalidate_recordset(["oda_next_step"], flush=False)
        return self.filtered(lambda lead: lead.id in missing)

    def _oda_step_removed(self):
        """A task has left these consultations: flag, repair or ask."""
        # sudo: the flag is kept whoever closed the task
        missing = self.sudo()._oda_refresh_next_step(touch=True)
        if not missing:
            return
        if is_system(self.env):
            missing._oda_plan_by_system(
                self.env._("The last task was closed by the system: plan the next step")
            )
        else:
            missing.with_env(self.env)._oda_tell_missing()

    def _oda_tell_missing(self):
        """The browsers of whom it concerns ask for the next step."""
        if not self:
            return
        for user in self.env.user | self.sudo().user_id:  # sudo: colleagues' names
            user._bus_send("oda_crm.next_step", {"lead_ids": self.ids})

    # === THE BAN ===#

    def _oda_stuck(self, vals):
        """Those of these consultations on which people may not work now."""
        if is_system(self.env) or not vals.keys() - NOT_BUSINESS:
            return self.browse()
        return self.filtered("oda_next_step_missing")

    def _oda_refuse_stuck(self):
        """Refuse work on consultations that are still open without a next step."""
        # another transaction may have set the next step meanwhile: ask the tasks
        left = self.sudo()._oda_refresh_next_step()  # sudo: a flag
        if not left:
            return
        raise UserError(
            self.env._(
                "“%(lead)s” has no next step. Plan one first: what is to be done, by "
                "whom and when. Or close the consultation.",
                lead=left[0].display_name,
            )
        )

    def _oda_refuse_set_by_system(self, vals):
        names = SET_BY_SYSTEM | {f"default_{name}" for name in SET_BY_SYSTEM}
        if self.env.su or names.isdisjoint(vals.keys() | self.env.context.keys()):
            return
        raise AccessError(
            self.env._("Whether a consultation has a next step is noted by the system.")
        )

    # === PLANNING ===#

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
        kind = self.env["mail.activity.type"].browse(_ids([type_id])).exists()
        if not kind or not kind.active or kind.res_model not in (False, "crm.lead"):
            raise UserError(self.env._("Choose what kind of task comes next."))
        # sudo: only whether this colleague still works here
        user = self.env["res.users"].sudo().browse(_ids([user_id])).exists()
        user = user or self.sudo()._oda_step_owner() or self.env.user
        if not user.active or user.share:
            raise UserError(self.env._("Choose a colleague who works here now."))
        task = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "res_id": self.id,
                "activity_type_id": kind.id,
                "summary": (summary or "").strip() or kind.summary or kind.name,
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

    @api.model
    def oda_my_orphans(self, also_ids=()):
        """What the "plan the next step" dialog asks about; public.

        One's own open consultations without a next step (or, as the leader of their
        flow, those of nobody), and those of ``also_ids`` one may work on.

        :return dict: ``leads`` [{id, name, partner, user, user_id}], ``total``,
            ``types`` [{id, name, icon}], ``choices`` [{key, at}] (UTC strings)
        """
        nothing = {"leads": [], "total": 0, "types": [], "choices": []}
        if is_system(self.env) or not self.has_access("write"):
            return nothing
        uid = self.env.uid
        nobodys = Domain("user_id", "=", False) | Domain("user_id.active", "=", False)
        mine = Domain("user_id", "=", uid) | (
            nobodys & Domain("team_id.user_id", "=", uid)
        )
        if also_ids:
            mine |= Domain("id", "in", _ids(also_ids))
        domain = Domain("oda_next_step_missing", "=", True) & mine
        leads = self.search(domain, limit=ORPHANS_AT_ONCE, order="id")
        # sudo: a flag
        leads = leads.sudo()._oda_refresh_next_step().with_env(self.env)
        leads = leads._filtered_access("write")
        if not leads:
            return nothing
        kinds = self.env["mail.activity.type"].search(
            [("res_model", "in", (False, "crm.lead"))]
        )
        kinds -= self.env.ref("oda_crm.activity_type_next_step")
        choices = self.env["mail.activity"]._oda_due_choices()
        return {
            "leads": [
                {
                    "id": lead.id,
                    "name": lead.display_name,
                    "partner": lead.partner_id.display_name or lead.contact_name or "",
                    "user": lead.user_id.name or "",
                    "user_id": lead.user_id.id,
                }
                for lead in leads
            ],
            "total": len(leads)
            if len(leads) < ORPHANS_AT_ONCE
            else self.search_count(domain),
            "types": [{"id": k.id, "name": k.name, "icon": k.icon} for k in kinds],
            "choices": [
                {"key": key, "at": fields.Datetime.to_string(at)}
                for key, at in choices.items()
            ],
        }

    def _oda_next_step_action(self):
        """The dialog "plan the next step" for those of these that need one."""
        # sudo: a flag
        left = self.exists().sudo().filtered("oda_next_step_missing")
        if not left:
            return False
        return {
            "type": "ir.actions.client",
            "tag": "oda_crm.next_step",
            "params": {"lead_ids": left.ids},
        }

    def action_oda_plan_next_step(self):
        """The button on the card: the dialog, also when there is a next step."""
        return self._oda_next_step_action() or {
            "type": "ir.actions.act_window",
            "name": self.env._("Plan a task"),
            "res_model": "mail.activity.schedule",
            "views": [(False, "form")],
            "target": "new",
            "context": {"active_model": "crm.lead", "active_ids": self.ids},
        }


def _ids(values):
    """The whole numbers among what somebody sent: ids, at most."""
    return [one for one in values if type(one) is int]


def _end(task):
    return fields.Datetime.to_datetime(task.date_deadline).replace(hour=23)


def _as_json(task):
    return {
        "id": task.id,
        "name": task.summary or task.activity_type_id.name or "",
        "icon": task.icon or "fa-tasks",
        "due_at": fields.Datetime.to_string(task.oda_due_at) if task.oda_due_at else "",
        "due_on": fields.Date.to_string(task.date_deadline),
        "user": task.user_id.name or "",
        "user_id": task.user_id.id,
    }
