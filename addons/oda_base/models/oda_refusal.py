# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models

GC_LIMIT = 10_000  # rows removed in one go


class OdaRefusal(models.Model):
    """Pushes that were turned away at the door, counted for a human eye.

    Written by the intake controller with plain SQL; never holds the body.
    """

    _name = "oda.refusal"
    _description = "Refused Push"
    _log_access = False
    _order = "id desc"
    _rec_name = "reason"

    at = fields.Datetime(readonly=True, required=True, index=True)
    connector = fields.Char(readonly=True)
    account_id = fields.Many2one(
        "oda.connector.account", readonly=True, ondelete="cascade", index=True
    )
    reason = fields.Selection(
        [
            ("malformed", "Could not be read"),
            ("unauthenticated", "Wrong token or signature"),
            ("forbidden", "Not allowed"),
            ("unknown_account", "Unknown address"),
            ("method", "Wrong method"),
            ("too_large", "Too large"),
            ("unavailable", "Could not be checked"),
        ],
        readonly=True,
        required=True,
    )
    connector_label = fields.Char(string="Service", compute="_compute_connector_label")
    advice = fields.Char(string="What to do", compute="_compute_advice")
    words = fields.Char(string="In words", readonly=True)
    status = fields.Integer(string="Answered with", readonly=True)
    remote_addr = fields.Char(string="From address", readonly=True)
    count = fields.Integer(readonly=True, aggregator="sum")

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["reason"]._description_selection(self.env))
        for refusal in self:
            refusal.display_name = labels.get(refusal.reason, "")

    @api.depends("connector")
    @api.depends_context("lang")
    def _compute_connector_label(self):
        field = self.env["oda.connector.account"]._fields["connector"]
        known = dict(field._description_selection(self.env))
        for refusal in self:
            # What strangers invent stays as they wrote it.
            refusal.connector_label = known.get(refusal.connector, refusal.connector)

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_advice(self):
        advice = {
            "unauthenticated": self.env._(
                "The secret written at the provider differs from that of the channel, "
                "or somebody else knocked. Write the same secret in both places."
            ),
            "unknown_account": self.env._(
                "No active channel has this address. Copy the address from the "
                "channel's form into the provider's settings."
            ),
            "malformed": self.env._(
                "The provider sent something that is not in its format. If it comes "
                "again, tell whoever looks after the system."
            ),
            "method": self.env._(
                "The provider calls the address in another way than agreed. Check the "
                "kind of request in its settings."
            ),
            "too_large": self.env._(
                "A notice is small; files come in another way. Most likely somebody "
                "else knocked."
            ),
            "forbidden": self.env._(
                "The provider's address or account is not among those allowed."
            ),
            "unavailable": self.env._(
                "The channel's secret could not be opened: write it again. The "
                "provider sends the notice once more by itself."
            ),
        }
        for refusal in self:
            refusal.advice = advice.get(refusal.reason, False)

    @api.autovacuum
    def _gc_refusals(self, days=90):
        limit = fields.Datetime.now() - timedelta(days=days)
        old = self.search([("at", "<", limit)], order="at", limit=GC_LIMIT)
        removed = len(old)
        old.unlink()
        return removed, removed == GC_LIMIT
