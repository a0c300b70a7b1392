# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import Domain

# Whoever may read sessions; for others the fields do not exist.
SESSION_READERS = (
    "oda_base.group_consultant,oda_base.group_supervisor,"
    "oda_base.group_admin,oda_base.group_connector,oda_base.group_auditor"
)
# A connector's write is not a person's: no followers, no mails, no tracking.
QUIET = {
    "mail_create_nolog": True,
    "mail_create_nosubscribe": True,
    "mail_notrack": True,
    "tracking_disable": True,
    "mail_auto_subscribe_no_notify": True,
}


class CrmLead(models.Model):
    """A consultation: one case of advice, from first contact to signed file."""

    _inherit = "crm.lead"

    oda_session_ids = fields.One2many(
        "oda.consultation.session",
        "lead_id",
        string="Sessions",
        groups=SESSION_READERS,
    )
    oda_session_count = fields.Integer(
        compute="_compute_oda_session_count", groups=SESSION_READERS
    )

    _oda_open_idx = models.Index(
        "(partner_id, id)"
        " WHERE active AND type = 'opportunity' AND won_status = 'pending'"
    )

    @api.depends("oda_session_ids")
    def _compute_oda_session_count(self):
        counts = dict(
            self.env["oda.consultation.session"]._read_group(
                [("lead_id", "in", self.ids)], ["lead_id"], ["__count"]
            )
        )
        for lead in self:
            lead.oda_session_count = counts.get(lead, 0)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        leads = super().create(vals_list)
        leads.filtered("user_id").partner_id._oda_refresh_adviser()
        return leads

    def write(self, vals):
        moved = not vals.keys().isdisjoint({"user_id", "partner_id"})
        before = self.partner_id if moved else self.env["res.partner"]
        done = super().write(vals)
        if moved:
            (before | self.partner_id)._oda_refresh_adviser()
        return done

    def _merge_dependences(self, opportunities):
        """What was said stays with the consultation that the others become."""
        done = super()._merge_dependences(opportunities)
        # sudo: all of them, as core lets this user merge the consultations
        sessions = self.env["oda.consultation.session"].sudo()
        sessions.search([("lead_id", "in", opportunities.ids)]).lead_id = self
        return done

    # === VERBS OF THE CONNECTORS ===#

    @api.model
    def _oda_open_domain(self):
        """Return the domain of consultations that are neither won nor lost."""
        return Domain("type", "=", "opportunity") & Domain("won_status", "=", "pending")

    @api.model
    def _oda_find_open(self, partner):
        """Return the open consultation to go on with: the latest worked one.

        Also one that the person may not see: a second case of the same matter would
        be worse than to be told whose it is.
        """
        # sudo: whether there is one, whoever asks; it is read by one's own rights
        found = self.sudo().search(
            self._oda_open_domain()
            & Domain("partner_id", "=", partner.id)
            & Domain("company_id", "in", (False, self.env.company.id)),
            order="write_date desc, id desc",
            limit=1,
        )
        return self.browse(found.id)

    @api.model
    def _oda_find_or_open(self, partner, name=None, user=None, team=None):
        """Return the partner's open consultation, or open one quietly.

        Safe under concurrency: who comes second is repeated and finds the first's.
        """
        lead = self._oda_find_open(partner)
        if lead:
            return lead
        # sudo: the claims are nobody's; touching one is how we queue up
        self.env["oda.claim"].sudo()._claim(f"case:{partner.id}")
        team = team or self._oda_default_flow()
        lead = self.with_context(**QUIET).create(
            {
                "name": name or self.env._("New consultation"),
                "type": "opportunity",
                "partner_id": partner.id,
                "user_id": user.id if user else False,
                "team_id": team.id,
            }
        )
        # Quiet was the opening only: hand it back as the caller knows it.
        return self.browse(lead.id)

    @api.model
    def _oda_default_flow(self):
        """Return the flow of consultations nobody has put anywhere else."""
        return self.env["crm.team"].search(
            [
                ("use_opportunities", "=", True),
                ("company_id", "in", (False, self.env.company.id)),
            ],
            order="sequence, id",  # core puts the newest first, whatever it is for
            limit=1,
        )

    def action_oda_sessions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_consultation_session"
        )
        action["domain"] = [("lead_id", "=", self.id)]
        action["context"] = {
            "default_lead_id": self.id,
            "default_partner_id": self.partner_id.id,
        }
        return action
