# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re
import uuid

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from .. import layout


class OdaCardGroup(models.Model):
    """A named group of fields on the cards of some flows, or of all."""

    _name = "oda.card.group"
    _inherit = "oda.card.layout"
    _description = "Group of Card Fields"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    key = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: uuid.uuid4().hex[:12],
        help="What browsers and the journal know the group by.",
    )
    team_ids = fields.Many2many(
        "crm.team",
        "oda_card_group_team_rel",
        "group_id",
        "team_id",
        string="Flows",
        help="Empty: the cards of all flows show this group.",
    )
    sequence = fields.Integer(default=100)
    folded = fields.Boolean(
        string="Folded at first", help="Until the person unfolds it in their browser."
    )
    active = fields.Boolean(default=True)
    field_ids = fields.One2many("oda.card.field", "group_id", string="Fields")
    flows_text = fields.Char(string="Shown in", compute="_compute_flows_text")

    _key_uniq = models.UniqueIndex("(key)", "A group has a key of its own.")

    def write(self, vals):
        if "key" in vals and not self.env.su:
            raise AccessError(self.env._("This is set by the system."))
        return super().write(vals)

    @api.depends("name", "team_ids.name")
    def _compute_display_name(self):
        for group in self:
            flows = ", ".join(group.team_ids.mapped("name"))
            group.display_name = f"{group.name} ({flows})" if flows else group.name

    @api.depends("team_ids.name")
    def _compute_flows_text(self):
        for group in self:
            names = ", ".join(group.team_ids.mapped("name"))
            group.flows_text = names or self.env._("All flows")

    @api.constrains("name")
    def _check_name(self):
        for group in self:
            if not 0 < len(layout.clean(group.name)) <= layout.LONGEST_LABEL:
                raise ValidationError(
                    self.env._(
                        "The name of a group has 1 to %s letters.",
                        layout.LONGEST_LABEL,
                    )
                )

    @api.constrains("key")
    def _check_key(self):
        for group in self:
            if not re.fullmatch(r"[\w-]{1,64}", group.key, re.ASCII):
                raise ValidationError(
                    self.env._("The key of a group has up to 64 letters and digits.")
                )

    @api.constrains("team_ids", "active")
    def _check_room(self):
        self._oda_check_room()

    def _oda_restore_fields(self, told):
        """Make the fields of one group what the journal told of them."""
        self.ensure_one()
        Field = self.env["oda.card.field"].with_context(active_test=False)
        rows = {
            f"{row.field_id.model}.{row.field_id.name}": row
            for row in Field.search([("group_id", "=", self.id)])
        }
        for one in told:
            vals = {
                "sequence": one["sequence"],
                "on_form": one["form"],
                "on_kanban": one["kanban"],
                "width": one["width"],
                "active": one["active"],
            }
            model, name = one["field"].rsplit(".", 1)
            if row := rows.pop(one["field"], None):
                row.write(vals)
                row._oda_restore_label(one.get("label"))
            elif field := self.env["ir.model.fields"]._get(model, name):
                Field.create({"group_id": self.id, "field_id": field.id, **vals})
        Field.union(*rows.values()).unlink()

    # === BUTTONS ===#

    def action_preview(self):
        """Open the card as its people see it, of the first flow of the group."""
        self._oda_may_change()
        flow = self.team_ids[:1]
        domain = [("team_id", "=", flow.id)] if flow else []
        lead = self.env["crm.lead"].search(domain, limit=1)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._(
                "What the card shows: %s", flow.name or self.env._("all flows")
            ),
            "res_model": "crm.lead",
            "res_id": lead.id,
            "views": [(self.env.ref("oda_crm.crm_lead_view_form_preview").id, "form")],
            "target": "new",
            "context": {"default_team_id": flow.id, "default_type": "opportunity"},
        }
