# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import NO_ACCESS

from odoo.addons.oda_base import sealing, settings

from ..drivers import moldcell_api

_logger = logging.getLogger(__name__)


class OdaConnectorAccount(models.Model):
    """Where commands to PBX Moldcell go, and with which token."""

    _inherit = "oda.connector.account"

    moldcell_address = fields.Char(
        string="Address of the exchange",
        help="The name of your exchange, as in the address of its cabinet: "
        "example.pbx.moldcell.md. Without it calls are received, but none can be "
        "made from here and lost news is not found.",
    )
    moldcell_mode = fields.Selection(
        [
            ("crm_api", "Common (crm_api.wcgp)"),
            ("v1", "REST (crmapi/v1), where the operator has it"),
        ],
        string="Way of commands",
        default="crm_api",
    )
    moldcell_token_sealed = fields.Char(groups=NO_ACCESS, copy=False, readonly=True)
    moldcell_token = fields.Char(
        string="Token for commands",
        compute="_compute_moldcell_token",
        inverse="_inverse_moldcell_token",
        exportable=False,
        help="The token that the exchange's cabinet shows for commands to it. Empty: "
        "the secret of this channel is used both ways. Kept encrypted and never "
        "shown again: write a new one to replace it.",
    )
    has_moldcell_token = fields.Boolean(compute="_compute_has_moldcell_token")

    @api.depends()
    def _compute_moldcell_token(self):
        self.moldcell_token = False

    def _inverse_moldcell_token(self):
        for account in self.filtered("moldcell_token"):
            # sudo: the sealed column is closed to everybody, also to admins
            account.sudo().moldcell_token_sealed = sealing.seal(
                account.moldcell_token, account._moldcell_token_context()
            )
            self.env["oda.event"]._log("connector.key_replaced", account)
        # The form reads the record back after saving: not the token.
        self.invalidate_recordset(["moldcell_token"], flush=False)

    @api.depends("moldcell_token_sealed")
    def _compute_has_moldcell_token(self):
        for account in self:
            # sudo: only whether there is one, not what it is
            account.has_moldcell_token = bool(account.sudo().moldcell_token_sealed)

    def _moldcell_token_context(self):
        """Bind the sealed token to its row and to its use."""
        return f"{self._secret_context()}:moldcell"

    @api.constrains("moldcell_address", "moldcell_mode")
    def _check_moldcell_address(self):
        for account in self.filtered("moldcell_address"):
            mode = account.moldcell_mode or "crm_api"
            if not moldcell_api.base_url(mode, account.moldcell_address):
                raise ValidationError(
                    self.env._(
                        "The address of the exchange is a name such as "
                        "example.pbx.moldcell.md."
                    )
                )

    def _account_options(self):
        options = super()._account_options()
        if self.connector == "moldcell":
            options |= {
                "mode": self.moldcell_mode or "crm_api",
                "address": self.moldcell_address or "",
                "token": "",
            }
            # sudo: as the secret of the account
            sealed = self.sudo().moldcell_token_sealed
            try:
                if sealed:
                    context = self._moldcell_token_context()
                    options["token"] = sealing.unseal(sealed, context)
            except sealing.SealError as error:
                # Pushes go on; only commands have to wait for a new token.
                _logger.error("connector account %s: %s", self.id, error)
                options["address"] = ""
        return options

    def _oda_demo_address(self):
        """Demo data: commands go to the sandbox, wherever it listens."""
        if hosts := settings.oda_section()["sandbox_hosts"]:
            self.moldcell_address = f"http://{hosts[0]}"

    # === WHAT THE SCREENS ASK OF ANY EXCHANGE ===#

    def _pbx_can(self, verb):
        """True when the exchange of this account can be told to do `verb`."""
        self.ensure_one()
        driver = self._driver()
        ready = self.active and verb in getattr(driver, "verbs", ())
        if self.connector == "moldcell":
            ready = ready and bool(self.moldcell_address)
            # The newer way has no such commands.
            ready = ready and (verb == "dial" or self.moldcell_mode != "v1")
        return ready

    def _pbx_can_ask(self):
        """True when the exchange can be asked: for its history, for its logins."""
        self.ensure_one()
        asks = self.active and hasattr(self._driver(), "history")
        return asks and (self.connector != "moldcell" or bool(self.moldcell_address))

    @api.model
    def _pbx_words(self, code, detail=""):
        """Say in the person's language what a `PbxFault` means, and what to do."""
        words = {
            "no_address": self.env._(
                "Commands cannot be sent to the exchange yet: its address and token "
                "are missing in Channels. Ask your administrator."
            ),
            "token": self.env._(
                "The exchange does not accept our token. An administrator writes the "
                "right one in Channels; the exchange's cabinet shows it."
            ),
            "tenant": self.env._(
                "The exchange is not at this address. An administrator corrects it "
                "in Channels: it is the name in the address of the cabinet."
            ),
            "parameters": self.env._(
                "The exchange did not understand: it may not know this login or "
                "number. An administrator can refresh the list of PBX logins."
            ),
            "address": self.env._(
                "There is no such command at the address of the exchange. An "
                "administrator checks the address and the way of commands in Channels."
            ),
            "unsupported": self.env._("This exchange cannot do that."),
            "trouble": self.env._(
                "The exchange could not be reached. Please try again in a minute, or "
                "dial on the phone itself."
            ),
            "late": self.env._(
                "The exchange could not be reached in time, so nothing was dialled. "
                "Please try again."
            ),
            "never": self.env._("The exchange knows of no such call."),
        }.get(code) or self.env._("The exchange answered something unexpected.")
        return f"{words} ({detail})" if detail else words

    def _pbx_refuse(self, fault):
        raise UserError(self._pbx_words(fault.code, fault.detail)) from None
