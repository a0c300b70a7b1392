# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import segments
from .people import whole

#: kind -> the field of the beneficiary that leads there
RELATIONS = {
    "consultation": "oda_consultation_ids",
    "session": "oda_session_ids",
    "registration": "oda_registration_ids",
    "programme": "oda_programme_follower_ids",
    "advice": "oda_answer_ids",
}


class OdaSegmentPart(models.Model):
    """A condition of a segment on what hangs on a beneficiary."""

    _name = "oda.segment.part"
    _description = "Condition of a segment"
    _order = "sequence, id"

    segment_id = fields.Many2one(
        "oda.segment", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    has = fields.Selection(
        [("yes", "who have"), ("no", "who do not have")],
        string="Which",
        required=True,
        default="yes",
    )
    kind = fields.Selection(
        [
            ("consultation", "a consultation"),
            ("session", "a consultation session"),
            ("registration", "a registration for an event"),
            ("programme", "a programme that they follow"),
            ("advice", "advice on an instrument"),
        ],
        string="What",
        required=True,
        default="consultation",
    )
    res_model = fields.Char(string="Model", compute="_compute_res_model")
    domain = fields.Char(string="That", default="[]", required=True)

    def write(self, vals):
        if "segment_id" in vals:
            # The rules look at where it was; where it goes counts as much.
            self.env["oda.segment"].browse(whole([vals["segment_id"]])).check_access(
                "write"
            )
        return super().write(vals)

    @api.depends("kind")
    def _compute_res_model(self):
        fields_ = self.env["res.partner"]._fields
        for part in self:
            relation = fields_.get(RELATIONS.get(part.kind))
            part.res_model = relation.comodel_name if relation else False

    @api.onchange("kind")
    def _onchange_kind(self):
        self.domain = "[]"  # the fields are others

    @api.constrains("kind", "has", "domain")
    def _check_domain(self):
        self.segment_id._check_domain()

    def _composed(self):
        """Return the `segments.Part`; UserError in words when it cannot be read."""
        model = self.env[self.res_model] if self.res_model else None
        if model is None:
            raise UserError(self.env._("It is not said what they have."))
        domain = self.segment_id._parse(self.domain, model)
        return segments.Part(RELATIONS[self.kind], self.has == "yes", domain)
