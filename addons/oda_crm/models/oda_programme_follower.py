# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaProgrammeFollower(models.Model):
    """A beneficiary who wants to hear of a programme, or does not any more."""

    _name = "oda.programme.follower"
    _inherit = "oda.by_system"
    _description = "Follower of a programme"
    _order = "since desc, id desc"
    _rec_name = "programme_id"
    #: since when they follow decides whether an older no still counts
    _oda_by_system = {"since", "unsubscribed_at"}

    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", required=True, ondelete="cascade"
    )
    programme_id = fields.Many2one("oda.programme", required=True, ondelete="cascade")
    since = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    source = fields.Selection(
        [
            ("asked", "They asked"),
            ("web", "On the web page"),
            ("proposed", "Put here by us"),
        ],
        string="How",
        required=True,
        default="asked",
        help="Put here by us: gets news only with a consent on the card.",
    )
    unsubscribed_at = fields.Datetime(string="Unsubscribed", readonly=True)

    _once = models.Constraint(
        "UNIQUE(partner_id, programme_id)",
        "This beneficiary follows the programme already, or did: use Follow again.",
    )
    _programme_idx = models.Index(
        "(programme_id, partner_id) WHERE unsubscribed_at IS NULL"
    )

    def _check_may_change(self):
        """Whoever may put somebody among the followers may speak for them."""
        self.check_access("read")
        self.check_access("create")
        self.partner_id.check_access("write")

    def action_stop(self):
        """They do not want these news any more."""
        self._check_may_change()
        for follower in self:
            if not follower.unsubscribed_at:
                follower.partner_id._oda_unsubscribe("news", follower.programme_id)
        return True

    def action_follow_again(self):
        """They asked for these news again."""
        self._check_may_change()
        # sudo: the date is nobody's to edit, this button's only
        self.sudo().write(
            {
                "unsubscribed_at": False,
                "source": "asked",
                "since": fields.Datetime.now(),
            }
        )
        for follower in self:
            self.env["oda.event"]._log(
                "programme.follow",
                follower.partner_id,
                programme=follower.programme_id.code,
            )
        return True
