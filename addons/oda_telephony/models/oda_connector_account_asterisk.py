# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import NO_ACCESS

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.net import NotAllowed, parse_url

from ..ari import AriHosts
from ..drivers import asterisk_names as names
from ..drivers.asterisk_push import contact_token

HABITS = names.Habits()


class OdaConnectorAccount(models.Model):
    """An Asterisk: how it names things, and how it is commanded."""

    _inherit = "oda.connector.account"

    connector = fields.Selection(
        selection_add=[("asterisk", "Asterisk")], ondelete={"asterisk": "cascade"}
    )
    ast_persons = fields.Char(
        string="People's phones",
        default=HABITS.persons,
        help="Channels of people's phones, separated by commas: X is a digit, * any "
        "characters. What follows the / is the login. For example PJSIP/7XX.",
    )
    ast_trunks = fields.Char(
        string="Lines to the outside",
        default=HABITS.trunks,
        help="Channels that lead to the operator, in the same form: PJSIP/trunk*.",
    )
    ast_contexts = fields.Char(
        string="Contexts of incoming calls",
        default=HABITS.contexts,
        help="Contexts of the dialplan that calls from outside arrive in.",
    )
    ast_recordings = fields.Char(
        string="Folder of recordings",
        default=HABITS.recordings,
        help="Where MixMonitor writes on the exchange; ARI gives out what is in the "
        "folder 'recording' of its spool, and nothing else.",
    )
    ari_url = fields.Char(
        string="Address of ARI",
        help="For example http://10.0.0.5:8088/ari. Without it calls are seen, but "
        "nothing can be dialled from here and no recording fetched.",
    )
    ari_user = fields.Char(string="User of ARI", default="oda")
    ari_secret_sealed = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    ari_secret = fields.Char(
        string="New password of ARI",
        compute="_compute_ari_secret",
        inverse="_inverse_ari_secret",
        exportable=False,
        help="Of the user in ari.conf. Kept encrypted and never shown again: write a "
        "new one to replace it.",
    )
    has_ari_secret = fields.Boolean(
        string="Password is set", compute="_compute_has_ari_secret"
    )
    ast_dial_endpoint = fields.Char(
        string="Phone to ring",
        default="PJSIP/{login}",
        help="The channel of a person's own phone when they call from here; {login} "
        "stands for their login.",
    )
    ast_dial_context = fields.Char(
        string="Context of dialling",
        default="oda-dial",
        help="Where the dialplan takes the number that is to be called.",
    )
    pbx_listener_ids = fields.One2many(
        "oda.pbx.listener", "account_id", string="Listener"
    )
    listener_state = fields.Selection(
        [
            ("never", "Not heard of yet"),
            ("silent", "The listener is silent"),
            ("apart", "Not connected to the exchange"),
            ("connected", "Connected"),
        ],
        string="State of the listener",
        compute="_compute_listener",
        groups="oda_base.group_admin",
    )
    listener_words = fields.Char(
        string="What the listener says",
        compute="_compute_listener",
        groups="oda_base.group_admin",
    )
    listener_heard_at = fields.Datetime(
        string="Exchange last heard",
        compute="_compute_listener",
        groups="oda_base.group_admin",
    )

    # === COMPUTES AND CHECKS ===#

    @api.depends()
    def _compute_ari_secret(self):
        self.ari_secret = False

    def _inverse_ari_secret(self):
        for account in self.filtered("ari_secret"):
            # sudo: the sealed column is closed to everybody, also to admins
            account.sudo().ari_secret_sealed = sealing.seal(
                account.ari_secret, account._ari_secret_context()
            )
            self.env["oda.event"]._log("connector.key_replaced", account)
        # The form reads the record back after saving: not the password.
        self.invalidate_recordset(["ari_secret"], flush=False)

    @api.depends("ari_secret_sealed")
    def _compute_has_ari_secret(self):
        for account in self:
            # sudo: only whether there is one, not what it is
            account.has_ari_secret = bool(account.sudo().ari_secret_sealed)

    def _ari_secret_context(self):
        """Bind the sealed password to its row and to its use."""
        return f"{self._secret_context()}:ari"

    def _compute_listener(self):
        known = {
            one.account_id: one
            for one in self.env["oda.pbx.listener"].search(
                [("account_id", "in", self.ids)]
            )
        }
        for account in self:
            listener = known.get(account)
            if account.connector != "asterisk":
                state = False
            elif not listener:
                state = "never"
            else:
                state = listener._state()
            account.listener_state = state
            account.listener_words = listener.words if listener else False
            account.listener_heard_at = listener.heard_at if listener else False

    def _compute_live_state(self):
        res = super()._compute_live_state()
        for account in self.filtered(lambda one: one.live_state in ("live", "quiet")):
            # sudo: the field is for administrators, as this one is
            if account.sudo().listener_state in ("silent", "apart"):
                account.live_state = "trouble"
        return res

    @api.constrains("ast_persons", "ast_trunks", "ast_contexts")
    def _check_ast_patterns(self):
        for account in self:
            texts = (account.ast_persons, account.ast_trunks, account.ast_contexts)
            for text in texts:
                for pattern in names.faults(text):
                    raise ValidationError(
                        self.env._(
                            "%s is no pattern: at most 80 characters, no spaces, at "
                            "most three *, and no / at its ends.",
                            pattern[:80],
                        )
                    )

    @api.constrains("ari_url")
    def _check_ari_url(self):
        for account in self.filtered("ari_url"):
            try:
                target = parse_url(account.ari_url)
            except NotAllowed as error:
                raise ValidationError(
                    self.env._("The address of ARI cannot be used: %s.", error)
                ) from error
            if not target.path.rstrip("/").endswith("/ari") or "?" in target.path:
                raise ValidationError(
                    self.env._(
                        "The address of ARI ends in /ari, for example "
                        "http://10.0.0.5:8088/ari."
                    )
                )

    # === VERBS ===#

    def _account_options(self):
        options = super()._account_options()
        if self.connector == "asterisk":
            # sudo: as the secret of the account
            sealed = self.sudo().ari_secret_sealed
            options |= {
                "ari_url": self.ari_url or "",
                "ari_user": self.ari_user or "",
                "ari_secret": sealing.unseal(sealed, self._ari_secret_context())
                if sealed
                else "",
                "dial_endpoint": self.ast_dial_endpoint or "",
                "dial_context": self.ast_dial_context or "",
            }
        return options

    def _ast_habits(self):
        """Return what the listener has to know, JSON-able."""
        self.ensure_one()
        return {
            "persons": self.ast_persons or "",
            "trunks": self.ast_trunks or "",
            "contexts": self.ast_contexts or "",
            "recordings": self.ast_recordings or "",
        }

    def _pbx_can(self, verb):
        """True when the exchange of this account can be told to do `verb`."""
        ready = super()._pbx_can(verb)
        return ready and (self.connector != "asterisk" or bool(self.ari_url))

    def _recording_hosts(self):
        if self.connector == "asterisk":
            return AriHosts(self._account_options())
        return super()._recording_hosts()

    def action_contact_token(self):
        """Show what the dialplan asks with; noted in the journal."""
        self.ensure_one()
        self.check_access("write")
        token = contact_token(self._account().secret)
        if not token:
            raise UserError(self.env._("Write the secret of the channel first."))
        self.env["oda.event"]._log("connector.contact_token", self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Key for the dialplan"),
                "message": token,
                "type": "info",
                "sticky": True,
            },
        }
