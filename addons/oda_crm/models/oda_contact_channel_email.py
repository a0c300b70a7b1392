# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from markupsafe import Markup

from odoo import api, models
from odoo.tools import email_normalize

_LETTER = Markup(
    '<div>%s</div><hr style="margin-top:24px"/>'
    '<p style="font-size:12px;color:#555">%s <a href="%s">%s</a></p>'
)


class OdaContactChannelEmail(models.AbstractModel):
    """Letters through Odoo's own mail queue: a row each, sent by its cron."""

    _name = "oda.contact.channel.email"
    _inherit = "oda.contact.channel"
    _description = "E-mail to beneficiaries"

    @api.model
    def _oda_channel_send(self, partners, subject, body, purpose, record=None):
        reached = partners.filtered(lambda partner: email_normalize(partner.email))
        company = self.env.company
        values = []
        for partner in reached:
            url = partner._oda_unsubscribe_url(purpose, record)
            env = self.with_context(lang=partner.lang or self.env.lang).env
            values.append(
                {
                    "subject": " ".join(subject.split()),
                    "body_html": _LETTER
                    % (
                        body,
                        env._("You get this letter because you asked for our news."),
                        url,
                        env._("Unsubscribe"),
                    ),
                    "email_from": company.email_formatted,
                    "recipient_ids": [(4, partner.id)],
                    "model": "res.partner",
                    "res_id": partner.id,
                    "message_type": "email_outgoing",
                    "headers": repr(
                        {
                            "List-Unsubscribe": f"<{url}>",
                            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                            "Precedence": "bulk",
                        }
                    ),
                    "auto_delete": True,
                    # The letter stays on the card when the queue's row is gone.
                    "is_notification": True,
                }
            )
        # sudo: whom we write to was judged before; the queue is the system's
        self.env["mail.mail"].sudo().create(values)
        return reached
