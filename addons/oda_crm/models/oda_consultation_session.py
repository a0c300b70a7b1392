# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError

from .people import whole


class OdaConsultationSession(models.Model):
    """One talk with a beneficiary: who, when, on which channel, what was said.

    Calls and conversations of the connectors open and close their own session
    through the verbs here; people write the content. High volume: no chatter.
    """

    _name = "oda.consultation.session"
    _description = "Consultation Session"
    _order = "started_at desc, id desc"

    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", required=True, ondelete="restrict"
    )
    lead_id = fields.Many2one("crm.lead", string="Consultation", ondelete="set null")
    user_id = fields.Many2one(
        "res.users",
        string="Consultant",
        index="btree_not_null",
        default=lambda self: self.env.user,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    channel = fields.Selection(
        [("phone", "Phone"), ("in_person", "In person"), ("online", "Online meeting")],
        required=True,
        default="in_person",
    )
    direction = fields.Selection(
        [("in", "They came to us"), ("out", "We went to them")],
        required=True,
        default="in",
    )
    started_at = fields.Datetime(required=True, default=fields.Datetime.now)
    ended_at = fields.Datetime()
    content = fields.Text(string="What was asked and advised")
    res_model = fields.Char(string="Source", readonly=True, copy=False)
    res_id = fields.Many2oneReference(
        string="Source record", readonly=True, model_field="res_model", copy=False
    )

    _source_uniq = models.UniqueIndex(
        "(res_model, res_id) WHERE res_id IS NOT NULL", "This talk has its session."
    )
    _partner_idx = models.Index("(partner_id, started_at DESC)")
    _lead_idx = models.Index("(lead_id, started_at DESC) WHERE lead_id IS NOT NULL")
    _company_idx = models.Index("(company_id, started_at DESC, id DESC)")
    _ended_after_start = models.Constraint(
        "CHECK(ended_at IS NULL OR ended_at >= started_at)",
        "A session cannot end before it starts.",
    )

    @api.depends("channel", "started_at")
    def _compute_display_name(self):
        labels = dict(self._fields["channel"]._description_selection(self.env))
        for session in self:
            when = fields.Datetime.context_timestamp(session, session.started_at)
            session.display_name = (
                f"{labels.get(session.channel, '')} {when:%d.%m.%Y %H:%M}"
            )

    @api.onchange("lead_id")
    def _onchange_lead_id(self):
        if self.lead_id.partner_id:
            self.partner_id = self.lead_id.partner_id

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        sessions = super().create(vals_list)
        # Looked at once made: defaults of the context are values too.
        if any(one.res_model or one.res_id for one in sessions):
            self._refuse_source()
        sessions.partner_id._oda_refresh_adviser()
        return sessions

    def write(self, vals):
        if not vals.keys().isdisjoint({"res_model", "res_id"}):
            self._refuse_source()
        self._check_reach([vals])
        others = self._of_others()
        if others:
            self.env["oda.event"]._log("session.change", others, fields=sorted(vals))
        moved = not vals.keys().isdisjoint({"user_id", "partner_id", "started_at"})
        before = self.partner_id if moved else self.env["res.partner"]
        done = super().write(vals)
        if moved:
            (before | self.partner_id)._oda_refresh_adviser()
        return done

    def unlink(self):
        partners = self.partner_id
        if others := self._of_others():
            self.env["oda.event"]._log("session.remove", others)
        done = super().unlink()
        partners._oda_refresh_adviser()
        return done

    def _of_others(self):
        """Return the sessions of which a person who changes them leaves a trace.

        One's own are one's own to write; jobs and the system are no person.
        """
        if self.env.su or self.env.user.has_group("oda_base.group_connector"):
            return self.browse()
        return self.filtered(lambda one: one.user_id != self.env.user)

    @api.model
    def _check_reach(self, vals_list):
        """A talk is noted with people and cases that one may see, by no other id.

        Asked beforehand: once it is there, the talk makes them one's own.
        """
        if self.env.su:
            return
        for name in ("partner_id", "lead_id"):
            ids = {vals.get(name) for vals in vals_list}
            if not self:
                ids.add(self.env.context.get(f"default_{name}"))
            model = self.env[self._fields[name].comodel_name]
            model.browse(whole(ids)).check_access("read")

    def _refuse_source(self):
        """A session is tied to its call, and untied, by the system, never by hand."""
        if not self.env.su:
            raise AccessError(
                self.env._("The source of a session is set by the system.")
            )

    # === VERBS OF THE CONNECTORS ===#

    @api.model
    def _open(self, source, partner, lead, channel, **values):
        """Open the session of a call or conversation, or return it if open.

        :param source: the record the session belongs to; one session each
        :param values: `user_id`, `direction`, `started_at`
        """
        # sudo: the tie to the source is the system's to set and to follow
        sessions = self.sudo()
        known = sessions.search(
            [("res_model", "=", source._name), ("res_id", "=", source.id)], limit=1
        )
        if known:
            return self.browse(known.id)
        session = sessions.create(
            {
                "partner_id": partner.id,
                "lead_id": lead.id,
                "channel": channel,
                "company_id": source.company_id.id or self.env.company.id,
                "res_model": source._name,
                "res_id": source.id,
                "user_id": False,
                **values,
            }
        )
        return self.browse(session.id)

    def _close(self, ended_at=None):
        """Close open sessions; one that began later than its end ends at once."""
        ended_at = ended_at or fields.Datetime.now()
        for session in self.filtered(lambda one: not one.ended_at):
            session.ended_at = max(ended_at, session.started_at)
