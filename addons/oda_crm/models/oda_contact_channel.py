# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models


class OdaContactChannel(models.AbstractModel):
    """A way to write to beneficiaries; one model a channel.

    An addon adds `oda.contact.channel.<code>` that inherits this one, and the code
    to `res.partner.oda_preferred_channel`. Nothing else needs to know of it.
    """

    _name = "oda.contact.channel"
    _description = "Way to reach beneficiaries"

    @api.model
    def _of(self, code):
        """Return the model of a channel, or None when its addon is not there."""
        return self.env.get(f"oda.contact.channel.{code}")

    @api.model
    def _oda_channel_send(self, partners, subject, body, purpose, record=None):
        """Hand one message to each partner; whoever is given here may be told.

        Called within a transaction and with some hundred partners at most: enqueue,
        do not send. Every message must carry `partner._oda_unsubscribe_url(...)`.

        :param partners: recordset, all of one language
        :param str subject: plain text
        :param Markup body: safe HTML
        :param str purpose: what the consent is about, e.g. ``news``
        :param record: what it is about, or None
        :return: those whom this channel reaches; others are tried by e-mail
        """
        raise NotImplementedError
