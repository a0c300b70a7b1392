# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.oda_base import phone as numbers
from odoo.addons.oda_crm import results


class OdaCallback(models.Model):
    """A call we owe: somebody rang, nobody took it.

    One open row a caller, however often they ring. What is owed is computed from the
    caller's calls (see `callbacks.debts`), so rows follow when the exchange corrects
    itself. Written by the system; people take, call and drop through the verbs.
    """

    _name = "oda.callback"
    _description = "Call to Return"
    _order = "due_at, id"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    e164 = fields.Char(string="Number", readonly=True)
    phone = fields.Char(string="Number as sent", readonly=True)
    phone_display = fields.Char(
        string="Phone", compute="_compute_phone_display", search="_search_phone_display"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", readonly=True, ondelete="set null"
    )
    lead_id = fields.Many2one(
        "crm.lead",
        string="Consultation",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    line_id = fields.Many2one(
        "oda.line",
        string="Dialled number",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    user_id = fields.Many2one("res.users", string="Responsible", readonly=True)
    assigned_at = fields.Datetime(readonly=True)
    first_missed_at = fields.Datetime(string="First missed", readonly=True)
    last_missed_at = fields.Datetime(string="Last missed", readonly=True)
    missed_count = fields.Integer(
        string="How often", readonly=True, aggregator="sum", default=0
    )
    missed_ids = fields.One2many("oda.call", "callback_id", string="Missed calls")
    out_of_hours = fields.Boolean(string="Out of hours", readonly=True)
    due_at = fields.Datetime(
        string="Call back until",
        readonly=True,
        help="The target, in working minutes from the first missed call. Moving the "
        "task does not move it.",
    )
    is_overdue = fields.Boolean(
        string="Overdue", compute="_compute_is_overdue", search="_search_is_overdue"
    )
    activity_id = fields.Many2one(
        "mail.activity", string="Task", readonly=True, ondelete="set null"
    )
    state = fields.Selection(
        [("open", "To call back"), ("done", "Called back"), ("dropped", "Dropped")],
        required=True,
        readonly=True,
        default="open",
    )
    attempts = fields.Integer(
        readonly=True,
        default=0,
        aggregator="sum",
        help="How often we called since and nobody answered.",
    )
    last_attempt_at = fields.Datetime(string="Last attempt", readonly=True)
    ended_at = fields.Datetime(string="Ended", readonly=True)
    called_back_at = fields.Datetime(string="Talked at", readonly=True)
    call_id = fields.Many2one(
        "oda.call",
        string="Ended by call",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="The talk that ended it, whoever of the two called.",
    )
    minutes = fields.Integer(
        string="Working minutes",
        readonly=True,
        aggregator="avg",
        help="From the first missed call to the talk.",
    )
    in_time = fields.Boolean(string="In time", readonly=True)
    by_hand = fields.Boolean(
        string="Closed by hand",
        readonly=True,
        help="A person closed the task; no call of the exchange proves it.",
    )
    drop_kind = fields.Selection(
        [
            ("person", "By a person"),
            ("answered", "It was answered after all"),
            ("joined", "Joined with another"),
            ("nameless", "Without a number"),
        ],
        string="Why dropped",
        readonly=True,
    )
    reason = fields.Text(string="Result", readonly=True)
    tell_at = fields.Datetime(string="To be told at", readonly=True)
    notified_at = fields.Datetime(string="Told at", readonly=True)
    announced = fields.Boolean(
        string="Browser told at once",
        readonly=True,
        help="It happened in working time: the letter that follows is silent.",
    )
    reminders = fields.Integer(readonly=True, aggregator="sum", default=0)
    next_reminder_at = fields.Datetime(readonly=True)
    last_reminded_at = fields.Datetime(string="Last reminder", readonly=True)

    _partner_uniq = models.UniqueIndex(
        "(company_id, partner_id) WHERE state = 'open' AND partner_id IS NOT NULL",
        "This caller is to be called back already.",
    )
    _number_uniq = models.UniqueIndex(
        "(company_id, e164) "
        "WHERE state = 'open' AND partner_id IS NULL AND e164 IS NOT NULL",
        "This caller is to be called back already.",
    )
    _partner_idx = models.Index("(partner_id, ended_at) WHERE partner_id IS NOT NULL")
    _number_idx = models.Index("(e164, ended_at) WHERE e164 IS NOT NULL")
    _open_idx = models.Index("(company_id, due_at) WHERE state = 'open'")
    _user_idx = models.Index("(user_id, state, due_at)")
    _first_idx = models.Index("(company_id, first_missed_at DESC)")
    _activity_idx = models.Index("(activity_id) WHERE activity_id IS NOT NULL")

    @api.depends("e164", "phone")
    def _compute_phone_display(self):
        for one in self:
            number = one.e164 or one.phone or ""
            one.phone_display = (
                numbers.parse(number).international
                if any(map(str.isdigit, number))
                else self.env._("Without a number")
            )

    @api.model
    def _search_phone_display(self, operator, value):
        return self.env["oda.call"]._search_phone_display(operator, value)

    @api.depends("state", "due_at")
    def _compute_is_overdue(self):
        now = fields.Datetime.now()
        for one in self:
            one.is_overdue = bool(
                one.state == "open" and one.due_at and one.due_at < now
            )

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = [("state", "=", "open"), ("due_at", "<", fields.Datetime.now())]
        return late if True in value else ["!", "&", *late]

    @api.depends("partner_id", "e164", "phone")
    def _compute_display_name(self):
        for one in self:
            one.display_name = one.partner_id.display_name or one.phone_display

    # === WHAT PEOPLE DO ===#

    def _check_mine(self):
        """Refuse whoever neither owes these calls nor leads who does."""
        self.check_access("read")
        user = self.env.user
        if self.env.su or user.has_group("oda_base.group_lead"):
            return
        if user.has_group("oda_base.group_admin"):
            return
        if any(one.user_id and one.user_id != user for one in self):
            raise AccessError(
                self.env._(
                    "This call is somebody else's to return: take it over first, or "
                    "ask the team lead."
                )
            )

    def oda_take(self):
        """Take over calls that somebody else was to return. Public."""
        self.check_access("read")
        user = self.env.user
        if not user.has_group("oda_base.group_consultant"):
            raise AccessError(self.env._("Calls are returned by consultants."))
        # sudo: whose call it is, is kept by the system
        for one in self.sudo().filtered(lambda row: row.state == "open"):
            one._give_to(user)
        return True

    def oda_drop(self, reason):
        """Drop open calls with a written reason; journalled. Public.

        UserError in words when the reason is none, AccessError when it is not theirs.
        """
        self._check_mine()
        said = reason if isinstance(reason, str) else ""
        if fault := results.judge(said, None, 2):
            raise UserError(
                self.env._("Write the reason in at least two words.")
                if fault != results.LONG
                else self.env._("The reason is too long.")
            )
        # sudo: as above; who dropped it is in the journal
        rows = self.sudo().filtered(lambda row: row.state == "open")
        rows._end_by_hand("dropped", reason)
        return True

    def action_take(self):
        return self.oda_take()

    def action_drop(self):
        """Open the dialog in which the reason is written."""
        self._check_mine()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Drop without calling"),
            "res_model": "oda.callback.drop",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_callback_ids": self.ids},
        }

    def action_call(self):
        """Dial the caller: by the exchange where it can, else by this device."""
        self.ensure_one()
        self.check_access("read")
        if not self.e164:
            raise UserError(self.env._("This caller hid the number."))
        calls = self.env["oda.call"]
        if hasattr(calls, "oda_dial"):
            return calls.oda_dial(self.e164, self._name, self.id)
        return {
            "type": "ir.actions.act_url",
            "url": f"tel:{self.e164}",
            "target": "self",
        }

    def action_open_card(self):
        """Open the consultation, else the beneficiary, else the row itself."""
        self.ensure_one()
        record = self.lead_id or self.partner_id or self
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
            "target": "current",
        }

    # === ENDING BY HAND ===#

    def _end_by_hand(self, state, reason):
        """End open rows at a person's word, and their tasks with it.

        :param state: 'done' (the person says they talked) or 'dropped'
        """
        now = fields.Datetime.now()
        for one in self:
            vals = {"state": state, "reason": reason, "ended_at": now}
            if state == "dropped":
                vals["drop_kind"] = "person"
            else:
                vals.update(one._ended_at(now), by_hand=True)
            one.write(vals)
            one._close_task(reason, cancelled=state == "dropped")
        code = "callback.drop" if state == "dropped" else "callback.by_hand"
        self.env["oda.event"]._log(code, self, reason=reason[:300])
