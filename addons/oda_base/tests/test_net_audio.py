# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import io
import tempfile
import wave

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base.net import audio

from .net_servers import examples

# MPEG-2 layer III, 24 kbit/s, 16 kHz, mono: what telephone exchanges record
HEAD = bytes([0xFF, 0xF3, 0x38, 0xC0])
LENGTH = 108  # 576 / 8 * 24000 / 16000
FRAME = HEAD + bytes(LENGTH - 4)
SECONDS = 576 / 16000


def mp3(frames, first=None):
    """Bytes of a silent MP3 of so many frames."""
    return (first or FRAME) + FRAME * (frames - 1)


def id3(size):
    """An ID3v2.3 tag with ``size`` bytes of padding."""
    syncsafe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + syncsafe + bytes(size)


def wav():
    out = io.BytesIO()
    with wave.open(out, "wb") as handle:
        handle.setnchannels(1)
        handle.setsampwidth(2)
        handle.setframerate(8000)
        handle.writeframes(bytes(1600))
    return out.getvalue()


class TestSniff(BaseCase):
    def test_sounds(self):
        for data, kind in (
            (mp3(5), "audio/mpeg"),
            (FRAME, "audio/mpeg"),
            (id3(300) + mp3(5), "audio/mpeg"),
            (id3(90000) + mp3(5), "audio/mpeg"),
            (wav(), "audio/wav"),
            (b"OggS\0\2" + bytes(60), "audio/ogg"),
            (b"fLaC\0\0\0\x22" + bytes(60), "audio/flac"),
            (b"fLaC\x80\0\0\x22" + bytes(60), "audio/flac"),
            (b"\0\0\0\x20ftypM4A \0\0\0\0" + bytes(60), "audio/mp4"),
            (b"\0\0\0\x1cftypisom\0\0\2\0" + bytes(60), "audio/mp4"),
            (b"\0\0\0\x1cftyp3gp4\0\0\2\0" + bytes(60), "audio/3gpp"),
        ):
            self.assertEqual(audio.sniff_audio(data), kind)
            self.assertEqual(audio.sniff_audio(data[:4096]), kind)

    def test_no_sounds(self):
        page = "<!DOCTYPE html><html><body>Please log in</body></html>" * 20
        for data in (
            b"", b"abc", bytes(100), b"\xff" * 500, b"%PDF-1.7" + bytes(50),
            page.encode(), page.encode("utf-16"), page.encode("utf-16-be"),
            b"\xef\xbb\xbf" + page.encode(), b"\r\n\r\n" + page.encode(),
            b'<?xml version="1.0"?><error/>', b'{"error": "no such recording"}',
            b"404 page not found\n", b"\x89PNG\r\n\x1a\n" + bytes(50),
            b"\xff\xd8\xff\xe0" + bytes(500), b"GIF89a" + bytes(50),
            b"RIFF\0\0\0\0WEBPVP8 " + bytes(50), b"RIFF\0\0\0\0AVI LIST" + bytes(50),
            b"\0\0\0\x1cftypavif\0\0\0\0" + bytes(60), b"OggS page about Ogg",
            b"ID3 is a tag format, see <html>", b"ID3\x03\0\0\xff\0\0\0" + bytes(50),
            id3(20) + page.encode(), HEAD + page.encode(), b"PK\3\4" + bytes(50),
        ):  # fmt: skip
            self.assertIsNone(audio.sniff_audio(data), data[:20])

    def test_every_frame_header_field_counts(self):
        for head in (
            b"\xff\xe9\x38\xc0",  # reserved version
            b"\xff\xf1\x38\xc0",  # layer 0: ADTS
            b"\xff\xf7\x38\xc0",  # layer I
            b"\xff\xf3\xf8\xc0",  # bad bit rate
            b"\xff\xf3\x08\xc0",  # free bit rate
            b"\xff\xf3\x3c\xc0",  # reserved sample rate
            b"\xfe\xf3\x38\xc0",  # no sync
        ):
            self.assertIsNone(audio.parse_frame(head + bytes(200)))
        self.assertEqual(audio.parse_frame(FRAME).length, LENGTH)
        # 128 kbit/s, 44100 Hz, padded: the textbook's 418 bytes
        self.assertEqual(audio.parse_frame(b"\xff\xfb\x92\x64").length, 418)

    @examples
    @given(st.text(min_size=20))
    def test_text_is_never_sound(self, text):
        for coding in ("utf-8", "utf-16", "utf-16-le", "utf-16-be"):
            data = f"<html>{text}".encode(coding, "replace")
            self.assertIsNone(audio.sniff_audio(data))

    @examples
    @given(st.binary(max_size=300))
    def test_never_raises(self, data):
        for start in (b"", HEAD, b"ID3\x03\0\0\0\0\0", b"\0\0\0\x20ftyp", b"fLaC"):
            audio.sniff_audio(start + data)

    def test_declared_type_only_refuses(self):
        for kind in ("audio/mpeg", "application/octet-stream", "", "image/png"):
            self.assertEqual(audio.accept_audio(mp3(5), kind), "audio/mpeg")
            self.assertIsNone(audio.accept_audio(b"<html>" * 50, kind))
        for kind in ("text/html", "text/plain", "application/json"):
            self.assertIsNone(audio.accept_audio(mp3(5), kind))


class TestDuration(BaseCase):
    def duration(self, data):
        with tempfile.NamedTemporaryFile() as handle:
            handle.write(data)
            handle.flush()
            return audio.mp3_duration(handle.name)

    def test_constant(self):
        for data in (
            mp3(1000),
            id3(5000) + mp3(1000),
            mp3(1000) + b"TAG" + bytes(125),
            b"\0" * 700 + mp3(1000),
            mp3(1000) + FRAME[:3],
        ):
            self.assertAlmostEqual(self.duration(data), 1000 * SECONDS, places=6)

    def test_cut_short_counts_what_is_there(self):
        whole = mp3(1000)
        seconds = self.duration(whole[: len(whole) // 2])
        self.assertAlmostEqual(seconds, 500 * SECONDS, delta=SECONDS)

    def test_variable(self):
        # the same stream at 32 kbit/s: other length, same time
        louder = bytes([0xFF, 0xF3, 0x48, 0xC0]) + bytes(144 - 4)
        data = mp3(100) + louder * 300 + mp3(100)
        self.assertAlmostEqual(self.duration(data), 500 * SECONDS, places=6)

    def test_headers(self):
        for tag in (b"Xing", b"Info"):
            first = bytearray(FRAME)
            first[13:25] = tag + b"\0\0\0\1" + (12345).to_bytes(4)
            seconds = self.duration(mp3(50, bytes(first)))
            self.assertAlmostEqual(seconds, 12345 * SECONDS, places=6)
            first[17:21] = bytes(4)  # flags: no frame count
            seconds = self.duration(mp3(50, bytes(first)))
            self.assertAlmostEqual(seconds, 50 * SECONDS, places=6)
        first = bytearray(FRAME)
        first[36:40], first[50:54] = b"VBRI", (777).to_bytes(4)
        seconds = self.duration(mp3(50, bytes(first)))
        self.assertAlmostEqual(seconds, 777 * SECONDS, places=6)

    def test_no_mp3(self):
        for data in (b"", b"x", wav(), b"<html>" * 100, bytes(5000), b"\xff" * 99):
            self.assertIsNone(self.duration(data))
        self.assertIsNone(audio.mp3_duration("/nowhere/at/all.mp3"))

    @examples
    @given(st.binary(max_size=500))
    def test_never_raises(self, data):
        self.duration(FRAME * 2 + data)
        self.duration(id3(3) + FRAME[:40] + data)
