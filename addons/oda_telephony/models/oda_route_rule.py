# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import UTC, timedelta
from typing import Any, NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import ormcache

from .. import routing

KINDS = [
    ("adviser", "The adviser (who spoke last, or has the open consultation)"),
    ("last_speaker", "Who spoke with them last"),
    ("owner", "Who has the open consultation"),
    ("lead", "The leader of the flow"),
    ("person", "One person"),
    ("members", "Somebody of the department or flow, in turn"),
    ("extension", "A group or short number of the exchange"),
    ("nobody", "Nobody: the exchange goes by its own plan"),
]


class RoutePlan(NamedTuple):
    """All that routing needs of a company's settings: plain values, cached."""

    rules: tuple[routing.Rule, ...]
    lines: dict[str, Any]  # key of the number -> routing.Line
    hours: bool  # some rule asks whether the house is at work


class OdaRouteRule(models.Model):
    """Whom a call goes to: the first rule with somebody who can be reached."""

    _name = "oda.route.rule"
    _description = "Routing Rule"
    _order = "sequence, id"

    sequence = fields.Integer(default=50)
    name = fields.Char(compute="_compute_name")
    kind = fields.Selection(KINDS, string="Goes to", required=True, default="owner")
    user_id = fields.Many2one(
        "res.users",
        string="Person",
        index="btree_not_null",
        ondelete="cascade",
        domain=[("share", "=", False)],
    )
    department_id = fields.Many2one(
        "oda.department",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: that of the dialled number.",
    )
    team_id = fields.Many2one(
        "crm.team",
        string="Flow",
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: that of the dialled number.",
    )
    extension = fields.Char(
        string="Short number", help="As the exchange knows it: login, group or digits."
    )
    questions = fields.Boolean(
        string="Only with open questions",
        help="Counts only a talk whose consultation still has a task to be done, or "
        "in which an instrument was advised on.",
    )
    days = fields.Integer(
        string="At most days ago", help="An older talk does not count. 0: any."
    )
    line_ids = fields.Many2many(
        "oda.line", string="Dialled numbers", help="Empty: whichever was dialled."
    )
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="Of the beneficiary, or else of the dialled number. Empty: any.",
    )
    hours = fields.Selection(
        [
            ("any", "At any time"),
            ("open", "In working time"),
            ("closed", "Out of working time"),
        ],
        string="When",
        required=True,
        default="any",
    )
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", help="Empty: in every company."
    )
    active = fields.Boolean(default=True)

    _days_sane = models.Constraint(
        "CHECK (days >= 0 AND days <= 3650)", "Days are 0 (any) to 3650."
    )

    @api.depends("kind", "user_id", "department_id", "team_id", "extension")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for rule in self:
            about = {
                "person": rule.user_id.name,
                "members": rule.department_id.name or rule.team_id.name,
                "extension": rule.extension,
            }.get(rule.kind)
            words = kinds.get(rule.kind, "")
            rule.name = f"{words}: {about}" if about else words

    @api.depends("name")
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.name

    @api.constrains("kind", "user_id", "extension")
    def _check_named(self):
        for rule in self:
            if rule.kind == "person" and not rule.user_id:
                raise ValidationError(self.env._("Choose the person of this rule."))
            if rule.kind == "extension" and not (rule.extension or "").strip():
                raise ValidationError(
                    self.env._("Write the group or short number of this rule.")
                )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._journal("create")
        return rules

    def write(self, vals):
        done = super().write(vals)
        self._journal("change", vals)
        return done

    def unlink(self):
        self._journal("remove")
        return super().unlink()

    def _journal(self, what, vals=()):
        self.env.registry.clear_cache()
        if not self.env.su:  # a person did it, not an installation
            self.env["oda.event"]._log(f"route.{what}", self, fields=sorted(vals))

    # === THE PLAN ===#

    @api.model
    @ormcache("company_id")
    def _plan(self, company_id):
        """Return the :class:`RoutePlan` of a company. Hot path: cached."""
        # sudo: a call is routed before anybody is known
        env = self.sudo().with_context(active_test=True).env
        rules = env["oda.route.rule"].search(
            [("company_id", "in", (False, company_id))]
        )
        lines = env["oda.line"].search([("company_id", "=", company_id)])
        plain = tuple(rule._plain() for rule in rules)
        return RoutePlan(
            plain,
            {
                line.key: routing.Line(
                    line.id,
                    line.lang or "",
                    tuple(line._people().ids),
                    line._leader().id or 0,
                )
                for line in lines
            },
            any(rule.hours != "any" for rule in plain),
        )

    def _plain(self):
        people = ()
        if self.kind == "members" and (self.department_id or self.team_id):
            people = self.env["oda.line"]._people_of(self.department_id, self.team_id)
            people = tuple(people.ids)
        return routing.Rule(
            id=self.id,
            kind=self.kind,
            lines=frozenset(self.line_ids.ids),
            langs=frozenset({self.lang} - {False}),
            hours=self.hours,
            user_id=self.user_id.id or 0,
            extension=(self.extension or "").strip(),
            questions=self.questions,
            days=self.days,
            members=people,
        )

    # === WHO IS AWAY ===#

    @api.model
    @ormcache()
    def _absences(self):
        """Return `{user id: ((from, to), ...)}`, naive UTC: who is off, and when.

        Dropped with the cache whenever a time off is written.
        """
        since = fields.Datetime.now() - timedelta(days=1)
        # sudo: that somebody is away is told to who calls them, why is not
        leaves = self.env["resource.calendar.leaves"].sudo()
        found = leaves.search_fetch(
            [
                ("resource_id.user_id", "!=", False),
                ("time_type", "=", "leave"),
                ("date_to", ">", since),
            ],
            ["resource_id", "date_from", "date_to"],
        )
        away = {}
        for leave in found:
            user_id = leave.resource_id.user_id.id
            away.setdefault(user_id, []).append((leave.date_from, leave.date_to))
        return {user_id: tuple(spans) for user_id, spans in away.items()}

    @api.model
    @ormcache("company_id", "hour")
    def _open_hours(self, company_id, hour):
        """Return `(periods around the hour's day, is it a public holiday)`.

        Periods are naive UTC pairs; None of a company without any hours. By hour, so
        that what is edited elsewhere than in time off and exceptional days counts an
        hour later at most.
        """
        company = self.env["res.company"].sudo().browse(company_id)  # sudo: its hours
        calendar = self.env["oda.worktime"].with_company(company)._working_calendar()
        moment = fields.Datetime.to_datetime(hour)
        day = _local_day(moment, calendar.tz)
        if not calendar.opens_at_all:
            return None, False
        periods = tuple(
            (a.replace(tzinfo=None), b.replace(tzinfo=None))
            for near in (day - timedelta(days=1), day, day + timedelta(days=1))
            for a, b in calendar.periods(near)
        )
        return periods, calendar.days.get(day, 0) is None

    @api.model
    def _hours_at(self, company_id, moment):
        """Return `(is the house at work, is it a public holiday)`; cached.

        A company without any hours: `(None, False)`, no rule about hours counts.
        """
        hour = f"{moment:%Y-%m-%d %H}:00:00"
        periods, day_off = self._open_hours(company_id, hour)
        if periods is None:
            return None, False
        return any(a <= moment < b for a, b in periods), day_off


def _local_day(moment, zone):
    """Return the local date of a naive UTC moment."""
    return moment.replace(tzinfo=UTC).astimezone(zone).date()
