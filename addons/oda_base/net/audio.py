# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What kind of sound is in these bytes, and how long an MP3 lasts. No codec needed."""

import mmap
import os
import struct
from typing import NamedTuple

_BITRATES = {  # (MPEG 1?, layer) -> kbit/s by index 1..14
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP4_BRANDS = frozenset(
    {b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"iso5", b"iso6", b"dash"}
)
_SCAN = 65536  # bytes searched for the first frame
_TAG_FLAG_FOOTER = 0x10


class Frame(NamedTuple):
    """A header of an MPEG audio frame. length: bytes; rate: Hz; bitrate: bit/s;
    samples: per frame; side: bytes of side information before a Xing header."""

    version: int
    layer: int
    rate: int
    bitrate: int
    length: int
    samples: int
    side: int

    def kin(self, other):
        """Could both be frames of one stream?"""
        return other is not None and self[:3] == other[:3]


def parse_frame(data, offset=0):
    """The Frame at ``offset``, or None. Layer I and free format are not taken for
    sound: nobody records them, and a UTF-16 byte order mark looks like the former."""
    head = bytes(data[offset : offset + 4])
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or index in (0, 15) or rate_index == 3:
        return None
    one = version == 3
    rate = _RATES[version][rate_index]
    bitrate = _BITRATES[one, layer][index - 1] * 1000
    samples = 1152 if one or layer == 2 else 576
    length = samples // 8 * bitrate // rate + (head[2] >> 1 & 1)
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if one else (9 if mono else 17)
    return Frame(version, layer, rate, bitrate, length, samples, side)


def _id3_size(data):
    """Bytes of a leading ID3v2 tag, 0 without one."""
    head = bytes(data[:10])
    if len(head) < 10 or head[:3] != b"ID3" or not 2 <= head[3] <= 4:
        return 0
    if head[4] == 0xFF or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return size + (20 if head[5] & _TAG_FLAG_FOOTER else 10)


def _is_mpeg(data):
    start = _id3_size(data)
    if start:
        if start + 4 > len(data):
            return True  # the frames lie beyond what we were given
        padding = bytes(data[start : start + 1024])
        start += len(padding) - len(padding.lstrip(b"\0"))
        if start + 4 > len(data):
            return True
    first = parse_frame(data, start)
    if first is None:
        return False
    following = start + first.length
    return following + 4 > len(data) or first.kin(parse_frame(data, following))


def sniff_audio(first_bytes):
    """Mimetype of the sound that starts with these bytes, or None.

    Give it 4 KB or the whole file. Pages (HTML, XML, JSON), text and pictures are
    None whatever Content-Type they came with.
    """
    data = bytes(first_bytes[:SNIFF_MAX])
    if len(data) < 12:
        return None
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav"
    if data[:4] == b"OggS" and data[4] == 0:
        return "audio/ogg"
    if data[:4] == b"fLaC" and data[4] & 0x7F == 0:  # STREAMINFO comes first
        return "audio/flac"
    if data[4:8] == b"ftyp" and 8 <= int.from_bytes(data[:4]) <= 4096:
        if data[8:11] == b"3gp":
            return "audio/3gpp"
        return "audio/mp4" if data[8:12] in _MP4_BRANDS else None
    return "audio/mpeg" if _is_mpeg(data) else None


SNIFF_MAX = 65536


def accept_audio(first_bytes, content_type):
    """Hook for Downloader(accept=…): the sniffed mimetype, or None to refuse.

    The declared type only ever refuses: a page that says it is a page is one.
    """
    if content_type.startswith("text/") or content_type in (
        "application/json", "application/xml", "application/xhtml+xml",
    ):  # fmt: skip
        return None
    return sniff_audio(first_bytes)


def _first_frame(data, start):
    for offset in range(start, min(len(data) - 4, start + _SCAN)):
        if data[offset] == 0xFF:
            frame = parse_frame(data, offset)
            if frame is None:
                continue
            following = offset + frame.length
            if following == len(data) or frame.kin(parse_frame(data, following)):
                return offset, frame
    return None, None


def _counted_frames(data, offset, frame):
    """Number of frames by the Xing/Info or VBRI header in the first one, or None."""
    xing = offset + 4 + frame.side
    if data[xing : xing + 4] in (b"Xing", b"Info"):
        flags, frames = struct.unpack(">II", data[xing + 4 : xing + 12])
        return frames if flags & 1 and frames else None
    if data[offset + 36 : offset + 40] == b"VBRI":
        return struct.unpack(">I", data[offset + 50 : offset + 54])[0] or None
    return None


def _walk(data, offset, frame):
    """Count frames by stepping from one to the next; tens of ms for an hour."""
    count, size = 0, len(data)
    while offset + 4 <= size:
        current = parse_frame(data, offset)
        if not frame.kin(current):
            break
        count += 1
        offset += current.length
    return count


def mp3_duration(path):
    """Seconds (float) that an MPEG audio file plays, or None when it is none.

    By its Xing/Info/VBRI header; without one, by walking its frames, which is right
    for constant and variable bit rate, and for a file that was cut short.
    """
    try:
        if os.path.getsize(path) < 64:
            return None
        with (
            open(path, "rb") as handle,
            mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            offset, frame = _first_frame(data, _id3_size(data))
            if frame is None:
                return None
            try:
                count = _counted_frames(data, offset, frame)
            except struct.error:
                count = None
            count = count or _walk(data, offset, frame)
            return count * frame.samples / frame.rate
    except (OSError, ValueError):
        return None
