# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError

from .people import given

#: Since when they follow decides whether an older no still counts.
GUARDED = {"since", "unsubscribed_at"}


class OdaProgrammeFollower(models.Model):
    """A beneficiary who wants to hear of a programme, or does not any more."""

    _name = "oda.programme.follower"
    _description = "Follower of a programme"
    _order = "since desc, id desc"
    _rec_name = "programme_id"

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

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._refuse_guarded(given(self, GUARDED, vals, new=True))
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_guarded(given(self, GUARDED, vals))
        return super().write(vals)

    @api.model
    def _refuse_guarded(self, names):
        if names:
            raise AccessError(
                self.env._("Since when somebody follows is noted by the system.")
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
