# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .people import whole


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    oda_flow_id = fields.Many2one(
        "crm.team",
        string="Flow shown last",
        index="btree_not_null",
        ondelete="set null",
        help="“My consultations” opens with this flow.",
    )

    @api.model
    def _get_fields_blacklist(self):
        """The browser needs it not, and a flow out of sight has no name to send."""
        return super()._get_fields_blacklist() + ["oda_flow_id"]


class CrmTeam(models.Model):
    """“My consultations” is one flow at a time: the one looked at last."""

    _inherit = "crm.team"

    @api.model
    def action_your_pipeline(self):
        """One's consultations of one flow, so that the columns belong together."""
        action = super().action_your_pipeline()
        flows = self._oda_flows_to_choose()
        chosen = next((flow["id"] for flow in flows if flow["chosen"]), False)
        if chosen:
            action["context"] = {
                **action["context"],
                "search_default_team_id": chosen,
                "default_team_id": chosen,
                "oda_flow_choice": True,
            }
        return action

    def oda_choose_flow(self):
        """Show this flow in “My consultations” from now on; public."""
        self.ensure_one()
        self.check_access("read")
        if self.id not in [flow["id"] for flow in self._oda_flows_to_choose()]:
            raise AccessError(self.env._("This flow is not one of yours."))
        # one's own settings, made when they are not there yet
        settings = self.env["res.users.settings"]._find_or_create_for_user(
            self.env.user
        )
        settings.sudo().oda_flow_id = self  # sudo: one's own, of nobody else
        return True

    @api.model
    def _oda_flows_to_choose(self):
        """The person's flows: ``[{id, name, count, chosen}]``, one of them chosen.

        Those one is in or leads, and those in which one has consultations; ``count``
        is how many of them are one's own and open.
        """
        leads = self.env["crm.lead"]
        domain = (
            leads._oda_open_domain()
            & Domain("active", "=", True)
            & Domain("user_id", "=", self.env.uid)
            & Domain("team_id", "!=", False)
        )
        counts = {
            flow.id: count
            for flow, count in leads._read_group(domain, ["team_id"], ["__count"])
        }
        ids = {*counts, *self.env.user._oda_circle().flows}
        flows = self.search_fetch(
            [("id", "in", whole(ids)), ("use_opportunities", "=", True)],
            ["name"],
            order="sequence, id",
        )
        # sudo: one's own settings
        last = self.env.user.sudo().res_users_settings_id.oda_flow_id
        if last not in flows:
            last = max(flows, key=lambda one: counts.get(one.id, 0), default=flows)
        return [
            {
                "id": flow.id,
                "name": flow.name,
                "count": counts.get(flow.id, 0),
                "chosen": flow == last,
            }
            for flow in flows
        ]
