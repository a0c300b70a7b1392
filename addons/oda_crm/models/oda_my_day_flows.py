# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

CALLS_MAX = 30  # calls for applications shown; the soonest to close


class OdaMyDay(models.AbstractModel):
    """A head's day: how full each stage is and for how long, what programmes run."""

    _inherit = "oda.my.day"

    @api.model
    def _oda_my_day_flows(self, day, limits, kinds):
        """``{"flows", "programmes"}``."""
        return {
            "flows": self._oda_my_day_funnels(),
            "programmes": self._oda_my_day_programmes(day),
        }

    @api.model
    def _oda_my_day_funnels(self):
        """``[{id, name, total, most, stages}]`` of the flows, in their order.

        A stage is ``{id, name, count, stale, missing, days, oldest}``: days its open
        consultations have been in it, on average and at most. Last, with the id False,
        what is in no flow. Three statements.
        """
        found = self._oda_my_day_stage_counts()
        filled = {flow_id for flow_id, _stage_id in found}
        # Flows and stages are read whole: they are few. An archived flow is shown
        # while anything is open in it.
        flows = (
            self.env["crm.team"]
            .with_context(active_test=False)
            .search_fetch(
                Domain("id", "in", list(filter(None, filled)))
                | (
                    Domain("active", "=", True)
                    & Domain("use_opportunities", "=", True)
                    & Domain("company_id", "in", [False, *self.env.companies.ids])
                ),
                ["name", "oda_own_stages"],
                order="sequence, id",
            )
        )
        stages = self.env["crm.stage"].search_fetch(
            [], ["name", "is_won", "team_ids"], order="sequence, id"
        )
        funnels = [self._oda_my_day_funnel(flow, stages, found) for flow in flows]
        if None in filled:
            funnels.append(self._oda_my_day_funnel(flows.browse(), stages, found))
        return [one for one in funnels if one["stages"]]

    @api.model
    def _oda_my_day_funnel(self, flow, stages, found):
        """One of them; of no flow only the stages in which there is anything."""
        key = flow.id or None
        rows = [
            {"id": one.id, "name": one.name, **found[key, one.id]}
            for one in stages
            if (key, one.id) in found
            or (flow and not one.is_won and flow in one.team_ids)
            or (flow and not one.is_won and not (one.team_ids or flow.oda_own_stages))
        ]
        counts = [row["count"] for row in rows]
        return {
            "id": flow.id,
            "name": flow.name or self.env._("In no flow"),
            "total": sum(counts),
            "most": max(counts, default=0),
            "stages": rows,
        }

    @api.model
    def _oda_my_day_stage_counts(self):
        """``{(flow id, stage id): {count, stale, missing, days, oldest}}``."""
        leads = self.env["crm.lead"]
        domain = leads._oda_open_domain() & Domain("active", "=", True)
        query = leads._search(domain)
        flow, stage, level, lacks, since, made = (
            leads._field_to_sql(query.table, name, query)
            for name in (
                "team_id",
                "stage_id",
                "oda_stale_level",
                "oda_next_step_missing",
                "date_last_stage_update",
                "create_date",
            )
        )
        days = SQL(
            "extract(epoch FROM %s - COALESCE(%s, %s)) / 86400.0",
            fields.Datetime.now(),
            since,
            made,
        )
        query.groupby = SQL("%s, %s", flow, stage)
        rows = self.env.execute_query(
            query.select(
                flow,
                stage,
                SQL("count(*)"),
                SQL("count(*) FILTER (WHERE %s > 0)", level),
                SQL("count(*) FILTER (WHERE %s IS TRUE)", lacks),
                SQL("avg(GREATEST(%s, 0))", days),
                SQL("max(GREATEST(%s, 0))", days),
            )
        )
        nothing = {"count": 0, "stale": 0, "missing": 0, "days": 0, "oldest": 0}
        found = defaultdict(lambda: dict(nothing))
        for flow_id, stage_id, count, stale, missing, mean, oldest in rows:
            found[flow_id, stage_id] = {
                "count": count,
                "stale": stale,
                "missing": missing,
                "days": round(float(mean), 1),
                "oldest": int(oldest),
            }
        return found

    @api.model
    def _oda_my_day_programmes(self, day):
        """Calls for applications that are open: ``[{id, name, programme,
        programme_id, closes, words, urgent}]``, the soonest to close first."""
        calls = self.env["oda.programme.call"]
        if not calls.has_access("read"):
            return []
        found = calls.search_fetch(
            [
                ("programme_id.state", "=", "active"),
                ("opens_at", "<=", day.now),
                ("closes_at", ">", day.now),
            ],
            ["name", "programme_id", "closes_at", "opens_at", "remind_days"],
            order="closes_at, id",
            limit=CALLS_MAX,
        )
        rows = []
        for call in found:
            left = (call.closes_at - day.now).days
            rows.append(
                {
                    "id": call.id,
                    "name": call.name,
                    "programme": call.programme_id.display_name,
                    "programme_id": call.programme_id.id,
                    "closes": fields.Datetime.to_string(call.closes_at),
                    "words": self.env._("%s d left", left)
                    if left
                    else self.env._("last day"),
                    "urgent": call.state == "closing",
                }
            )
        return rows
