# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

from .oda_recording_hearing import LISTENING

GROUP = "oda_telephony.group_recording_archive"
#: what a person says of an archive; all else is the system's to write
ASKED = {"date_from", "date_to", "direction", "agent_ids", "account_id", "company_id"}


class OdaRecordingArchive(models.Model):
    """Recordings of a period as ZIP files: made each month, or when asked for.

    Made in the background, part by part (`oda_recording_archive_work`); taken
    through a route of its own; gone when its days are over, or with the first of
    its recordings that had to be removed.
    """

    _name = "oda.recording.archive"
    _description = "Archive of Recordings"
    _order = "id desc"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users",
        string="Asked for by",
        readonly=True,
        index="btree_not_null",
        default=lambda self: self.env.user,
    )
    automatic = fields.Boolean(string="Made each month", readonly=True)
    date_from = fields.Date(
        string="From day", required=True, default=lambda self: self._first_day()
    )
    date_to = fields.Date(
        string="To day", required=True, default=lambda self: self._last_day()
    )
    direction = fields.Selection(
        [("in", "Incoming"), ("out", "Outgoing"), ("internal", "Internal")],
        help="Empty: all.",
    )
    agent_ids = fields.Many2many(
        "res.users", string="Answered by", help="Empty: everybody."
    )
    account_id = fields.Many2one(
        "oda.connector.account", string="Exchange", help="Empty: all."
    )
    state = fields.Selection(
        [
            ("draft", "Not begun"),
            ("running", "Being made"),
            ("done", "Ready"),
            ("stopped", "Stopped"),
            ("cancelled", "Cancelled"),
            ("removed", "Removed"),
        ],
        required=True,
        readonly=True,
        default="draft",
    )
    words = fields.Char(string="What became of it", readonly=True)
    total_count = fields.Integer(string="Recordings", readonly=True)
    total_bytes = fields.Float(string="Bytes", digits=(20, 0), readonly=True)
    done_count = fields.Integer(readonly=True)
    done_bytes = fields.Float(digits=(20, 0), readonly=True)
    left_out_count = fields.Integer(
        string="Left out", readonly=True, help="Missing or damaged: see the manifest."
    )
    progress = fields.Integer(string="Progress, %", compute="_compute_progress")
    cancel_asked = fields.Boolean(readonly=True)
    done_at = fields.Datetime(string="Ready since", readonly=True)
    expires_at = fields.Datetime(string="Is removed on", readonly=True)
    file_key = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    part_ids = fields.One2many("oda.recording.archive.part", "archive_id")
    may_take = fields.Boolean(compute="_compute_may_take")

    _month_uniq = models.UniqueIndex(
        "(company_id, date_from) WHERE automatic AND state NOT IN "
        "('cancelled', 'removed')",
        "The archive of this month is there already.",
    )
    _running_idx = models.Index("(id) WHERE state = 'running'")
    _expires_idx = models.Index("(expires_at) WHERE state = 'done'")

    # === COMPUTES AND CHECKS ===#

    @api.model
    def _today(self):
        return fields.Datetime.now().replace(tzinfo=ZoneInfo("UTC")).astimezone(
            self._zone(self.env.company)
        ).date()  # fmt: skip

    @api.model
    def _zone(self, company):
        """The time that a company's calls are told in."""
        # sudo: a time zone is no secret
        return ZoneInfo(company.sudo().resource_calendar_id.tz or "Europe/Chisinau")

    @api.model
    def _first_day(self):
        return self._last_day().replace(day=1)

    @api.model
    def _last_day(self):
        return self._today().replace(day=1) - timedelta(days=1)

    def _span(self):
        """Return the two moments (naive UTC) that the days begin and end at."""
        zone = self._zone(self.company_id)

        def moment(day):
            local = datetime.combine(day, time(), zone)
            return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

        return moment(self.date_from), moment(self.date_to + timedelta(days=1))

    @api.depends("date_from", "date_to", "automatic")
    def _compute_display_name(self):
        for one in self:
            one.display_name = (
                f"{one.date_from:%m.%Y}"
                if one.automatic and one.date_from
                else f"{one.date_from:%d.%m.%Y} – {one.date_to:%d.%m.%Y}"
                if one.date_from and one.date_to
                else self.env._("New archive")
            )

    @api.depends("done_bytes", "total_bytes", "state")
    def _compute_progress(self):
        for one in self:
            share = one.done_bytes / one.total_bytes if one.total_bytes else 0
            one.progress = 100 if one.state == "done" else min(99, int(share * 100))

    @api.depends_context("uid")
    def _compute_may_take(self):
        for one in self:
            one.may_take = one._may_take()

    @api.constrains("date_from", "date_to")
    def _check_days(self):
        for one in self:
            if one.date_from > one.date_to:
                raise ValidationError(self.env._("The period ends before it begins."))
            if (one.date_to - one.date_from).days > 3700:
                raise ValidationError(self.env._("An archive holds ten years at most."))

    # === RIGHTS ===#

    @api.model
    def _hears_all(self):
        user = self.env.user
        return user.has_group("oda_base.group_lead") or user.has_group(
            "oda_base.group_supervisor"
        )

    @api.model
    def _require_right(self):
        if not (self.env.su or self.env.user.has_group(GROUP)):
            raise AccessError(
                self.env._(
                    "Archives are for those who have the right “Archive recordings”. "
                    "An administrator gives it on the user's form."
                )
            )

    def _may_take(self):
        """True when the current user may download this archive: their own, or one
        of all calls when hearing all calls is their job."""
        self.ensure_one()
        return (
            self.env.user.has_group(GROUP)
            and bool(self.has_access("read"))
            and (
                self.user_id == self.env.user
                if not self.automatic
                else self._hears_all()
            )
        )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self._require_right()
            for vals in vals_list:
                self._check_asked(vals)
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self._require_right()
            self._check_asked(vals)
            if any(one.state != "draft" for one in self):
                raise UserError(
                    self.env._("An archive that was begun stays as it was asked for.")
                )
        return super().write(vals)

    @api.model
    def _check_asked(self, vals):
        if strange := set(vals) - ASKED:
            raise AccessError(
                self.env._(
                    "Only the system writes this: %s", ", ".join(sorted(strange))
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts_only(self):
        if any(one.state != "draft" for one in self):
            raise UserError(
                self.env._("Remove the files of an archive; its row is a fact.")
            )

    # === WHAT THE PERSON DOES ===#

    def action_start(self):
        """Make it, in the background."""
        self.ensure_one()
        self._require_right()
        self.check_access("write")
        self.lock_for_update()
        if self.state != "draft":
            raise UserError(self.env._("This archive was begun already."))
        self._journal("recording.archive.ask")
        self._begin()
        return True

    def action_go_on(self):
        """Go on with one that stopped: what is written is not written again."""
        self.ensure_one()
        self._require_right()
        self._check_mine()
        self.lock_for_update()
        if self.state != "stopped":
            raise UserError(self.env._("Only an archive that stopped goes on."))
        self._begin()
        return True

    def action_cancel(self):
        """Stop making it; what was written is removed."""
        self.ensure_one()
        self._check_mine()
        mine = self.sudo()  # sudo: the state is the system's; the right was checked
        if self.state == "running":
            # waits for the job's own writes, which are short
            mine.cancel_asked = True
            mine.flush_recordset()
        elif self.state in ("draft", "stopped"):
            self.lock_for_update()
            mine.state = "cancelled"
            mine._forget_files()
        self._journal("recording.archive.cancel")
        return True

    def action_remove(self):
        """Remove the files now, before their days are over."""
        self.ensure_one()
        self._check_mine()
        self.lock_for_update()
        if self.state not in ("done", "stopped"):
            raise UserError(self.env._("There are no files to remove."))
        # sudo: the state is the system's; the right was checked
        self.sudo()._remove("person")
        return True

    def _check_mine(self):
        """Let the one who asked for it, and administrators, decide on its fate."""
        self.check_access("read")
        user = self.env.user
        if not (
            self.env.su or self._may_take() or user.has_group("oda_base.group_admin")
        ):
            raise AccessError(self.env._("This archive is somebody else's."))

    def _journal_taking(self, number):
        """Note that somebody downloads a part; a resumed one is the same download."""
        self.env.cr.execute(
            "SELECT 1 FROM oda_event WHERE res_model = %s AND res_id = %s "
            "AND user_id = %s AND code = 'recording.archive.take' AND at > %s "
            "AND details->>'part' = %s LIMIT 1",
            (
                self._name,
                self.id,
                self.env.uid,
                fields.Datetime.now() - LISTENING,
                str(number),
            ),
        )
        if not self.env.cr.fetchone():
            self._journal("recording.archive.take", part=number)

    def _begin(self):
        # sudo: the state is the system's to set
        self.sudo().write({"state": "running", "words": False, "cancel_asked": False})
        self._enqueue()

    def _journal(self, code, **details):
        self.env["oda.event"].with_company(self.company_id)._log(
            code,
            self,
            date_from=fields.Date.to_string(self.date_from),
            date_to=fields.Date.to_string(self.date_to),
            **details,
        )

    # === WHICH RECORDINGS ===#

    def _recordings(self):
        """Return the domain of what goes in, for whoever asked for it.

        Their record rules come on top: the search is made with their rights.
        """
        start, end = self._span()
        domain = Domain(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "stored"),
                ("started_at", ">=", start),
                ("started_at", "<", end),
            ]
        )
        if self.direction:
            domain &= Domain("call_id.direction", "=", self.direction)
        if self.agent_ids:
            domain &= Domain("user_id", "in", self.agent_ids.ids)
        if self.account_id:
            domain &= Domain("account_id", "=", self.account_id.id)
        if not self.automatic and not self.with_user(self.user_id)._hears_all():
            mine = [
                ("user_id", "=", self.user_id.id),
                ("state", "in", ("talking", "done")),
            ]
            domain &= Domain("user_id", "=", self.user_id.id) | Domain(
                "call_id.leg_ids", "any", mine
            )
        return domain

    # === EACH MONTH ===#

    @api.model
    def _cron_archives(self):
        """Begin the archives of last month; wake what lost its job."""
        # sudo: the system's own work, in all companies
        archives = self.sudo()
        for company in archives.env["res.company"].search(
            [("oda_recording_archive_monthly", "=", True)]
        ):
            archives.with_company(company)._make_monthly(company)
        archives.search([("state", "=", "running")])._enqueue()

    @api.model
    def _make_monthly(self, company):
        """Begin last month's archive on the first working day, or on the next run."""
        today = self._today()
        calendar = self.env["oda.worktime"]._working_calendar(
            company.resource_calendar_id or None
        )
        days = (today.replace(day=1) + timedelta(days=n) for n in range(today.day))
        if not any(calendar.periods(day) for day in days):
            return self.browse()
        last = self._last_day()
        first = last.replace(day=1)
        known = [
            ("company_id", "=", company.id),
            ("automatic", "=", True),
            ("date_from", "=", first),
        ]
        if self.search_count(known, limit=1):
            return self.browse()
        archive = self.new(
            {
                "company_id": company.id,
                "automatic": True,
                "date_from": first,
                "date_to": last,
            }
        )
        if not self.env["oda.recording"].search_count(archive._recordings(), limit=1):
            return self.browse()
        archive = self.create(
            {
                "company_id": company.id,
                "user_id": False,
                "automatic": True,
                "date_from": first,
                "date_to": last,
            }
        )
        archive._begin()
        return archive
