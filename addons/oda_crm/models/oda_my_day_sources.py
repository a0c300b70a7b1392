# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import myday
from .oda_my_day import COUNT_MAX


class OdaMyDay(models.AbstractModel):
    """What the CRM itself puts on somebody's day."""

    _inherit = "oda.my.day"

    @api.model
    def _oda_my_day_sources(self):
        sources = super()._oda_my_day_sources()
        sources["call"] = {
            "lane": myday.NOW,
            "rank": 30,
            "label": self.env._("Promised calls"),
            "icon": "fa-phone",
            "read": self._oda_my_day_calls,
        }
        sources["task"] = {
            "lane": myday.TODAY,
            "rank": 10,
            "label": self.env._("Tasks"),
            "icon": "fa-check",
            "read": self._oda_my_day_tasks,
        }
        sources["orphan"] = {
            "lane": myday.RISK,
            "rank": 10,
            "label": self.env._("Without a next step"),
            "icon": "fa-exclamation-triangle",
            "read": self._oda_my_day_orphans,
        }
        sources["late"] = {
            "lane": myday.RISK,
            "rank": 30,
            "label": self.env._("Left from earlier days"),
            "icon": "fa-clock-o",
            "read": self._oda_my_day_late,
        }
        sources["stale"] = {
            "lane": myday.RISK,
            "rank": 40,
            "label": self.env._("Stands still"),
            "icon": "fa-hourglass-half",
            "read": self._oda_my_day_stale,
        }
        return sources

    # === TASKS ===#

    @api.model
    def _oda_my_day_calls(self, day, limit):
        return self._oda_my_day_due("call", day, limit, self._oda_by_phone())

    @api.model
    def _oda_my_day_tasks(self, day, limit):
        _begin, until = myday.window("call", day)
        other = ~(self._oda_by_phone() & Domain("oda_due_at", "<", until))
        return self._oda_my_day_due("task", day, limit, other)

    @api.model
    def _oda_my_day_late(self, day, limit):
        return self._oda_my_day_due("late", day, limit, Domain.TRUE)

    @api.model
    def _oda_by_phone(self):
        """The domain of tasks that are done by phone."""
        return Domain("activity_type_id.category", "=", "phonecall")

    @api.model
    def _oda_my_day_due(self, kind, day, limit, domain):
        """One's own tasks of a kind, the earliest first: two statements."""
        begin, until = myday.window(kind, day)
        domain &= (
            Domain("active", "=", True)
            & Domain("user_id", "=", self.env.uid)
            & Domain("oda_due_at", "<", until)
        )
        if begin:
            domain &= Domain("oda_due_at", ">=", begin)
        tasks = self.env["mail.activity"]
        names = ("id", "oda_due_at", "summary", "activity_type_id", "res_model")
        rows = []
        if limit:
            # Whoever does a task may read it, says mail: no rule needs asking, and
            # asking would read all of them.
            query = tasks._search(
                domain, order="oda_due_at, id", limit=limit, bypass_access=True
            )
            columns = [tasks._field_to_sql(query.table, name) for name in names]
            columns.append(tasks._field_to_sql(query.table, "res_id"))
            rows = self.env.execute_query(query.select(*columns))
        total = len(rows)
        if not limit or total == limit:
            total = len(tasks._search(domain, limit=COUNT_MAX, bypass_access=True))
        kinds = tasks.activity_type_id.browse({row[3] for row in rows if row[3]})
        labels = {one.id: (one.name, one.icon) for one in kinds}
        entries = []
        for task_id, due, summary, type_id, model, res_id in rows:
            name, icon = labels.get(type_id, ("", False))
            entry = {
                "id": task_id,
                "task_id": task_id,
                "at": due,
                "tells": "due",
                "title": summary or name,
                "type_icon": icon,
            }
            if model == "crm.lead":
                entry["lead_id"] = res_id
            elif model == "res.partner":
                entry.update(partner_id=res_id, model=model, res_id=res_id)
            elif model:
                entry.update(model=model, res_id=res_id)
            entries.append(entry)
        return entries, total

    # === CONSULTATIONS ===#

    @api.model
    def _oda_my_day_orphans(self, day, limit):
        leads = self.env["crm.lead"]
        return self._oda_my_day_leads(leads._oda_orphans_domain(), "id", limit)

    @api.model
    def _oda_my_day_stale(self, day, limit):
        leads = self.env["crm.lead"]
        domain = (
            leads._oda_open_domain()
            & Domain("user_id", "=", self.env.uid)
            & Domain("oda_stale_level", ">", 0)
        )
        order = "oda_stale_level desc, date_last_stage_update, id"
        entries, total = self._oda_my_day_leads(domain, order, limit)
        # sudo: since when, of consultations just read with one's own rights
        marks = self.env["oda.stale"].sudo()
        ids = [one["id"] for one in entries]
        found = marks.search_fetch([("lead_id", "in", ids)], ["lead_id", "step_at"])
        since = {mark.lead_id.id: mark.step_at for mark in found}
        for one in entries:
            one["at"] = since.get(one["id"])
        return entries, total

    @api.model
    def _oda_my_day_leads(self, domain, order, limit):
        """Consultations as entries: what they are called is read later."""
        leads = self.env["crm.lead"]
        domain &= Domain("active", "=", True)
        ids = list(leads._search(domain, order=order, limit=limit)) if limit else []
        total = len(ids)
        if not limit or total == limit:
            total = leads.search_count(domain, limit=COUNT_MAX)
        return [{"id": one, "lead_id": one, "at": None} for one in ids], total
