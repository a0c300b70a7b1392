# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .. import drafts
from .people import given

#: a text of one's own that rested so long is kept before it is changed
SITTING = timedelta(minutes=10)
TEXT_MAX = 100_000  # characters
#: who may change what a colleague wrote; jobs and the system are no person
MASTERS = ("oda_base.group_lead", "oda_base.group_admin", "oda_base.group_connector")
#: set by the verbs here only
_BOOKKEEPING = {"content_version", "content_user_id", "content_at", "draft_state"}


class OdaConsultationSession(models.Model):
    """Whose text a session is, and what stood in it before."""

    _inherit = "oda.consultation.session"

    team_id = fields.Many2one(related="lead_id.team_id", string="Flow")
    may_edit = fields.Boolean(compute="_compute_may_edit")
    content_version = fields.Integer(
        readonly=True, copy=False, help="Grows with every change of the text."
    )
    content_user_id = fields.Many2one(
        "res.users",
        string="Text by",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Who changed the text last.",
    )
    content_at = fields.Datetime(string="Text of", readonly=True, copy=False)
    draft_state = fields.Json(
        readonly=True, copy=False, groups="base.group_system", help="See drafts.py."
    )
    text_ids = fields.One2many(
        "oda.consultation.session.text",
        "session_id",
        string="Earlier texts",
        readonly=True,
        groups="oda_base.group_lead,oda_base.group_supervisor,oda_base.group_admin,"
        "oda_base.group_auditor",
    )

    @api.depends("user_id")
    @api.depends_context("uid")
    def _compute_may_edit(self):
        mine = self - self._not_mine()
        real = mine.filtered("id")
        writable = real._filtered_access("write") if real else real
        for session in self:
            session.may_edit = session in mine and (
                not session.id or session in writable
            )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        now = fields.Datetime.now()
        rows = []
        # Before the case of a walk-in is found: that one may be out of sight.
        self._check_reach(vals_list)
        for vals in vals_list:
            self._refuse_bookkeeping(given(self, _BOOKKEEPING, vals, new=True))
            owner = vals.get("user_id", self.env.context.get("default_user_id"))
            if owner and owner != self.env.uid and not self._is_master():
                self._refuse_other_name()
            vals = dict(vals)
            if vals.get("content"):
                self._check_length(vals["content"])
                vals.update(
                    content_version=1, content_user_id=self.env.uid, content_at=now
                )
            self._open_case(vals)
            rows.append(vals)
        return super().create(rows)

    def _open_case(self, vals):
        """A walk-in noted without a consultation goes on with the open one."""
        context = self.env.context
        lead_id = vals.get("lead_id", context.get("default_lead_id"))
        if not context.get("oda_open_case") or lead_id:
            return
        partner_id = vals.get("partner_id", context.get("default_partner_id"))
        partner = self.env["res.partner"].browse(partner_id or ()).exists()
        if partner:
            lead = self.env["crm.lead"]._oda_find_or_open(partner, user=self.env.user)
            vals["lead_id"] = lead.id

    def write(self, vals):
        self._refuse_bookkeeping(given(self, _BOOKKEEPING, vals))
        self._refuse_not_mine()
        owner = vals.get("user_id", self.env.uid)
        if owner != self.env.uid and not self._is_master():
            self._refuse_other_name()
        if "content" not in vals:
            return super().write(vals)
        self._check_length(vals["content"])
        for session in self:
            kept = session._kept_text()
            new = drafts.rewritten(kept, vals["content"] or "")
            mark = session._text_vals(new) if new is not kept else {}
            super(OdaConsultationSession, session).write(vals)
            # sudo: bookkeeping of a text that the person may write
            super(OdaConsultationSession, session.sudo()).write(mark)
            if mark:
                session._tell_changed(new.version)
        return True

    # === WHOSE TEXT ===#

    @api.model
    def _is_master(self):
        return self.env.su or any(map(self.env.user.has_group, MASTERS))

    def _not_mine(self):
        """Return the sessions of colleagues whose text this person may not touch."""
        if self._is_master():
            return self.browse()
        me = self.env.user
        return self.filtered(lambda one: one.user_id and one.user_id != me)

    def _refuse_not_mine(self):
        for session in self._not_mine():
            raise AccessError(
                self.env._(
                    "This session is %s's: only a team lead may change it. Press "
                    "“New session” to add your own to the same consultation.",
                    session.user_id.sudo().name,  # sudo: only the name
                )
            )

    @api.model
    def _refuse_other_name(self):
        raise AccessError(
            self.env._("A session is noted by whoever had it, under their own name.")
        )

    @api.model
    def _refuse_bookkeeping(self, names):
        if names:
            raise AccessError(self.env._("Who wrote a text, and when, is not edited."))

    @api.model
    def _check_length(self, text):
        if isinstance(text, str) and len(text) > TEXT_MAX:
            raise ValidationError(
                self.env._(
                    "The text has %(has)s characters; at most %(may)s fit here. Put "
                    "long texts into a file of the consultation.",
                    has=len(text),
                    may=TEXT_MAX,
                )
            )

    # === THE TEXT AND ITS HISTORY ===#

    def _kept_text(self):
        """Return the session's `drafts.Kept`."""
        self.ensure_one()
        # sudo: the state of the drafts is nobody's to see
        state = self.sudo().draft_state
        return drafts.Kept.of(self.content, self.content_version, state)

    def _text_vals(self, kept):
        """Return the vals of a new text, after keeping the old one if it must be."""
        self.ensure_one()
        now = fields.Datetime.now()
        at, author = self.content_at, self.content_user_id.id
        fresh = at and now - at < SITTING and author == self.env.uid
        if not fresh:
            self.env["oda.consultation.session.text"]._keep(self)
        return {
            "content": kept.text,
            "content_version": kept.version,
            "content_user_id": self.env.uid,
            "content_at": now,
            "draft_state": kept.state(),
        }

    def _tell_changed(self, version, page=""):
        """Tell the forms that show this session that its text is another now.

        :param page: the page that changed it, which knows
        """
        # Not the text: what one may read of it is asked of the server.
        news = {
            "id": self.id,
            "version": version,
            "page": page,
            "author": self.env.user.name,
        }
        self.env["bus.bus"]._sendone(self, "oda.session.changed", news)

    def _store_text(self, kept, before, page=""):
        """Write what came of a packet; of a colleague's text it leaves an event."""
        self.ensure_one()
        # sudo: the caller has checked; bookkeeping goes with it
        session = self.sudo()
        if kept.version == before.version:
            super(OdaConsultationSession, session).write({"draft_state": kept.state()})
            return
        if self.content_user_id != self.env.user:
            self._trace("content")
        super(OdaConsultationSession, session).write(session._text_vals(kept))
        self._tell_changed(kept.version, page)

    def _trace(self, *names):
        """Journal that somebody else's session is changed, once a sitting."""
        if self.user_id and self.user_id != self.env.user:
            self.env["oda.event"]._log("session.change", self, fields=sorted(names))

    def action_oda_end(self):
        """Say that the talk is over: now, unless it was said before."""
        self._close()

    def action_oda_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def action_oda_open_case(self):
        self.ensure_one()
        record = self.lead_id or self.partner_id
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }
