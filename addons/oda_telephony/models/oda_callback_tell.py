# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools.misc import format_datetime

from odoo.addons.oda_base.transaction import in_own_transaction
from odoo.addons.oda_crm import stale

from .. import callbacks

_logger = logging.getLogger(__name__)

LISTED = 50  # callers named in one message; the rest are counted
BATCH = 500  # rows looked at in one go


class OdaCallback(models.Model):
    """Who is told of calls to return: once as they begin, again when they are late."""

    _inherit = "oda.callback"

    @api.model
    def _cron_sweep(self):
        """Tell and remind; each minute, each in a transaction of its own."""
        for verb in ("_tell_new", "_remind_late"):
            self._in_own(verb)

    @api.model
    def _cron_mend(self):
        self._in_own("_mend")

    @api.model
    def _in_own(self, verb):
        def work(env):
            return getattr(env["oda.callback"], verb)()

        try:
            in_own_transaction(self.env.registry, self.env.uid, work)
        except Exception:
            # One that cannot be done must not hold up the others.
            _logger.exception("calls to return: %s failed", verb)

    # === MENDING ===#

    @api.model
    def _mend(self, now=None):
        """Set right what changed behind the rows: hours, people, lost tasks."""
        now = now or fields.Datetime.now()
        rows = self.search([("state", "=", "open")], order="id", limit=10 * BATCH)
        for row in rows:
            row = row.with_company(row.company_id)
            user = row.user_id
            if row.lead_id and not row.lead_id.exists():
                row.lead_id = False
            if not user.active or user.share:
                heir = row.activity_id.filtered("active").user_id
                if not heir.active or heir == user:
                    heir = row._choose_user(row.lead_id.filtered("oda_is_open"))
                row._give_to(heir)
            if not row.activity_id.active:
                row.lead_id = row.lead_id.filtered("oda_is_open")
                row._plan_task()
            row._mend_hours(now)

    def _mend_hours(self, now):
        """The hours of the house have changed: so have the target and what follows."""
        due_at = self._due(self.first_missed_at)
        if due_at != self.due_at:
            task = self.activity_id
            if task.active and task.oda_due_at == self.due_at:
                # Where somebody has moved the task, it stays where they put it.
                task.with_context(mail_activity_quick_update=True).oda_due_at = due_at
            vals = {"due_at": due_at}
            if not self.reminders:
                vals["next_reminder_at"] = max(due_at, self.tell_at or due_at)
            self.write(vals)
        if not self.notified_at and self.tell_at:
            hours = self._hours(self.company_id)
            told = callbacks.opening(hours, max(self.last_missed_at, self.assigned_at))
            if told != self.tell_at and (self.tell_at > now or told > now):
                self.tell_at = told

    # === TELLING ===#

    @api.model
    def _tell_new(self, now=None):
        """Tell each person, in one message, of the calls that became theirs."""
        now = now or fields.Datetime.now()
        rows = self.search(
            [
                ("state", "=", "open"),
                ("notified_at", "=", False),
                ("tell_at", "<=", now),
            ],
            limit=BATCH,
        )
        rows = rows.try_lock_for_update().filtered(
            lambda row: callbacks.is_working(self._hours(row.company_id), now)
        )
        for user, mine in rows.grouped("user_id").items():
            if user:
                self._tell(
                    user,
                    mine,
                    lambda env, count: env._("Calls to return: %s", count),
                    # by day the browser was told when it happened
                    mine.filtered(lambda row: not row.announced),
                )
        rows.notified_at = now

    @api.model
    def _remind_late(self, now=None):
        """Remind of what is late, in working time; it climbs, and is counted."""
        now = now or fields.Datetime.now()
        rows = self.search(
            [
                ("state", "=", "open"),
                ("next_reminder_at", "<=", now),
                ("due_at", "<=", now),
            ],
            limit=BATCH,
        )
        rows = rows.try_lock_for_update().filtered(
            lambda row: callbacks.is_working(self._hours(row.company_id), now)
        )
        lists = {}
        head = self.env["oda.stale"]._oda_head()
        for row in rows:
            company = row.company_id
            height = stale.level(row.reminders + 1, company.oda_callback_climb_after)
            leader = (row.lead_id.team_id or row.line_id.team_id).user_id
            leader = leader or row.user_id.crm_team_ids.user_id[:1]
            here = [one if one.active else None for one in (row.user_id, leader, head)]
            for user in stale.told(height, *here):
                lists[user] = lists.get(user, self.browse()) | row
            row.write(
                {
                    "reminders": row.reminders + 1,
                    "last_reminded_at": now,
                    "next_reminder_at": callbacks.due(
                        self._hours(company),
                        now,
                        max(company.oda_callback_repeat_minutes, 1),
                    ),
                }
            )
        for user, mine in lists.items():
            self._tell(
                user,
                mine,
                lambda env, count: env._("Calls not returned in time: %s", count),
            )

    @api.model
    def _tell(self, user, rows, subject, news=None):
        """Send one message, to the inbox or by e-mail as the person prefers.

        :param news: rows that the browser is told of as well; by default all
        """
        rows = rows.with_context(lang=user.lang or self.env.lang, tz=user.tz)
        env = rows.env
        lines = Markup().join(
            Markup('<li><a href="/odoo/oda-callbacks/%s">%s</a> %s</li>')
            % (
                row.id,
                row.display_name,
                env._(
                    "missed %(count)s, since %(since)s, to call until %(until)s",
                    count=row.missed_count,
                    since=format_datetime(
                        env, row.first_missed_at, dt_format="dd.MM HH:mm"
                    ),
                    until=format_datetime(env, row.due_at, dt_format="dd.MM HH:mm"),
                ),
            )
            for row in rows[:LISTED]
        )
        if len(rows) > LISTED:
            lines += Markup("<li>%s</li>") % env._("and %s more", len(rows) - LISTED)
        env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids,
            subject=subject(env, len(rows)),
            body=Markup("<ul>%s</ul>") % lines,
        )
        if loud := rows if news is None else news:
            user._bus_send(
                "oda_telephony.callback", {"rows": len(loud), **loud[0]._news()}
            )
