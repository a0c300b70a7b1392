# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a connector is, in plain Python: no environment, no HTTP.

A connector turns a provider's bytes into rows of the inbox and our messages
into the provider's calls. It is one class registered under its name; the
models and controllers of this addon do the storing, retrying and answering.
Every hook that verifies or allows refuses until it is overridden.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from .net import redact


@dataclass(frozen=True, slots=True)
class Push:
    """One HTTP request of a provider, as it came.

    :ivar method: ``GET`` or ``POST``
    :ivar headers: case-insensitive mapping
    :ivar body: raw bytes, before anything parsed them
    :ivar remote_addr: address of the peer, after the proxy's word for it
    """

    method: str
    query: Mapping
    headers: Mapping
    content_type: str
    body: bytes
    remote_addr: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the inbox must know of a push, whatever it means.

    :ivar event_key: the same for a redelivery, different for anything else
    :ivar order_key: rows that share it are worked in order of their arrival, and wait
        while an earlier one waits for its retry ('' = none). Arrival is measured by
        the commit: of pushes taken in at the same moment by several workers the one
        with the higher id may be seen, and worked, milliseconds before the other.
        Processors must come to the same end either way. (A gate at the door would
        make it strict, and let one stuck push hold up all others.)
    :ivar kind: short word for lists, e.g. ``event:INCOMING``
    :ivar fields: what the driver parsed; kept for the request only
    :ivar repeats: seconds after which the same key may come again as a new event
        (a phone that rings a second time); 0 = never. A redelivery that falls
        behind the edge of such a span makes a second row: processors bear it
    """

    event_key: str
    order_key: str = ""
    kind: str = ""
    fields: Mapping = field(default_factory=dict)
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """The part of ``oda.connector.account`` that the hot path needs.

    :ivar options: what only this connector's driver knows how to use (an address
        for commands, a second secret), see `_account_options`
    """

    id: int
    connector: str
    key: str
    secret: str = field(repr=False)  # never in a log or traceback
    company_id: int
    options: Mapping = field(default_factory=dict, repr=False, compare=False)


class PushRefused(Exception):
    """Base of all refusals; ``status`` is the HTTP status of the answer."""

    status = 400
    reason = "refused"

    def __init__(self, words=""):
        super().__init__(words or self.reason)


class Malformed(PushRefused):
    status = 400
    reason = "malformed"


class Unauthenticated(PushRefused):
    status = 401
    reason = "unauthenticated"


class Forbidden(PushRefused):
    status = 403
    reason = "forbidden"


class UnknownAccount(PushRefused):
    status = 404
    reason = "unknown_account"


class MethodRefused(PushRefused):
    status = 405
    reason = "method"


class TooLarge(PushRefused):
    status = 413
    reason = "too_large"


class Unavailable(PushRefused):
    """The fault is ours: the provider is to send it again later."""

    status = 503
    reason = "unavailable"


def without_secret(body: bytes, secret: str) -> bytes:
    """Return `body` with every usual spelling of `secret` replaced by `***`."""
    for spelling in _spellings(secret):
        body = body.replace(spelling, b"***")
    return body


@functools.lru_cache(maxsize=64)
def _spellings(secret):
    if len(secret) < 6:  # a word so short is also part of other words
        return ()
    return tuple(form.encode("utf-8", "replace") for form in redact.spellings(secret))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one outgoing message.

    :ivar state: ``done``, ``failed`` (never again), ``later`` (surely not
        sent: try again) or ``unknown`` (perhaps sent: ask, never resend)
    :ivar reference: the provider's own id, when it gave one
    :ivar words: for a person, without secrets
    :ivar retry_after: seconds, when the provider named them
    """

    state: str
    reference: str = ""
    words: str = ""
    retry_after: float | None = None


class Driver:
    """One provider. Subclass, set ``name``, override, ``@register``."""

    name = ""
    #: bytes; a push is small, media come by their own download
    max_body = 64 * 1024
    methods = ("POST",)
    #: model whose ``_oda_process_inbound`` works the rows of this connector
    processor = ""
    #: at most ``rate[0]`` messages each ``rate[1]`` seconds and account
    rate = (10, 1.0)

    def authenticate(self, push: Push, account: Account) -> None:
        """Raise unless the raw push proves that it comes from the provider."""
        raise Unauthenticated("no verification is implemented for this connector")

    def identify(self, push: Push) -> Envelope:
        """Return the envelope of a push, or raise `Malformed` in words."""
        raise Malformed("no parser is implemented for this connector")

    def storable_body(self, push: Push, account: Account) -> bytes:
        """Return the body to keep: the account's own secret is not among it.

        Some providers send the agreed token in the body. It has been checked by
        now and nobody needs it again, so it must not lie in the database.
        """
        return without_secret(push.body, account.secret)

    def answer(self, env, account: Account, envelope: Envelope):
        """Return a JSON-able answer the caller waits for, or None to store.

        Called on the hot path: one indexed read at most, no write.
        """
        return None

    def send(self, account: Account, message: Mapping) -> Delivery:
        """Send one message: ``{uuid, verb, payload, attempts}``."""
        return Delivery("failed", words="this connector cannot send")

    def resolve(self, account: Account, message: Mapping) -> Delivery:
        """Ask the provider what became of a message of unknown fate.

        ``later`` here means: the provider surely never got it.
        """
        return Delivery("unknown", words="this provider cannot be asked")


def storable(text: str, limit: int) -> str:
    """Return `text` as a database takes it, at most `limit` (>= 80) characters.

    Equal texts stay equal and different ones different: what has to be changed
    (NUL, lone surrogates, length) is told apart by a hash of the original.
    """
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()
    if clean == text and len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{clean[: limit - 65]}~{digest}"


_drivers: dict[str, Driver] = {}


def register(cls):
    """Class decorator: make the driver known under its name."""
    _drivers[cls.name] = cls()
    return cls


def driver_of(name: str) -> Driver | None:
    return _drivers.get(name)
