# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


# pylint: disable-next=no-wizard-in-models  # one model a file, in one place
class OdaCallbackDrop(models.TransientModel):
    """Why calls will not be returned, written by who drops them."""

    _name = "oda.callback.drop"
    _description = "Drop a Call to Return"

    callback_ids = fields.Many2many("oda.callback", string="Calls to return")
    reason = fields.Text(required=True)

    def action_drop(self):
        self.callback_ids.oda_drop(self.reason)
        return {"type": "ir.actions.act_window_close"}
