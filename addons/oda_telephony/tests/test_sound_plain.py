# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import io
import json
import math
import os
import struct
import tempfile
import wave
import zipfile
import zlib
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..sound import archive_worker, names, waveform
from ..sound.sealed import SealedBroken, SealedReader, SealedWriter, new_key
from ..sound.zipfile_stored import StoredZip

PIECE = 64  # bytes: so that short texts have many pieces


def sealed(plain, key, step=50, piece=PIECE):
    out = io.BytesIO()
    with SealedWriter(out, key, piece) as writer:
        for at in range(0, len(plain), step):
            writer.write(plain[at : at + step])
    return out.getvalue()


@tagged("post_install", "-at_install")
class TestSealedFile(BaseCase):
    @given(st.binary(max_size=400), st.integers(1, 200), st.data())
    @settings(max_examples=80, deadline=None)
    def test_any_part_comes_back(self, plain, step, data):
        key = new_key()
        reader = SealedReader(io.BytesIO(sealed(plain, key, step)), key)
        self.assertEqual(reader.size, len(plain))
        self.assertEqual(reader.read(), plain)
        start = data.draw(st.integers(0, len(plain) + 5))
        count = data.draw(st.integers(0, 120))
        reader.seek(start)
        found = b""
        while len(found) < count and (block := reader.read(count - len(found))):
            found += block
        self.assertEqual(found, plain[start : start + count])

    @given(st.binary(min_size=1, max_size=300), st.data())
    @settings(max_examples=80, deadline=None)
    def test_a_changed_byte_does_not_open(self, plain, data):
        key = new_key()
        stored = bytearray(sealed(plain, key))
        at = data.draw(st.integers(0, len(stored) - 1))
        stored[at] ^= data.draw(st.integers(1, 255))
        with self.assertRaises(SealedBroken):
            # the four last bytes of the header mean nothing, and are not read
            if 12 <= at < 16:
                raise SealedBroken
            self.assertNotEqual(SealedReader(io.BytesIO(stored), key).read(), plain)

    def test_cut_short_reordered_or_anothers(self):
        key, plain = new_key(), bytes(range(256))
        stored = sealed(plain, key)
        step = PIECE + 28
        pieces = [stored[16 + n * step : 16 + (n + 1) * step] for n in range(4)]
        for name, other in {
            "the last piece is gone": stored[: 16 + 3 * step],
            "half a piece is gone": stored[:-10],
            "two pieces changed places": stored[:16]
            + b"".join(pieces[n] for n in (1, 0, 2, 3)),
            "nothing but a header": stored[:16],
            "not even that": b"ODA",
            "no sealed file": b"ID3" + bytes(500),
        }.items():
            with self.subTest(name), self.assertRaises(SealedBroken):
                SealedReader(io.BytesIO(other), key).readall()
        with self.assertRaises(SealedBroken):
            SealedReader(io.BytesIO(stored), new_key()).readall()

    def test_the_plain_text_is_nowhere_in_it(self):
        plain = b"a very secret word " * 500
        self.assertNotIn(b"secret", sealed(plain, new_key()))


@tagged("post_install", "-at_install")
class TestStoredZip(BaseCase):
    def _written(self, entries):
        out = io.BytesIO()
        archive = StoredZip(out.write)
        for name, content in entries:
            moment = datetime(2026, 5, 12, 9, 3)
            archive.add(name, len(content), zlib.crc32(content), [content], moment)
        archive.finish()
        self.assertEqual(archive.position, out.tell())
        return zipfile.ZipFile(out)

    @given(st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=50)))
    @settings(max_examples=50, deadline=None)
    def test_other_programs_read_it(self, files):
        files = {
            f"{n}-{names.plain(k, 20)}": v for n, (k, v) in enumerate(files.items())
        }
        found = self._written(files.items())
        self.assertIsNone(found.testzip())
        self.assertEqual({n: found.read(n) for n in found.namelist()}, files)

    def test_more_files_than_the_old_format_counts(self):
        found = self._written((f"{n}.txt", b"x") for n in range(66000))
        self.assertEqual(len(found.namelist()), 66000)
        self.assertEqual(found.read("65999.txt"), b"x")
        self.assertEqual(found.getinfo("7.txt").date_time[:5], (2026, 5, 12, 9, 3))

    def test_larger_than_four_gigabytes(self):
        """Sparse: nothing of the gigabytes is written to the disk."""
        with tempfile.TemporaryFile() as out:

            def write(data):
                if data is gap:
                    out.seek(5 * 1024**3, os.SEEK_CUR)
                else:
                    out.write(data)

            gap = memoryview(b"")

            class Gap:
                def __len__(self):
                    return 5 * 1024**3

            gap = Gap()
            archive = StoredZip(write)
            archive.add("large.bin", 5 * 1024**3, 0, [gap])
            archive.add("after.txt", 5, zlib.crc32(b"after"), [b"after"])
            archive.finish()
            found = zipfile.ZipFile(out)
            self.assertEqual(found.read("after.txt"), b"after")
            self.assertEqual(found.getinfo("large.bin").file_size, 5 * 1024**3)

    def test_a_file_that_grew_meanwhile_is_refused(self):
        archive = StoredZip(lambda data: None)
        with self.assertRaises(ValueError):
            archive.add("x", 3, 0, [b"1234"])


