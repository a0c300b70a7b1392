# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
import itertools
import logging
import time
from collections import defaultdict
from datetime import timedelta

from psycopg2.pool import PoolError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ..backoff import next_delay
from ..connectors import storable
from ..transaction import CONFLICT, LOST_RACE, in_own_transaction

_logger = logging.getLogger(__name__)

BATCH = 100  # rows in one transaction: news reach the browser at its commit
BUDGET = 3.0  # seconds one job drains before it lets other jobs have the slot
# Seconds between batches that were not full. The first is worked at once, so a lone
# ring waits for nobody; in a rush more pushes share the price of one transaction.
BREATH = 0.05
RETENTION_DAYS = 60
GC_LIMIT = 50_000  # rows removed in one go
#: tries of a batch whose unique key was taken meanwhile; after them the row that
#: wants a key which is not free has failed by its own fault
LOOKS = 3

# A row whose neighbour (same order_key, earlier) waits for its retry waits too.
_DUE = """
  WITH held AS MATERIALIZED (
       SELECT account_id, order_key, min(id) AS first FROM oda_inbound
        WHERE state = 'retry' AND next_try_at > %(now)s AND order_key <> ''
          AND (%(account)s::int IS NULL OR account_id = %(account)s)
        GROUP BY account_id, order_key)
SELECT {what} FROM oda_inbound r
 WHERE r.state IN ('new', 'retry')
   AND (r.next_try_at IS NULL OR r.next_try_at <= %(now)s)
   AND (%(account)s::int IS NULL OR r.account_id = %(account)s)
   AND NOT EXISTS (
        SELECT 1 FROM held h WHERE h.account_id = r.account_id
           AND h.order_key = r.order_key AND h.first < r.id)
"""
_CANDIDATES = _DUE.format(what="r.id") + " ORDER BY r.id LIMIT %(limit)s"
_DUE_ACCOUNTS = _DUE.format(what="DISTINCT r.account_id")


