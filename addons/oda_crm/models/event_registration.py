# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class EventRegistration(models.Model):
    """A seat of a beneficiary: taken in turn, whichever door they came through."""

    _inherit = "event.registration"

    oda_source = fields.Char(string="Registered through", readonly=True, copy=False)
    oda_lead_id = fields.Many2one(
        "crm.lead",
        string="Consultation",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )

    # People may book for several others; our own verb makes one each.
    _oda_once = models.UniqueIndex(
        "(event_id, partner_id) WHERE oda_source IS NOT NULL AND active "
        "AND state <> 'cancel'",
        "This person is registered for this event already.",
    )
    _oda_seats_idx = models.Index(
        "(event_id) WHERE active AND state IN ('open', 'done')"
    )

    @api.constrains("active", "state", "event_id", "event_slot_id", "event_ticket_id")
    def _check_seats_availability(self):
        taking = self.filtered(lambda one: one.active and one.state in ("open", "done"))
        events = taking.event_id.filtered(lambda event: event._oda_limits())
        events._oda_hold_seats()
        result = super()._check_seats_availability()
        events._oda_check_seats()
        return result
