# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oda_base import phone as numbers


class OdaCall(models.Model):
    """One call: all legs that the exchange keeps under one id.

    What is known of it is `state_json` (see `callstate`); the columns are that
    state, spelled out for lists and statistics. Written by the connector's job
    only. High volume: no chatter.
    """

    _name = "oda.call"
    _description = "Call"
    _order = "started_at desc, id desc"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    callid = fields.Char(string="Call id", required=True, readonly=True)
    direction = fields.Selection(
        [("in", "Incoming"), ("out", "Outgoing"), ("internal", "Internal")],
        readonly=True,
    )
    phone = fields.Char(string="Number as sent", readonly=True)
    e164 = fields.Char(string="Number", readonly=True)
    phone_display = fields.Char(
        string="Phone",
        compute="_compute_phone_display",
        search="_search_phone_display",
    )
    did = fields.Char(string="Dialled number", readonly=True)
    group_name = fields.Char(string="Department", readonly=True)
    state = fields.Selection(
        [
            ("ringing", "Rings"),
            ("talking", "Talks"),
            ("ended_pending", "Ending"),
            ("ended", "Ended"),
        ],
        readonly=True,
    )
    outcome = fields.Selection(
        [
            ("answered", "Answered"),
            ("missed", "Missed"),
            ("cancelled", "Cancelled"),
            ("busy", "Busy"),
            ("failed", "Failed"),
        ],
        readonly=True,
    )
    outcome_source = fields.Selection(
        [("history", "The exchange's record"), ("events", "Live events")], readonly=True
    )
    started_at = fields.Datetime(readonly=True)
    answered_at = fields.Datetime(readonly=True)
    ended_at = fields.Datetime(readonly=True)
    duration = fields.Integer(readonly=True, aggregator="sum")
    wait = fields.Integer(string="Rang for", readonly=True, aggregator="avg")
    rating = fields.Integer(readonly=True, aggregator="avg")
    user_id = fields.Many2one(
        "res.users", string="Answered by", readonly=True, index="btree_not_null"
    )
    partner_id = fields.Many2one("res.partner", string="Beneficiary", readonly=True)
    lead_id = fields.Many2one("crm.lead", string="Consultation", readonly=True)
    merged_into_id = fields.Many2one("oda.call", readonly=True, index="btree_not_null")
    leg_ids = fields.One2many("oda.call.leg", "call_id", readonly=True)
    recording_ids = fields.One2many("oda.recording", "call_id", readonly=True)
    has_recording = fields.Boolean(compute="_compute_has_recording")
    content = fields.Text(string="What was said", compute="_compute_content")
    version = fields.Integer(readonly=True, default=1)
    decide_at = fields.Datetime(readonly=True)
    state_json = fields.Json(readonly=True, groups="oda_base.group_connector")

    _callid_uniq = models.Constraint("UNIQUE(account_id, callid)", "One row a call.")
    _partner_idx = models.Index("(partner_id, started_at DESC)")
    _lead_idx = models.Index("(lead_id) WHERE lead_id IS NOT NULL")
    _e164_idx = models.Index("(e164, started_at DESC) WHERE e164 IS NOT NULL")
    _decide_idx = models.Index("(decide_at) WHERE decide_at IS NOT NULL")
    _started_idx = models.Index("(company_id, started_at DESC)")

    @api.depends("e164", "phone")
    def _compute_phone_display(self):
        for call in self:
            call.phone_display = numbers.parse(call.e164 or call.phone).international

    @api.model
    def _search_phone_display(self, operator, value):
        """A number in any form by its index, a part of one by reading."""
        if operator == "in":
            wanted = {numbers.parse(one).e164 for one in value if one}
            return Domain("e164", "in", list(wanted - {None}))
        if operator not in ("ilike", "like", "=ilike") or not isinstance(value, str):
            return NotImplemented
        number = numbers.parse(value)
        if number.e164:
            return Domain("e164", "=", number.e164)
        return Domain("phone", "ilike", number.digits or value)

    @api.depends("recording_ids.state")
    def _compute_has_recording(self):
        stored = self.env["oda.recording"]._read_group(
            [("call_id", "in", self.ids), ("state", "=", "stored")], ["call_id"]
        )
        heard = {call.id for (call,) in stored}
        for call in self:
            call.has_recording = call.id in heard

    @api.depends("leg_ids.session_id.content", "leg_ids.note")
    def _compute_content(self):
        for call in self:
            call.content = self.env["oda.call.leg"]._text(call.leg_ids)

    @api.depends("partner_id", "e164", "phone", "started_at")
    def _compute_display_name(self):
        for call in self:
            who = call.partner_id.display_name or call.phone_display or call.callid
            when = call.started_at and fields.Datetime.context_timestamp(
                call, call.started_at
            )
            call.display_name = f"{who}, {when:%d.%m.%Y %H:%M}" if when else who

    # === HELPERS ===#

    def _main(self):
        """Return the call that this one has become a part of, or itself."""
        self.ensure_one()
        call, seen = self, self
        while call.merged_into_id and call.merged_into_id not in seen:
            call = call.merged_into_id
            seen |= call
        return call

    def _lock(self, touch=False):
        """Wait for whoever changes these calls; an outdated view is repeated.

        Asked for before anything is written: a conflict is an everyday thing
        here, and found by an UPDATE it would be logged as an error, with data.

        :param touch: also leave a mark on the rows, so that who waited for us
            is repeated: we change what hangs on the call, not the call itself
        """
        self.flush_recordset()
        query = (
            "UPDATE oda_call SET version = version WHERE id = ANY(%s)"
            if touch
            else "SELECT 1 FROM oda_call WHERE id = ANY(%s) ORDER BY id "
            "FOR NO KEY UPDATE"
        )
        self.env.cr.execute(query, (self.ids,), log_exceptions=False)

    def _take_case(self, user):
        """See that the talk has its consultation, and the consultation its owner.

        A known person who has no open case gets one when somebody answers.
        """
        self.ensure_one()
        lead = self.lead_id
        if not lead and self.direction == "in":
            lead = self._open_consultation(self.partner_id, user)
            self.lead_id = lead
        if lead and user and not lead.user_id:
            lead.with_context(tracking_disable=True).user_id = user

    def _case_name(self, partner):
        return self.env._("Call from %s", partner.name)

    def _open_consultation(self, partner, user=None):
        name = self._case_name(partner)
        return self.env["crm.lead"]._oda_find_or_open(partner, name=name, user=user)
