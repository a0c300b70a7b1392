# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .crm_lead_tasks import ORPHANS_AT_ONCE


class CrmLead(models.Model):
    """What stands above a kanban and in the heads of its columns."""

    _inherit = "crm.lead"

    @api.model
    @api.readonly
    def oda_kanban_heads(self, domain=(), flows=False):
        """What the kanban of these consultations says of its columns; public.

        One statement for all columns, and one more when it shows flows to choose.

        :param domain: that of the search; only open consultations are counted
        :param bool flows: also the person's flows with what they have open in each
        :return dict: ``heads`` ``{stage id: {oldest, stale}}`` (days in the stage of
            the one longest there; how many stand still), ``missing`` (without a next
            step), ``missing_ids`` (the first of them, for whoever may edit), ``flows``
            [{id, name, count, chosen}]
        """
        self.check_access("read")
        try:
            asked = Domain(list(domain or ()))
            query = self._oda_kanban_query(asked)
        except (TypeError, ValueError) as error:
            raise UserError(self.env._("This search is not valid.")) from error
        rows = self.env.execute_query(query)
        heads, ids, missing = {}, [], 0
        for stage_id, oldest, stale, without, some in rows:
            heads[stage_id or 0] = {"oldest": max(int(oldest or 0), 0), "stale": stale}
            missing += without
            ids += some or ()
        return {
            "heads": heads,
            "missing": missing,
            "missing_ids": sorted(ids)[:ORPHANS_AT_ONCE]
            if self.has_access("write")
            else [],
            "flows": self.env["crm.team"]._oda_flows_to_choose() if flows else [],
        }

    @api.model
    def _oda_kanban_query(self, asked):
        """SELECT stage, oldest (days), stale, missing, some ids of those missing."""
        domain = asked & self._oda_open_domain() & Domain("active", "=", True)
        query = self._search(domain)
        stage, level, lacks, since, made = (
            self._field_to_sql(query.table, name, query)
            for name in (
                "stage_id",
                "oda_stale_level",
                "oda_next_step_missing",
                "date_last_stage_update",
                "create_date",
            )
        )
        query.groupby = stage
        number = SQL.identifier(query.table, "id")
        return query.select(
            stage,
            SQL(
                "extract(epoch FROM %s - min(COALESCE(%s, %s))) / 86400",
                fields.Datetime.now(),
                since,
                made,
            ),
            SQL("count(*) FILTER (WHERE %s > 0)", level),
            SQL("count(*) FILTER (WHERE %s IS TRUE)", lacks),
            SQL(
                "(array_agg(%s ORDER BY %s) FILTER (WHERE %s IS TRUE))[1:%s]",
                number,
                number,
                lacks,
                ORPHANS_AT_ONCE,
            ),
        )
