# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import ValidationError

from .people import is_system


class OdaConsultationSession(models.Model):
    """A talk belongs to a consultation of the person it was with, or of their firm.

    Else it would be told in the history of one and make another one's own. What the
    system ties (calls, merged cards) it has worked out from the person itself.
    """

    _inherit = "oda.consultation.session"

    @api.onchange("partner_id")
    def _onchange_partner_id(self):
        if self.partner_id and self._oda_of_others_case():
            self.lead_id = False  # theirs is found when the session is saved

    # No `constrains`: those run as the superuser, who is not to be refused here.
    @api.model_create_multi
    def create(self, vals_list):
        sessions = super().create(vals_list)
        sessions._check_case()
        return sessions

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint({"partner_id", "lead_id"}):
            self._check_case()
        return done

    def _check_case(self):
        if is_system(self.env):
            return
        for session in self._oda_of_others_case():
            case, person = session.lead_id, session.partner_id
            whose = case.sudo().partner_id  # sudo: only who it is, told if seen
            raise ValidationError(
                self.env._(
                    "The consultation “%(case)s” is of %(whose)s, and this session is "
                    "with %(person)s. Choose a consultation of the person you talked "
                    "with, or leave the consultation empty.",
                    case=case.display_name,
                    whose=whose.display_name
                    if whose.with_env(self.env).has_access("read")
                    else self.env._("somebody else"),
                    person=person.display_name,
                )
            )

    def _oda_of_others_case(self):
        """Return the sessions whose consultation is of neither this person nor their
        firm or a colleague in it."""
        # sudo: the consultation or the firm may be out of this person's sight
        return self.filtered(
            lambda one: (
                (whose := one.sudo().lead_id.partner_id)
                and whose.commercial_partner_id
                != one.sudo().partner_id.commercial_partner_id  # sudo: as above
            )
        )
