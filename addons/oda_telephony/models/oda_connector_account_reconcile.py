# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import reconciling

TROUBLE_AFTER = 3  # failures in a row: some 17 minutes without an answer


class OdaConnectorAccount(models.Model):
    """Comparing the calls here with the exchange's own history."""

    _inherit = "oda.connector.account"

    reconciled_at = fields.Datetime(string="Last compared", readonly=True, copy=False)
    reconciled_until = fields.Datetime(
        string="Compared up to",
        readonly=True,
        copy=False,
        help="All calls that ended before are here as the exchange has them.",
    )
    reconcile_found = fields.Integer(
        string="Lost calls found",
        readonly=True,
        copy=False,
        help="Calls of which no push had come, since this channel exists.",
    )
    reconcile_repaired = fields.Integer(
        string="Calls corrected",
        readonly=True,
        copy=False,
        help="Calls whose outcome, talker or recording was known from the history "
        "only, since this channel exists.",
    )
    reconcile_failures = fields.Integer(
        string="Failures in a row", readonly=True, copy=False
    )
    reconcile_words = fields.Char(string="Last comparison", readonly=True, copy=False)
    reconcile_next_at = fields.Datetime(
        string="Next comparison", readonly=True, copy=False
    )

    @api.depends("reconcile_failures")
    def _compute_live_state(self):
        done = super()._compute_live_state()
        for account in self.filtered("active"):
            if account.reconcile_failures >= TROUBLE_AFTER:
                account.live_state = "trouble"
        return done

    @api.model
    def _cron_reconcile(self):
        """Have each exchange that can be asked compared, when it is time."""
        now = fields.Datetime.now()
        accounts = self.search(
            [
                "|",
                ("reconcile_next_at", "=", False),
                ("reconcile_next_at", "<=", now),
            ]
        )
        for account in accounts.filtered(lambda one: one._pbx_can_ask()):
            account._wake("oda.call", "_reconcile")
            account._wake("oda.pbx.user", "_ask_lines")

    def action_reconcile(self):
        """Compare now, whatever the plan says."""
        self.ensure_one()
        self.check_access("write")
        if not self._pbx_can_ask():
            raise UserError(self._pbx_words("no_address"))
        self.reconcile_next_at = False
        self._wake_after_commit(self.ids, "oda.call", "_reconcile")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.name,
                "message": self.env._(
                    "The calls are being compared with the exchange's history. What "
                    "came of it stands here in a minute."
                ),
                "type": "info",
            },
        }

    # === NOTES OF THE JOB ===#

    def _reconcile_note(self, until=None, found=0, repaired=0, over=False):
        """Write down a page that is compared.

        :param datetime until: naive UTC, up to when all is compared
        :param bool over: it was the last page
        """
        # sudo: the jobs' user only reads accounts
        account = self.sudo()
        now = fields.Datetime.now()
        vals = {
            "reconcile_found": account.reconcile_found + found,
            "reconcile_repaired": account.reconcile_repaired + repaired,
        }
        if until and until > (account.reconciled_until or until.min):
            vals["reconciled_until"] = until
        if over:
            vals.update(
                reconciled_at=now,
                reconcile_failures=0,
                reconcile_words=False,
                reconcile_next_at=now + reconciling.EVERY,
            )
        account._write_quietly(vals)

    def _reconcile_failed(self, fault):
        # sudo: the jobs' user only reads accounts
        account = self.sudo()
        failures = account.reconcile_failures + 1
        pause = reconciling.next_pause(failures)
        if fault.retry_after:
            pause = max(pause, timedelta(seconds=min(fault.retry_after, 3600)))
        account._write_quietly(
            {
                "reconcile_failures": failures,
                "reconcile_words": account._pbx_words(fault.code, fault.detail),
                "reconcile_next_at": fields.Datetime.now() + pause,
            }
        )

    def _write_quietly(self, vals):
        """Write without emptying the caches of all workers: no address changes."""
        return models.BaseModel.write(self, vals)
