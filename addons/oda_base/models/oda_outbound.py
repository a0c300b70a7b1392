# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
import time
import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..backoff import OUTBOUND_STEPS, next_delay
from ..connectors import Delivery
from ..pacing import Pacer

_logger = logging.getLogger(__name__)

BUDGET = 20.0  # seconds one job sends before it lets other jobs have the slot
#: a row that is `sending` for longer belongs to a process that died: its fate
#: is unknown. Longer than any driver's total time-out.
STALE_AFTER = timedelta(minutes=5)
RETENTION_DAYS = 180
MAX_WAIT = 24 * 3600.0  # seconds; a provider's Retry-After is believed up to this
#: what a person may decide about a row; what it says stays
DECIDED = {"state", "next_try_at", "finished_at"}
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
    attempts = fields.Integer(readonly=True)
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

    def write(self, vals):
        if not self.env.su and not DECIDED.issuperset(vals):
            raise AccessError(self.env._("What is to be sent cannot be changed."))
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
        """
        # sudo: any business code may cause a message, only admins see the box
        box = self.sudo()
        if key and (known := box.search([("uuid", "=", key)], limit=1)):
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
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, {})
                account_record = env["oda.connector.account"].browse(account_id)
                driver, account = account_record._driver(), account_record._account()
                if driver is None or not account_record.active:
                    # Nobody to send it, or the account was switched off.
                    return "nothing is sent for this account"
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
    def _claim(self, registry, uid, account_id):
        """Commit the intent of one message; return it as a dict, or None."""
        with registry.cursor() as cr:
            env = api.Environment(cr, uid, {})
            return env["oda.outbound"]._claim_here(account_id)

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
        message = {
            "id": row_id,
            "uuid": row.uuid,
            "verb": row.verb,
            "payload": row.payload,
            "attempts": row.attempts + 1,
            # A row found `sending` is a dead process's: ask, do not send.
            "ask": state != "pending",
        }
        row.write(
            {
                "state": "sending" if state == "pending" else "unknown",
                "sending_since": now,
                "attempts": message["attempts"],
                "next_try_at": now + STALE_AFTER if state != "pending" else False,
            }
        )
        return message

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
    def _conclude(self, registry, uid, row_id, delivery, tries=6):
        """Commit what became of a message, whoever else works on its record."""
        for attempt in range(tries):
            with registry.cursor() as cr:
                env = api.Environment(cr, uid, {})
                try:
                    env["oda.outbound"].browse(row_id)._conclude_here(delivery)
                    return env.flush_all()
                except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                    cr.rollback()
                    if attempt == tries - 1:
                        raise
            time.sleep(0.02 * 2**attempt)

    def _conclude_here(self, delivery):
        """Store what became of a message and tell the record it is about."""
        self.ensure_one()
        # sudo: the row is the outbox's own; the record is told under our user
        row = self.sudo()
        if row.state == "cancelled" and delivery.state != "done":
            return  # a person was faster; only a fact overrules a person
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
            delay = next_delay(max(row.attempts, 1), OUTBOUND_STEPS)
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
        self._tell(row)

    def _tell(self, row):
        """Let the record know; what it makes of it cannot undo the fact."""
        if not (row.res_model and row.res_id and row.res_model in self.env):
            return
        record = self.env[row.res_model].browse(row.res_id).exists()
        if not (record and hasattr(record, "_oda_sent")):
            return
        try:
            with self.env.cr.savepoint():
                record._oda_sent(row)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
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
        self.search(
            [
                ("state", "in", ("done", "failed", "cancelled")),
                ("created_at", "<", limit),
            ],
            limit=10_000,
        ).unlink()

    def action_cancel(self):
        self.check_access("write")
        if self.filtered(lambda row: row.state not in ("pending", "unknown")):
            raise UserError(
                self.env._("Only messages that wait or are unsure can be cancelled.")
            )
        self.write({"state": "cancelled", "finished_at": fields.Datetime.now()})
        self.env["oda.event"]._log("outbound.cancel", self)

    def action_ask_again(self):
        """Ask the provider now what became of messages of unknown fate."""
        self.check_access("write")
        self.filtered(lambda row: row.state == "unknown").write({"next_try_at": False})
        # sudo: the job belongs to the connector user, not to who pressed
        self.env["oda.connector.account"].sudo()._wake_after_commit(
            self.account_id.ids, "oda.outbound", "_drain"
        )
