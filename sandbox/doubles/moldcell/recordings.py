# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Recordings: an MP3 of two "voices" taking turns, as long as the talk was."""

import math
import random
import re
from array import array
from functools import lru_cache

import lameenc
from aiohttp import web

from sandbox.core import Unknown

RATE = 16000
_MAX_SECONDS = 4 * 3600
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_LOGIN_PAGE = (
    "<!doctype html><title>PBX Moldcell</title>"
    "<h1>Autentificare</h1><form><input name=login><input name=password></form>"
)


@lru_cache(maxsize=64)
def _syllable(pitch, tenths, variant):
    """PCM of one syllable: a few harmonics that swell and fade.

    :param int pitch: fundamental, Hz
    :param int tenths: length, tenths of a second
    :param int variant: which mix of harmonics ("vowel")
    :rtype: bytes
    """
    size = RATE * tenths // 10
    weights = ((1, 0.5, 0.2), (0.6, 1, 0.4), (0.8, 0.3, 0.7))[variant]
    samples = array("h")
    for index in range(size):
        swell = math.sin(math.pi * index / size) ** 0.6
        glide = pitch * (1 + 0.06 * math.sin(2 * math.pi * index / size))
        angle = 2 * math.pi * glide * index / RATE
        tone = sum(w * math.sin((h + 1) * angle) for h, w in enumerate(weights))
        samples.append(int(5200 * swell * tone))
    return samples.tobytes()


def _talk(seed, seconds):
    """PCM, mono, 16 bit: turns of speech of two voices with pauses between."""
    rnd = random.Random(seed)
    want = 2 * RATE * seconds
    parts, have, voice = [], 0, 0
    while have < want:
        for _word in range(rnd.randint(4, 14)):
            pitch = (118, 205)[voice] + rnd.choice((-8, 0, 10))
            parts.append(_syllable(pitch, rnd.randint(1, 3), rnd.randrange(3)))
            parts.append(bytes(2 * RATE * rnd.choice((2, 5, 9, 24)) // 100))
            have += len(parts[-1]) + len(parts[-2])
        parts.append(bytes(2 * RATE * rnd.randint(3, 14) // 10))
        have += len(parts[-1])
        voice = 1 - voice
    return b"".join(parts)[:want]


def make_mp3(seed, seconds):
    """Return a playable MP3 (mono, 16 kHz, 24 kbit/s: about 3 KB a second).

    :param str seed: the same seed gives the same bytes
    :param int seconds: length of the talk, 1 to 14400
    """
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(24)
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(RATE)
    encoder.set_channels(1)
    encoder.set_quality(7)
    encoder.silence()
    pcm = _talk(seed, min(max(seconds, 1), _MAX_SECONDS))
    return bytes(encoder.encode(pcm) + encoder.flush())


def ready_at(call, settings):
    """Return when (epoch seconds) the file of an ended call appears."""
    late = "recording_late" in call.faults
    return call.ended + (settings.recording_late if late else settings.recording_delay)


def find(exchange, settings, callid, now):
    """Return the call whose recording may be served now.

    :raises Unknown: no such talk, not written yet, or no longer kept
    """
    call = exchange.calls.get(callid)
    if not call or not call.talk_seconds or call.status != "Success":
        raise Unknown("Nu există o asemenea înregistrare.")
    if settings.records_expired:
        raise Unknown("Înregistrarea nu se mai păstrează.")
    if now < ready_at(call, settings):
        raise Unknown("Înregistrarea încă nu este scrisă.")
    return call


def login_page():
    """What a PBX answers, with status 200, when it would rather see a login."""
    return web.Response(text=_LOGIN_PAGE, content_type="text/html")


def respond(request, data):
    """Answer bytes of an MP3, honouring a single Range (206, or 416)."""
    headers = {"Accept-Ranges": "bytes"}
    total = len(data)
    span = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not span or span.groups() == ("", ""):
        return web.Response(body=data, content_type="audio/mpeg", headers=headers)
    first, last = span.groups()
    if first:
        start, end = int(first), min(int(last) if last else total, total - 1)
    else:
        start, end = max(total - int(last), 0), total - 1
    if start > end or start >= total:
        headers["Content-Range"] = f"bytes */{total}"
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{end}/{total}"
    return web.Response(
        status=206,
        body=data[start : end + 1],
        content_type="audio/mpeg",
        headers=headers,
    )
