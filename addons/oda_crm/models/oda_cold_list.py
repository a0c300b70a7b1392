# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .. import coldcalls
from .crm_lead import QUIET
from .people import whole

BATCH = 200  # consultations made in one transaction

_DISTRIBUTE = """
WITH heap AS (
    SELECT id, row_number() OVER (ORDER BY oda_cold_due_at, id) - 1 AS place
      FROM crm_lead
     WHERE oda_cold_list_id = %(list)s AND active IS TRUE
       AND oda_cold_outcome IS NULL
), given AS (
    SELECT h.id, (%(users)s)[1 + h.place %% %(count)s] AS user_id FROM heap h
)
UPDATE crm_lead l
   SET user_id = g.user_id, write_uid = %(uid)s,
       write_date = now() AT TIME ZONE 'UTC'
  FROM given g
 WHERE l.id = g.id AND l.user_id IS DISTINCT FROM g.user_id
RETURNING l.id, l.partner_id
"""
_TASKS_FOLLOW = """
UPDATE mail_activity a SET user_id = l.user_id
  FROM crm_lead l
 WHERE a.res_model = 'crm.lead' AND a.res_id = l.id AND a.active
   AND l.id = ANY(%s) AND a.user_id IS DISTINCT FROM l.user_id
"""


class OdaColdList(models.Model):
    """People of a segment to be called about an event, shared out over managers."""

    _name = "oda.cold.list"
    _inherit = "oda.by_system"
    _description = "Cold-call List"
    _order = "id desc"
    #: whose rights it is made with, and how far it is
    _oda_by_system = {"state", "maker_id", "total", "looked_at", "last_partner_id"}

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    segment_id = fields.Many2one(
        "oda.segment", string="Whom to call", index=True, ondelete="restrict"
    )
    event_id = fields.Many2one(
        "event.event", string="Event to invite to", index=True, ondelete="restrict"
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Flow",
        index=True,
        default=lambda self: self._default_team_id(),
    )
    manager_ids = fields.Many2many(
        "res.users",
        string="Managers who call",
        domain=[("share", "=", False)],
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        default=lambda self: self.env.user,
        index=True,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    maker_id = fields.Many2one(
        "res.users",
        string="Made for",
        readonly=True,
        copy=False,
        help="On the list are the people whom this person may see.",
    )
    script = fields.Html(string="What to say")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("making", "Being made"),
            ("calling", "Calling"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="draft",
        readonly=True,
        copy=False,
        index=True,
    )
    total = fields.Integer(string="People", readonly=True, copy=False)
    looked_at = fields.Integer(string="Gone through", readonly=True, copy=False)
    last_partner_id = fields.Integer(readonly=True, copy=False)
    lead_ids = fields.One2many(
        "crm.lead",
        "oda_cold_list_id",
        string="Consultations",
        context={"active_test": False},
        readonly=True,
    )
    lead_count = fields.Integer(string="To call", compute="_compute_counts")
    called_count = fields.Integer(string="Called", compute="_compute_counts")
    registered_count = fields.Integer(string="Registered", compute="_compute_counts")
    progress = fields.Float(compute="_compute_progress", string="Made (%)")
    called_progress = fields.Float(compute="_compute_counts", string="Called (%)")

    @api.model
    def _default_team_id(self):
        cold = self.env["crm.team"].search([("oda_kind", "=", "cold")], limit=1)
        return cold or self.env["crm.lead"]._oda_default_flow()

    @api.depends("state", "total", "looked_at")
    def _compute_progress(self):
        for one in self:
            made = one.state in ("calling", "done")
            part = one.looked_at / one.total if one.total else 0.0
            one.progress = 100.0 if made else min(100.0, 100.0 * part)

    def _compute_counts(self):
        # Those who refused are archived by then, and counted all the same.
        # sudo: how far the list is, also for who sees a part of its cases
        Lead = self.env["crm.lead"].sudo().with_context(active_test=False)
        rows = Lead._read_group(
            [("oda_cold_list_id", "in", self.ids)],
            ["oda_cold_list_id", "oda_cold_outcome"],
            ["__count"],
        )
        counts = {}
        for cold_list, outcome, count in rows:
            counts.setdefault(cold_list, {})[outcome] = count
        for one in self:
            found = counts.get(one, {})
            total = sum(found.values())
            called = total - found.get(False, 0)
            one.lead_count = total
            one.called_count = called
            one.registered_count = found.get(coldcalls.REGISTERS, 0)
            one.called_progress = 100.0 * called / total if total else 0.0

    @api.model_create_multi
    def create(self, vals_list):
        default = self.env.context.get("default_segment_id")
        self._check_segment({vals.get("segment_id", default) for vals in vals_list})
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("segment_id"):
            self._check_segment({vals["segment_id"]})
        return super().write(vals)

    @api.model
    def _check_segment(self, segment_ids):
        """A list is called by a segment in sight: its name is told on the list."""
        self.env["oda.segment"].browse(whole(segment_ids)).check_access("read")

    @api.constrains("manager_ids")
    def _check_managers(self):
        for one in self:
            if one.manager_ids.filtered("share"):
                raise ValidationError(
                    self.env._("Only colleagues call; a portal user cannot.")
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_draft_only(self):
        if any(one.state not in ("draft", "cancelled") for one in self):
            raise UserError(
                self.env._("A list that is being called is cancelled, not deleted.")
            )

    # === MAKING THE CONSULTATIONS ===#

    def action_make(self):
        """Begin to make a consultation for each person of the segment."""
        for one in self:
            one.check_access("write")
            if one.state not in ("draft", "cancelled"):
                continue
            one._check_ready()
            # sudo: what the buttons alone may write; the right was checked
            one.sudo().write(
                {
                    "state": "making",
                    "maker_id": self.env.uid,
                    "total": one.segment_id.member_count,
                    "looked_at": 0,
                    "last_partner_id": 0,
                }
            )
            one._enqueue_make()
        return True

    def _check_ready(self):
        if not self.segment_id:
            raise UserError(self.env._("Choose whom to call: a segment."))
        if self.segment_id.problem:
            raise UserError(self.segment_id.problem)
        if not self.team_id:
            raise UserError(self.env._("Choose the flow of the consultations."))
        if not self._working_managers():
            raise UserError(self.env._("Choose at least one manager who calls."))

    def action_cancel(self):
        """Stop making and calling; what was agreed in calls stays."""
        self.check_access("write")
        # sudo: as in `action_make`
        self.sudo().filtered(lambda one: one.state != "done").state = "cancelled"
        return True

    def action_done(self):
        self.check_access("write")
        # sudo: as in `action_make`
        self.sudo().filtered(lambda one: one.state == "calling").state = "done"
        return True

    def _enqueue_make(self):
        self.ensure_one()
        self.with_user(self.maker_id).with_delay(
            identity_key=f"oda.cold.list:{self.id}:{self.last_partner_id}",
            description=self.name,
            channel="root.oda_crm",
        )._job_make()

    def _job_make(self):
        """Make one batch; its own transaction, so that a crash repeats only it."""
        self.ensure_one()
        self.flush_recordset()
        # Whoever cancels meanwhile waits, or makes this batch be repeated.
        self.env.cr.execute(
            "SELECT state FROM oda_cold_list WHERE id = %s FOR UPDATE", (self.id,)
        )
        row = self.env.cr.fetchone()
        if not row or row[0] != "making":
            return
        partners, looked, last = self._next_partners(BATCH)
        self._make_leads(partners)
        # sudo: as in `action_make`
        self.sudo().write(
            {
                "looked_at": self.looked_at + looked,
                "last_partner_id": last or self.last_partner_id,
                "state": "making" if looked == BATCH else "calling",
            }
        )
        if self.state == "making":
            self._enqueue_make()

    def _next_partners(self, limit):
        """Return (whom to call, how many were looked at, the last one's id)."""
        Partner = self.env["res.partner"]
        page = Partner.search(
            self.segment_id._domain() & Domain("id", ">", self.last_partner_id),
            order="id",
            limit=limit,
        )
        return self._callable(page), len(page), page[-1:].id

    def _callable(self, partners):
        """Leave out who must not or need not be called."""
        partners &= partners._oda_consents("calls")
        partners -= partners._oda_refused("calls")
        # sudo: whether they are registered or called already, whoever asks
        registered = self.env["event.registration"].sudo()
        if self.event_id:
            partners -= registered.search(
                [
                    ("event_id", "=", self.event_id.id),
                    ("partner_id", "in", partners.ids),
                    ("state", "!=", "cancel"),
                ]
            ).partner_id
        # sudo: as above
        called = self.env["crm.lead"].sudo().with_context(active_test=False)
        partners -= called.search(
            [
                ("partner_id", "in", partners.ids),
                "|",
                ("oda_cold_list_id", "=", self.id),
                "&",
                ("oda_cold_list_id.state", "in", ("making", "calling")),
                ("oda_cold_outcome", "=", False),
            ]
        ).partner_id
        # Nobody is called without a number.
        return partners.filtered("phone")

    def _make_leads(self, partners):
        """Create the consultations of one batch, shared out over the managers."""
        managers = self._working_managers()
        # sudo: the list hands cases to colleagues whose cases its maker may not edit
        Lead = self.env["crm.lead"].sudo().with_context(**QUIET)
        loads = dict(
            Lead._read_group(
                [
                    ("oda_cold_list_id", "=", self.id),
                    ("oda_cold_outcome", "=", False),
                    ("user_id", "in", managers.ids),
                ],
                ["user_id"],
                ["__count"],
            )
        )
        places = coldcalls.hand_out(
            len(partners), [loads.get(user, 0) for user in managers]
        )
        now = fields.Datetime.now()
        leads = Lead.create(
            [
                {
                    "name": self.event_id.name or self.name,
                    "type": "opportunity",
                    "partner_id": partner.id,
                    "team_id": self.team_id.id,
                    "user_id": managers[place].id,
                    "company_id": self.company_id.id,
                    "oda_cold_list_id": self.id,
                    "oda_cold_due_at": now,
                }
                for partner, place in zip(partners, places, strict=True)
            ]
        )
        self._name_first_step(leads)

    def _name_first_step(self, leads):
        """The task that every consultation begins with is the call."""
        kind = self.env.ref("oda_crm.activity_type_next_step")
        first = leads.activity_ids.filtered(lambda task: task.activity_type_id == kind)
        first.summary = self.env._("Call: %s", self.event_id.name or self.name)

    # === WHO CALLS ===#

    def _working_managers(self):
        """Return the managers who can call now: active, not away today."""
        managers = self.manager_ids.filtered("active")
        now = fields.Datetime.now()
        # sudo: that somebody is away, not why
        away = self.env["resource.calendar.leaves"].sudo()
        absent = away.search(
            [
                ("resource_id.user_id", "in", managers.ids),
                ("date_from", "<=", now),
                ("date_to", ">=", now),
            ]
        ).resource_id.user_id
        return (managers - absent) or managers

    def action_distribute(self):
        """Share the people not yet called out over the managers, evenly."""
        for one in self:
            one.check_access("write")
            managers = one._working_managers()
            if not managers:
                raise UserError(self.env._("Choose at least one manager who calls."))
            self.env.flush_all()
            # A lost race repeats the request; no error to log.
            self.env.cr.execute(
                _DISTRIBUTE,
                {
                    "list": one.id,
                    "users": managers.ids,
                    "count": len(managers),
                    "uid": self.env.uid,
                },
                log_exceptions=False,
            )
            rows = self.env.cr.fetchall()
            self.env.cr.execute(_TASKS_FOLLOW, ([row[0] for row in rows],))
            self.env.invalidate_all()
            partners = self.env["res.partner"].browse(
                {row[1] for row in rows if row[1]}
            )
            partners._oda_refresh_adviser()
        return True

    def action_open_leads(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_cold_leads"
        )
        action["domain"] = [("oda_cold_list_id", "=", self.id)]
        return action

    def action_call_next(self):
        """Open the next person that I have to call on this list."""
        return self.env["crm.lead"]._oda_cold_next_action(self)
