# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Names of the files in an archive: what a call was, readable on any system."""

import re
import unicodedata

LONGEST = 120  # characters: Windows allows 260 for the whole path
_EXTENSIONS = {
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/3gpp": "3gp",
}
_DIRECTIONS = ("in", "out", "internal")


def extension(mimetype):
    """Return the extension (no dot) of a kind of sound, `bin` for an unknown one."""
    return _EXTENSIONS.get(mimetype, "bin")


def plain(text, longest):
    """Return letters and digits of any script, the rest as single hyphens.

    Nothing in it means something to a file system: no separators, no control
    characters, no dots, no invisible or right-to-left marks.
    """
    text = unicodedata.normalize("NFC", str(text or ""))
    kept = "".join(one if one.isalnum() else "-" for one in text)
    return re.sub("-+", "-", kept).strip("-")[:longest].strip("-")


def recording_name(moment, direction, phone, agent, callid, mimetype):
    """Return `YYYY-MM-DD_HHMM_direction_phone_agent_callid.mp3`.

    :param datetime moment: local start of the call, or None
    :param str direction: in, out or internal
    :param str phone: in any form; its digits are kept
    :param str agent: name of who talked, may be empty
    :param str callid: the exchange's id of the call
    :return: at most 120 characters, safe on Windows too; a part that is not
        known is `x`
    """
    digits = re.sub("[^0-9]", "", str(phone or ""))[:20]
    parts = (
        f"{moment:%Y-%m-%d_%H%M}" if moment else "x_x",
        direction if direction in _DIRECTIONS else "x",
        digits or "x",
        plain(agent, 30) or "x",
        plain(callid, 40) or "x",
    )
    return f"{'_'.join(parts)}.{extension(mimetype)}"


def unused(name, used, mark):
    """Return `name`, or with `-mark` before its extension when it is in `used`.

    :param set used: names so far, case-folded, as Windows compares them; the one
        that is returned is added
    """
    if name.casefold() in used:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem}-{mark}{dot}{ending}"
    used.add(name.casefold())
    return name
