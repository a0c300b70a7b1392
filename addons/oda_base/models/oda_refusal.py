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
    words = fields.Char(string="In words", readonly=True)
    status = fields.Integer(string="Answered with", readonly=True)
    remote_addr = fields.Char(string="From address", readonly=True)
    count = fields.Integer(readonly=True, aggregator="sum")

    @api.autovacuum
    def _gc_refusals(self, days=90):
        limit = fields.Datetime.now() - timedelta(days=days)
        old = self.search([("at", "<", limit)], order="at", limit=GC_LIMIT)
        removed = len(old)
        old.unlink()
        return removed, removed == GC_LIMIT
