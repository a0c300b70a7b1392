# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The connector of PBX Moldcell: the pure drivers put behind the suite's door."""

import logging
import time
from datetime import datetime, timedelta, timezone

from odoo.addons.oda_base.connectors import (
    Delivery,
    Driver,
    Envelope,
    Malformed,
    Unauthenticated,
    register,
)
from odoo.addons.oda_base.net import (
    BadStatus,
    NetError,
    NotAllowed,
    SafeClient,
    parse_url,
)

from .drivers import moldcell, moldcell_api
from .drivers.faults import PbxFault
from .drivers.moldcell_history import find_dialled

_logger = logging.getLogger(__name__)

REPEATS = 5  # seconds within which the same live event is a redelivery
COMMAND_SECONDS = 8.0
#: A history may be long; it is asked for in the background.
HISTORY_SECONDS = 30.0
HISTORY_BYTES = 8 * 1024 * 1024
#: A full page of history is halved down to this span, then taken as it is.
MIN_SPAN = timedelta(minutes=1)
#: How far our clock and that of the exchange may be apart when a call is sought.
SKEW = timedelta(minutes=10)
#: A dialled call that no history knows after so long never was.
NEVER_AFTER = timedelta(hours=3)


@register
class MoldcellConnector(Driver):
    """Pushes of an ITooLabs tenant, and commands to it."""

    name = "moldcell"
    max_body = 64 * 1024
    processor = "oda.call"
    rate = (2, 1.0)
    #: verbs of `send`; the screens offer what is here
    verbs = ("dial", "dnd", "subscribe")

    # === PUSHES ===#

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

    # === THE OUTBOX'S VERBS ===#

    def send(self, account, message):
        """Send `dial`, `dnd` or `subscribe`; payloads as `_payload_…` say."""
        verb = message["verb"]
        if verb not in self.verbs:
            return Delivery("failed", words=f"no such verb: {verb}")
        try:
            return getattr(self, f"_send_{verb}")(account, message["payload"])
        except PbxFault as fault:
            return Delivery(
                fault.state, words=fault.words, retry_after=fault.retry_after
            )

    def _send_dial(self, account, payload):
        """{phone: digits, login, uuid, before: epoch seconds, clid?}."""
        # A click that waited for a dead server must not ring phones out of the blue.
        if time.time() > payload.get("before", 0):
            raise PbxFault("late")
        request = self._api(account).dial(
            payload["phone"], payload["login"], payload.get("clid")
        )
        answer = self._call(request)
        return Delivery("done", reference=moldcell_api.read_dial(answer.text))

    def _send_dnd(self, account, payload):
        """{login, on: bool}."""
        self._call(self._api(account).set_dnd(payload["login"], payload["on"]))
        return Delivery("done")

    def _send_subscribe(self, account, payload):
        """{login, group: id at the exchange, on: bool}."""
        api = self._api(account)
        request = api.subscribe(payload["login"], payload["group"], payload["on"])
        self._call(request)
        return Delivery("done")

    def resolve(self, account, message):
        """Say what became of a message; a dialled call is looked up, never redone."""
        payload = message["payload"]
        if message["verb"] != "dial":
            # Switches: setting them once more to the same is harmless.
            return self.send(account, message)
        now = datetime.now(timezone.utc)
        asked = datetime.fromtimestamp(payload.get("at", 0), timezone.utc)
        since, until = asked - SKEW, asked + SKEW
        try:
            events = self.history(account, since, now + SKEW)
        except PbxFault as fault:
            words = f"asked what became of it: {fault.words}"
            return Delivery("unknown", words=words, retry_after=fault.retry_after)
        found = find_dialled(events, payload["login"], {payload["phone"]}, since, until)
        if found:
            return Delivery("done", reference=found.callid)
        if now - asked > NEVER_AFTER:
            return Delivery("failed", words=PbxFault("never").words)
        # It may be ringing or talked on: history tells of calls that are over.
        return Delivery("unknown", words="no such call in the history so far")

    # === WHAT IS ASKED ===#

    def history(self, account, since, until):
        """Return the `CallEvent` list of calls begun in a span (aware moments).

        Calls that are not over are not among them. In pages: a full one is halved.

        :raise PbxFault: the exchange did not answer as it should
        """
        api = self._api(account)
        spans, events = [(since, until)], []
        while spans:
            begin, end = spans.pop()
            answer = self._call(
                api.history(begin, end, moldcell_api.PAGE),
                total=HISTORY_SECONDS,
                max_bytes=HISTORY_BYTES,
            )
            page, rows = self._read(api.read_history, answer.text)
            if rows >= moldcell_api.PAGE and end - begin > MIN_SPAN:
                # A row begun at the very middle may come twice: harmless.
                middle = begin + (end - begin) / 2
                spans += [(middle, end), (begin, middle)]
                continue
            events += page
        return events

    def directory(self, account):
        """Return `(logins, groups)` that the exchange has: `Login` and `Group` lists.

        :raise PbxFault: as :meth:`history`
        """
        api = self._api(account)
        logins = self._read(moldcell_api.read_accounts, self._call(api.accounts()).text)
        groups = self._read(moldcell_api.read_groups, self._call(api.groups()).text)
        return logins, groups

    def groups_of(self, account, login):
        """Return the ids of the groups whose calls may ring at a login."""
        answer = self._call(self._api(account).groups(login))
        return [one.id for one in self._read(moldcell_api.read_groups, answer.text)]

    def is_disturbed(self, account, login):
        """Return True or False; False is "do not disturb". None when it says neither.

        :raise PbxFault: 'unsupported' in the mode `v1`
        """
        answer = self._call(self._api(account).get_dnd(login))
        silent = moldcell_api.read_switch(answer.text)
        return None if silent is None else not silent

    # === THE WAY THERE ===#

    @staticmethod
    def _api(account):
        options = account.options
        return moldcell_api.api_of(
            options.get("mode") or "crm_api",
            options.get("address"),
            options.get("token") or account.secret,
        )

    @staticmethod
    def _read(reader, text):
        try:
            return reader(text)
        except ValueError:
            raise PbxFault("answer") from None

    def _call(self, request, total=COMMAND_SECONDS, max_bytes=1024 * 1024):
        """Send a request; return the `Answer` or raise :class:`PbxFault`."""
        try:
            return self._client(request.url).request(
                request.method,
                request.url,
                params=request.params,
                data=request.data,
                json=request.json,
                headers=request.headers,
                idempotent=request.harmless,
                total=total,
                max_bytes=max_bytes,
            )
        except BadStatus as error:
            code, detail = moldcell_api.fault_of_status(error.status, error.excerpt)
            state = self._state_of(error)
            raise PbxFault(code, detail, state, error.retry_after) from None
        except NotAllowed as error:
            _logger.info("PBX Moldcell: %s", error)
            raise PbxFault("address") from None
        except NetError as error:
            _logger.info("PBX Moldcell: %s", error)
            state = self._state_of(error)
            raise PbxFault("trouble", "", state, error.retry_after) from None

    @staticmethod
    def _state_of(error):
        return {"retry": "later", "unknown": "unknown"}.get(
            error.outcome.value, "failed"
        )

    @staticmethod
    def _client(url):
        return SafeClient(
            [parse_url(url).hostport],
            timeout=(3.0, COMMAND_SECONDS),
            total=COMMAND_SECONDS,
            retries=1,
            public_only=True,
        )
