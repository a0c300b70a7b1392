# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain

from .. import rights


class OdaConsultationSession(models.Model):
    """A talk is of whoever had it, and of whoever may see its consultation.

    One without a consultation follows the beneficiary, for those who see
    consultations at all.
    """

    _name = "oda.consultation.session"
    _inherit = ["oda.consultation.session", "oda.guarded"]
    _oda_subject = rights.CONSULTATION

    @api.model
    def _oda_scope_domain(self, user, operation):
        if user._oda_scope(self._oda_subject, operation) in ("none", "all"):
            return self._oda_by_scope(
                user._oda_scope(self._oda_subject, operation), user
            )
        leads = self.env["crm.lead"]._oda_scope_domain(user, operation)
        people = self.env["res.partner"]._oda_scope_domain(user, operation)
        loose = Domain("lead_id", "=", False)
        if not people.is_true():
            loose &= Domain("partner_id", "any!", people)
        return (
            Domain("user_id", "=", user.id) | Domain("lead_id", "any!", leads) | loose
        )
