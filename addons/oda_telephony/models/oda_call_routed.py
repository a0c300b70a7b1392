# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.oda_base.connectors import Account

#: An exchange that has asked us so lately asks at each call.
ASKS = timedelta(hours=24)
#: What was lost is made up for calls of so long ago at most: rules change.
REMAKE = timedelta(hours=1)


class OdaCall(models.Model):
    """Why the call rang where it did: on the call itself and on its card."""

    _inherit = "oda.call"

    routed = fields.Char(string="Why it rang there", compute="_compute_routed")

    @api.depends("callid", "account_id", "direction")
    @api.depends_context("lang", "tz")
    def _compute_routed(self):
        incoming = self.filtered(lambda call: call.direction == "in")
        # sudo: whoever sees the call sees why it rang there
        decisions = self.env["oda.route.decision"].sudo()._of_calls(incoming)
        for call in self:
            decision = decisions.get(call.id)
            call.routed = decision.words if decision else False

    def _card_routed(self, last, lead, leg):
        """The decision as it was taken; without one, what the card itself shows."""
        if self.direction != "in":
            return super()._card_routed(last, lead, leg)
        decision = self.env["oda.route.decision"]._of_calls(self).get(self.id)
        if not decision or not decision.user_id:
            return super()._card_routed(last, lead, leg)
        return decision._sentence(to_me=leg.user_id)

    # === A DECISION THAT WAS LOST ===#

    def _concluded(self):
        result = super()._concluded()
        self._remake_decisions()
        return result

    @api.model
    def _asks_us(self, account):
        """Return whether this exchange asks us whom to ring."""
        # sudo: the connector looks at what it has noted itself
        return bool(
            self.env["oda.route.decision"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", account.id),
                    ("asked_at", ">", fields.Datetime.now() - ASKS),
                    ("reconstructed", "=", False),
                ],
                limit=1,
            )
        )

    def _remake_decisions(self):
        """Work out again what a killed process took with it, and say that we did."""
        since = fields.Datetime.now() - REMAKE
        calls = self.filtered(
            lambda one: (
                one.direction == "in"
                and not one.merged_into_id
                and one.started_at
                and one.started_at > since
            )
        )
        # sudo: as above
        decisions = self.env["oda.route.decision"].sudo()
        known = decisions._of_calls(calls)
        lost = calls.filtered(lambda one: one.id not in known)
        for account, some in lost.grouped("account_id").items():
            if not self._asks_us(account):
                continue
            plain = Account(
                account.id, account.connector, "", "", account.company_id.id
            )
            for call in some:
                people, decision = self._route(
                    plain, call.e164, call.did, call.callid, call.started_at
                )
                partner_id = people[0][3] if len(people) == 1 else None
                decisions._note(
                    plain, call.callid, decision, partner_id, reconstructed=True
                )
