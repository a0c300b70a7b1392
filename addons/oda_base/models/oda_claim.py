# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, fields, models

KEPT = timedelta(days=1)
GC_LIMIT = 50_000  # rows removed in one go


class OdaClaim(models.Model):
    """A row to lock on while something that must be one of its kind is made.

    Transactions here read a snapshot, so "look, then create" under an advisory
    lock would still look into the past. Touching this row makes the second
    transaction fail with a serialization error; it is repeated, and then finds
    what the first has made.
    """

    _name = "oda.claim"
    _description = "Thing being made once"
    _log_access = False

    key = fields.Char(required=True, readonly=True)
    at = fields.Datetime(readonly=True)

    _key_uniq = models.Constraint("UNIQUE(key)", "One claim a thing.")
    _at_idx = models.Index("(at)")

    @api.model
    def _claim(self, *keys):
        """Make this transaction the only one that makes what the keys stand for.

        Look before and after: whoever waited here is repeated as a whole.

        :param keys: kind and name, e.g. ``phone:+37369123456``; one statement
        :raise psycopg2.errors.SerializationFailure: another was faster; requests
            and `in_own_transaction` repeat it
        """
        self.env.cr.execute(
            # In order of the keys, so that two who claim several cannot deadlock.
            "INSERT INTO oda_claim (key, at) SELECT k, now() AT TIME ZONE 'UTC' "
            "FROM unnest(%s) k ORDER BY k "
            "ON CONFLICT (key) DO UPDATE SET at = EXCLUDED.at",
            (sorted(set(keys)),),
            # Losing the race is the ordinary way of things, not an error to log.
            log_exceptions=False,
        )

    @api.autovacuum
    def _gc_claims(self):
        """A claim matters to transactions of its own moment only."""
        self.env.cr.execute(
            "DELETE FROM oda_claim WHERE id IN (SELECT id FROM oda_claim "
            "WHERE at < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
            (fields.Datetime.now() - KEPT, GC_LIMIT),
            log_exceptions=False,
        )
        removed = self.env.cr.rowcount
        self.invalidate_model()
        return removed, removed == GC_LIMIT
