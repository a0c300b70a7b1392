# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta

from odoo import api, models


class OdaCall(models.Model):
    _inherit = "oda.call"

    @api.model
    def _oda_process_inbound(self, rows):
        """Presence comes through the same door as calls, and is not one."""
        presences = rows.filtered(lambda row: row.kind == "presence")
        if not presences:
            return super()._oda_process_inbound(rows)
        results = []
        if rows - presences:
            results += super()._oda_process_inbound(rows - presences)
        account = rows.account_id
        driver = account._driver()
        bodies = presences._raw_bodies()
        for row in presences:
            login, presence, age = driver.presence(row.content_type, bodies[row.id])
            at = row.received_at - timedelta(seconds=age)
            self.env["oda.pbx.user"]._set_presence(account, {login: presence}, at)
            results.append((row, "done", ""))
        return results
