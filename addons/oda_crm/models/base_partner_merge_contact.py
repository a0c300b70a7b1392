# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

# Of rows that become equal `_oda_drop_doubles` leaves one. Consultations and seats are
# no doubles and stay; of two followers the "no" wins.
_BEFORE = (
    """
UPDATE crm_lead SET oda_cold_list_id = NULL
 WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY oda_cold_list_id ORDER BY partner_id = %(dst)s DESC, id) AS n
          FROM crm_lead
         WHERE partner_id = ANY(%(all)s) AND oda_cold_list_id IS NOT NULL) x
     WHERE n > 1)
""",
    """
UPDATE event_registration SET oda_source = NULL
 WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY event_id ORDER BY partner_id = %(dst)s DESC, id) AS n
          FROM event_registration
         WHERE partner_id = ANY(%(all)s) AND oda_source IS NOT NULL
           AND active AND state <> 'cancel') x
     WHERE n > 1)
""",
    """
UPDATE oda_programme_follower f SET unsubscribed_at = o.unsubscribed_at
  FROM oda_programme_follower o
 WHERE f.partner_id = ANY(%(all)s) AND o.partner_id = ANY(%(all)s)
   AND f.programme_id = o.programme_id AND f.unsubscribed_at IS NULL
   AND o.unsubscribed_at IS NOT NULL
""",
)


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Merged people keep all their cases, seats and wishes."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self.env.flush_all()
        values = {"dst": dst_partner.id, "all": (src_partners | dst_partner).ids}
        for statement in _BEFORE:
            self.env.cr.execute(statement, values)
        self.env.invalidate_all()
        return super()._update_foreign_keys(src_partners, dst_partner)
