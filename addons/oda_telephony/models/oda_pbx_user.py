# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from .. import pbxmatch

#: Logins without a person that one account notes by itself: more than an exchange
#: has phones; whoever holds the push token must not be able to fill the table.
NEWCOMERS_MAX = 200
PEOPLE_MAX = 1000  # colleagues looked through for a suggestion


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
    has_person = fields.Boolean(
        string="Has a person", compute="_compute_has_person", store=True
    )
    real_name = fields.Char(string="Name at the exchange", readonly=True)
    email = fields.Char(string="E-mail at the exchange", readonly=True)
    telnum = fields.Char(string="Direct number", readonly=True)
    asked_at = fields.Datetime(string="Seen at the exchange", readonly=True)
    is_gone = fields.Boolean(
        string="No longer there",
        readonly=True,
        help="The exchange did not name it when it was last asked.",
    )
    group_ids = fields.Many2many(
        "oda.pbx.group",
        "oda_pbx_group_user_rel",
        "line_id",
        "group_id",
        string="Departments",
        readonly=True,
    )
    suggested_user_id = fields.Many2one(
        "res.users", string="Perhaps", compute="_compute_suggested_user_id"
    )

    _login_uniq = models.Constraint(
        "UNIQUE(account_id, login)", "This login is already on the list."
    )

    @api.depends("user_id")
    def _compute_has_person(self):
        for line in self:
            line.has_person = bool(line.user_id)

    @api.depends("user_id", "login", "email", "real_name")
    def _compute_suggested_user_id(self):
        """Who it may be, by e-mail or name; only where it can be nobody else."""
        self.suggested_user_id = False
        for company, lines in (
            self.filtered(lambda one: not one.user_id).grouped("company_id").items()
        ):
            # sudo: names and e-mails of colleagues, for who may map them
            taken = self.sudo().search([("account_id", "in", lines.account_id.ids)])
            users = self.env["res.users"].search(
                [
                    ("share", "=", False),
                    ("company_ids", "in", company.ids),
                    ("id", "not in", taken.user_id.ids),
                ],
                limit=PEOPLE_MAX,
            )
            found = pbxmatch.suggest(
                {line.id: (line.login, line.email, line.real_name) for line in lines},
                {user.id: (user.login, user.email, user.name) for user in users},
            )
            for line in lines:
                line.suggested_user_id = found.get(line.id, False)

    def action_take_suggestion(self):
        """Put the suggested person behind the login."""
        for line in self:
            if line.suggested_user_id and not line.user_id:
                line.user_id = line.suggested_user_id

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
                "INSERT INTO oda_pbx_user "
                "(account_id, company_id, login, has_person, presence) "
                "SELECT %s, %s, unnest(%s), FALSE, 'unknown' ON CONFLICT DO NOTHING",
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
