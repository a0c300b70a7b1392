# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Flat pushes, form-encoded or JSON, into a dict of clean text.

For every PBX whose push is a handful of named values. Whatever passes can be stored
in PostgreSQL, put on a log line and read without further checks of its shape.
"""

import json
import re
from urllib.parse import parse_qsl

MAX_BODY = 256 * 1024  # bytes; the controller's own cap comes first
MAX_FIELDS = 100  # the richest push seen has 18
MAX_NAME = 64
MAX_VALUE = 4096  # a signed recording link is the longest value there is

# Only plain text encodings: the codec registry also knows decompressors and idna.
_CHARSETS = {
    "utf-8",
    "utf8",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-5",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "cp1251",
    "koi8-r",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_BLANK = re.compile(r"\s+")


class Malformed(Exception):
    """The push cannot be a PBX's push. `str()` says why and holds none of its data."""


class Fields(dict):
    """Field name -> cleaned text; `notes`: what was doubtful in the bytes."""

    notes: tuple[str, ...] = ()


# -- bytes -> fields ---------------------------------------------------------------


def parse_body(content_type, body):
    """Return the :class:`Fields` of a push, form-encoded or JSON.

    `content_type` (may be None or wrong) says which is tried first. Bytes that are
    not valid in the charset are replaced and noted, not refused: a broken department
    name must not cost a call. A name sent twice with different values is refused:
    which one counts would depend on who reads it (a proxy, we), and it may be the
    token. NULs and other controls go, line breaks become spaces.
    """
    if len(body) > MAX_BODY:
        raise Malformed("the body is too large")
    content_type = (content_type or "").lower()
    charset, notes = _charset(content_type)
    text = body.decode(charset, "replace").lstrip("\ufeff").strip()
    if not text:
        raise Malformed("the body is empty")
    # A form never starts so: its first character is the first of a field's name.
    if text[0] in "{[":
        pairs = _json_pairs(text)
    elif "json" in content_type and "=" not in text:
        raise Malformed("the body is not JSON")
    else:
        pairs = _form_pairs(text, charset)
    fields = Fields()
    for name, value in pairs:
        name, value = clean(name, notes), clean(value, notes)
        if not name or len(name) > MAX_NAME:
            raise Malformed("a field has no name or too long a name")
        if len(value) > MAX_VALUE:
            raise Malformed("a field is too long")
        if fields.setdefault(name, value) != value:
            raise Malformed("a field is sent twice with different values")
    if not fields:
        raise Malformed("the body has no fields")
    fields.notes = tuple(notes)
    return fields


def _charset(content_type):
    found = _CHARSET.search(content_type)
    if not found or found[1] in ("utf-8", "utf8"):
        return "utf-8", []
    if found[1] in _CHARSETS:
        return found[1], []
    return "utf-8", ["unknown charset, read as UTF-8"]


def _form_pairs(text, charset):
    if text.count("&") >= MAX_FIELDS:
        raise Malformed("too many fields")
    if "=" not in text:
        raise Malformed("the body is neither a form nor JSON")
    return parse_qsl(text, keep_blank_values=True, encoding=charset, errors="replace")


def _json_pairs(text):
    def constant(_name):
        raise Malformed("the JSON holds NaN or Infinity")

    try:
        # Figures stay text: nothing is rounded, and no huge integer is ever built.
        # Objects become tuples of pairs, so that a repeated name is seen.
        pairs = json.loads(
            text,
            object_pairs_hook=tuple,
            parse_constant=constant,
            parse_int=str,
            parse_float=str,
        )
    except RecursionError:
        raise Malformed("the JSON is nested too deeply") from None
    except ValueError:
        raise Malformed("the body is not JSON") from None
    if not isinstance(pairs, tuple):
        raise Malformed("the JSON is not an object")
    if len(pairs) > MAX_FIELDS:
        raise Malformed("too many fields")
    flat = []
    for name, value in pairs:
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif value is None:
            continue
        elif not isinstance(value, str):
            raise Malformed("a field of the JSON is not a plain value")
        flat.append((name, value))
    return flat


def clean(text, notes):
    """Return `text` as PostgreSQL and a log line can hold it."""
    # A JSON escape can make half a surrogate pair, which no UTF-8 can carry.
    text = _SURROGATE.sub("\ufffd", text)
    note = "broken characters replaced"
    if "\ufffd" in text and note not in notes:
        notes.append(note)
    return _BLANK.sub(" ", _CONTROL.sub("", text)).strip()
