# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

#: Logins without a person that one account notes by itself: more than an exchange
#: has phones; whoever holds the push token must not be able to fill the table.
NEWCOMERS_MAX = 200


class OdaPbxUser(models.Model):
    """A login at the exchange and the person who sits behind it.

    Logins seen in pushes write themselves in, without a person, so that an
    administrator sees whom to map; no more than `NEWCOMERS_MAX` of them.
    """

    _name = "oda.pbx.user"
    _description = "PBX Login"
    _order = "account_id, login"
    _rec_name = "login"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    login = fields.Char(required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Person",
        index="btree_not_null",
        ondelete="set null",
        domain=[("share", "=", False)],
    )
    ext = fields.Char(string="Short number")

    _login_uniq = models.Constraint(
        "UNIQUE(account_id, login)", "This login is already on the list."
    )

    @api.model
    def _users_of(self, account, logins):
        """Return `{login: user}`; unknown logins are noted for the administrator."""
        known = {
            one.login: one.user_id
            for one in self.search(
                [("account_id", "=", account.id), ("login", "in", list(logins))]
            )
        }
        missing = [login for login in logins if login not in known]
        if missing:
            self._note_newcomers(account, missing)
        nobody = self.env["res.users"]
        return {login: known.get(login, nobody) for login in logins}

    @api.model
    def _note_newcomers(self, account, logins):
        """Write unknown logins in, as long as there is room for them."""
        noted = self._count_newcomers(account)
        room = max(0, NEWCOMERS_MAX - noted)
        if logins[:room]:
            self.env.cr.execute(
                "INSERT INTO oda_pbx_user (account_id, company_id, login) "
                "SELECT %s, %s, unnest(%s) ON CONFLICT DO NOTHING",
                (account.id, account.company_id.id, logins[:room]),
            )
        if 0 < room <= len(logins):
            # Told once, when the last place is taken.
            self.env["oda.event"]._log("pbx.newcomers_full", account)

    @api.model
    def _count_newcomers(self, account):
        return self.search_count(
            [("account_id", "=", account.id), ("user_id", "=", False)]
        )
