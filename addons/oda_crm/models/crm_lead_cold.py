# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain

from .. import coldcalls
from .people import given

NOTE_LIMIT = 10_000  # characters
SKIP_FOR = timedelta(minutes=30)
FOLLOW_UP = timedelta(days=1)  # after the event
#: Set by the buttons and the list only.
GUARDED = {
    "oda_cold_list_id",
    "oda_cold_outcome",
    "oda_cold_attempts",
    "oda_cold_due_at",
}


class CrmLead(models.Model):
    """A person to be called: five buttons, each of which leads to the next one."""

    _inherit = "crm.lead"

    oda_cold_list_id = fields.Many2one(
        "oda.cold.list",
        string="Cold-call list",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    oda_cold_outcome = fields.Selection(
        [
            (coldcalls.REGISTERS, "Registers"),
            (coldcalls.REFUSES, "Refuses"),
            (coldcalls.NO_ANSWER, "Not reached"),
            (coldcalls.WRONG, "Wrong number"),
        ],
        string="Outcome of the call",
        readonly=True,
        copy=False,
    )
    oda_cold_attempts = fields.Integer(string="Calls made", readonly=True, copy=False)
    oda_cold_due_at = fields.Datetime(string="Call at", readonly=True, copy=False)
    oda_cold_note = fields.Text(string="What was said", copy=False)
    oda_cold_callback_at = fields.Datetime(string="Call back at", copy=False)
    oda_cold_event_id = fields.Many2one(
        related="oda_cold_list_id.event_id", string="Event"
    )
    oda_cold_script = fields.Html(related="oda_cold_list_id.script")
    oda_cold_left = fields.Integer(
        string="Left to call", compute="_compute_oda_cold_left"
    )
    oda_programme_id = fields.Many2one(
        "oda.programme",
        string="Programme applied for",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )

    _oda_cold_once = models.UniqueIndex(
        "(oda_cold_list_id, partner_id) WHERE oda_cold_list_id IS NOT NULL",
        "This person is on this list already.",
    )
    _oda_cold_due_idx = models.Index(
        "(oda_cold_list_id, user_id, oda_cold_due_at, id) "
        "WHERE oda_cold_list_id IS NOT NULL AND oda_cold_outcome IS NULL "
        # As the ORM asks: PostgreSQL 15 does not take the one for the other.
        "AND active IS TRUE"
    )

    def _compute_oda_cold_left(self):
        counts = {
            (cold_list, user): count
            for cold_list, user, count in self._read_group(
                [
                    ("oda_cold_list_id", "in", self.oda_cold_list_id.ids),
                    ("oda_cold_outcome", "=", False),
                ],
                ["oda_cold_list_id", "user_id"],
                ["__count"],
            )
        }
        for lead in self:
            key = (lead.oda_cold_list_id, lead.user_id)
            lead.oda_cold_left = counts.get(key, 0)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._oda_cold_guard(given(self, GUARDED, vals, new=True))
        return super().create(vals_list)

    def write(self, vals):
        self._oda_cold_guard(given(self, GUARDED, vals))
        return super().write(vals)

    def _oda_cold_guard(self, names):
        if names:
            raise AccessError(
                self.env._(
                    "The cold-call list and the outcome of a call are set by the "
                    "buttons of the call, not by hand."
                )
            )

    # === THE NEXT ONE ===#

    @api.model
    def _oda_cold_domain(self, cold_list=None):
        """Return the domain of people that I have still to call."""
        domain = (
            self._oda_open_domain()
            & Domain("oda_cold_outcome", "=", False)
            & Domain("user_id", "=", self.env.uid)
        )
        if cold_list:
            return domain & Domain("oda_cold_list_id", "=", cold_list.id)
        return domain & Domain("oda_cold_list_id.state", "=", "calling")

    @api.model
    def _oda_cold_next(self, cold_list=None, after=None):
        """Return the next due one of mine; one at least, if none is due yet."""
        domain = self._oda_cold_domain(cold_list)
        if after:
            domain &= Domain("id", "!=", after.id)
        return self.search(domain, order="oda_cold_due_at, id", limit=1)

    @api.model
    def action_oda_cold_next(self):
        """Open the next person that I have to call, of any list."""
        return self._oda_cold_next_action()

    @api.model
    def _oda_cold_next_action(self, cold_list=None, after=None):
        self.check_access("read")
        lead = self._oda_cold_next(cold_list, after)
        now = fields.Datetime.now()
        if not lead or (lead.oda_cold_due_at and lead.oda_cold_due_at > now):
            message = self.env._("Nobody is left for you to call.")
            if lead:
                when = fields.Datetime.context_timestamp(lead, lead.oda_cold_due_at)
                message = self.env._(
                    "Nobody is due now. The next call is at %s.",
                    f"{when:%d.%m.%Y %H:%M}",
                )
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {
                    "message": message,
                    "type": "info",
                    "next": self.env["ir.actions.act_window"]._for_xml_id(
                        "oda_crm.action_oda_cold_list"
                    ),
                },
            }
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_cold_call"
        )
        action["res_id"] = lead.id
        return action

    # === OUTCOMES ===#

    def action_oda_cold_register(self):
        """They come: register them for the event and go on."""
        self._oda_cold_start()
        event = self.oda_cold_event_id
        if not event:
            raise UserError(
                self.env._("This list has no event: choose one in the list first.")
            )
        event._oda_register(self.partner_id, "cold_call", self)
        return self._oda_cold_end(
            coldcalls.REGISTERS,
            self.env._("Reached by phone; registered for “%s”.", event.name),
        )

    def action_oda_cold_refuse(self):
        """They do not come."""
        self._oda_cold_start()
        return self._oda_cold_end(
            coldcalls.REFUSES, self.env._("Reached by phone; does not want to come.")
        )

    def action_oda_cold_wrong(self):
        """The number is somebody else's."""
        self._oda_cold_start()
        return self._oda_cold_end(
            coldcalls.WRONG,
            self.env._("The number %s is not this person's.", self.partner_id.phone),
        )

    def action_oda_cold_no_answer(self):
        """Nobody answered: again later, in working time; five times at most."""
        self._oda_cold_start()
        attempts = self.oda_cold_attempts + 1
        text = self.env._("Called, nobody answered; call number %s.", attempts)
        pause = coldcalls.pause_after(attempts)
        if pause is None:
            return self._oda_cold_end(coldcalls.NO_ANSWER, text)
        due_at = self.env["oda.worktime"]._add_working_minutes(
            fields.Datetime.now(), pause
        )
        return self._oda_cold_again(text, due_at)

    def action_oda_cold_call_back(self):
        """They asked to be called at another time."""
        self._oda_cold_start()
        due_at = self.oda_cold_callback_at
        if not due_at or due_at <= fields.Datetime.now():
            raise UserError(
                self.env._("Write in “Call back at” when to call: a time to come.")
            )
        when = fields.Datetime.context_timestamp(self, due_at)
        text = self.env._(
            "Reached by phone; call back on %s.", f"{when:%d.%m.%Y %H:%M}"
        )
        return self._oda_cold_again(text, due_at)

    def action_oda_cold_skip(self):
        """Leave this one for half an hour and go on."""
        self._oda_cold_start()
        # sudo: as in `_oda_cold_settle`
        self.sudo().oda_cold_due_at = fields.Datetime.now() + SKIP_FOR
        return self._oda_cold_next_action(self.oda_cold_list_id, after=self)

    def _oda_cold_start(self):
        """Refuse what is no call of mine to settle, in words."""
        self.ensure_one()
        self.check_access("write")
        if not self.oda_cold_list_id:
            raise UserError(self.env._("This consultation is on no cold-call list."))
        # Two people on one card: the second sees what the first has settled.
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError:
            raise UserError(
                self.env._("Somebody else is settling this call just now.")
            ) from None
        self.invalidate_recordset(["oda_cold_outcome"])
        if self.oda_cold_outcome:
            labels = dict(
                self._fields["oda_cold_outcome"]._description_selection(self.env)
            )
            raise UserError(
                self.env._(
                    "This call was settled already: %s.", labels[self.oda_cold_outcome]
                )
            )
        if self.oda_cold_list_id.state == "cancelled":
            raise UserError(self.env._("This list was cancelled: call nobody of it."))
        if len(self.oda_cold_note or "") > NOTE_LIMIT:
            raise UserError(
                self.env._("The note is too long: %s characters at most.", NOTE_LIMIT)
            )

    def _oda_cold_log(self, text):
        """Write the session of the call, with what the person noted."""
        note = (self.oda_cold_note or "").strip()
        now = fields.Datetime.now()
        self.env["oda.consultation.session"].create(
            {
                "partner_id": self.partner_id.id,
                "lead_id": self.id,
                "user_id": self.env.uid,
                "company_id": self.company_id.id or self.env.company.id,
                "channel": "phone",
                "direction": "out",
                "started_at": now,
                "ended_at": now,
                "content": f"{text}\n{note}" if note else text,
            }
        )

    def _oda_cold_settle(self, **values):
        """Write what the buttons alone may write, and make room for the next note."""
        # sudo: the guarded fields; whether the consultation is ours was checked
        self.sudo().write(
            {
                "oda_cold_attempts": self.oda_cold_attempts + 1,
                "oda_cold_note": False,
                "oda_cold_callback_at": False,
                **values,
            }
        )

    def _oda_cold_again(self, text, due_at):
        self._oda_cold_log(text)
        self._oda_cold_settle(oda_cold_due_at=due_at)
        self._oda_cold_task(due_at, self.env._("Call again"), text)
        return self._oda_cold_next_action(self.oda_cold_list_id, after=self)

    def _oda_cold_end(self, outcome, text):
        self._oda_cold_log(text)
        self._oda_cold_settle(oda_cold_outcome=outcome, oda_cold_due_at=False)
        if outcome == coldcalls.REGISTERS:
            # The case goes on: did they come, and what do they need?
            due_at = self.oda_cold_event_id.date_end + FOLLOW_UP
            self._oda_cold_task(due_at, self.env._("Ask how the event was"), text)
        else:
            self._oda_cold_close(self.activity_ids, text)
            self.action_set_lost()
        return self._oda_cold_next_action(self.oda_cold_list_id, after=self)

    def _oda_cold_task(self, due_at, summary, result):
        """Plan the next step first, then close the tasks that this call has done."""
        before = self.activity_ids
        self._oda_cold_plan(summary, due_at)
        self._oda_cold_close(before, result)

    def _oda_cold_plan(self, summary, due_at):
        call = self.env.ref("mail.mail_activity_data_call", raise_if_not_found=False)
        call = call or self.env.ref("oda_crm.activity_type_next_step")
        self.oda_plan_next_step(call.id, summary, due_at, self.env.uid)

    @api.model
    def _oda_cold_close(self, tasks, result):
        """Close the tasks that this call has done; no two results are the same."""
        for number, task in enumerate(tasks):
            name = task.summary or task.activity_type_id.name or ""
            task.action_feedback(feedback=f"{name}: {result}" if number else result)
