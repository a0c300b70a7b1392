# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

BATCH = 500  # tasks planned in one transaction
FLAGS = 10_000  # flags brought up to date in one statement
ORPHANS = [("oda_next_step_missing", "=", True)]
# Flags that tell a lie, both ways. The anti-join reads two partial indexes and no
# rows; flags are looked up for the few that it finds, and for those that stand.
WRONG = """
    WITH orphan AS MATERIALIZED (
        SELECT o.id FROM crm_lead o
         WHERE o.active AND o.type = 'opportunity' AND o.won_status = 'pending'
           AND NOT EXISTS (SELECT FROM mail_activity a
                            WHERE a.res_model = 'crm.lead'
                              AND a.res_id = o.id AND a.active))
    SELECT l.id FROM orphan JOIN crm_lead l ON l.id = orphan.id
     WHERE l.oda_next_step_missing IS NOT TRUE
     UNION ALL
    SELECT l.id FROM crm_lead l
     WHERE l.oda_next_step_missing IS TRUE AND l.id NOT IN (SELECT id FROM orphan)
"""


class CrmLead(models.Model):
    """The night's work: what went past the ORM is found and repaired."""

    _inherit = "crm.lead"

    @api.model
    def _cron_repair_next_steps(self):
        """Repair batch by batch, committing each."""
        commit = self.env["ir.cron"]._commit_progress
        self._oda_flag_again()
        commit(remaining=self.search_count(ORPHANS))
        while done := self._oda_repair_next_steps():
            if not commit(done):
                break

    @api.model
    def _oda_flag_again(self):
        """Bring every flag in line with the tasks there are; set-based."""
        self.env["mail.activity"].flush_model()
        self.flush_model()
        self.env.cr.execute(WRONG)
        wrong = [row[0] for row in self.env.cr.fetchall()]
        for start in range(0, len(wrong), FLAGS):
            self.browse(wrong[start : start + FLAGS])._oda_refresh_next_step()

    @api.model
    def _oda_repair_next_steps(self):
        """Plan a task for each of a batch of orphans; how many were repaired."""
        # a lock, not a race: somebody may be planning for this very one
        some = self.search(ORPHANS, limit=BATCH, order="id").try_lock_for_update()
        left = some._oda_refresh_next_step()
        left._oda_plan_by_system()
        return len(some - left._oda_refresh_next_step())
