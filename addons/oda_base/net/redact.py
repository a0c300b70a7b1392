# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Take secrets out of URLs, headers, bodies and free text before they are logged.

Errs on the side of hiding too much. Nothing here raises, whatever it is given:
it runs inside error handling.
"""

import base64
import json
import re
from urllib.parse import quote, quote_plus, unquote_plus

MASK = "***"
#: Longest text looked at; more is cut before redaction (never after a secret).
MAX_INPUT = 65536

# Compared with the key in lower case, stripped of everything but letters and digits.
_CONTAINS = (
    "token", "secret", "password", "passwd", "passphrase", "parola", "apikey",
    "accesskey", "privatekey", "signature", "authoriz", "authent", "cookie",
    "credential", "hmac", "sessionid", "cardnumber", "samlresponse", "jwt",
)  # fmt: skip
_EXACT = {"pass", "pwd", "pw", "sig", "sign", "auth", "pin", "otp", "cvv", "cvc", "pan"}
_ENDS = ("key", "auth")
# Names of values that lead to a recording: whoever has the link may listen to it.
_LINKS = {"link", "url", "record", "recordlink", "recordurl", "recordinglink",
          "recordingurl"}  # fmt: skip

_SEGMENT_BOT = re.compile(r"(?i)^bot\d+:.*")
_SEGMENT_LONG = re.compile(r"^[A-Za-z0-9_~+=.:%-]{20,}$")
_SCHEME = re.compile(r"(?i)^([a-z][a-z0-9+.-]*:)?//")
_PAIRS = re.compile(r"([&;])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

_TEXT_URL = re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s\"'<>]+")
_TEXT_SCHEME = re.compile(
    r"(?i)\b(bearer|basic|digest|apikey)(\s+)[A-Za-z0-9_~+/=.:-]{6,}"
)
_TEXT_BOT = re.compile(r"(?i)\bbot\d+:[A-Za-z0-9_-]+")
# key = value, key: value, "key": "value", also inside a JSON text within JSON
_KEY_CHARACTERS = r"[\w.%\[\]-]"
_TEXT_KEY = re.compile(
    rf"""(?<!{_KEY_CHARACTERS})(?P<key>{_KEY_CHARACTERS}++)\\*["']?\s{{0,8}}[=:]\s{{0,8}}"""
)
# a quoted value whose closing quote was cut off reaches to the end
_TEXT_VALUE = re.compile(
    r"""\\*"(?:[^"\\]|\\.)*+(?:"|$)?|'(?:[^'\\]|\\.)*+(?:'|$)?|[^\s&;,"'<>}\]]+""", re.S
)
_OPENING = re.compile(r"[\s\[{]*")
_TEXT_HEADER = re.compile(r"(?im)^(?P<key>[\w-]{1,60})(?P<gap>:[ \t]*)(?P<value>.+)$")
_TEXT_TAG = re.compile(
    r"(?is)<(?P<key>[\w:.-]{1,80})(?P<attrs>(?:\s[^<>]*)?)>(?P<value>[^<]+)"
)


def _name(key):
    text = str(key)
    for _round in range(3):  # %2574oken, %74oken, token
        text = unquote_plus(text)
    return re.sub(r"[^a-z0-9]", "", text.lower())


def is_sensitive(key):
    """True when values under this name must not be shown."""
    name = _name(key)
    return (
        name in _EXACT
        or name.endswith(_ENDS)
        or any(part in name for part in _CONTAINS)
    )


def is_link(key):
    """True when values under this name open something to whoever has them."""
    return _name(key) in _LINKS


def mask_link(link):
    """Only scheme and host of a link; what is no link is masked as a whole."""
    text = str(link)
    for _round in range(3):  # https%253A%252F%252F, \\/\\/
        text = unquote_plus(text)
    text = text.replace("\\", "").strip(" \t\r\n\"'")
    if not text:
        return ""
    scheme = _SCHEME.match(text)
    if not scheme:
        return MASK
    host = re.split(r"[/?#]", text[scheme.end() :], maxsplit=1)[0].rpartition("@")[2]
    return one_line(f"{scheme[0]}{host}/{MASK}")


def one_line(text, limit=300):
    """Control characters out, so that a foreign text cannot forge log lines."""
    text = _CONTROL.sub(" ", str(text)).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _redact_pairs(text, links=False):
    out = []
    for part in _PAIRS.split(text):
        key, equals, value = part.partition("=")
        if equals and is_sensitive(key):
            part = f"{key}={MASK}"
        elif equals and links and is_link(key):
            part = f"{key}={mask_link(value)}"
        out.append(part)
    return "".join(out)


def redact_url(url, path_tokens=False):
    """``url`` without user info and without values of sensitive parameters.

    :param bool path_tokens: also mask path segments of 20 characters and more
        (webhook keys, recording names); Telegram's ``/bot<token>/`` always is
    """
    text = _CONTROL.sub("", str(url)[:MAX_INPUT])
    text, hash_, fragment = text.partition("#")
    text, mark, query = text.partition("?")
    scheme = _SCHEME.match(text.replace("\\", "/"))
    start = scheme.end() if scheme else 0
    authority, slash, path = text[start:].replace("\\", "/").partition("/")
    if not scheme:
        authority, slash, path = "", "", text
    if "@" in authority:
        authority = f"{MASK}@{authority.rpartition('@')[2]}"
    segments = []
    for segment in path.split("/"):
        if _SEGMENT_BOT.match(unquote_plus(segment)):
            segment = f"bot{MASK}"
        elif path_tokens and _SEGMENT_LONG.match(segment):
            segment = MASK
        segments.append(_redact_pairs(segment) if "=" in segment else segment)
    return "".join(
        (
            text[:start],
            authority,
            slash,
            "/".join(segments),
            mark,
            _redact_pairs(query),
            hash_,
            _redact_pairs(fragment),
        )
    )


