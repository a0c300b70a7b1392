# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


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

    def _recording_hosts(self):
        self.ensure_one()
        return [one.strip() for one in (self.recording_hosts or "").split(",") if one]
