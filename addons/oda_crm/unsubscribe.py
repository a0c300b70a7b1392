# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Addresses that end a subscription without a login: signed, not guessable."""

import re
from typing import NamedTuple

from odoo.addons.oda_base import sealing

_PURPOSE = "oda.unsubscribe"
_TOKEN = re.compile(
    r"(?P<text>(?P<partner>[1-9][0-9]{0,9})-(?P<purpose>[a-z][a-z_]{0,31})"
    r"-(?P<programme>[0-9]{1,10}))-(?P<signature>[A-Za-z0-9_-]{43})",
    re.ASCII,
)


class Subscription(NamedTuple):
    """Who hears of what: ids, and `programme` 0 for all of that purpose."""

    partner: int
    purpose: str
    programme: int


def token(partner, purpose, programme=0):
    """Return the token of a letter's last line.

    :raise oda_base.sealing.SealingKeyMissing: the server has no key
    :raise ValueError: a purpose that is no word of small letters
    """
    text = f"{partner:d}-{purpose}-{programme:d}"
    made = f"{text}-{sealing.sign(text, _PURPOSE)}"
    if not _TOKEN.fullmatch(made):
        raise ValueError("purpose must be a short word: a-z and _")
    return made


def read(value):
    """Return the :class:`Subscription` of a token, None when it is not one of ours.

    :raise oda_base.sealing.SealingKeyMissing: the server has no key
    """
    match = _TOKEN.fullmatch(value or "")
    if not match or not sealing.is_signed(match["text"], match["signature"], _PURPOSE):
        return None
    return Subscription(
        int(match["partner"]), match["purpose"], int(match["programme"])
    )
