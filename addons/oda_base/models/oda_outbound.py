# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import itertools
import logging
import time
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..backoff import OUTBOUND_STEPS, next_delay
from ..connectors import Delivery
from ..pacing import Pacer
from ..sealing import SealError
from ..transaction import CONFLICT, LOST_RACE, in_own_transaction

_logger = logging.getLogger(__name__)

BUDGET = 3.0  # seconds one job sends before it lets other jobs have the slot
#: a row that is `sending` for longer belongs to a process that died: its fate
#: is unknown. Longer than any driver's total time-out.
STALE_AFTER = timedelta(minutes=5)
RETENTION_DAYS = 180
MAX_WAIT = 24 * 3600.0  # seconds; a provider's Retry-After is believed up to this
GC_LIMIT = 10_000  # rows removed in one go
#: tries of telling a record whose unique key was taken meanwhile; see `_tell`
LOOKS = 3
FINAL = ("done", "failed", "cancelled")
OUTCOMES = ("done", "failed", "later", "unknown")


class OdaOutbound(models.Model):
    """The outbox: one row for each effect outside, with its own uuid.

    `pending` -> `sending` is committed before the first byte leaves, so that a
    crash at any line leaves a row whose fate is at worst `unknown`. Unknown is
    resolved by asking the provider, never by sending again.
    """

    _name = "oda.outbound"
    _description = "Outgoing Message"
    _log_access = False
    _order = "id desc"
    _rec_name = "uuid"

    uuid = fields.Char(
        required=True, readonly=True, copy=False, default=lambda s: str(uuid.uuid4())
    )
    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    connector = fields.Char(readonly=True)
    verb = fields.Char(required=True, readonly=True)
    payload = fields.Json(readonly=True, groups="oda_base.group_admin")
    state = fields.Selection(
        [
            ("pending", "Waiting"),
            ("sending", "Being sent"),
            ("unknown", "Not sure it arrived"),
            ("done", "Sent"),
            ("failed", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    attempts = fields.Integer(string="Times sent", readonly=True)
    asked = fields.Integer(
        string="Times asked",
        readonly=True,
        help="How often the provider was asked what became of it; not a sending.",
    )
    next_try_at = fields.Datetime(readonly=True)
    sending_since = fields.Datetime(readonly=True)
    created_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    finished_at = fields.Datetime(readonly=True)
    reference = fields.Char(string="Provider's reference", readonly=True)
    words = fields.Char(string="What became of it", readonly=True)
    user_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", readonly=True, model_field="res_model"
    )

    _uuid_uniq = models.Constraint("UNIQUE(uuid)", "Each message is sent once.")
    _todo_idx = models.Index(
        "(account_id, id) WHERE state IN ('pending', 'sending', 'unknown')"
    )
    _record_idx = models.Index("(res_model, res_id)")
    _user_idx = models.Index("(user_id) WHERE user_id IS NOT NULL")
    _created_idx = models.Index("(created_at)")

    def write(self, vals):
        if not self.env.su:
            if vals != {"state": "cancelled"}:
                raise AccessError(self.env._("What is to be sent cannot be changed."))
            # The one thing that is a person's to decide, with its journal.
            self.action_cancel()
            return True
        if vals.get("state") in ("pending", "sending", "unknown") and self.filtered(
            lambda row: row.state in ("done", "failed")
        ):
            raise UserError(self.env._("What is settled is never sent again."))
        return super().write(vals)

    # === VERBS ===#

    @api.model
    def _enqueue(self, account, verb, payload, record=None, key=None):
        """Have a message sent after this transaction commits.

        :param account: `oda.connector.account` record
        :param str verb: what the driver's `send` understands
        :param dict payload: JSON-able
        :param record: the record it is about, told through `_oda_sent`
        :param str key: idempotency; the same key gives the same row back
        :returns: the `oda.outbound` row
        :raise UserError: the key is that of a message of another account
        """
        # sudo: any business code may cause a message, only admins see the box
        box = self.sudo()
        if key and (known := box.search([("uuid", "=", key)], limit=1)):
            if known.account_id != account:
                raise UserError(
                    self.env._("Another account has a message with this key already.")
                )
            return known
        row = box.create(
            {
                "uuid": key or str(uuid.uuid4()),
                "account_id": account.id,
                "company_id": account.company_id.id,
                "connector": account.connector,
                "verb": verb,
                "payload": payload,
                "user_id": self.env.uid,
                "res_model": record._name if record else False,
                "res_id": record.id if record else False,
            }
        )
        account._wake_after_commit(account.ids, "oda.outbound", "_drain")
        return row

    # === WORK ===#

    def _drain(self, account_id):
        """Send the account's waiting messages one by one. Job entry point."""
        registry, uid = self.env.registry, self.env.uid
        until = time.monotonic() + BUDGET
        with registry.cursor() as lock_cr:
            lock_cr.execute(
                "SELECT pg_advisory_xact_lock(hashtext('oda_outbound'), %s)",
                (account_id,),
            )
            driver, account, words = in_own_transaction(
                registry, uid, lambda env: env["oda.outbound"]._sender(account_id)
            )
            if words:
                return words
            pacer = Pacer(*driver.rate)
            sent = 0
            while time.monotonic() < until:
                message = self._claim(registry, uid, account_id)
                if not message:
                    return f"{sent} messages"
                pacer.wait()
                delivery = self._attempt(driver, account, message)
                self._conclude(registry, uid, message["id"], delivery)
                sent += 1
        # sudo: rows remain; enqueueing a job is not a right of this user
        self.env["oda.connector.account"].sudo()._wake_after_commit(
            [account_id], "oda.outbound", "_drain"
        )
        return f"{sent} messages, more waiting"

    @api.model
    def _sender(self, account_id):
        """Return `(driver, account, words)`; words say why nothing is sent."""
        account = self.env["oda.connector.account"].browse(account_id)
        if account._driver() is None or not account.active:
            # Nobody to send it, or the account was switched off.
            return None, None, "nothing is sent for this account"
        try:
            return account._driver(), account._account(), ""
        except SealError as error:
            # A matter for an administrator, who looks at the rows that wait.
            self.env.cr.execute(
                "UPDATE oda_outbound SET words = %(words)s WHERE account_id = "
                "%(account)s AND state IN ('pending', 'sending', 'unknown') "
                "AND words IS DISTINCT FROM %(words)s",
                {"words": str(error)[:500], "account": account_id},
            )
            return None, None, f"nothing is sent: {error}"

    @api.model
    def _claim(self, registry, uid, account_id):
        """Commit the intent of one message; return it as a dict, or None."""
        return in_own_transaction(
            registry, uid, lambda env: env["oda.outbound"]._claim_here(account_id)
        )

    @api.model
    def _claim_here(self, account_id):
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            SELECT id, state FROM oda_outbound
             WHERE account_id = %s AND state IN ('pending', 'sending', 'unknown')
               AND (next_try_at IS NULL OR next_try_at <= %s)
               AND (state <> 'sending' OR sending_since < %s)
             ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            (account_id, now, now - STALE_AFTER),
        )
        found = self.env.cr.fetchone()
        if not found:
            return None
        row_id, state = found
        # sudo: payload is for admins' eyes; the sender needs it to send
        row = self.sudo().browse(row_id)
        if state == "pending":
            vals = {"state": "sending", "attempts": row.attempts + 1, "asked": 0}
            vals["next_try_at"] = False
        else:
            # A row found `sending` is a dead process's: ask, do not send.
            vals = {"state": "unknown", "asked": row.asked + 1}
            vals["next_try_at"] = now + STALE_AFTER
        row.write(dict(vals, sending_since=now))
        return {
            "id": row_id,
            "uuid": row.uuid,
            "verb": row.verb,
            "payload": row.payload,
            "attempts": row.attempts,
            "ask": state != "pending",
        }

    @staticmethod
    def _attempt(driver, account, message):
        """Call the driver; whatever escapes it means: fate unknown."""
        try:
            act = driver.resolve if message["ask"] else driver.send
            delivery = act(account, message)
            if delivery.state not in OUTCOMES:
                raise ValueError("not an outcome")
            return delivery
        except Exception as error:  # noqa: BLE001
            _logger.info(
                "message %s: %s in the driver", message["uuid"], type(error).__name__
            )
            return Delivery("unknown", words=type(error).__name__)

    @api.model
    def _conclude(self, registry, uid, row_id, delivery):
        """Commit what became of a message, whoever else works on its record."""
        look = itertools.count(1)

        def work(env):
            row = env["oda.outbound"].browse(row_id)
            row._conclude_here(delivery, again=next(look) < LOOKS)

        return in_own_transaction(registry, uid, work)

    def _conclude_here(self, delivery, again=False):
        """Store what became of a message and tell the record it is about.

        :param again: see `_tell`
        """
        self.ensure_one()
        # sudo: the row is the outbox's own; the record is told under our user
        row = self.sudo()
        if row.state in FINAL and delivery.state != "done":
            return  # a person was faster; only a fact overrules what is settled
        now = fields.Datetime.now()
        state = {"later": "pending"}.get(delivery.state, delivery.state)
        vals = {
            "words": (delivery.words or "")[:500],
            "sending_since": False,
            "next_try_at": False,
        }
        if delivery.reference:
            vals["reference"] = delivery.reference
        if delivery.state in ("later", "unknown"):
            tries = row.asked if delivery.state == "unknown" else row.attempts
            delay = next_delay(max(tries, 1), OUTBOUND_STEPS)
            if delay is None and delivery.state == "later":
                state = "failed"
            # An unknown one is asked about for as long as it takes.
            delay = delivery.retry_after or delay or OUTBOUND_STEPS[-1]
            # Never "at once": this very job would go round with it.
            delay = min(max(delay, 1.0), MAX_WAIT)
            vals["next_try_at"] = now + timedelta(seconds=delay)
        if state in ("done", "failed"):
            vals.update(finished_at=now, next_try_at=False)
        row.write(dict(vals, state=state))
        self._tell(row, again)

    def _tell(self, row, again=False):
        """Let the record know; what it makes of it cannot undo the fact.

        :param again: let a unique key that is taken be raised, so that the caller
            repeats it all on a new snapshot; else it is the record's own failure
        """
        if not (row.res_model and row.res_id and row.res_model in self.env):
            return
        record = self.env[row.res_model].browse(row.res_id).exists()
        if not (record and hasattr(record, "_oda_sent")):
            return
        passed_on = LOST_RACE if again else CONFLICT
        try:
            with self.env.cr.savepoint():
                record._oda_sent(row)
        except passed_on:
            raise
        except Exception:
            _logger.exception("message %s: its record did not take the news", row.uuid)

    # === CRONS AND ACTIONS ===#

    @api.model
    def _cron_sweep(self):
        """Wake accounts with due messages that no job waits for."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            SELECT DISTINCT o.account_id FROM oda_outbound o
              JOIN oda_connector_account a ON a.id = o.account_id AND a.active
             WHERE o.state IN ('pending', 'sending', 'unknown')
               AND (o.next_try_at IS NULL OR o.next_try_at <= %s)
               AND (o.state <> 'sending' OR o.sending_since < %s)
            """,
            (now, now - STALE_AFTER),
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        for account in self.env["oda.connector.account"].browse(ids):
            account._wake("oda.outbound", "_drain")

    @api.autovacuum
    def _gc_outbound(self):
        limit = fields.Datetime.now() - timedelta(days=RETENTION_DAYS)
        old = self.search(
            [("state", "in", FINAL), ("created_at", "<", limit)],
            order="created_at",
            limit=GC_LIMIT,
        )
        removed = len(old)
        old.unlink()
        return removed, removed == GC_LIMIT

    def action_cancel(self):
        self.check_access("write")
        if self.filtered(lambda row: row.state not in ("pending", "unknown")):
            raise UserError(
                self.env._("Only messages that wait or are unsure can be cancelled.")
            )
        # sudo: the one state that is a person's to set, with a journal
        self.sudo().write({"state": "cancelled", "finished_at": fields.Datetime.now()})
        self.env["oda.event"]._log("outbound.cancel", self)

    def action_ask_again(self):
        """Ask the provider now what became of messages of unknown fate."""
        self.check_access("write")
        unknown = self.filtered(lambda row: row.state == "unknown")
        unknown.sudo().write({"next_try_at": False})  # sudo: when, not what
        # sudo: the job belongs to the connector user, not to who pressed
        self.env["oda.connector.account"].sudo()._wake_after_commit(
            self.account_id.ids, "oda.outbound", "_drain"
        )
