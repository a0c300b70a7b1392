# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Asterisk's manager interface (AMI): its bytes into messages, our words into bytes.

No socket here. Whatever comes in, the reader neither raises nor grows: a line or a
message beyond any reason is dropped, and what follows it is read again.
"""

import re

MAX_LINE = 16 * 1024  # bytes; the longest line seen is a variable's value
MAX_FIELDS = 500  # an event of a call has some 40

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_BANNER = b"Asterisk Call Manager/"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Message(dict):
    """Name -> text of one event or response; of a repeated name the first counts.

    Names are as Asterisk writes them (`Uniqueid`, but `UniqueID` in a Cdr).
    """

    @property
    def event(self):
        """The event's name, '' for a response."""
        return self.get("Event", "")


class Reader:
    """Bytes as they come from the socket, in any pieces, into messages.

    :ivar str banner: what Asterisk said first, '' until then
    """

    def __init__(self):
        self.banner = ""
        self._rest = b""
        self._message = Message()
        self._skips = False  # the rest of an endless line is on its way

    def feed(self, data):
        """Return the messages that are complete with these bytes, in order."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            if self._skips:
                self._skips = False
            elif len(line) <= MAX_LINE:
                self._line(line.rstrip(b"\r"), found)
        if len(self._rest) > MAX_LINE:
            self._rest, self._skips = b"", True
        return found

    def _line(self, line, found):
        if not line:
            if self._message:
                found.append(self._message)
            self._message = Message()
            return
        if not self.banner and line.startswith(_BANNER):
            self.banner = clean(line)
            return
        name, colon, value = line.partition(b":")
        name = clean(name)
        if colon and name and len(self._message) < MAX_FIELDS:
            self._message.setdefault(name, clean(value))


def clean(raw):
    """Return bytes as text that a log line and a database can hold."""
    return _CONTROL.sub("", raw.decode("utf-8", "replace")).strip()


def action(name, **fields):
    """Return the bytes of an action; None among the fields is left out.

    :raise ValueError: a value would end its line and begin another action
    """
    lines = [("Action", name), *fields.items()]
    out = []
    for key, value in lines:
        if value is None:
            continue
        text = str(value)
        if not _NAME.fullmatch(key) or _CONTROL.search(text):
            raise ValueError(f"{key} of an action cannot be sent")
        out.append(f"{key}: {text}\r\n")
    return ("".join(out) + "\r\n").encode()
