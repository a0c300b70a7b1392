# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What can go wrong outside, by name. Messages are redacted and fit for a log.

Every error knows its ``outcome``, which is what the sender of a message asks:
may I send it again?
"""

import enum


class Outcome(enum.Enum):
    """What is known about a call that did not succeed."""

    #: Certainly not acted upon (or harmless to repeat): try again later.
    RETRY = "retry"
    #: It may have been acted upon: ask the provider, do not resend blindly.
    UNKNOWN = "unknown"
    #: Repeating it unchanged gives the same answer.
    PERMANENT = "permanent"


class NetError(Exception):
    """Base. ``outcome``: Outcome; ``retry_after``: seconds or None."""

    def __init__(self, message, outcome=Outcome.PERMANENT, retry_after=None):
        super().__init__(message)
        self.outcome = outcome
        self.retry_after = retry_after


class NotAllowed(NetError):
    """The URL, host, port or address is not on the list. Nothing was sent."""


class TooLarge(NetError):
    """The answer (head or body, also after decompression) exceeds its cap."""


class TimedOut(NetError):
    """Too slow. ``sent``: whether any byte of the request had left."""

    def __init__(self, message, sent, outcome=Outcome.UNKNOWN):
        super().__init__(message, outcome)
        self.sent = sent


class ConnectionFailed(NetError):
    """Refused, reset, unresolvable, bad TLS, or a broken answer.

    ``sent``: whether any byte of the request had left; ``tls``: the certificate or
    the handshake was the cause.
    """

    def __init__(self, message, sent, outcome=Outcome.UNKNOWN, tls=False):
        super().__init__(message, outcome)
        self.sent = sent
        self.tls = tls


class BadStatus(NetError):
    """An HTTP status that the caller did not ask for.

    ``status``: int; ``excerpt``: redacted start of the body, one line.
    """

    def __init__(self, message, status, excerpt, outcome, retry_after=None):
        super().__init__(message, outcome, retry_after)
        self.status = status
        self.excerpt = excerpt


class CircuitOpen(NetError):
    """The host failed repeatedly and is given rest. Nothing was sent."""

    def __init__(self, host, retry_in):
        super().__init__(
            f"{host} failed repeatedly; not called again for {retry_in:.0f} s",
            Outcome.RETRY,
            retry_in,
        )
        self.host = host


class DownloadError(NetError):
    """Base of the downloader's errors. ``reason``: one short word for machines."""

    def __init__(self, message, reason, outcome, retry_after=None):
        super().__init__(message, outcome, retry_after)
        self.reason = reason


class NotThere(DownloadError):
    """404: not written yet, or already removed. The caller decides how often."""

    def __init__(self, message, reason="missing", retry_after=None):
        super().__init__(message, reason, Outcome.RETRY, retry_after)


class Temporary(DownloadError):
    """Network trouble or a busy server: worth another try."""

    def __init__(self, message, reason, retry_after=None):
        super().__init__(message, reason, Outcome.RETRY, retry_after)


class Refused(DownloadError):
    """We will not fetch this, now or later."""

    def __init__(self, message, reason):
        super().__init__(message, reason, Outcome.PERMANENT)
