# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaProgrammeNotice(models.Model):
    """That somebody was told some news: written with the letter, so never twice."""

    _name = "oda.programme.notice"
    _description = "Who was told some news"
    _log_access = False
    _order = "id desc"
    _rec_name = "partner_id"

    news_id = fields.Many2one(
        "oda.programme.news", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Beneficiary",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    at = fields.Datetime(required=True, readonly=True)
    state = fields.Selection(
        [
            ("told", "Told"),
            ("refused", "No consent"),
            ("unreached", "No address"),
        ],
        readonly=True,
    )
    channel = fields.Char(readonly=True)

    _once = models.Constraint(
        "UNIQUE(news_id, partner_id)", "This person was told already."
    )
