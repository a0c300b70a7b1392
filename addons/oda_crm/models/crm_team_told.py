# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

_TOLD = "oda_flows_told"
# What open cards say of the way ahead is made of these.
_SAID = frozenset(
    {
        "lead_properties_definition",
        "name",
        "oda_back_group_ids",
        "oda_ordered",
        "oda_override_group_ids",
        "oda_own_stages",
        "oda_skip_group_ids",
    }
)


class CrmTeam(models.Model):
    """Telling open browsers that a flow works differently from now on."""

    _inherit = "crm.team"

    def write(self, vals):
        done = super().write(vals)
        if not _SAID.isdisjoint(vals):
            self._oda_tell_flows(self.ids)
        return done

    @api.model
    def _oda_tell_flows(self, team_ids):
        """Have open cards of these flows read anew what they say; once a transaction.

        :param team_ids: of flows; none: of all of them
        """
        if not self.env.registry.ready:
            return
        precommit = self.env.cr.precommit
        if _TOLD not in precommit.data:
            precommit.data[_TOLD] = set()
            precommit.add(self.browse()._oda_flows_told)
        precommit.data[_TOLD] |= set(team_ids) or {0}

    @api.model
    def _oda_flows_told(self):
        team_ids = self.env.cr.precommit.data.pop(_TOLD, set())
        if not team_ids:
            return
        # Another thread of this worker may have read the old plan since it changed.
        self.env.cr.postcommit.add(self.env.registry.clear_cache)
        flows = [] if 0 in team_ids else sorted(team_ids)
        # sudo: everybody who works in the house hears of it, whoever changed it
        people = self.env.ref("base.group_user").sudo()
        people._bus_send("oda.flow", {"flows": flows})
