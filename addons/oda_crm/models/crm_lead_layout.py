# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from .. import layout

# Where the views leave room for what the layout says.
FORM_PLACE = "//div[@name='oda_card_layout']"
KANBAN_PLACE = "//div[@name='oda_card_fields']"
CORE_QUESTIONS = "//div[@name='oda_core_questions']"


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "oda.gone.fields"]

    oda_days_in_stage = fields.Integer(
        string="Days in the stage", compute="_compute_oda_days_in_stage"
    )

    @api.depends("date_last_stage_update")
    def _compute_oda_days_in_stage(self):
        now = fields.Datetime.now()
        for lead in self:
            since = lead.date_last_stage_update or lead.create_date or now
            lead.oda_days_in_stage = max((now - since).days, 0)

    # === WHAT THE CARD SHOWS ===#

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        if view_type in ("form", "kanban"):
            key += (self.env["oda.card.layout"]._oda_version(),)
        return key

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Write the layout's groups and fields where the view leaves room for them."""
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            for place in arch.xpath(FORM_PLACE):
                self._oda_write_form(arch, place)
        elif view_type == "kanban":
            for place in arch.xpath(KANBAN_PLACE):
                groups = self.env["oda.card.layout"]._oda_layout()
                place.extend(layout.kanban_nodes(groups))
        return arch, view

    @api.model
    def _oda_write_form(self, arch, place):
        groups = self.env["oda.card.layout"]._oda_layout()
        nodes = layout.form_nodes(groups)
        for node in reversed(nodes):
            place.addnext(node)
        # Core's own block of the flow's questions steps back where a group has them.
        flows = layout.property_flows(groups)
        if flows != []:
            hidden = "1" if flows is None else f"team_id in {flows}"
            for block in arch.xpath(CORE_QUESTIONS):
                block.set("invisible", hidden)

    def _validate_fields(self, field_names, excluded_names=()):
        field_names = set(field_names)  # the ORM hands over a generator
        own = [name for name in field_names if name.startswith(layout.PREFIX)]
        if own:
            self.env["oda.card.option"]._oda_check_chosen(self, own)
        return super()._validate_fields(field_names, excluded_names)
