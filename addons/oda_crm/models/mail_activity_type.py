# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models


class MailActivityType(models.Model):
    _inherit = "mail.activity.type"

    def write(self, vals):
        done = super().write(vals)
        if "name" in vals:
            # rules ask for tasks by this name
            self.env.registry.clear_cache()
        return done

    def unlink(self):
        """Switch off the stage rules that ask for a task of a type that goes."""
        # sudo: who may remove a type may not know of the flows
        rules = self.env["oda.stage.rule"].sudo()
        rules.search([("activity_type_id", "in", self.ids)])._switch_off()
        return super().unlink()
