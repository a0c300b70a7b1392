# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..drivers.faults import PbxFault


class OdaConnectorAccount(models.Model):
    """What the exchange has, beside what is chosen here."""

    _inherit = "oda.connector.account"

    pbx_group_ids = fields.One2many(
        "oda.pbx.group", "account_id", string="Departments of the exchange"
    )
    pbx_unmapped = fields.Integer(
        string="Logins without a person", compute="_compute_pbx_unmapped"
    )
    pbx_asked_at = fields.Datetime(string="Logins read", readonly=True, copy=False)
    pbx_asks = fields.Boolean(compute="_compute_pbx_asks")

    def _compute_pbx_unmapped(self):
        counts = dict(
            self.env["oda.pbx.user"]._read_group(
                [
                    ("account_id", "in", self.ids),
                    ("user_id", "=", False),
                    ("is_gone", "=", False),
                ],
                ["account_id"],
                ["__count"],
            )
        )
        for account in self:
            account.pbx_unmapped = counts.get(account, 0)

    @api.depends("active", "connector", "moldcell_address", "moldcell_mode")
    def _compute_pbx_asks(self):
        for account in self:
            account.pbx_asks = account._pbx_can_ask()

    def action_pbx_refresh(self):
        """Read logins and departments from the exchange, and open their list."""
        self.ensure_one()
        self.check_access("write")
        if not self.pbx_asks:
            raise UserError(self._pbx_words("no_address"))
        try:
            logins, groups = self._driver().directory(self._account())
        except PbxFault as fault:
            self._pbx_refuse(fault)
        self._pbx_store_directory(logins, groups)
        self._wake_after_commit(self.ids, "oda.pbx.user", "_ask_lines")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_telephony.action_oda_pbx_user"
        )
        action["domain"] = [("account_id", "=", self.id)]
        return action

    def _pbx_store_directory(self, logins, groups):
        """Write in what the exchange has; what it has no more is marked, not removed.

        :param logins, groups: lists of `moldcell_api.Login` and `Group`, or alike
        """
        self.ensure_one()
        now = fields.Datetime.now()
        lines = self.env["oda.pbx.user"].search([("account_id", "=", self.id)])
        known = {line.login: line for line in lines}
        new = []
        for one in logins:
            vals = {
                "real_name": one.name,
                "email": one.email,
                "telnum": one.telnum,
                "asked_at": now,
                "is_gone": False,
            }
            if one.ext:
                vals["ext"] = one.ext
            if line := known.pop(one.login, None):
                line.write(vals)
            else:
                new.append(dict(vals, account_id=self.id, login=one.login))
        lines.create(new)
        lines.browse([line.id for line in known.values()]).is_gone = True
        self._pbx_store_groups(groups)
        self.pbx_asked_at = now

    def _pbx_store_groups(self, groups):
        # sudo: the departments are the exchange's, nobody writes them by hand
        rows = self.env["oda.pbx.group"].sudo()
        known = {
            group.code: group for group in rows.search([("account_id", "=", self.id)])
        }
        new = []
        for one in groups:
            vals = {"name": one.name or one.id, "ext": one.ext, "is_gone": False}
            if group := known.pop(one.id, None):
                group.write(vals)
            else:
                new.append(dict(vals, account_id=self.id, code=one.id))
        rows.create(new)
        rows.browse([group.id for group in known.values()]).is_gone = True
