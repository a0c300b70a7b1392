# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict
from datetime import UTC, time
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import duetime

DUE_KEYS = ("oda_due_at", "date_deadline", "user_id")


class MailActivity(models.Model):
    """A task: due at a time, not only on a day, and split into subtasks.

    ``oda_due_at`` is the truth; ``date_deadline`` is its day where the responsible
    person lives. Whoever writes only the day keeps the time, or, where there was
    none, means the end of the working day.
    """

    _inherit = "mail.activity"

    oda_due_at = fields.Datetime(
        string="Due at", copy=False, help="When the task is due, with the time."
    )
    oda_parent_id = fields.Many2one(
        "mail.activity",
        string="Part of",
        index="btree_not_null",
        ondelete="set null",
        domain="[('res_model', '=', res_model), ('res_id', '=', res_id),"
        " ('id', '!=', id)]",
        help="The task this one is a part of; that one closes after all its parts.",
    )
    oda_child_ids = fields.One2many("mail.activity", "oda_parent_id", string="Subtasks")

    _oda_open_on_lead_idx = models.Index(
        "(res_id) WHERE active AND res_model = 'crm.lead'"
    )
    # "IS TRUE", as the ORM writes it: PostgreSQL takes a plain flag for another thing
    _oda_my_day_idx = models.Index("(user_id, oda_due_at) WHERE active IS TRUE")
    _oda_due_idx = models.Index(
        "(oda_due_at) WHERE active IS TRUE AND res_model = 'crm.lead'"
    )

    @api.constrains("oda_parent_id", "res_model_id", "res_id")
    def _check_oda_parent(self):
        if self._has_cycle("oda_parent_id"):
            raise ValidationError(
                self.env._("A task cannot be a part of itself: choose another one.")
            )
        for task in self.filtered("oda_parent_id"):
            above = task.oda_parent_id.sudo()  # sudo: only whose record it is
            if (above.res_model, above.res_id) != (task.res_model, task.res_id):
                raise ValidationError(
                    self.env._("A subtask belongs to the record of its task.")
                )

    @api.onchange("oda_due_at")
    def _onchange_oda_due_at(self):
        if self.oda_due_at:
            self.date_deadline = self._oda_local_day(self.oda_due_at, self.user_id)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        parents = {vals.get("oda_parent_id") for vals in vals_list}
        if parents - {None, False}:
            vals_list = self._oda_with_record_of_parent(vals_list)
        return super().create([self._oda_with_due(vals) for vals in vals_list])

    @api.model
    def _oda_with_due(self, vals):
        """Values of a new task with its day and its time made one."""
        context = self.env.context

        def given(name):
            return vals.get(name, context.get(f"default_{name}"))

        user = self.env["res.users"].browse(given("user_id") or ())
        if due := given("oda_due_at"):
            day = self._oda_local_day(fields.Datetime.to_datetime(due), user)
            return {**vals, "date_deadline": day}
        day = fields.Date.to_date(given("date_deadline"))
        day = day or fields.Date.context_today(self)
        return {**vals, "oda_due_at": self._oda_due_from_day(day, user)}

    def write(self, vals):
        if vals.keys().isdisjoint(DUE_KEYS):
            return super().write(vals)
        done = True
        for due, tasks in self._oda_due_groups(vals).items():
            done &= super(MailActivity, tasks).write({**vals, **dict(due)})
        return done

    def _oda_due_groups(self, vals):
        """Group the tasks by what ``vals`` make of their day and time.

        :return: ``{((name, value), ...): tasks}``
        """
        groups = defaultdict(self.browse)
        for task in self:
            user = task.user_id
            if "user_id" in vals:
                user = user.browse(vals["user_id"])
            extra = {}
            if vals.get("oda_due_at"):
                due = fields.Datetime.to_datetime(vals["oda_due_at"])
                extra["date_deadline"] = self._oda_local_day(due, user)
            elif vals.get("date_deadline"):
                day = fields.Date.to_date(vals["date_deadline"])
                extra["oda_due_at"] = task._oda_due_from_day(day, user)
            elif "oda_due_at" in vals:  # emptied: the end of its day then
                extra["oda_due_at"] = self.browse()._oda_due_from_day(
                    task.date_deadline, user
                )
            elif task.oda_due_at:
                day = self._oda_local_day(task.oda_due_at, user)
                if day != task.date_deadline:
                    extra["date_deadline"] = day
            groups[tuple(extra.items())] += task
        return groups

    def _oda_with_record_of_parent(self, vals_list):
        """A subtask that names no record is on the record of its task."""
        filled = []
        for vals in vals_list:
            above = self.browse(vals.get("oda_parent_id") or ())
            if above and not vals.get("res_id"):
                vals = {
                    **vals,
                    "res_id": above.res_id,
                    "res_model_id": above.sudo().res_model_id.id,  # sudo: a name
                }
            filled.append(vals)
        return filled

    # === TIME ===#

    @api.model
    def _oda_zone(self, user):
        """The zone of a responsible person, or else that of the house."""
        # sudo: where a colleague lives is no secret between colleagues
        name = user.sudo().tz or self.env.company.sudo().resource_calendar_id.tz
        return ZoneInfo(name or "Europe/Chisinau")

    @api.model
    def _oda_local_day(self, moment, user):
        """The day of a naive UTC moment where ``user`` lives."""
        return moment.replace(tzinfo=UTC).astimezone(self._oda_zone(user)).date()

    def _oda_due_from_day(self, day, user=None):
        """When a task due on ``day`` is due; a naive UTC datetime."""
        zone = self._oda_zone(self.user_id if user is None else user)
        if self.oda_due_at:
            due = duetime.on_day(self.oda_due_at.replace(tzinfo=UTC), day, zone)
        else:
            calendar = self.env["oda.worktime"]._working_calendar()
            due = duetime.end_of_day(calendar, day, zone)
        return due.replace(tzinfo=None)

    @api.model
    def _oda_due_in(self, minutes):
        """The moment after ``minutes`` of working time from now, never an error."""
        now = fields.Datetime.now()
        try:
            return self.env["oda.worktime"]._add_working_minutes(now, minutes)
        except UserError:  # no opening hours at all: the clock's hours then
            return fields.Datetime.add(now, minutes=minutes)

    @api.model
    def _oda_due_choices(self):
        """The quick answers to "when": ``{key: naive UTC datetime}``, soonest first.

        Keys are ``hour`` (one working hour), ``today`` (15:00, while it is ahead on
        a working day) and ``morning`` (of the next working day).
        """
        worktime = self.env["oda.worktime"]
        now = fields.Datetime.now()
        zone = self._oda_zone(self.env.user)
        day = self._oda_local_day(now, self.env.user)
        choices = {"hour": self._oda_due_in(60)}
        at_three = duetime.at_local(day, time(15), zone).replace(tzinfo=None)
        if at_three > now and worktime._working_calendar().periods(day):
            choices["today"] = at_three
        try:
            choices["morning"] = worktime._next_working_morning(now)
        except UserError:
            choices["morning"] = fields.Datetime.add(now, days=1)
        return choices
