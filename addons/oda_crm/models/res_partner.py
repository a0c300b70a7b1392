# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oda_base import phone as numbers

from .crm_lead import QUIET, SESSION_READERS


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
