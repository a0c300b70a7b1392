# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models

#: the listener speaks each 20 s; after four silences it is not well
SILENT = timedelta(seconds=80)


class OdaPbxListener(models.Model):
    """How the process beside an exchange does, in its own words.

    A row of its own: it is written every 20 seconds, the account never is.
    """

    _name = "oda.pbx.listener"
    _description = "Listener of an Exchange"
    _log_access = False
    _rec_name = "account_id"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    told_at = fields.Datetime(string="Last word", readonly=True)
    heard_at = fields.Datetime(string="Exchange last heard", readonly=True)
    connected = fields.Boolean(readonly=True)
    words = fields.Char(readonly=True)
    version = fields.Char(string="Exchange", readonly=True)
    waiting = fields.Integer(string="Waiting with the listener", readonly=True)
    refused = fields.Integer(string="Refused here", readonly=True)

    _account_uniq = models.Constraint("UNIQUE(account_id)", "One row an account.")

    @api.model
    def _told(self, account, facts):
        """Store the listener's word on how it does. One statement.

        :param account: plain `connectors.Account`
        :param dict facts: `{connected, words, heard, version, waiting, refused}`, of
            an authenticated listener but otherwise as it came
        """

        def figure(name, most):
            value = facts.get(name)
            good = isinstance(value, int | float) and 0 <= value <= most
            return value if good else 0

        def text(name, most):
            return str(facts.get(name) or "").replace("\0", "")[:most]

        heard = figure("heard", 10 * 365 * 86400)
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            INSERT INTO oda_pbx_listener
                (account_id, company_id, told_at, heard_at, connected, words, version,
                 waiting, refused)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (account_id) DO UPDATE SET
                told_at = EXCLUDED.told_at,
                heard_at = COALESCE(EXCLUDED.heard_at, oda_pbx_listener.heard_at),
                connected = EXCLUDED.connected, words = EXCLUDED.words,
                version = EXCLUDED.version, waiting = EXCLUDED.waiting,
                refused = EXCLUDED.refused, company_id = EXCLUDED.company_id
            """,
            (
                account.id,
                account.company_id,
                now,
                # A listener that has heard nothing yet counts from the year 1970.
                now - timedelta(seconds=heard) if heard < 86400 * 365 else None,
                facts.get("connected") is True,
                text("words", 250),
                text("version", 64),
                int(figure("waiting", 10**7)),
                int(figure("refused", 10**7)),
            ),
        )

    def _state(self):
        """Return 'silent', 'apart' or 'connected'."""
        self.ensure_one()
        if not self.told_at or fields.Datetime.now() - self.told_at > SILENT:
            return "silent"
        return "connected" if self.connected else "apart"
