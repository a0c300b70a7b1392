# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
import time
from datetime import timedelta

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from odoo.addons.oda_base.transaction import in_own_transaction

_logger = logging.getLogger(__name__)

BATCH = 500  # recordings removed in a transaction
BUDGET = 600  # seconds a night; what is left goes the next one
LATE = timedelta(days=5)  # the exchange keeps it about a week: somebody can still act
LISTED = 20  # recordings named in a warning
HOLDERS = ("oda_base.group_supervisor", "oda_base.group_head", "oda_base.group_admin")

# What may be removed: over age, and nobody holds it. An account's own months first.
_OVER_AGE = """
SELECT r.id
  FROM oda_recording r
 WHERE r.account_id = %(account)s AND r.state = 'stored'
   AND (r.started_at < %(limit)s
        OR (r.started_at IS NULL AND r.fetched_at < %(limit)s))
   AND (r.hold_at IS NULL OR r.hold_until < %(today)s)
 ORDER BY r.started_at
 LIMIT %(batch)s
   FOR UPDATE OF r SKIP LOCKED
"""


class OdaRecording(models.Model):
    """How long the sound is kept: its months, or as long as somebody holds it."""

    _inherit = "oda.recording"

    announced = fields.Boolean(
        readonly=True, help="The exchange told people that they are recorded."
    )
    hold_at = fields.Datetime(string="Held since", readonly=True)
    hold_by_id = fields.Many2one(
        "res.users", string="Held by", readonly=True, ondelete="restrict"
    )
    hold_reason = fields.Char(readonly=True)
    hold_until = fields.Date(string="Held until", readonly=True)
    held = fields.Boolean(compute="_compute_held", search="_search_held")
    remove_on = fields.Date(string="Is removed on", compute="_compute_remove_on")
    deleted_at = fields.Datetime(string="Removed on", readonly=True)
    warned_at = fields.Datetime(readonly=True)

    _late_idx = models.Index(
        "(create_date) WHERE warned_at IS NULL AND state IN ('pending', 'missing')"
    )

    @api.depends("hold_at", "hold_until")
    def _compute_held(self):
        today = fields.Date.today()
        for one in self:
            one.held = bool(one.hold_at) and (
                not one.hold_until or one.hold_until >= today
            )

    @api.model
    def _search_held(self, operator, value):
        if operator != "in":
            return NotImplemented
        held = Domain("hold_at", "!=", False) & (
            Domain("hold_until", "=", False)
            | Domain("hold_until", ">=", fields.Date.today())
        )
        wanted = set(value)
        if wanted == {True, False}:
            return Domain.TRUE
        return held if True in wanted else ~held

    @api.depends("state", "started_at", "held")
    def _compute_remove_on(self):
        for one in self:
            one.remove_on = (
                one.started_at.date() + relativedelta(months=one._months())
                if one.state == "stored" and one.started_at and not one.held
                else False
            )

    def _months(self):
        # sudo: two numbers of the settings, which who reads the row may know
        mine = self.sudo()
        return mine.account_id.recording_months or mine.company_id.oda_recording_months

    # === HOLDING ===#

    def _check_holder(self):
        if not any(self.env.user.has_group(group) for group in HOLDERS):
            raise AccessError(
                self.env._(
                    "Supervisors, heads and administrators hold recordings, and let "
                    "them go."
                )
            )
        self.check_access("read")

    def action_hold(self):
        """Ask for the reason to keep these, however old they get."""
        self._check_holder()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hold recordings"),
            "res_model": "oda.recording.hold",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_recording_ids": self.ids},
        }

    def _hold(self, reason, until):
        """Keep these: `until` a date, or False until they are let go."""
        self._check_holder()
        self.lock_for_update()
        if any(one.state == "deleted" for one in self):
            raise UserError(
                self.env._("A sound that was removed already cannot be held.")
            )
        # sudo: the row is the system's; the person's right was checked above
        self.sudo().write(
            {
                "hold_at": fields.Datetime.now(),
                "hold_by_id": self.env.uid,
                "hold_reason": reason,
                "hold_until": until,
            }
        )
        self.env["oda.event"]._log(
            "recording.hold",
            self,
            reason=reason,
            until=fields.Date.to_string(until) or False,
        )

    def action_release(self):
        """Let go what was held: it is removed when its months are over."""
        self._check_holder()
        held = self.filtered("hold_at")
        held.lock_for_update()
        for one in held:
            self.env["oda.event"]._log(
                "recording.release", one, reason=one.hold_reason or ""
            )
        # sudo: as in _hold
        held.sudo().write(
            {
                "hold_at": False,
                "hold_by_id": False,
                "hold_reason": False,
                "hold_until": False,
            }
        )
        return True

    # === REMOVING ===#

    @api.model
    def _cron_retention(self):
        """Each night: remove what is over age, warn of what did not come."""
        removed = self._remove_over_age()
        archives = self.env["oda.recording.archive"]._remove_over_age()
        if removed or archives:
            self._collect_files()
        else:
            self._collect_incoming()
        self._warn_of_late()
        self._reseal_old_keys()
        self._draw_missing()

    @api.model
    def _remove_over_age(self):
        """Remove the sound of what is over age; return how many.

        Batches with transactions of their own: a night that is cut short has
        removed, and journalled, what it has removed.
        """
        registry, uid = self.env.registry, self.env.uid
        until = time.monotonic() + BUDGET
        total = 0
        # sudo: the system's own housekeeping, in all companies
        accounts = self.env["oda.connector.account"].sudo()
        for account in accounts.with_context(active_test=False).search([]):  # pylint: disable=no-search-all  # a handful
            months = account.recording_months or account.company_id.oda_recording_months
            count = 1
            while count and time.monotonic() < until:

                def remove(env, account_id=account.id, months=months):
                    return env["oda.recording"]._remove_batch(account_id, months)

                count = in_own_transaction(registry, uid, remove)
                total += count
        if total:
            _logger.info("%s recordings were over age and are removed", total)
        return total

    @api.model
    def _remove_batch(self, account_id, months):
        """Remove at most `BATCH` sounds of an account; return how many."""
        self.env.flush_all()
        self.env.cr.execute(
            _OVER_AGE,
            {
                "account": account_id,
                "limit": fields.Datetime.now() - relativedelta(months=months),
                "today": fields.Date.today(),
                "batch": BATCH,
            },
        )
        # sudo: as in _remove_over_age
        rows = self.sudo().browse(one for (one,) in self.env.cr.fetchall())
        rows._remove("age", months=months)
        return len(rows)

    def _remove(self, reason, **details):
        """Remove the sound of these rows; the row, its size and checksum stay."""
        if not self:
            return
        for company, rows in self.grouped("company_id").items():
            journal = self.env["oda.event"].with_company(company)
            for one in rows:
                journal._log(
                    "recording.delete",
                    one,
                    reason=reason,
                    call=one.call_id.callid,
                    bytes=one.size,
                    sha256=one.sha256 or "",
                    **details,
                )
            journal._log("recording.retention", count=len(rows), reason=reason)
        self._drop_sound()
        self.write(
            {
                "state": "deleted",
                "deleted_at": fields.Datetime.now(),
                "waveform": False,
                "words": False,
            }
        )

    # === WARNING ===#

    @api.model
    def _warn_of_late(self):
        """Tell administrators, once, of what the exchange has not given up to now.

        From the fifth day on, when it can still be fetched by hand.
        """
        # sudo: the system's own housekeeping
        late = self.sudo().search(
            [
                ("warned_at", "=", False),
                "|",
                ("state", "=", "missing"),
                "&",
                ("state", "=", "pending"),
                ("create_date", "<", fields.Datetime.now() - LATE),
            ],
            order="id",
            limit=10000,
        )
        for company, rows in late.grouped("company_id").items():
            # sudo: as above
            admins = self.env.ref("oda_base.group_admin").sudo().all_user_ids
            here = admins.filtered(
                lambda one, company=company: (
                    one.active and (not company or company in one.company_ids)
                )
            )
            for lang, people in here.grouped("lang").items():
                rows.with_context(lang=lang)._tell_late(people)
            self.env["oda.event"].with_company(company or self.env.company)._log(
                "recording.late", count=len(rows)
            )
        late.warned_at = fields.Datetime.now()
        return len(late)

    def _tell_late(self, people):
        lines = Markup().join(
            Markup("<li>%s: %s</li>") % (one.display_name, one.words or "")
            for one in self[:LISTED]
        )
        if len(self) > LISTED:
            lines += Markup("<li>%s</li>") % self.env._(
                "and %s more", len(self) - LISTED
            )
        self.env["mail.thread"].message_notify(
            partner_ids=people.partner_id.ids,
            subject=self.env._("Recordings that did not come: %s", len(self)),
            body=Markup("<p>%s</p><ul>%s</ul>")
            % (
                self.env._(
                    "The exchange keeps its recordings about a week, then they are "
                    "lost. See Calls › Recordings, “Not stored”."
                ),
                lines,
            ),
        )
