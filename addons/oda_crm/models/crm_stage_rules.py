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
        for stage, vals in zip(stages, vals_list, strict=True):
            if "sequence" not in vals and stage.team_ids:
                stage._oda_to_the_end()
        self.env.registry.clear_cache()
        return stages

    def _oda_to_the_end(self):
        """A flow's new stage is its last: by core's default the alphabet decides."""
        others = [("team_ids", "in", self.team_ids.ids), ("id", "<", self.id)]
        if last := self.search(others, order="sequence desc", limit=1):
            self.sequence = last.sequence + 10

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
