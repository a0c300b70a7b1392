# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class CrmLead(models.Model):
    """A consultation shows how far up its standing still has been told."""

    _inherit = "crm.lead"

    oda_stale_level = fields.Integer(
        string="Stands still",
        readonly=True,
        copy=False,
        help="0: no; 1: the responsible was reminded; 2: the flow's leader as well; "
        "3: the head as well.",
    )

    _oda_stale_idx = models.Index("(user_id) WHERE oda_stale_level > 0")

    def _oda_real_step(self):
        """A real step was made: reminders stop at once, not with the next sweep."""
        # sudo: a mark
        marked = self.sudo().filtered("oda_stale_level")
        if marked:
            self.env.cr.execute(
                "DELETE FROM oda_stale WHERE lead_id = ANY(%s)", [marked.ids]
            )
            marked.env["oda.stale"]._oda_unmark(marked.ids)

    def _message_post_after_hook(self, message, msg_vals):
        result = super()._message_post_after_hook(message, msg_vals)
        comment = self.env["oda.stale"]._oda_comment()
        if message.subtype_id.id == comment and not self.env.user.share:
            self._oda_real_step()
        return result
