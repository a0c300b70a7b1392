# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Which channel of an Asterisk is a person's phone, and which leads outside.

Asterisk knows only channels; what they are is the habit of the house, so it is
written on the account as patterns: `X` is any digit, `*` any characters but `/`,
commas lie between patterns.
"""

import functools
import re
from dataclasses import dataclass, fields

#: of a channel's name `PJSIP/701-0000001a`, `Local/101@agents-00000002;1`
_TAIL = re.compile(r"-[0-9a-f]{8}(?:;([12]))?$")
_SEPARATORS = re.compile(r"[,\n]+")
MAX_PATTERNS = 50
MAX_PATTERN = 80
MAX_STARS = 3  # more would let one long name keep the machine busy


@dataclass(frozen=True)
class Habits:
    """How one exchange names things; texts as they are on the account.

    `persons`     channels of people's phones; the login is what follows the `/`
    `trunks`      channels to the outside
    `contexts`    dialplan contexts that calls from outside arrive in
    `recordings`  folder whose files ARI gives out as stored recordings
    """

    persons: str = "PJSIP/XXX, PJSIP/XXXX, SIP/XXX, SIP/XXXX"
    trunks: str = "PJSIP/trunk*"
    contexts: str = "from-trunk, from-pstn"
    recordings: str = "/var/spool/asterisk/recording"

    @classmethod
    def of(cls, facts):
        """Return the habits in a dict that another version may have written."""
        known = {one.name for one in fields(cls)}
        texts = {k: v for k, v in (facts or {}).items() if isinstance(v, str)}
        return cls(**{name: texts[name] for name in known & texts.keys()})

    def login(self, channel):
        """Return the login of a person's channel, else None.

        The second half of a Local channel is plumbing: it is never a person.
        """
        base, half = split(channel)
        if half == "2" or not _matches(self.persons, base):
            return None
        return base.partition("/")[2].partition("@")[0].lower()[:64] or None

    def outside(self, channel, context=""):
        """True when the channel is a client's: by its name, or by where it entered."""
        base, half = split(channel)
        if self.login(channel):
            return False
        if base and half != "1" and context and _matches(self.contexts, context):
            return True
        return bool(base) and half != "2" and _matches(self.trunks, base)

    def recording(self, path):
        """Return ARI's name of a sound file, None when ARI does not give it out."""
        folder = self.recordings.rstrip("/") + "/"
        if not folder.strip("/") or not path.startswith(folder):
            return None
        name = path[len(folder) :].rpartition(".")[0]
        parts = name.split("/")
        if not name or len(name) > 200 or any(p in ("", ".", "..") for p in parts):
            return None
        return name


def split(channel):
    """`Local/101@agents-0000a;1` -> (`Local/101@agents`, '1'); else half is ''."""
    found = _TAIL.search(channel or "")
    if not found:
        return channel or "", ""
    return channel[: found.start()], found[1] or ""


def faults(text):
    """Return the patterns of a text that could never match, to be told to a person."""
    return [one for one in _patterns(text) if not _usable(one)]


def _usable(pattern):
    if len(pattern) > MAX_PATTERN or re.search(r"\s", pattern):
        return False
    return pattern.count("*") <= MAX_STARS and "/" not in (pattern[0], pattern[-1])


def _patterns(text):
    parts = (part.strip() for part in _SEPARATORS.split(text or ""))
    return [part for part in parts if part][:MAX_PATTERNS]


@functools.lru_cache(maxsize=64)
def _compiled(text):
    """One expression of all patterns, None when there is none."""
    whole = []
    for pattern in filter(_usable, _patterns(text)):
        pattern = re.sub(r"\*+", "*", pattern)
        signs = {"X": "[0-9]", "*": "[^/]*"}
        whole.append("".join(signs.get(c) or re.escape(c) for c in pattern))
    return re.compile("|".join(f"(?:{one})" for one in whole)) if whole else None


def _matches(text, value):
    expression = _compiled(text)
    return bool(expression and expression.fullmatch(value[:200]))
