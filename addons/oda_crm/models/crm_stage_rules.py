# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class CrmStage(models.Model):
    _inherit = "crm.stage"

    oda_rule_ids = fields.One2many(
        "oda.stage.rule", "stage_id", string="What this stage needs"
    )

    @api.onchange("is_won")
    def _onchange_is_won(self):
        """Core warns of consultations to be counted again: a new stage has none."""
        return super()._onchange_is_won() if self._origin else None

    @api.model_create_multi
    def create(self, vals_list):
        stages = super().create(vals_list)
        self.env.registry.clear_cache()
        return stages

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint({"name", "sequence", "team_ids"}):
            self.env.registry.clear_cache()
        return done

    def _update_field_translations(self, *args, **kwargs):
        done = super()._update_field_translations(*args, **kwargs)
        self.env.registry.clear_cache()
        return done

    def unlink(self):
        done = super().unlink()
        self.env.registry.clear_cache()
        return done
