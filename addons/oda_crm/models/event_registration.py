# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class EventRegistration(models.Model):
    """A seat of a beneficiary: taken in turn, whichever door they came through."""

    _name = "event.registration"
    _inherit = ["event.registration", "oda.by_system"]
    _oda_by_system = {"oda_source", "oda_lead_id"}

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

    def _update_mail_schedulers(self):
        """Leave the letters to their cron, as core does when told to.

        Sent at once they commit halfway, which gives the seats' lock away, and all
        registrations of an event meet on one row of its scheduler.
        """
        if self.env.context.get("install_mode"):
            return
        events = self.filtered(lambda one: one.state == "open").event_id
        # sudo: whoever registers does not manage the letters
        schedulers = self.env["event.mail"].sudo()
        if events and schedulers.search_count(
            [("event_id", "in", events.ids), ("interval_type", "=", "after_sub")],
            limit=1,
        ):
            self.env.ref("event.event_mail_scheduler")._trigger()
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()
