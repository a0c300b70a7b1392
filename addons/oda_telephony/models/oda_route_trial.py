# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.oda_base import phone as numbers
from odoo.addons.oda_base.connectors import Account


# pylint: disable-next=no-wizard-in-models  # one model a file, in one place
class OdaRouteTrial(models.TransientModel):
    """Type a number and see whom the call would go to, rule by rule. Calls nobody."""

    _name = "oda.route.trial"
    _description = "Try the Routing Rules"

    account_id = fields.Many2one(
        "oda.connector.account",
        string="Exchange",
        required=True,
        default=lambda self: self._default_account(),
        domain=lambda self: [("id", "in", self._exchanges().ids)],
    )
    phone = fields.Char(string="Number of the caller")
    did = fields.Char(string="Dialled number")
    at = fields.Datetime(string="Moment", default=fields.Datetime.now)
    result = fields.Char(compute="_compute_result")
    answer = fields.Char(string="Shown on the phone", compute="_compute_result")
    way = fields.Html(string="Rule by rule", compute="_compute_result")

    @api.model
    def _exchanges(self):
        """Return the accounts that have logins, of this person's companies."""
        # pylint: disable-next=no-search-all  # as many as there are phones
        return self.env["oda.pbx.user"].search([]).account_id.filtered("active")

    @api.model
    def _default_account(self):
        return self._exchanges()[:1]

    @api.depends("account_id", "phone", "did", "at")
    @api.depends_context("lang", "tz")
    def _compute_result(self):
        for trial in self:
            if not trial.account_id or not (trial.phone or trial.did):
                trial.result = trial.answer = trial.way = False
                continue
            trial._try()

    def _try(self):
        account = self.account_id
        account.check_access("read")
        calls = self.env["oda.call"]
        self.env.flush_all()
        plain = Account(account.id, account.connector, "", "", account.company_id.id)
        people, decision = calls._route(
            plain,
            numbers.parse(self.phone or "").e164,
            self.did,
            "",
            self.at or fields.Datetime.now(),
        )
        partner_id = people[0][3] if len(people) == 1 else None
        told = self.env["oda.route.decision"]._preview(plain, decision, partner_id)
        self.result = told._sentence()
        self.answer = calls._caller_name(people)
        lines = Markup().join(
            Markup("<tr><td>%s</td><td>%s</td></tr>") % line for line in told._lines()
        )
        self.way = Markup("<table class='table table-sm'>%s</table>") % lines
