# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaEvent(models.Model):
    _inherit = "oda.event"

    @api.model
    def _sentences(self):
        return {
            **super()._sentences(),
            "connector.contact_token": self.env._("The dialplan's key was shown"),
        }
