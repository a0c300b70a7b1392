# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from odoo.addons.oda_base.transaction import in_own_transaction

from ..drivers.faults import PbxFault

#: phones asked one by one for "do not disturb" and departments in one go
ASKED_MAX = 200


class OdaPbxUser(models.Model):
    """Asking the exchange about each phone, in the background."""

    _inherit = "oda.pbx.user"

    def _ask_lines(self, account_id):
        """Ask the exchange about each phone in use. Job entry point.

        No transaction is open while it takes its time; what it does not know or
        cannot say leaves things as they are.
        """
        registry, uid = self.env.registry, self.env.uid
        driver, account, logins = in_own_transaction(
            registry, uid, lambda env: env[self._name]._ask_whom(account_id)
        )
        if not driver:
            return "nobody to ask"
        asked = fields.Datetime.now()
        presences, groups = {}, {}
        for login in logins:
            try:
                groups[login] = driver.groups_of(account, login)
                disturbed = driver.is_disturbed(account, login)
            except PbxFault as fault:
                if fault.code in ("trouble", "token", "tenant", "no_address"):
                    break
                continue
            if disturbed is not None:
                presences[login] = "available" if disturbed else "dnd"
        in_own_transaction(
            registry,
            uid,
            lambda env: env[self._name]._take_answers(
                account_id, presences, groups, asked
            ),
        )
        return f"{len(groups)} of {len(logins)} phones asked"

    @api.model
    def _ask_whom(self, account_id):
        account = self.env["oda.connector.account"].browse(account_id)
        if not account._pbx_can_ask() or not hasattr(account._driver(), "groups_of"):
            return None, None, []
        lines = self.search(
            [
                ("account_id", "=", account_id),
                ("user_id", "!=", False),
                ("is_gone", "=", False),
            ],
            order="login",
            limit=ASKED_MAX,
        )
        return account._driver(), account._account(), lines.mapped("login")

    @api.model
    def _take_answers(self, account_id, presences, groups, asked):
        # sudo: the jobs' user only reads the list of logins
        lines = self.sudo().search(
            [("account_id", "=", account_id), ("login", "in", list(groups))]
        )
        codes = {group.code: group.id for group in lines.account_id.pbx_group_ids}
        for line in lines:
            have = {codes[one] for one in groups[line.login] if one in codes}
            if have != set(line.group_ids.ids):
                line.group_ids = [fields.Command.set(sorted(have))]
        # Who talks is told by the calls themselves, better than by any answer.
        busy = set(lines.filtered(lambda one: one.presence == "busy").mapped("login"))
        told = {
            login: presence
            for login, presence in presences.items()
            if login not in busy or presence == "dnd"
        }
        account = self.env["oda.connector.account"].browse(account_id)
        self._set_presence(account, told, asked)
