# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models


class OdaStageRule(models.Model):
    """Rules that ask for an instrument to have been advised on or answered."""

    _inherit = "oda.stage.rule"

    kind = fields.Selection(
        selection_add=[("instrument", "Instrument")],
        ondelete={"instrument": "cascade"},
    )
    instrument_id = fields.Many2one(
        "oda.instrument",
        index="btree_not_null",
        ondelete="cascade",
        help="Answered in any session of the consultation.",
    )

    def _type_instrument(self):
        instrument = self.instrument_id
        flows = instrument.team_ids
        asked = instrument.active and (not flows or self.team_id in flows)
        return "instrument" if asked else None

    def _label_instrument(self):
        return self.instrument_id.display_name

    @api.model
    def _triggers_instrument(self, _rule):
        return set()

    @api.model
    def _answers_instrument(self, leads, rules):
        """Yield what was answered in the latest session that says something of it."""
        asked = {rule.id: int(rule.name) for rule in rules}
        real = leads.filtered(lambda lead: lead._origin)._origin
        found = real._answers_instrument(list(asked.values())) if real else {}
        for lead in leads:
            answers = found.get(lead._origin.id, {})
            for rule_id, instrument_id in asked.items():
                if answers.get(instrument_id) is not None:
                    yield lead.id, rule_id


class OdaInstrument(models.Model):
    _inherit = "oda.instrument"

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint({"active", "team_ids"}):
            # sudo: who keeps the catalogue may not know of the flows
            rules = self.env["oda.stage.rule"].sudo()
            rules._switch_off_broken([("instrument_id", "in", self.ids)])
        if "name" in vals:
            self.env.registry.clear_cache()  # rules ask for it by this name
        return done
