# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""When to try again, how long to wait, and when trying again would be a lie."""

import email.utils
import random
from datetime import UTC

from .errors import Outcome

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: The server says itself that it did not act.
NOT_ACTED_STATUSES = frozenset({425, 429})
#: Trouble on their side; the request may or may not have been acted upon.
TROUBLE_STATUSES = frozenset({408, 500, 502, 503, 504, 507, 520, 521, 522, 523, 524})
#: No server asks for a longer pause than this in earnest.
MAX_RETRY_AFTER = 86400.0

_rng = random.SystemRandom()


def delay(attempt, base=0.5, cap=30.0, rng=None):
    """Backoff with full jitter: seconds, uniform in [0, min(cap, base * 2**attempt)].

    :param int attempt: 0 for the wait after the first failure
    :param rng: anything with ``uniform(a, b)``
    """
    ceiling = min(cap, base * 2.0 ** min(max(attempt, 0), 62))
    return (rng or _rng).uniform(0.0, ceiling)


def retry_after(value, now):
    """Seconds a Retry-After header asks for, 0..MAX_RETRY_AFTER; None if unusable.

    :param value: header text ('120' or an HTTP-date) or None
    :param float now: POSIX seconds, for the date form
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER)
    try:
        when = email.utils.parsedate_to_datetime(text)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = when.timestamp() - now
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER)


def outcome_of_status(status, idempotent, has_retry_after=False):
    """Outcome of an unwanted HTTP status.

    A 5xx after a POST is UNKNOWN: gateways answer 502 and 504 also when the
    provider has already sent the SMS. A 503 that names a time to come back is a
    refusal at the door.
    """
    if status in NOT_ACTED_STATUSES or (status == 503 and has_retry_after):
        return Outcome.RETRY
    if status in TROUBLE_STATUSES or 500 <= status <= 599 and status != 501:
        return Outcome.RETRY if idempotent else Outcome.UNKNOWN
    return Outcome.PERMANENT


def outcome_of_break(sent, idempotent):
    """Outcome of a timeout or a broken connection.

    :param bool sent: any byte of the request had left. Half a request is treated
        as a whole one: only the server knows what it made of it.
    """
    return Outcome.UNKNOWN if sent and not idempotent else Outcome.RETRY
