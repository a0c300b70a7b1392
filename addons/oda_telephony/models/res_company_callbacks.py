# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class ResCompany(models.Model):
    """How soon missed calls are returned, in minutes of working time."""

    _inherit = "res.company"

    oda_callback_minutes = fields.Integer(
        string="Missed in working time: call back within",
        default=30,
        help="Working minutes from the first missed call.",
    )
    oda_callback_night_minutes = fields.Integer(
        string="Missed out of hours: call back within",
        default=60,
        help="Working minutes from the next opening.",
    )
    oda_callback_repeat_minutes = fields.Integer(
        string="Remind again every",
        default=60,
        help="Working minutes between two reminders of a call that is late.",
    )
    oda_callback_climb_after = fields.Integer(
        string="Climb after",
        default=2,
        help="Reminders to one person before the next one up is told: the "
        "responsible, then the leader of the flow, then the head.",
    )

    _oda_callback_sane = models.Constraint(
        "CHECK (oda_callback_minutes BETWEEN 0 AND 10000"
        " AND oda_callback_night_minutes BETWEEN 0 AND 10000"
        " AND oda_callback_repeat_minutes BETWEEN 1 AND 10000"
        " AND oda_callback_climb_after BETWEEN 1 AND 100)",
        "Targets are 0 to 10 000 minutes, reminders at least 1 minute apart.",
    )

    @api.model
    def action_oda_callback_targets(self):
        """Open the targets of one's present company."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("When are missed calls returned?"),
            "res_model": "res.company",
            "res_id": self.env.company.id,
            "views": [
                (self.env.ref("oda_telephony.res_company_view_callbacks").id, "form")
            ],
            "target": "current",
        }
