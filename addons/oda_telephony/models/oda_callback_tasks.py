# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.tools.misc import clean_context

from .. import callbacks


class OdaCallback(models.Model):
    """Who is to call back, until when, and the task that asks them to."""

    _inherit = "oda.callback"

    # === TIME ===#

    @api.model
    def _hours(self, company):
        """Return the `WorkCalendar` of a company, None where it has no hours."""
        hours = self.env["oda.worktime"].with_company(company)._working_calendar()
        return hours if hours.opens_at_all else None

    def _due(self, first_at):
        """Return until when a call first missed at `first_at` is to be returned."""
        hours = self._hours(self.company_id)
        company = self.company_id
        minutes = (
            company.oda_callback_minutes
            if callbacks.is_working(hours, first_at)
            else company.oda_callback_night_minutes
        )
        return callbacks.due(hours, first_at, max(minutes, 0))

    # === A DEBT BEGINS ===#

    def _begin(self, missed):
        """Give an open row its person and its task, and settle when they are told."""
        self.ensure_one()
        now = fields.Datetime.now()
        hours = self._hours(self.company_id)
        lead = self._find_case(missed)
        user = self._choose_user(lead)
        told = callbacks.opening(hours, now)
        self.write(
            {
                "lead_id": lead.id,
                "user_id": user.id,
                "assigned_at": now,
                "tell_at": told,
                "notified_at": False,
                "announced": told <= now,
                "next_reminder_at": max(self.due_at, told),
            }
        )
        self._plan_task()
        if told <= now and user:
            # By day at once; at night nobody is woken: the letter comes in the morning.
            user._bus_send("oda_telephony.callback", self._news())

    def _find_case(self, missed):
        """Return the open consultation of the caller; may be empty."""
        partner = self.partner_id
        if not partner:
            return self.env["crm.lead"]
        lead = missed.lead_id.filtered("oda_is_open")[-1:]
        return lead or self.env["crm.lead"]._oda_find_open(partner)

    def _choose_user(self, lead):
        """Return who calls back: owner, else adviser, else who is next on duty."""
        now = fields.Datetime.now()
        hours = self._hours(self.company_id)
        away = self.env["oda.route.rule"]._absences()
        opens = callbacks.opening(hours, now)
        for user in (lead.user_id, self.partner_id.oda_adviser_id):
            here = not any(a <= opens < b for a, b in away.get(user.id, ()))
            if user and user.active and not user.share and here:
                return user
        return self._on_duty(lead, now, hours, away)

    def _on_duty(self, lead, now, hours, away):
        """Return whose turn it is among the people of the dialled number or flow."""
        line = self.line_id
        people = line._people() if line else self.env["res.users"]
        flow = lead.team_id or line.team_id
        if not people:
            flow = flow or self.env["crm.lead"]._oda_default_flow()
            people = self.env["oda.line"]._people_of(self.env["oda.department"], flow)
        people = people.filtered(lambda user: self.company_id in user.company_ids)
        if not people:
            leader = flow.user_id.filtered("active")
            return leader or self.env["res.users"]._oda_last_resort()
        # Two who are given out at once must not both fall to the same person.
        self.env["oda.claim"]._claim(f"duty:{self.company_id.id}")
        self.flush_model()
        owed = {
            user.id: (count, given_at)
            for user, count, given_at in self._read_group(
                [("user_id", "in", people.ids), ("state", "=", "open")],
                ["user_id"],
                ["__count", "assigned_at:max"],
            )
        }
        given = dict(
            self._read_group(
                [("user_id", "in", people.ids)], ["user_id"], ["assigned_at:max"]
            )
        )
        chosen = callbacks.on_duty(
            callbacks.Candidate(
                user.id,
                callbacks.opening(
                    self._hours_of(user, hours), now, away.get(user.id, ())
                ),
                owed.get(user.id, (0, None))[0],
                given.get(user),
            )
            for user in people
        )
        return self.env["res.users"].browse(chosen)

    def _hours_of(self, user, hours):
        """Return a person's own hours where they have some, else the house's."""
        own = user.resource_calendar_id
        if not own or own == self.company_id.resource_calendar_id:
            return hours
        mine = self.env["oda.worktime"].with_company(self.company_id)
        mine = mine._working_calendar(own)
        return mine if mine.opens_at_all else hours

    # === THE TASK ===#

    def _plan_task(self):
        """Give an open row its one task, on the consultation, else on the person."""
        self.ensure_one()
        kind = self.env.ref("oda_telephony.activity_type_callback")
        lang = self.user_id.lang or self.env.lang
        env = self.with_context(lang=lang).env
        vals = {
            "activity_type_id": kind.id,
            "summary": env._("Call back: %s", self.with_env(env).display_name),
            "user_id": self.user_id.id,
            "oda_due_at": self.due_at,
            "automated": True,
        }
        tasks = self._quiet_tasks()
        # The first task of a stranger's consultation asks for the same call.
        task = tasks.search(
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "=", self.lead_id.id or 0),
                ("automated", "=", True),
                (
                    "activity_type_id",
                    "=",
                    self.env.ref("oda_crm.activity_type_next_step").id,
                ),
            ],
            limit=1,
        )
        if task:
            task.write(vals)
        else:
            record = self.lead_id or self.partner_id
            if record:
                vals["res_model_id"] = self.env["ir.model"]._get_id(record._name)
                vals["res_id"] = record.id
            task = tasks.create(vals)
        self.activity_id = task

    def _quiet_tasks(self):
        """Return the model of tasks as the house plans them: without letters."""
        # pylint: disable-next=context-overridden  # the caller's defaults are not ours
        return self.env["mail.activity"].with_context(
            dict(
                clean_context(self.env.context),
                mail_activity_quick_update=True,
                oda_no_new_followers=True,
            )
        )

    def _close_task(self, words, cancelled=False):
        """Close the task with what came of it, as the system does."""
        if self.user_id:
            news = {"id": self.id, "over": True}
            self.user_id._bus_send("oda_telephony.callback", news)
        # sudo: what the call brought about closes the task, whosever it is
        task = self.activity_id.sudo().exists().filtered("active")
        if not task:
            return
        # pylint: disable-next=context-overridden  # as above
        task = task.with_context(clean_context(self.env.context))
        lang = self.user_id.lang or self.env.lang
        task = task.with_context(lang=lang)
        if cancelled and task.res_model == "crm.lead":
            task.oda_cancel(words or task.summary)
        else:
            task.action_feedback(feedback=words or task.summary)

    def _give_to(self, user):
        """Hand a row over: its task goes along, and the person is told."""
        self.ensure_one()
        self.write({"user_id": user.id, "assigned_at": fields.Datetime.now()})
        task = self.activity_id.filtered("active")
        if task and task.user_id != user:
            task.with_context(mail_activity_quick_update=True).user_id = user

    def _news(self):
        """Return what browsers are told: ids and words only."""
        return {
            "id": self.id,
            "name": self.display_name,
            "phone": self.phone_display,
            "missed": self.missed_count,
            "due_at": fields.Datetime.to_string(self.due_at),
        }