def redact_headers(headers):
    """A dict of the headers with sensitive values masked, one line each."""
    out = {}
    for name, value in dict(headers or {}).items():
        if isinstance(name, bytes):
            name = name.decode("latin-1")
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if is_sensitive(name):
            value = MASK
        elif name.lower() in ("location", "referer", "content-location", "refresh"):
            value = redact_url(value)
        out[name] = one_line(redact_text(value), 1000)
    return out


def redact_data(value, links=False):
    """A copy of nested dicts and lists with sensitive keys masked.

    :param bool links: of links to recordings leave scheme and host only
    """
    if isinstance(value, dict):
        return {
            key: MASK
            if is_sensitive(key)
            else _redact_links(item)
            if links and is_link(key)
            else redact_data(item, links)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [redact_data(item, links) for item in value]
    return redact_text(value, links=links) if isinstance(value, str) else value


def _redact_links(value):
    """What stands under a link's name: a link, several, or something else."""
    if isinstance(value, str):
        return mask_link(value)
    if isinstance(value, (list, tuple)):
        return [_redact_links(item) for item in value]
    return redact_data(value, links=True)


def _mask_pairs(text, links=False):
    out, done = [], 0
    while match := _TEXT_KEY.search(text, done):
        out.append(text[done : match.end()])
        done = match.end()
        if is_sensitive(match["key"]):
            value = _TEXT_VALUE.match(text, done)
            if value:
                quote_ = value[0][0] if value[0][0] in "\"'" else ""
                out.append(f"{quote_}{MASK}{quote_}")
                done = value.end()
        elif links and is_link(match["key"]):
            # JSON that was cut off: the first of a list of links
            value = _TEXT_VALUE.match(text, _OPENING.match(text, done).end())
            if value:
                quote_ = value[0][0] if value[0][0] in "\"'" else ""
                out.append(text[done : value.start()])
                out.append(f"{quote_}{mask_link(value[0])}{quote_}")
                done = value.end()
    out.append(text[done:])
    return "".join(out)


def _mask_header(match):
    if not is_sensitive(match["key"]):
        return match[0]
    return f"{match['key']}{match['gap']}{MASK}"


def _mask_tag(match, links=False):
    key = match["key"].rpartition(":")[2]
    if is_sensitive(key):
        return f"<{match['key']}{match['attrs']}>{MASK}"
    if links and is_link(key):
        return f"<{match['key']}{match['attrs']}>{mask_link(match['value'])}"
    return match[0]


def spellings(secret):
    """The forms in which a known secret may turn up: plain, URL, JSON, base64."""
    raw = str(secret)
    forms = {raw, quote(raw), quote(raw, safe=""), quote_plus(raw), repr(raw)[1:-1]}
    forms.update((json.dumps(raw)[1:-1], json.dumps(raw, ensure_ascii=False)[1:-1]))
    forms.add(base64.b64encode(raw.encode("utf-8", "replace")).decode())
    return sorted((form for form in forms if form), key=len, reverse=True)


def redact_text(text, secrets=(), links=False):
    """Free text (an error, a page) without secrets.

    :param secrets: values known to be secret, masked wherever they stand
    :param bool links: of links to recordings leave scheme and host only
    """
    if isinstance(text, (bytes, bytearray)):
        text = bytes(text[:MAX_INPUT]).decode("utf-8", "replace")
    text = str(text)[:MAX_INPUT]
    for secret in secrets:
        if secret:
            for form in spellings(secret):
                text = text.replace(form, MASK)
    text = _TEXT_URL.sub(lambda match: redact_url(match[0]), text)
    text = _TEXT_HEADER.sub(_mask_header, text)
    text = _TEXT_SCHEME.sub(rf"\g<1>\g<2>{MASK}", text)
    text = _TEXT_BOT.sub(f"bot{MASK}", text)
    text = _TEXT_TAG.sub(lambda match: _mask_tag(match, links), text)
    return _mask_pairs(text, links)


def redact_body(body, content_type="", limit=300, secrets=()):
    """One line of at most ``limit`` characters from a request or response body.

    Secrets are masked, and of links to recordings everything but the host.

    :param body: bytes, str, or data (dict, list) before it is serialised
    :param str content_type: of the Content-Type header; a hint only
    """
    if body is None:
        return ""
    if isinstance(body, (bytes, bytearray)):
        body = bytes(body[:MAX_INPUT]).decode("utf-8", "replace")
    if isinstance(body, str):
        text = body[:MAX_INPUT]
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
    else:
        text, data = None, body
    try:
        if isinstance(data, (dict, list, tuple)):
            text = json.dumps(redact_data(data, True), ensure_ascii=False, default=str)
        elif "urlencoded" in content_type.lower():
            text = _redact_pairs(text, links=True)
    except (ValueError, TypeError, RecursionError):
        text = f"[{type(body).__name__} that cannot be shown]"
    if text is None:
        text = str(body)
    # Of parsed data the links are masked already, and better than in its text.
    parsed = isinstance(data, (dict, list, tuple))
    return one_line(redact_text(text, secrets, links=not parsed), limit)
