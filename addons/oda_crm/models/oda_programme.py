# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaProgramme(models.Model):
    """A programme that supports entrepreneurs: calls, conditions, documents, news."""

    _name = "oda.programme"
    _description = "Programme"
    _order = "state, name, id"  # running ones first: a comes before d and e
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False, help="Short name, e.g. PARE 1+1")
    active = fields.Boolean(default=True)
    state = fields.Selection(
        [("draft", "In preparation"), ("active", "Running"), ("ended", "Ended")],
        required=True,
        default="draft",
        index=True,
    )
    description = fields.Html(translate=True)
    conditions = fields.Html(string="Who may apply", translate=True)
    attachment_ids = fields.Many2many("ir.attachment", string="Documents")
    website = fields.Char(string="Web page")
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        index=True,
    )
    company_id = fields.Many2one(
        "res.company", index=True, default=lambda self: self.env.company
    )
    call_ids = fields.One2many("oda.programme.call", "programme_id")
    news_ids = fields.One2many("oda.programme.news", "programme_id")
    follower_ids = fields.One2many(
        "oda.programme.follower", "programme_id", string="Followers"
    )
    follower_count = fields.Integer(compute="_compute_counts")
    lead_count = fields.Integer(string="Consultations", compute="_compute_counts")

    _code_uniq = models.UniqueIndex(
        "(company_id, lower(code)) WHERE active",
        "There is a programme with this short name already.",
    )

    def _compute_counts(self):
        followers = dict(
            self.env["oda.programme.follower"]._read_group(
                [("programme_id", "in", self.ids), ("unsubscribed_at", "=", False)],
                ["programme_id"],
                ["__count"],
            )
        )
        leads = {}
        if self.env["crm.lead"].has_access("read"):
            leads = dict(
                self.env["crm.lead"]
                .with_context(active_test=False)
                ._read_group(
                    [("oda_programme_id", "in", self.ids)],
                    ["oda_programme_id"],
                    ["__count"],
                )
            )
        for programme in self:
            programme.follower_count = followers.get(programme, 0)
            programme.lead_count = leads.get(programme, 0)

    @api.depends("name", "code")
    def _compute_display_name(self):
        for programme in self:
            name, code = programme.name or "", programme.code or ""
            programme.display_name = name if code in name else f"{code} · {name}"

    @api.model_create_multi
    def create(self, vals_list):
        programmes = super().create(vals_list)
        programmes._own_documents()
        return programmes

    def write(self, vals):
        done = super().write(vals)
        if "attachment_ids" in vals:
            self._own_documents()
        return done

    def _own_documents(self):
        """Whoever may read the programme may read its documents."""
        for programme in self:
            loose = programme.attachment_ids.filtered(lambda one: not one.res_id)
            loose.write({"res_model": self._name, "res_id": programme.id})

    def copy_data(self, default=None):
        return [
            {"code": self.env._("%s (copy)", programme.code), **vals, **(default or {})}
            for programme, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def action_open_followers(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_programme_follower"
        )
        action["domain"] = [("programme_id", "=", self.id)]
        action["context"] = {"default_programme_id": self.id}
        return action

    def action_open_leads(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "crm.crm_lead_opportunities"
        )
        action["domain"] = [("oda_programme_id", "=", self.id)]
        action["context"] = {
            "default_oda_programme_id": self.id,
            "default_type": "opportunity",
            "active_test": False,
        }
        return action
