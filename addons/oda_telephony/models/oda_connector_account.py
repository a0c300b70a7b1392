# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.oda_base.net.download import Downloader

from .oda_pbx_user import NEWCOMERS_MAX


class OdaConnectorAccount(models.Model):
    _inherit = "oda.connector.account"

    connector = fields.Selection(
        selection_add=[("moldcell", "PBX Moldcell")],
        ondelete={"moldcell": "cascade"},
    )
    recording_hosts = fields.Char(
        default="*.pbx.moldcell.md",
        help="Hosts that recordings may be copied from, separated by commas.",
    )
    pbx_user_ids = fields.One2many("oda.pbx.user", "account_id", string="PBX logins")
    pbx_newcomers_full = fields.Boolean(
        string="List of new logins is full", compute="_compute_pbx_newcomers_full"
    )

    def _compute_pbx_newcomers_full(self):
        logins = self.env["oda.pbx.user"]
        for account in self:
            account.pbx_newcomers_full = (
                logins._count_newcomers(account) >= NEWCOMERS_MAX
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_without_calls(self):
        if self.env["oda.call"].search_count([("account_id", "in", self.ids)], limit=1):
            raise UserError(
                self.env._("This account has calls: archive it, do not delete it.")
            )

    def _recording_hosts(self):
        self.ensure_one()
        hosts = (one.strip() for one in (self.recording_hosts or "").split(","))
        return [one for one in hosts if one]

    @api.constrains("recording_hosts")
    def _check_recording_hosts(self):
        for account in self:
            try:
                Downloader(account._recording_hosts())
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Recording hosts are names such as *.pbx.moldcell.md, "
                        "separated by commas, without https://."
                    )
                ) from error
