# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaEvent(models.Model):
    _inherit = "oda.event"

    @api.model
    def _sentences(self):
        return {
            **super()._sentences(),
            "session.change": self.env._("Somebody else's session was changed"),
            "session.remove": self.env._("Somebody else's session was deleted"),
            "contact.unsubscribe": self.env._("A beneficiary wants no more messages"),
            "crm.rule.broken": self.env._("A stage rule lost its field and is off"),
            "crm.rule.override": self.env._("A stage rule was overridden"),
            "data.export": self.env._("Data were exported"),
            "data.import": self.env._("Data were imported"),
            "layout.change": self.env._("What the card shows was changed"),
            "partner.merge": self.env._("Cards of beneficiaries were merged"),
            "programme.follow": self.env._("Following a programme began or ended"),
            "right.change": self.env._("A right was changed"),
            "rule.change": self.env._("What the stages of a flow ask for was changed"),
            "stage.change": self.env._("Stages of flows were changed"),
            "tasks.handed_over": self.env._("Tasks were handed over to colleagues"),
        }

    @api.model
    def _detail_labels(self):
        return {**super()._detail_labels(), "changes": self.env._("Changes")}

    def _detail_lines(self):
        """Whole layouts and grids are for undoing, not for reading."""
        if self.code not in ("layout.change", "rule.change", "stage.change"):
            return super()._detail_lines()
        changes = (self.details or {}).get("changes")
        if not changes:
            return []
        labels = self._detail_labels()
        return [f"{labels['changes']}: {'; '.join(map(str, changes))}"]