@tagged("post_install", "-at_install")
class TestArchiveNames(BaseCase):
    def test_what_it_says(self):
        name = names.recording_name(
            datetime(2026, 10, 3, 14, 7),
            "in",
            "+373 69 555-111",
            "Ana Cușnir / șef",
            "ab:12*?",
            "audio/mpeg",
        )
        self.assertEqual(
            name, "2026-10-03_1407_in_37369555111_Ana-Cușnir-șef_ab-12.mp3"
        )

    def test_nothing_known(self):
        self.assertEqual(
            names.recording_name(None, None, None, None, None, None), "x_x_x_x_x_x.bin"
        )

    @given(*[st.text(max_size=300)] * 4)
    @settings(max_examples=150, deadline=None)
    def test_safe_on_any_system(self, direction, phone, agent, callid):
        name = names.recording_name(
            datetime(2026, 1, 1), direction, phone, agent, callid, "audio/wav"
        )
        self.assertLessEqual(len(name), names.LONGEST)
        self.assertFalse(set(name) & set('<>:"/\\|?*\0\n\r\t\u202e'))
        self.assertFalse(name.startswith((".", " ")) or name[:-4].endswith((".", " ")))
        self.assertTrue(name.startswith("2026-01-01_0000_"))
        name.encode()  # half an emoji would not

    def test_the_same_name_twice(self):
        used = set()
        self.assertEqual(names.unused("A.mp3", used, 7), "A.mp3")
        self.assertEqual(names.unused("a.mp3", used, 8), "a-8.mp3")


