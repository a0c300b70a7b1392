# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Who sits where: seats of an event counted from two views of the same table.

A transaction sees the seats taken before it began (and its own); another look, from
a new snapshot, sees those taken meanwhile. Neither alone is the truth. No `env`.
"""

from typing import NamedTuple


class Seat(NamedTuple):
    """One taken seat: ids of the registration, its slot and its ticket (or None)."""

    registration: int
    slot: int | None
    ticket: int | None


class Limits(NamedTuple):
    """The most seats of an event; None is no limit.

    `slots`: whether `event` is a limit for each slot by itself;
    `tickets`: ticket id -> most seats, for each slot by itself when there are slots.
    """

    event: int | None
    slots: bool
    tickets: dict


def together(committed, own):
    """All taken seats: the own view wins where both know a registration."""
    seats = {seat.registration: seat for seat in committed}
    seats.update((seat.registration, seat) for seat in own)
    return list(seats.values())


def missing(seats, limits):
    """How many seats too many are taken; 0 when all is well.

    :param seats: iterable of :class:`Seat`
    :param limits: :class:`Limits`
    :return: int, of the worst place
    """
    event, tickets = {}, {}
    for seat in seats:
        place = seat.slot if limits.slots else None
        event[place] = event.get(place, 0) + 1
        if seat.ticket:
            key = (seat.slot, seat.ticket)
            tickets[key] = tickets.get(key, 0) + 1
    worst = 0
    if limits.event is not None:
        worst = max([0, *(taken - limits.event for taken in event.values())])
    for (_slot, ticket), taken in tickets.items():
        most = limits.tickets.get(ticket)
        if most is not None:
            worst = max(worst, taken - most)
    return worst