class OdaInbound(models.Model):
    """The durable inbox: one row for each accepted push, whatever it says.

    Rows are inserted by the intake controller with plain SQL and worked by
    `_drain` in order; each ends `done`, `ignored` or, after its last try,
    `dead`, with its error in words, and can be replayed.
    """

    _name = "oda.inbound"
    _description = "Received Push"
    _log_access = False
    _order = "id desc"
    _rec_name = "event_key"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="cascade"
    )
    # No index: nearly all rows have the same one.
    company_id = fields.Many2one("res.company", readonly=True)
    connector = fields.Char(readonly=True)
    event_key = fields.Char(required=True, readonly=True)
    order_key = fields.Char(readonly=True)
    kind = fields.Char(readonly=True)
    state = fields.Selection(
        [
            ("new", "Waiting"),
            ("retry", "Will be tried again"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("dead", "Given up"),
            ("discarded", "Discarded"),
        ],
        required=True,
        default="new",
        readonly=True,
    )
    received_at = fields.Datetime(readonly=True)
    processed_at = fields.Datetime(readonly=True)
    next_try_at = fields.Datetime(readonly=True)
    attempts = fields.Integer(readonly=True)
    note = fields.Char(string="What became of it", readonly=True)
    error = fields.Text(readonly=True)
    content_type = fields.Char(readonly=True)
    remote_addr = fields.Char(string="From address", readonly=True)
    body = fields.Binary(
        attachment=False,
        readonly=True,
        groups="oda_base.group_admin,oda_base.group_connector",
    )
    body_text = fields.Text(
        string="Content", compute="_compute_body_text", groups="oda_base.group_admin"
    )

    # Every push pays for every index: five, and each serves several questions.
    _event_uniq = models.Constraint(
        "UNIQUE(event_key, account_id)", "This push has already been received."
    )
    _order_idx = models.Index("(order_key) WHERE order_key <> ''")
    _received_idx = models.Index("(account_id, received_at)")
    _todo_idx = models.Index("(account_id, id) WHERE state IN ('new', 'retry')")
    # Not for new rows: an exception costs something, the rule does not.
    _failed_idx = models.Index(
        "(state, id) WHERE state IN ('retry', 'dead', 'discarded')"
    )

    @api.depends("body")
    def _compute_body_text(self):
        for row in self.with_context(bin_size=False):
            # Shown to administrators only; the sender's own secret is masked.
            row.body_text = row._redacted_body()

    def _redacted_body(self):
        from ..net import redact  # noqa: PLC0415  (heavy, screens only)

        return redact.redact_body(self._raw_body(), self.content_type or "")

    def _raw_body(self):
        """Return the bytes exactly as they came."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False).body or b"")

    def _raw_bodies(self):
        """Return `{id: bytes}` for many rows with one query."""
        self.check_access("read")
        self.env.cr.execute(
            "SELECT id, body FROM oda_inbound WHERE id = ANY(%s)", (self.ids,)
        )
        found = self.env.cr.fetchall()
        return {row_id: base64.b64decode(body or b"") for row_id, body in found}

    def write(self, vals):
        # What came stays as it came; what becomes of it is decided by the work
        # here and by the actions, which keep a journal.
        if not self.env.su:
            raise AccessError(
                self.env._("What was received is not changed: replay or discard it.")
            )
        return super().write(vals)

    # === WORK ===#

    def _drain(self, account_id):
        """Work the account's waiting rows in order. Job entry point.

        Own cursors, committed batch by batch: a conflict with a person who
        types in the same card repeats the batch at once instead of putting
        the whole job off. An advisory lock keeps it to one drain an account.
        """
        try:
            return self._drain_within(BUDGET, account_id)
        except PoolError as error:
            # All connections are busy (slow bodies, a burst): soon again.
            raise RetryableJobError("no free connection", seconds=1) from error

    @api.model
    def _drain_within(self, budget, account_id):
        registry, uid = self.env.registry, self.env.uid
        until = time.monotonic() + budget
        with registry.cursor() as lock_cr:
            lock_cr.execute(
                "SELECT pg_advisory_xact_lock(hashtext('oda_inbound'), %s)",
                (account_id,),
            )
            total = 0
            while time.monotonic() < until:
                worked = self._drain_once(registry, uid, account_id)
                total += worked
                if not worked:
                    return f"{total} rows"
                if worked < BATCH:
                    time.sleep(BREATH)
        # sudo: rows remain; enqueueing a job is not a right of this user
        self.env["oda.connector.account"].sudo()._wake_after_commit(
            [account_id], "oda.inbound", "_drain"
        )
        return f"{total} rows, more waiting"

    @api.model
    def _drain_once(self, registry, uid, account_id):
        """Work and commit one batch; return how many rows it had."""
        look = itertools.count(1)

        def work(env):
            again = next(look) < LOOKS
            return env["oda.inbound"]._drain_batch(account_id, again=again)

        return in_own_transaction(registry, uid, work)

    @api.model
    def _drain_batch(self, account_id, limit=BATCH, again=False):
        """Work up to `limit` rows in this transaction; return how many.

        :param again: let a unique key that is taken be raised, so that the caller
            repeats the batch on a new snapshot; else it is the row's own failure
        """
        passed_on = LOST_RACE if again else CONFLICT
        self.env.cr.execute(
            _CANDIDATES,
            {"account": account_id, "now": fields.Datetime.now(), "limit": limit},
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        if not ids:
            return 0
        # A job has no language of its own; what it names and notes, people read.
        self = self.with_context(lang=self.env.user.lang)
        rows = self.browse(ids)
        account = self.env["oda.connector.account"].browse(account_id)
        processor = account._driver().processor if account._driver() else ""
        if not processor or processor not in self.env:
            rows._give_up(self.env._("No addon works this connector any more."))
            return len(ids)
        worker = self.env[processor].with_company(account.company_id)
        try:
            with self.env.cr.savepoint():
                self._settle(rows, worker._oda_process_inbound(rows))
                self.env.flush_all()
        except passed_on:
            raise
        except Exception:  # noqa: BLE001
            # One bad row must not stop its neighbours: find it, alone.
            self.env.invalidate_all()
            self._drain_one_by_one(worker, rows, passed_on)
        return len(ids)

    @api.model
    def _drain_one_by_one(self, worker, rows, passed_on=CONFLICT):
        blocked = set()
        for row in rows:
            if row.order_key and row.order_key in blocked:
                continue
            try:
                with self.env.cr.savepoint():
                    self._settle(row, worker._oda_process_inbound(row))
                    self.env.flush_all()
            except passed_on:
                raise
            except Exception as error:  # noqa: BLE001
                self.env.invalidate_all()
                blocked.add(row.order_key)
                row._keep_failure(error)

    @api.model
    def _settle(self, rows, results):
        """Store `[(row, state, note)]` with one UPDATE for each outcome.

        :raise ValueError: not one outcome for each of the rows; a forgotten row
            would be taken up again and again, for ever
        """
        groups = defaultdict(list)
        for row, state, note in results:
            if state not in ("done", "ignored"):
                raise ValueError(f"{state!r} is no outcome of a push")
            groups[state, note or None].append(row.id)
        settled = sorted(row_id for ids in groups.values() for row_id in ids)
        if settled != sorted(rows.ids):
            raise ValueError("the processor did not settle each push once")
        now = fields.Datetime.now()
        for (state, note), ids in groups.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE oda_inbound SET state = %s, note = %s, error = NULL, "
                    "processed_at = %s, next_try_at = NULL WHERE id = ANY(%s)",
                    state,
                    note,
                    now,
                    ids,
                )
            )
        self.invalidate_model()

    def _keep_failure(self, error):
        """Remember why a row failed; put it off, or give it up for a person."""
        self.ensure_one()
        attempts = self.attempts + 1
        delay = next_delay(attempts)
        words = storable(f"{type(error).__name__}: {error}", 2000)
        now = fields.Datetime.now()
        self.sudo().write(  # sudo: the outcome is the inbox's own, nobody else's
            {
                "attempts": attempts,
                "error": words,
                "state": "dead" if delay is None else "retry",
                "next_try_at": now + timedelta(seconds=delay) if delay else False,
                "processed_at": now,
            }
        )
        self.flush_recordset()
        _logger.info(
            "push %s of %s failed (try %s): %s",
            self.id,
            self.connector,
            attempts,
            type(error).__name__,
        )

    def _give_up(self, words):
        self.sudo().write(  # sudo: the outcome is the inbox's own, nobody else's
            {
                "state": "dead",
                "note": words,
                "next_try_at": False,
                "processed_at": fields.Datetime.now(),
            }
        )

    # === CRONS ===#

    @api.model
    def _cron_sweep(self):
        """Wake accounts whose due rows no job waits for (crash, retry time)."""
        self.env.cr.execute(
            _DUE_ACCOUNTS, {"now": fields.Datetime.now(), "account": None}
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        for account in self.env["oda.connector.account"].browse(ids):
            account._wake("oda.inbound", "_drain")

    @api.autovacuum
    def _gc_inbound(self):
        """Remove finished rows after the retention; dead ones wait for a person."""
        days = int(
            # sudo: a plain number out of the parameters
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("oda_base.inbound_retention_days", RETENTION_DAYS)
        )
        before = fields.Datetime.now() - timedelta(days=days)
        # Account by account: steps down (account_id, received_at), no index more.
        self.env.cr.execute(
            """
            DELETE FROM oda_inbound WHERE id IN (
                SELECT i.id FROM oda_connector_account a CROSS JOIN LATERAL (
                    SELECT id FROM oda_inbound
                     WHERE account_id = a.id AND received_at < %(before)s
                       AND state IN ('done', 'ignored', 'discarded')
                     LIMIT %(limit)s) i
                 LIMIT %(limit)s)
            """,
            {"before": before, "limit": GC_LIMIT},
        )
        removed = self.env.cr.rowcount
        self.invalidate_model()
        return removed, removed == GC_LIMIT

    # === ACTIONS ===#

    def action_replay(self):
        """Work the rows again, whatever became of them before."""
        self.check_access("write")
        self.sudo().write(  # sudo: only here and in discard, with a journal
            {
                "state": "new",
                "attempts": 0,
                "next_try_at": False,
                "error": False,
                "note": False,
            }
        )
        self.env["oda.event"]._log("inbound.replay", self)
        # sudo: the job belongs to the connector user, not to who pressed
        self.env["oda.connector.account"].sudo()._wake_after_commit(
            self.account_id.ids, "oda.inbound", "_drain"
        )

    def action_discard(self):
        """A person has read a dead row and decided that nothing is to be done."""
        self.check_access("write")
        if self.filtered(lambda row: row.state not in ("dead", "retry")):
            raise UserError(self.env._("Only failed pushes can be discarded."))
        # sudo: only here and in replay, with a journal
        self.sudo().write({"state": "discarded", "next_try_at": False})
        self.env["oda.event"]._log("inbound.discard", self)
