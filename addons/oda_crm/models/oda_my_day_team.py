# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import Counter, defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .. import myday

NOBODY = 0  # in place of a person: nobody is responsible, or somebody who has left
PEOPLE_MAX = 60  # rows of the two tables; those with most on them
#: due today and not done; done today: by person, consultation and moment
_TODAY = """
    SELECT a.user_id, a.res_id, a.oda_due_at AS at, 'due' AS what
      FROM mail_activity a
     WHERE a.active IS TRUE AND a.res_model = 'crm.lead'
       AND a.oda_due_at >= %(start)s AND a.oda_due_at < %(end)s
     UNION ALL
    SELECT a.user_id, a.res_id, a.oda_done_at, 'done'
      FROM mail_activity a
     WHERE a.res_model = 'crm.lead' AND a.oda_outcome = 'done'
       AND a.oda_done_at >= %(start)s AND a.oda_done_at < %(end)s
"""


class OdaMyDay(models.AbstractModel):
    """A leader's day: who is how busy at what hour, and what is at risk with whom.

    Counted over the consultations the person may see, in a few statements.
    """

    _inherit = "oda.my.day"

    @api.model
    def _oda_my_day_team(self, day, limits, kinds):
        """``{"people", "heat", "risks"}``; see the two methods below for shapes."""
        heat, risks = self._oda_my_day_heat(day), self._oda_my_day_risks(day)
        load = Counter()
        for user_id, _hour, _what, count in heat:
            load[user_id] += count
        for risk in risks:
            for user_id, count in risk["counts"].items():
                load[user_id] += count
        people, others = self._oda_my_day_people(load)
        return {
            "people": people,
            "more_people": others,
            "heat": self._oda_my_day_heat_json(heat, people, day),
            "risks": [self._oda_my_day_risk_json(risk, people) for risk in risks],
        }

    # === PEOPLE ===#

    @api.model
    def _oda_my_day_people(self, load):
        """The team and whoever else has something on them, by name.

        :param load: ``{user id: how much}``
        :return: ``([{id, name}], how many are left out)``; id `NOBODY` comes last
        """
        # sudo: names of colleagues, and who of them is still here
        users = self.env["res.users"].sudo().with_context(active_test=False)
        team = self._oda_my_day_team_ids()
        found = users.search_fetch(
            [("id", "in", [*team, *filter(None, load)]), ("active", "=", True)],
            ["name"],
        )
        here = set(found.ids)
        first = sorted(found, key=lambda one: (-load.get(one.id, 0), one.name or ""))
        shown = sorted(first[:PEOPLE_MAX], key=lambda one: one.name or "")
        people = [{"id": one.id, "name": one.name} for one in shown]
        if any(count and user_id not in here for user_id, count in load.items()):
            people.append({"id": NOBODY, "name": self.env._("Nobody responsible")})
        return people, max(len(first) - PEOPLE_MAX, 0)

    @api.model
    def _oda_my_day_team_ids(self):
        """Whose work this person looks after: those who advise, in their scope."""
        user = self.env.user
        scope = user._oda_scope("consultation", "read")
        circle = user._oda_circle()
        # sudo: who advises here; names of colleagues are no secret
        advisers = self.env.ref("oda_base.group_consultant").sudo().all_user_ids
        here = advisers.filtered(
            lambda one: one.active and one.company_ids & self.env.companies
        )
        if scope == "all":
            return here.ids
        ids = {user.id}
        if scope in ("team", "department"):
            ids |= set(circle.colleagues)
        if scope == "department":
            ids |= set(circle.department_people)
        return [one for one in here.ids if one in ids]

    # === BY HOUR ===#

    @api.model
    def _oda_my_day_heat(self, day):
        """Rows ``(user id, hour 0..23, what, count)`` of today; addons append theirs.

        ``what`` is a key of :meth:`_oda_my_day_heat_kinds`.
        """
        tasks, leads = self.env["mail.activity"], self.env["crm.lead"]
        tasks.flush_model(
            "active res_model res_id user_id oda_due_at oda_done_at oda_outcome".split()
        )
        seen = leads.with_context(active_test=False)._search([])
        today = SQL(_TODAY, start=day.start, end=day.end)
        return self.env.execute_query(
            SQL(
                """SELECT COALESCE(t.user_id, 0), %(hour)s AS hour, t.what, count(*)
                     FROM (%(today)s) t WHERE t.res_id IN %(seen)s
                    GROUP BY 1, 2, 3""",
                hour=self._oda_my_day_hour_sql(SQL("t.at"), day),
                today=today,
                seen=seen.subselect(),
            )
        )

    @api.model
    def _oda_my_day_hour_sql(self, at, day):
        """The hour that the clock showed at a naive UTC moment."""
        return SQL(
            "extract(hour FROM %s AT TIME ZONE 'UTC' AT TIME ZONE %s)::int",
            at,
            str(day.zone),
        )

    @api.model
    def _oda_my_day_heat_kinds(self):
        """``{what: {label, model, domain, at, user_field}}``: what a click on a number
        lists are records of ``domain`` whose ``at`` is in that hour."""
        tasks = {
            "model": "mail.activity",
            "user_field": "user_id",
        }
        of_leads = [("res_model", "=", "crm.lead")]
        return {
            "due": {
                "label": self.env._("To do"),
                "domain": [*of_leads, ("active", "=", True)],
                "at": "oda_due_at",
                **tasks,
            },
            "done": {
                "label": self.env._("Done"),
                "domain": [*of_leads, ("oda_outcome", "=", "done")],
                "at": "oda_done_at",
                **tasks,
            },
        }

    @api.model
    def _oda_my_day_heat_json(self, rows, people, day):
        """``{"hours", "kinds", "cells"}``.

        ``hours`` [{hour, from, until}], ``cells`` ``{person id: {hour: {what: count,
        "shade": 0..4}}}``.
        """
        known = {one["id"] for one in people}
        cells = defaultdict(lambda: defaultdict(Counter))
        for user_id, hour, what, count in rows:
            at = user_id if user_id in known else NOBODY
            cells[at][hour][what] += count
        sums = [sum(cell.values()) for row in cells.values() for cell in row.values()]
        most = max(sums, default=0)
        hours = []
        for hour in myday.hours({hour for row in cells.values() for hour in row}):
            begin, until = day.hour(hour)
            hours.append(
                {
                    "hour": hour,
                    "from": fields.Datetime.to_string(begin),
                    "until": fields.Datetime.to_string(until),
                }
            )
        return {
            "hours": hours,
            "kinds": self._oda_my_day_heat_kinds(),
            "cells": {
                user_id: {
                    hour: dict(cell, shade=myday.shade(sum(cell.values()), most))
                    for hour, cell in row.items()
                }
                for user_id, row in cells.items()
            },
        }

    # === RISKS ===#

    @api.model
    def _oda_my_day_risks(self, day):
        """What is at risk, by person; addons append theirs.

        :return: list of ``{"key", "label", "icon", "counts": {user id or 0: count},
            "model", "domain", "user_field"}``; model, domain and field are what a
            click opens for one person
        """
        missing, stale = Counter(), Counter()
        leads = self.env["crm.lead"]
        lacking = Domain("oda_next_step_missing", "=", True)
        standing = Domain("oda_stale_level", ">", 0)
        still_open = leads._oda_open_domain() & Domain("active", "=", True)
        query = leads._search(still_open & (lacking | standing))
        user_id, lacks, level = (
            leads._field_to_sql(query.table, name, query)
            for name in ("user_id", "oda_next_step_missing", "oda_stale_level")
        )
        query.groupby = user_id
        rows = self.env.execute_query(
            query.select(
                SQL("COALESCE(%s, 0)", user_id),
                SQL("count(*) FILTER (WHERE %s IS TRUE)", lacks),
                SQL("count(*) FILTER (WHERE %s > 0)", level),
            )
        )
        for person, without, standing_still in rows:
            missing[person], stale[person] = without, standing_still
        return [
            {
                "key": "missing",
                "label": self.env._("Without a next step"),
                "icon": "fa-exclamation-triangle",
                "counts": missing,
                "model": "crm.lead",
                "domain": list(still_open & lacking),
                "user_field": "user_id",
            },
            {
                "key": "late",
                "label": self.env._("Left from earlier days"),
                "icon": "fa-clock-o",
                "counts": self._oda_my_day_late_tasks(day),
                "model": "mail.activity",
                "domain": [
                    ("res_model", "=", "crm.lead"),
                    ("oda_due_at", "<", fields.Datetime.to_string(day.start)),
                ],
                "user_field": "user_id",
            },
            {
                "key": "stale",
                "label": self.env._("Stands still"),
                "icon": "fa-hourglass-half",
                "counts": stale,
                "model": "crm.lead",
                "domain": list(still_open & standing),
                "user_field": "user_id",
            },
        ]

    @api.model
    def _oda_my_day_late_tasks(self, day):
        """``Counter`` of tasks of earlier days by person, on consultations in sight."""
        self.env["mail.activity"].flush_model(
            ["active", "res_model", "res_id", "user_id", "oda_due_at"]
        )
        seen = self.env["crm.lead"].with_context(active_test=False)._search([])
        rows = self.env.execute_query(
            SQL(
                """SELECT COALESCE(a.user_id, 0), count(*) FROM mail_activity a
                    WHERE a.active IS TRUE AND a.res_model = 'crm.lead'
                      AND a.oda_due_at < %s AND a.res_id IN %s
                    GROUP BY 1""",
                day.start,
                seen.subselect(),
            )
        )
        return Counter(dict(rows))

    @api.model
    def _oda_my_day_risk_json(self, risk, people):
        known = {one["id"] for one in people}
        counts = Counter()
        for user_id, count in risk["counts"].items():
            counts[user_id if user_id in known else NOBODY] += count
        return {
            **{name: risk[name] for name in risk if name != "counts"},
            "counts": {user_id: n for user_id, n in counts.items() if n},
            "total": sum(counts.values()),
        }
