# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The connector of PBX Moldcell: the pure driver put behind the suite's door."""

from odoo.addons.oda_base.connectors import (
    Driver,
    Envelope,
    Malformed,
    Unauthenticated,
    register,
)

from .drivers import moldcell

REPEATS = 5  # seconds within which the same live event is a redelivery


@register
class MoldcellConnector(Driver):
    """Pushes of an ITooLabs tenant; `contact` is answered while it rings."""

    name = "moldcell"
    max_body = 64 * 1024
    processor = "oda.call"

    def authenticate(self, push, account):
        # The token is a field of the body: reading it is part of verifying.
        if not moldcell.verify(self._fields(push), account.secret):
            raise Unauthenticated("Invalid token")

    def identify(self, push):
        fields = self._fields(push)
        try:
            key, order, kind = moldcell.envelope(fields, push.body)
        except moldcell.Malformed as error:
            raise Malformed(str(error)) from error
        # A queue rings the same phone again under the same id, and says so with
        # the very same push: after a while it is news, not a redelivery.
        repeats = REPEATS if kind == "event" else 0
        if kind in ("event", "history"):
            kind = f"{kind}:{fields.get('type', '')[:16]}"
        return Envelope(key, order, kind, fields, repeats=repeats)

    def answer(self, env, account, envelope):
        if envelope.kind != "contact":
            return None
        query = moldcell.contact_query(envelope.fields)
        return moldcell.contact_answer(*env["oda.call"]._answer_contact(account, query))

    def parse(self, content_type, body):
        """Return the `CallEvent` of a stored push; never raises on a stored one."""
        return moldcell.to_event(moldcell.parse_body(content_type, body))

    @staticmethod
    def _fields(push):
        try:
            return moldcell.parse_body(push.content_type, push.body)
        except moldcell.Malformed as error:
            raise Malformed(str(error)) from error
