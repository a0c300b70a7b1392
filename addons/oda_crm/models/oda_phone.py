# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import rights


class OdaPhone(models.Model):
    """A number is its person's: to change it, or take it away, is to edit them."""

    _name = "oda.phone"
    _inherit = ["oda.phone", "oda.guarded"]
    _oda_subject = rights.BENEFICIARY

    @api.model
    def _oda_scope_domain(self, user, operation):
        operation = "read" if operation == "read" else "write"
        people = self.env["res.partner"]._oda_scope_domain(user, operation)
        return people if people.is_true() else Domain("partner_id", "any!", people)

    @api.model
    def _oda_shut(self, operation):
        return super()._oda_shut("read" if operation == "read" else "write")
