# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models

_STATES = [
    ("planned", "Planned"),
    ("open", "Open"),
    ("closing", "Closing soon"),
    ("closed", "Closed"),
]


class OdaProgrammeCall(models.Model):
    """A call for applications of a programme, with its dates."""

    _name = "oda.programme.call"
    _inherit = "oda.by_system"
    _description = "Call for applications"
    _order = "opens_at desc, id desc"
    #: each is told once: emptied, the followers would be told again
    _oda_by_system = {"opening_told_at", "closing_told_at"}

    programme_id = fields.Many2one(
        "oda.programme", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="programme_id.company_id")
    name = fields.Char(required=True, translate=True)
    opens_at = fields.Datetime(required=True, index=True)
    closes_at = fields.Datetime(required=True, index=True)
    budget = fields.Char(help="As it was announced, e.g. 20 million lei")
    conditions = fields.Html(translate=True)
    remind_days = fields.Integer(
        string="Remind (days before)",
        default=7,
        help="Followers are told so many days before the call closes; 0: they are not.",
    )
    state = fields.Selection(_STATES, compute="_compute_state")
    opening_told_at = fields.Datetime(readonly=True, copy=False)
    closing_told_at = fields.Datetime(readonly=True, copy=False)

    _dates = models.Constraint(
        "CHECK(closes_at > opens_at)", "A call closes after it opens."
    )
    _remind = models.Constraint(
        "CHECK(remind_days BETWEEN 0 AND 365)", "Between 0 and 365 days before."
    )

    @api.depends("opens_at", "closes_at", "remind_days")
    def _compute_state(self):
        now = fields.Datetime.now()
        for call in self:
            if not call.opens_at or not call.closes_at or now < call.opens_at:
                call.state = "planned"
            elif now >= call.closes_at:
                call.state = "closed"
            elif now >= call.closes_at - timedelta(days=call.remind_days):
                call.state = "closing"
            else:
                call.state = "open"

    # === ANNOUNCING ===#

    @api.model
    def _cron_announce(self):
        """Make and publish the news of calls that open or close soon; each once."""
        now = fields.Datetime.now()
        running = [
            ("programme_id.state", "=", "active"),
            ("opens_at", "<=", now),
            ("closes_at", ">", now),
        ]
        for call in self.search([*running, ("closing_told_at", "=", False)]):
            # One call's trouble is not the others'; and what is told is told.
            if not call.opening_told_at:
                call.opening_told_at = now
                # A call that opens and closes within the reminder is told once.
                if call.state == "closing":
                    call.closing_told_at = now
                call._publish("opening")
            elif call.remind_days and call.state == "closing":
                call.closing_told_at = now
                call._publish("closing")
            else:
                continue
            if not self.env["ir.cron"]._commit_progress(1):
                break

    def _publish(self, what):
        """Write the news in every language of the house and publish it."""
        self.ensure_one()
        news = self.env["oda.programme.news"].create(
            {
                "programme_id": self.programme_id.id,
                "call_id": self.id,
                **self._words(what),
            }
        )
        for lang, _name in self.env["res.lang"].get_installed():
            told = self.with_context(lang=lang)
            news.with_context(lang=lang).write(told._words(what))
        news._publish()

    def _words(self, what):
        opens = self._when(self.opens_at)
        closes = self._when(self.closes_at)
        names = {"call": self.name, "programme": self.programme_id.name}
        if what == "opening":
            subject = self.env._("%(programme)s: “%(call)s” is open", **names)
        else:
            subject = self.env._("%(programme)s: “%(call)s” closes soon", **names)
        dates = self.env._(
            "Applications are taken from %(opens)s to %(closes)s.",
            opens=opens,
            closes=closes,
        )
        body = Markup("<p>%s</p><p>%s</p>") % (subject, dates)
        if self.budget:
            body += Markup("<p>%s</p>") % self.env._("Budget: %s", self.budget)
        if self.conditions:
            body += Markup("<div>%s</div>") % self.conditions
        if self.programme_id.website:
            body += Markup("<p>%s</p>") % self.programme_id.website
        return {"name": subject, "body": body}

    def _when(self, moment):
        zone = self.programme_id.user_id.tz or "Europe/Chisinau"
        local = fields.Datetime.context_timestamp(self.with_context(tz=zone), moment)
        return f"{local:%d.%m.%Y %H:%M}"
