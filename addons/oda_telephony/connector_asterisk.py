# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The connector of Asterisk: its listener's pushes in, click to dial out by ARI."""

import time

from odoo.addons.oda_base.connectors import (
    Delivery,
    Driver,
    Envelope,
    Malformed,
    Unauthenticated,
    register,
)

from .ari import Ari
from .drivers import asterisk_push as wire
from .drivers.wire import Malformed as NotAPush
from .drivers.wire import parse_body


@register
class AsteriskConnector(Driver):
    """Signed JSON of our own listener."""

    name = "asterisk"
    max_body = 16 * 1024
    processor = "oda.call"
    rate = (5, 1.0)
    #: There is no "history": Asterisk cannot be asked for its past. Its record is a
    #: file, which the listener reads on by itself after whatever interruption.
    verbs = ("dial",)

    def authenticate(self, push, account):
        header = push.headers.get(wire.HEADER, "")
        why = wire.verify(account.secret, header, push.body, time.time())
        if why:
            raise Unauthenticated(why)

    def identify(self, push):
        try:
            fields = parse_body("application/json", push.body)
            key, order, kind = wire.envelope(fields)
        except NotAPush as error:
            raise Malformed(str(error)) from error
        return Envelope(key, order, kind, fields)

    def parse(self, content_type, body):
        """Return the `CallEvent` of a stored push; never raises on a stored one."""
        return wire.to_event(parse_body(content_type, body))

    def presence(self, content_type, body):
        """Return `(login, presence, age in seconds)` of a push of that kind."""
        fields = parse_body(content_type, body)
        return (*wire.presence(fields), wire.age(fields))

    # === COMMANDS ===#

    def send(self, account, message):
        """Ring the person's phone and have it dial: `{phone, login, uuid}`.

        The channel gets our uuid, and with it the whole call: what comes back is
        found by its exact id.
        """
        if message["verb"] != "dial":
            return Delivery("failed", words="this connector can only dial")
        payload = message["payload"] or {}
        phone, login = str(payload.get("phone", "")), str(payload.get("login", ""))
        options = account.options
        if not options.get("ari_url") or not options.get("dial_endpoint"):
            return Delivery("failed", words="the channel has no address of ARI")
        if time.time() > float(payload.get("before") or "inf"):
            return Delivery(
                "failed", words="too late: who asked does not wait any more"
            )
        if not (phone.isascii() and phone.isdigit() and wire.is_login(login)):
            return Delivery("failed", words="no number, or no login that can be rung")
        return Ari(account.options).originate(
            payload.get("uuid") or message["uuid"],
            options["dial_endpoint"].replace("{login}", login),
            options["dial_context"],
            phone,
        )

    def resolve(self, account, message):
        """Ask whether the call lives. One that does not is never dialled again: to
        ring a client twice is worse than a click that was lost."""
        payload = message["payload"] or {}
        return Ari(account.options).fate(payload.get("uuid") or message["uuid"])
