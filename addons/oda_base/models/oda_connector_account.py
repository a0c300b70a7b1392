# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging
import re
import secrets

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS

from .. import sealing
from ..connectors import Account, Unavailable, driver_of
from ..transaction import in_own_transaction

_logger = logging.getLogger(__name__)

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WAKES = "oda_base.wakes"  # in cr.postcommit.data: {(account id, model, method): None}


class OdaConnectorAccount(models.Model):
    """One account at one provider: the address it pushes to, and its secret.

    The secret is sealed with a key that is not in the database, is never shown
    again and never exported.
    """

    _name = "oda.connector.account"
    _description = "Connector Account"
    _order = "connector, name"

    name = fields.Char(required=True, translate=True)
    connector = fields.Selection([], required=True)
    key = fields.Char(
        required=True,
        copy=False,
        default=lambda self: secrets.token_urlsafe(18),
        help="Last part of the address that the provider pushes to.",
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    secret_sealed = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    secret = fields.Char(
        string="New secret",
        compute="_compute_secret",
        inverse="_inverse_secret",
        exportable=False,
        help="Token or password agreed with the provider. Kept encrypted and "
        "never shown again: write a new one to replace it.",
    )
    has_secret = fields.Boolean(compute="_compute_has_secret")
    inbound_path = fields.Char(compute="_compute_inbound_path")
    last_received_at = fields.Datetime(compute="_compute_traffic")
    waiting_count = fields.Integer(compute="_compute_traffic")
    dead_count = fields.Integer(compute="_compute_traffic")

    _key_uniq = models.Constraint(
        "UNIQUE(connector, key)", "This address is already taken by another account."
    )

    # === COMPUTES AND CHECKS ===#

    @api.depends()
    def _compute_secret(self):
        self.secret = False

    def _inverse_secret(self):
        for account in self.filtered("secret"):
            # sudo: the sealed column is closed to everybody, also to admins
            account.sudo().secret_sealed = sealing.seal(
                account.secret, account._secret_context()
            )
            self.env["oda.event"]._log("connector.key_replaced", account)
        # The form reads the record back after saving: not the secret.
        self.invalidate_recordset(["secret"], flush=False)

    @api.depends("secret_sealed")
    def _compute_has_secret(self):
        for account in self:
            # sudo: only whether there is one, not what it is
            account.has_secret = bool(account.sudo().secret_sealed)

    @api.depends("connector", "key")
    def _compute_inbound_path(self):
        for account in self:
            account.inbound_path = f"/oda/in/{account.connector}/{account.key}"

    def _compute_traffic(self):
        Inbound = self.env["oda.inbound"]
        Inbound.check_access("read")
        # One step down the index for each account; max() ... GROUP BY reads it all.
        self.env.cr.execute(
            """
            SELECT a.id, (SELECT i.received_at FROM oda_inbound i
                           WHERE i.account_id = a.id AND i.received_at IS NOT NULL
                           ORDER BY i.received_at DESC LIMIT 1)
              FROM oda_connector_account a WHERE a.id = ANY(%s)
            """,
            (self.ids,),
        )
        last = dict(self.env.cr.fetchall())
        # Two questions, each with an index of its own.
        waiting, dead = (
            dict(
                Inbound._read_group(
                    [("account_id", "in", self.ids), ("state", "in", states)],
                    ["account_id"],
                    ["__count"],
                )
            )
            for states in (("new", "retry"), ("dead",))
        )
        for account in self:
            account.last_received_at = last.get(account.id)
            account.waiting_count = waiting.get(account, 0)
            account.dead_count = dead.get(account, 0)

    @api.constrains("key")
    def _check_key(self):
        for account in self:
            if not _KEY.fullmatch(account.key or ""):
                raise ValidationError(
                    self.env._(
                        "The address key may hold letters, digits, '-' and '_' only."
                    )
                )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts._admit_jobs_user()
        self.env.registry.clear_cache()
        return accounts

    def write(self, vals):
        if "connector" in vals and any(a.connector != vals["connector"] for a in self):
            raise ValidationError(
                self.env._("The connector of an account cannot be changed: add one.")
            )
        res = super().write(vals)
        if "company_id" in vals:
            self._admit_jobs_user()
        self.env.registry.clear_cache()
        return res

    def unlink(self):
        res = super().unlink()
        self.env.registry.clear_cache()
        return res

    # === VERBS ===#

    def _secret_context(self):
        """Bind a sealed secret to its row, so that it is useless in another."""
        self.ensure_one()
        return f"oda.connector.account:{self.id}"

    def _driver(self):
        self.ensure_one()
        return driver_of(self.connector)

    def _account(self):
        """Return the plain `Account` with its secret opened, for a driver."""
        self.ensure_one()
        # sudo: the sealed column is closed to everybody; drivers need its content
        sealed = self.sudo().secret_sealed
        return Account(
            id=self.id,
            connector=self.connector,
            key=self.key,
            secret=sealing.unseal(sealed, self._secret_context()) if sealed else "",
            company_id=self.company_id.id,
            options=self._account_options(),
        )

    def _account_options(self):
        """Return what the driver of this connector needs besides; extended by name.

        A dict of plain values, kept in the memory of the worker until an account is
        changed: nothing that others write.
        """
        return {}

    @api.model
    @tools.ormcache()
    def _addresses(self):
        """Return `{(connector, key): Account}` of all active accounts.

        The opened secrets live in the memory of the worker only. One entry for
        all, so that invented addresses cannot crowd the cache. An account whose
        secret does not open is None: it must not take the others with it.
        """
        # sudo: called before anybody is known; the push is verified with it
        # pylint: disable-next=no-search-all  # a handful
        accounts = self.sudo().with_context(active_test=True).search([])
        addresses = {}
        for one in accounts:
            try:
                addresses[one.connector, one.key] = one._account()
            except sealing.SealError as error:
                addresses[one.connector, one.key] = None
                _logger.error("connector account %s: %s", one.id, error)
        return addresses

    @api.model
    def _resolve(self, connector, key):
        """Return the `Account` behind an address, or None. Hot path: cached.

        :raise Unavailable: there is one, but its secret does not open
        """
        addresses = self._addresses()
        account = addresses.get((connector, key))
        if account is None and (connector, key) in addresses:
            raise Unavailable("not available now, send it again later")
        return account

    def _admit_jobs_user(self):
        """Let the jobs' user into the companies whose rows it is to work."""
        # sudo: whoever may add an account need not be allowed to change users
        user = self._jobs_user().sudo()
        if missing := self.company_id - user.company_ids:
            user.company_ids += missing

    def _jobs_user(self):
        """Return the low-right user that works the rows of connectors."""
        return self.env.ref("oda_base.user_connector")

    def _wake(self, model_name, method):
        """Have `model._<method>(account)` run soon, in its connector's channel.

        A lane for each connector, `root.oda_inbound.<connector>`: a slow one does
        not hold back the others. It needs no record and no line of configuration;
        without one queue_job lets as many run as the channel above has slots, and
        the advisory lock of the drains still keeps it to one an account.

        Must run after the commit of the rows it is about, on a fresh snapshot:
        a job seen waiting then will start later than our rows became visible,
        so it cannot miss them; if none waits, one is enqueued.
        """
        self.ensure_one()
        identity = f"{model_name}:{self.id}"
        self.env.cr.execute(
            "SELECT uuid, now() AT TIME ZONE 'UTC' - COALESCE(date_enqueued, "
            "date_created) > interval '10 s' FROM queue_job WHERE identity_key = %s "
            "AND state IN ('pending', 'enqueued', 'wait_dependencies') LIMIT 1",
            (identity,),
        )
        waiting = self.env.cr.fetchone()
        if waiting:
            uuid, stale = waiting
            if stale:
                # After a crash the runner sleeps up to a minute beside jobs that
                # died with the old process: a nudge makes it look for them.
                self.env.cr.execute("SELECT pg_notify('queue_job', %s)", (uuid,))
            return False
        model = self.env[model_name].with_user(self._jobs_user())
        delayed = model.with_delay(
            identity_key=identity,
            description=f"{model_name}: {self.connector}/{self.key}",
            max_retries=0,
            channel=f"root.{model_name.replace('.', '_')}.{self.connector}",
        )
        getattr(delayed, method)(self.id)
        return True

    @api.model
    def _wake_after_commit(self, account_ids, model_name, method):
        """Call `_wake` for the accounts once this transaction is committed.

        A crash in between loses nothing: the sweeping cron finds the rows.
        """
        # All that this transaction causes goes out by one hook.
        postcommit = self.env.cr.postcommit
        wakes = postcommit.data.setdefault(_WAKES, {})
        if not wakes:
            registry = self.env.registry

            def wake():
                postcommit.data.pop(_WAKES, None)  # later ones get their own hook
                self._wake_all(registry, list(wakes))

            postcommit.add(wake)
        wakes.update(dict.fromkeys((one, model_name, method) for one in account_ids))

    @api.model
    def _wake_all(self, registry, wakes):
        """Wake `[(account id, model, method)]` in a transaction of its own."""

        def work(env):
            for account_id, model_name, method in wakes:
                account = env["oda.connector.account"].browse(account_id)
                account._wake(model_name, method)

        try:
            # Whoever caused the row needs no right to accounts or jobs; the job
            # itself runs as the jobs' user.
            in_own_transaction(registry, api.SUPERUSER_ID, work)
        except Exception:  # noqa: BLE001
            # What was asked for is committed; it must not look like a failure.
            _logger.info("wakes %s left to the sweeper", wakes)

    def action_view_dead(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_base.action_oda_inbound"
        )
        action["domain"] = [("account_id", "=", self.id)]
        action["context"] = {"search_default_dead": 1}
        return action