@tagged("post_install", "-at_install")
class TestArchivePart(BaseCase):
    """The process that writes a part, run within this one."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "out.zip"
        self.told = []

    def _item(self, name, content, key=None, sha256=None):
        path = self.folder / f"{name}.stored"
        path.write_bytes(sealed(content, key, 70000, 65536) if key else content)
        return {
            "path": str(path),
            "key": key and key.hex(),
            "name": name,
            "moment": "2026-05-12T09:03:00",
            "sha256": sha256 or hashlib.sha256(content).hexdigest(),
            "row": [name],
        }

    def _run(self, items, key=None):
        head = {
            "out": str(self.out),
            "key": key and key.hex(),
            "manifest": "manifest.csv",
            "header": ["File", "Bytes", "SHA-256", "Remark"],
            "words": {"missing": "lipsește", "damaged": "stricat", "differs": "altul"},
        }
        plan = [json.dumps(one) for one in (head, *items)]
        return archive_worker.run(plan, self.told.append)

    def _states(self):
        return [one[1] for message in self.told for one in message.get("items", ())]

    def test_plain_sealed_missing_damaged_changed(self):
        key = new_key()
        large = os.urandom(archive_worker.WHOLE + 12345)
        items = [
            self._item("plain.mp3", b"one" * 1000),
            self._item("sealed.mp3", b"two" * 100000, key),
            self._item("large.mp3", large),
            self._item("changed.mp3", b"three", sha256="0" * 64),
            {**self._item("wrong-key.mp3", b"four" * 9, key), "key": new_key().hex()},
            {**self._item("gone.mp3", b"five"), "path": str(self.folder / "nowhere")},
            {**self._item("never.mp3", b"six"), "path": None},
        ]
        self.assertTrue(self._run(items))
        found = zipfile.ZipFile(self.out)
        self.assertIsNone(found.testzip())
        self.assertEqual(
            found.namelist(),
            ["plain.mp3", "sealed.mp3", "large.mp3", "changed.mp3", "manifest.csv"],
        )
        self.assertEqual(found.read("sealed.mp3"), b"two" * 100000)
        self.assertEqual(found.read("large.mp3"), large)
        self.assertEqual(
            self._states(),
            ["done", "done", "done", "differs", "damaged", "missing", "missing"],
        )
        manifest = found.read("manifest.csv").decode("utf-8-sig").splitlines()
        self.assertEqual(manifest[0], "File,Bytes,SHA-256,Remark")
        self.assertTrue(manifest[4].endswith(",altul"))
        self.assertTrue(manifest[5].endswith(",stricat"))
        self.assertTrue(manifest[6].endswith(",lipsește"))
        self.assertIn(hashlib.sha256(large).hexdigest(), manifest[3])
        whole = self.out.read_bytes()
        self.assertEqual(
            self.told[-1],
            {"size": len(whole), "sha256": hashlib.sha256(whole).hexdigest()},
        )

    def test_encrypted_itself(self):
        key = new_key()
        self.assertTrue(self._run([self._item("a.mp3", b"heard" * 99999)], key))
        self.assertNotIn(b"heard", self.out.read_bytes())
        plain = SealedReader(open(self.out, "rb"), key).readall()
        self.assertEqual(hashlib.sha256(plain).hexdigest(), self.told[-1]["sha256"])
        self.assertIsNone(zipfile.ZipFile(io.BytesIO(plain)).testzip())

    def test_full_disk_is_said_and_leaves_nothing(self):
        """/dev/full is what a full disk is: each write ends with ENOSPC."""

        def full(path, mode, **options):
            if "x" in mode:
                path, mode = "/dev/full", "wb"
            return real(path, mode, **options)

        real = open
        with patch.object(archive_worker, "open", full, create=True):
            self.assertFalse(self._run([self._item("a.mp3", b"x" * 5_000_000)]))
        self.assertEqual(self.told[-1]["error"], "full")
        self.assertFalse(self.out.exists())

    def test_nobody_waits_any_more(self):
        def gone():
            raise archive_worker.Orphaned

        items = [self._item("a.mp3", b"x" * 1000)]
        head = {"out": str(self.out), "key": None, "manifest": "m", "header": []}
        plan = [json.dumps({**head, "words": {}}), *map(json.dumps, items)]
        with self.assertRaises(archive_worker.Orphaned):
            archive_worker.run(plan, self.told.append, gone)
        self.assertFalse(self.out.exists())


@tagged("post_install", "-at_install")
class TestWaveform(BaseCase):
    def _wav(self, seconds=4):
        """Two seconds of a tone, then silence."""
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(
                b"".join(
                    struct.pack("<h", int(20000 * math.sin(n / 3)) if n < 16000 else 0)
                    for n in range(8000 * seconds)
                )
            )
        out.seek(0)
        return out

    def test_loud_then_silent(self):
        try:
            import miniaudio  # noqa: F401
        except ImportError:
            self.skipTest("miniaudio is not installed: no waveforms are drawn")
        drawn = waveform.measure(self._wav(), 4)
        self.assertGreaterEqual(len(drawn), 190)
        half = len(drawn) // 2
        self.assertGreater(min(drawn[5 : half - 5]), 100)
        self.assertLess(max(drawn[half + 5 :]), 3)

    def test_no_sound_no_waveform(self):
        for content in (
            b"",
            b"<html>no</html>" * 99,
            b"\xff\xf3\x44\xc4" + bytes(9000),
        ):
            with self.subTest(content[:9]):
                try:
                    waveform.measure(io.BytesIO(content), 4)
                except waveform.NoWaveform:
                    continue

    @given(st.binary(min_size=1, max_size=5000), st.integers(1, 50))
    @settings(max_examples=40, deadline=None)
    def test_shrunk_keeps_what_is_loud(self, values, most):
        shrunk = waveform.shrink(values, most)
        self.assertLessEqual(len(shrunk), most)
        self.assertEqual(max(shrunk), max(values))
