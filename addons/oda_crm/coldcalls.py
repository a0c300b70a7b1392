# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the outcome of a cold call means for the next one. No `env` here."""

REGISTERS, REFUSES, NO_ANSWER, CALL_BACK, WRONG = OUTCOMES = (
    "registers",
    "refuses",
    "no_answer",
    "call_back",
    "wrong_number",
)
#: With these the person is done with; the others call again.
FINAL = (REGISTERS, REFUSES, WRONG)

MAX_ATTEMPTS = 5
#: Working minutes until the next try after the n-th call that nobody answered.
PAUSES = (60, 240, 480, 960)


def pause_after(attempts):
    """Working minutes until the next try, None when it was the last one.

    :param int attempts: calls made so far, at least 1
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def shares(count, loads):
    """How many of `count` new people each manager gets, so that all have alike.

    :param int count: people to hand out
    :param loads: list of int, what each manager has already
    :return: list of int, in the order of `loads`, `count` in sum (0 managers: [])
    """
    if not loads:
        return []
    got = [0] * len(loads)
    level = sorted(loads)
    # The height to which all are filled up, found from the lowest heap on.
    left, filled = count, 0
    height = level[0]
    while filled < len(level) and level[filled] == height:
        filled += 1
    while filled < len(level) and (level[filled] - height) * filled <= left:
        left -= (level[filled] - height) * filled
        height = level[filled]
        while filled < len(level) and level[filled] == height:
            filled += 1
    height += left // filled
    rest = left % filled
    for place, load in enumerate(loads):
        if load < height:
            got[place] = height - load
    for place, load in enumerate(loads):
        if rest and load + got[place] == height and load <= height:
            got[place] += 1
            rest -= 1
    return got


def hand_out(count, loads):
    """The place of the manager for each of `count` people, mixed evenly.

    :return: list of int, `count` long (empty without managers)
    """
    left = shares(count, loads)
    order = []
    while any(left):
        for place, amount in enumerate(left):
            if amount:
                order.append(place)
                left[place] -= 1
    return order
