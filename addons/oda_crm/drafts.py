# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""How texts that are typed in several places at once become one, without loss.

A *client* is one page in one browser. It numbers its packets upwards; the network
may delay, repeat or drop them, and drop answers. Each packet carries the whole
text and the version of the kept text that its author had seen (`base`).

Promise: a packet older than one that was taken changes nothing; and what was
kept, or sent, goes only when its author or somebody who had seen it removes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os.path import commonprefix

#: pages remembered by their last number; one forgotten can only say things twice
CLIENTS = 24


@dataclass(frozen=True)
class Packet:
    client: str
    number: int
    base: int
    text: str


@dataclass(frozen=True)
class Kept:
    """The text, and how it came about.

    `head` wrote every version from `start` on; its packets of base `opened` were
    written before it saw any of them, and stand for what follows `prefix`
    characters, less their own first `cut`, which are the beginning of the text.
    """

    text: str = ""
    version: int = 0
    head: str = ""
    start: int = 0
    opened: int = -1
    prefix: int = 0
    cut: int = 0
    numbers: Mapping = field(default_factory=dict)

    def state(self):
        """Return what is to be kept beside text and version, JSON-able."""
        return {
            "head": self.head,
            "start": self.start,
            "opened": self.opened,
            "prefix": self.prefix,
            "cut": self.cut,
            # Pairs: jsonb would not keep the order, and the oldest are forgotten.
            "numbers": [list(pair) for pair in self.numbers.items()],
        }

    @classmethod
    def of(cls, text, version, state):
        state = dict(state or {})
        numbers = {client: number for client, number in state.pop("numbers", ())}
        return cls(text=text or "", version=version, numbers=numbers, **state)


@dataclass(frozen=True)
class Merged:
    """`outcome`: 'late' nothing done; 'same' nothing new; 'taken' the packet's text
    stands; 'both' there is more than the packet's author has seen: in the kept
    text, what follows `prefix` characters is the packet's own without its first
    `cut`."""

    kept: Kept
    outcome: str
    prefix: int = 0
    cut: int = 0


def rewritten(kept, text):
    """Return what is kept after a change that was no packet."""
    if text == kept.text:
        return kept
    return replace(kept, text=text, version=kept.version + 1, head="", opened=-1)


def is_late(kept, client, number):
    return number <= kept.numbers.get(client, 0)


def heard(kept, client, number):
    """Return `kept` that remembers the packet's number."""
    numbers = {c: n for c, n in kept.numbers.items() if c != client}
    numbers[client] = number
    while len(numbers) > CLIENTS:
        del numbers[next(iter(numbers))]
    return replace(kept, numbers=numbers)


def merge(kept, packet, line):
    """Put a packet into the text.

    :param str line: what stands between two texts, e.g. "-- Ana, 14:02 --"
    :rtype: Merged
    """
    if is_late(kept, packet.client, packet.number):
        return Merged(kept, "late")
    kept = heard(kept, packet.client, packet.number)
    if kept.head == packet.client:
        if packet.base >= kept.start:
            return _take(replace(kept, opened=-1), packet.text)
        if packet.base == kept.opened:
            same = packet.text[: kept.cut] == kept.text[: kept.cut]
            kept = replace(kept, cut=kept.cut if same else 0)
            own = packet.text[kept.cut :]
            done = _take(kept, kept.text[: kept.prefix] + own)
            return _told(done) if kept.prefix else done
    mine = replace(
        kept,
        head=packet.client,
        start=kept.version + 1,
        opened=packet.base,
        prefix=0,
        cut=0,
    )
    if packet.base == kept.version or _covers(packet.text, kept.text):
        done = _take(mine, packet.text)
        return done if done.outcome == "taken" else Merged(kept, "same")
    if _covers(kept.text, packet.text):
        return Merged(kept, "both", len(kept.text), len(packet.text))
    cut = _shared(kept.text, packet.text)
    above = f"{kept.text.rstrip()}\n\n{line}\n"
    own = packet.text[cut:]
    return _told(_take(replace(mine, prefix=len(above), cut=cut), above + own))


def _take(kept, text):
    if text == kept.text:
        return Merged(kept, "same")
    return Merged(replace(kept, text=text, version=kept.version + 1), "taken")


def _told(done):
    return Merged(done.kept, "both", done.kept.prefix, done.kept.cut)


def _covers(long, short):
    """Is all of the short text in the long one, as its beginning or its end?"""
    short = short.strip()
    return long.strip().startswith(short) or long.rstrip().endswith("\n" + short)


def _shared(one, other):
    """Return how many characters of whole lines two texts begin with in common."""
    return commonprefix([one, other]).rfind("\n") + 1
