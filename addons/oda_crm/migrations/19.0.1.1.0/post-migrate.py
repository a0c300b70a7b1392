# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import SUPERUSER_ID, api

BATCH = 50_000


def migrate(cr, version):
    """Everybody who was ever advised learns their adviser."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute(
        "SELECT partner_id FROM oda_consultation_session WHERE user_id IS NOT NULL "
        "UNION SELECT partner_id FROM crm_lead "
        "WHERE user_id IS NOT NULL AND partner_id IS NOT NULL"
    )
    ids = [row[0] for row in cr.fetchall()]
    for start in range(0, len(ids), BATCH):
        env["res.partner"].browse(ids[start : start + BATCH])._oda_refresh_adviser()
