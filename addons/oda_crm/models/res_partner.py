# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oda_base import phone as numbers

from .crm_lead import QUIET, SESSION_READERS

# Kept beside the person: a ringing phone asks for it among a million of them. A talk
# whose year was mistyped has not been; the clock of an exchange may run ahead.
_REFRESH_ADVISER = """
UPDATE res_partner p SET oda_adviser_id = v.user_id
  FROM (SELECT c.id, COALESCE(
            (SELECT s.user_id FROM oda_consultation_session s
              WHERE s.partner_id = c.id AND s.user_id IS NOT NULL
                AND s.started_at < (now() AT TIME ZONE 'UTC') + interval '1 day'
              ORDER BY s.started_at DESC, s.id DESC LIMIT 1),
            (SELECT l.user_id FROM crm_lead l
              WHERE l.partner_id = c.id AND l.user_id IS NOT NULL
                AND l.active AND l.type = 'opportunity' AND l.won_status = 'pending'
              ORDER BY l.write_date DESC, l.id DESC LIMIT 1)) AS user_id
          FROM res_partner c WHERE c.id = ANY(%s)) v
 WHERE p.id = v.id AND p.oda_adviser_id IS DISTINCT FROM v.user_id
"""


class ResPartner(models.Model):
    """A beneficiary: the person or company that is advised."""

    _inherit = "res.partner"

    oda_session_ids = fields.One2many(
        "oda.consultation.session",
        "partner_id",
        string="Sessions",
        groups=SESSION_READERS,
    )
    oda_session_count = fields.Integer(
        compute="_compute_oda_session_count", groups=SESSION_READERS
    )
    oda_is_new = fields.Boolean(
        string="Name not known yet",
        help="Opened by itself when an unknown number called; the name is asked "
        "during the talk.",
    )

    oda_adviser_id = fields.Many2one(
        "res.users",
        string="Adviser",
        copy=False,
        index="btree_not_null",
        help="Who last spoke with this beneficiary, or else has their open "
        "consultation: calls and messages go to this person first. Set by the "
        "next talk, and by hand until then.",
    )

    def _compute_oda_session_count(self):
        counts = dict(
            self.env["oda.consultation.session"]._read_group(
                [("partner_id", "in", self.ids)], ["partner_id"], ["__count"]
            )
        )
        for partner in self:
            partner.oda_session_count = counts.get(partner, 0)

    def write(self, vals):
        if vals.get("name") and "oda_is_new" not in vals:
            vals = dict(vals, oda_is_new=False)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_without_sessions(self):
        # sudo: whether there are any, whoever asks
        sessions = self.env["oda.consultation.session"].sudo()
        if sessions.search_count([("partner_id", "in", self.ids)], limit=1):
            raise UserError(
                self.env._(
                    "What was said with this person is kept: archive the card, "
                    "or merge it with the right one."
                )
            )

    def _oda_refresh_adviser(self):
        """Work out again who the adviser is, from the talks and open consultations.

        Called when one of these changes hands, or a consultation is opened again;
        people whose adviser stays the same are not touched. A consultation that ends
        leaves its last owner standing.

        :raise psycopg2.errors.SerializationFailure: somebody talked with one of them
            meanwhile; the transaction is repeated
        """
        if not self.ids:
            return
        # Two who talk with one person at once do not see each other's talk; whoever
        # leaves the adviser as it was would not even meet the other.
        # sudo: the claims are nobody's; touching one is how we queue up
        self.env["oda.claim"].sudo()._claim(*(f"adviser:{one}" for one in self.ids))
        self.env.flush_all()
        # A lost race repeats the transaction; it is not an error to log with data.
        self.env.cr.execute(_REFRESH_ADVISER, (self.ids,), log_exceptions=False)
        self.invalidate_recordset(["oda_adviser_id"], flush=False)

    @api.model
    def _oda_find_or_create_by_phone(self, raw):
        """Return `(partners, created)` for a caller's number.

        Several partners may share a number: all come back, best first. A number
        that cannot belong to a person outside (short, anonymous, nonsense)
        gives an empty recordset. Safe under concurrency: see `oda.claim`.
        """
        parsed = numbers.parse(raw)
        if not parsed.e164:
            return self.browse(), False
        Phone = self.env["oda.phone"]
        partners = self.browse(Phone._lookup(parsed.e164))
        if partners:
            return partners, False
        # sudo: the claim table is nobody's; touching it is how we queue up
        self.env["oda.claim"].sudo()._claim(f"phone:{parsed.e164}")
        partner = self.with_context(**QUIET).create(
            {
                "name": parsed.international,
                "phone": parsed.international,
                "oda_is_new": True,
            }
        )
        return self.browse(partner.id), True

    def action_oda_sessions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_consultation_session"
        )
        action["domain"] = [("partner_id", "=", self.id)]
        action["context"] = {"default_partner_id": self.id}
        return action
