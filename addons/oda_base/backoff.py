# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""When a failed row is tried again, and when it is given up: plain numbers."""

#: seconds before try n+1; after the last one a row is dead and a person is told
INBOUND_STEPS = (30, 120, 600, 3600, 6 * 3600)
OUTBOUND_STEPS = (10, 60, 300, 1800, 2 * 3600, 6 * 3600)


def next_delay(attempts: int, steps=INBOUND_STEPS) -> int | None:
    """Return seconds until the next try, or None when it is the end.

    :param attempts: tries already made, at least 1
    """
    return steps[attempts - 1] if attempts <= len(steps) else None
