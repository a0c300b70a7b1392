# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .people import is_system, whole

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

    oda_is_open = fields.Boolean(string="Open", compute="_compute_oda_is_open")
    oda_next_step_missing = fields.Boolean(
        string="Without a next step",
        readonly=True,
        copy=False,
        help="This consultation is open and has no open task.",
    )
    oda_next_step = fields.Json(
        string="Next step", compute="_compute_oda_next_step", exportable=False
    )

    # "IS TRUE", as the ORM writes it: PostgreSQL takes a plain flag for another thing
    _oda_next_step_missing_idx = models.Index(
        "(user_id) WHERE oda_next_step_missing IS TRUE"
    )

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
        leads = super().create([_without_tasks(vals) for vals in vals_list])
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
            (after - opened).filtered("user_id").partner_id._oda_refresh_adviser()
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

    # === THE DIALOG ===#

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
        domain = self._oda_orphans_domain(whole(also_ids))
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

    @api.model
    def _oda_orphans_domain(self, also_ids=()):
        """What this user is asked about: their own, and nobody's in their flows."""
        uid = self.env.uid
        nobodys = Domain("user_id", "=", False) | Domain("user_id.active", "=", False)
        asked = Domain("user_id", "=", uid) | (
            nobodys & Domain("team_id.user_id", "=", uid)
        )
        if also_ids:
            asked |= Domain("id", "in", also_ids)
        return Domain("oda_next_step_missing", "=", True) & asked

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


def _without_tasks(vals):
    return {name: value for name, value in vals.items() if name != "activity_ids"}


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
