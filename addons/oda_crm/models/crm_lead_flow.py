# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections.abc import Set

from odoo import api, models
from odoo.fields import Domain

from .people import whole


class CrmLead(models.Model):
    """Flows with stages of their own: the shared stages do not mix in."""

    _inherit = "crm.lead"

    @api.depends("user_id", "type")
    def _compute_team_id(self):
        """A consultation stays in its flow when it changes hands.

        Core moves it to a team of the new responsible, and with that to another
        flow's first stage; here several consultants go on with one case.
        """
        staying = self.filtered(lambda lead: lead._oda_has_own_stages())
        return super(CrmLead, self - staying)._compute_team_id()

    def _oda_has_own_stages(self):
        return self._oda_plan_of(self.team_id._origin.id).own_stages

    @api.depends("team_id", "type")
    def _compute_stage_id(self):
        res = super()._compute_stage_id()
        for lead in self:
            homeless = not lead.team_id and lead.stage_id.team_ids
            if homeless or (lead._oda_has_own_stages() and not lead.stage_id.team_ids):
                lead.stage_id = lead._stage_find(domain=[("fold", "=", False)])
        return res

    def _stage_find(self, team_id=False, domain=None, order="sequence, id", limit=1):
        teams = {lead.team_id.id for lead in self} | {team_id}
        teams = [team for team in teams if team]
        if teams and all(self._oda_plan_of(team).own_stages for team in teams):
            domain = list(domain or ()) + [("team_ids", "!=", False)]
        return super()._stage_find(
            team_id=team_id, domain=domain, order=order, limit=limit
        )

    @api.model
    def _read_group_stage_ids(self, stages, domain):
        found = super()._read_group_stage_ids(stages, domain)
        flows = self._oda_flows_shown(domain)
        if not flows or not all(self._oda_plan_of(one).own_stages for one in flows):
            return found
        shown = Domain("id", "in", stages.ids) | Domain("team_ids", "in", flows)
        # sudo: columns of a flow are the same for everybody
        return found.browse(found.sudo()._search(shown, order=found._order))

    @api.model
    def _oda_flows_shown(self, domain):
        """Ids of the flows a kanban is of: the one that is opened or searched for,
        or else one's own."""
        context = self.env.context
        asked = set()
        for one in Domain(domain).iter_conditions():
            if one.field_expr == "team_id" and one.operator in ("=", "in"):
                several = isinstance(one.value, Set | list | tuple)
                asked |= set(whole(one.value if several else [one.value]))
        if asked:
            return list(asked)
        if isinstance(context.get("default_team_id"), int):
            return [context["default_team_id"]]
        if context.get("show_user_team_stages"):
            return self.env.user.crm_team_ids.ids
        return []
