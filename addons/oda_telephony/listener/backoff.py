# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""How long to wait before the next try: longer each time, never in step with others."""

import random


class Backoff:
    """Full jitter over a span that doubles.

    :param float first: seconds of the first span
    :param float most: seconds of the longest one
    """

    def __init__(self, first=0.5, most=30.0, rng=random):
        self.first, self.most, self._rng = first, most, rng
        self.tries = 0

    def reset(self):
        self.tries = 0

    def next(self):
        """Return the seconds to wait now."""
        span = min(self.most, self.first * 2 ** min(self.tries, 16))
        self.tries += 1
        return span * (0.5 + self._rng.random() / 2)
