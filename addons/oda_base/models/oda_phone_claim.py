# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaPhoneClaim(models.Model):
    """A row to lock on while a stranger's number gets its card.

    Transactions here read a snapshot, so "look, then create" under an advisory
    lock would still look into the past. Touching this row makes the second
    transaction fail with a serialization error; it is repeated, and then finds
    the card of the first.
    """

    _name = "oda.phone.claim"
    _description = "Number being given a card"
    _log_access = False

    e164 = fields.Char(required=True, readonly=True)
    at = fields.Datetime(readonly=True)

    _e164_uniq = models.Constraint("UNIQUE(e164)", "One claim a number.")

    @api.model
    def _claim(self, e164):
        """Make this transaction the only one that opens a card for a number."""
        self.env.cr.execute(
            "INSERT INTO oda_phone_claim (e164, at) VALUES (%s, now() AT TIME ZONE "
            "'UTC') ON CONFLICT (e164) DO UPDATE SET at = EXCLUDED.at",
            (e164,),
            # Losing the race is the ordinary way of things, not an error to log.
            log_exceptions=False,
        )
