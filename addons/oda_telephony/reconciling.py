# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Which part of an exchange's history is asked for, and when again: plain numbers."""

from datetime import timedelta

#: A call is in the history once it is over, under the moment it began: so each look
#: goes back by the longest call there may be.
OVERLAP = timedelta(hours=6)
#: What is older was lost for good, or never ours.
OLDEST = timedelta(days=14)
PAGE = timedelta(hours=6)  # of history, asked for and worked in one go
#: Clocks differ: the exchange's may be ahead of ours.
SKEW = timedelta(minutes=15)
#: Calls that ended just now: their own pushes are still on their way.
GRACE = timedelta(minutes=2)
EVERY = timedelta(minutes=10)
#: Pauses after failures in a row.
PAUSES = (2, 5, 10, 20, 40, 60)  # minutes


def span_of(now, begin, done):
    """Return `(since, until)` of what is to be asked for.

    :param datetime now: aware, as all here
    :param datetime begin: when we began to follow this exchange; nothing older
    :param datetime done: up to when all was compared, None when never
    """
    since = (done or begin) - OVERLAP
    since = max(since, begin, now - OLDEST)
    return min(since, now), now + SKEW


def pages(since, until):
    """Return `[(from, to)]`, oldest first, that cover a span."""
    found = []
    while since < until:
        end = min(since + PAGE, until)
        found.append((since, end))
        since = end
    return found


def is_settled(event, now):
    """True when the call of a history event has been over for a while."""
    if event.at is None:
        return True
    return event.at + timedelta(seconds=event.duration or 0) + GRACE <= now


def next_pause(failures):
    """Return the time to wait after so many failures in a row (at least 1)."""
    return timedelta(minutes=PAUSES[min(max(failures, 1), len(PAUSES)) - 1])
