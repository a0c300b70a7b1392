# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import io
import os
import tracemalloc
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.oda_base import sealing
from odoo.addons.oda_base.sealing import SealBroken, SealingKeyMissing

from .common import SECRET
from .test_recording_keeping import LINK, SOUND, RecordingCase

KEYS = ["the first key of these tests, long enough"]


class SealedCase(RecordingCase):
    def setUp(self):
        super().setUp()
        self.keys = list(KEYS)

        def secrets():
            if not self.keys:
                raise SealingKeyMissing("none")
            return self.keys

        patcher = patch.object(sealing, "_secrets", secrets)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.account.secret = SECRET  # sealed with the server's own key until now

    def heard(self, recording):
        with recording._open_sound()[0] as file:
            return file.read()


@tagged("post_install", "-at_install")
class TestSealed(SealedCase):
    def test_on_the_disk_nothing_is_readable(self):
        self.env.company.oda_recording_encrypt = True
        recording = self.recorded(1)
        with open(self.path_of(recording), "rb") as file:
            stored = file.read()
        self.assertNotIn(SOUND[:64], stored)
        self.assertEqual(self.heard(recording), SOUND + b"1")
        self.assertEqual(
            recording.sha256, hashlib.sha256(SOUND + b"1").hexdigest(), "of the sound"
        )
        self.assertEqual(recording.size, len(SOUND) + 1)

    def test_without_it_the_disk_has_the_sound(self):
        recording = self.recorded(1)
        self.assertFalse(recording.audio_key)
        with open(self.path_of(recording), "rb") as file:
            self.assertEqual(file.read(), SOUND + b"1")

    def test_what_was_there_is_encrypted_by_the_job(self):
        before = [self.recorded(number) for number in range(3)]
        paths = [self.path_of(one) for one in before]
        self.env.company.oda_recording_encrypt = True
        self.env["oda.recording"]._seal_old(self.env.company.id)
        self.env.invalidate_all()
        for number, recording in enumerate(before):
            self.assertTrue(recording.audio_key)
            self.assertEqual(self.heard(recording), SOUND + str(number).encode())
            self.assertNotEqual(self.path_of(recording), paths[number])
        self.env["ir.attachment"]._gc_file_store_unsafe()
        self.assertFalse([path for path in paths if os.path.exists(path)])
        self.assertEqual(
            self.env["oda.recording"]._seal_old(self.env.company.id),
            "0 sealed, all done",
        )

    def test_a_lost_file_does_not_stop_the_job(self):
        lost, there = self.recorded(1), self.recorded(2)
        os.unlink(self.path_of(lost))
        self.env.company.oda_recording_encrypt = True
        logger = "odoo.addons.oda_telephony.models.oda_recording_seal"
        with self.assertLogs(logger, "WARNING"):
            self.env["oda.recording"]._seal_old(self.env.company.id)
        self.assertFalse(lost.audio_key)
        self.assertTrue(there.audio_key)

    def test_no_key_no_switch(self):
        self.keys.clear()
        with self.assertRaises(UserError) as caught:
            self.env.company.oda_recording_encrypt = True
        self.assertIn("ODA_SECRET_KEY_FILE", str(caught.exception))

    def test_roll_over(self):
        self.env.company.oda_recording_encrypt = True
        recording = self.recorded(1)
        path = self.path_of(recording)
        self.keys.insert(0, "a newer key of these tests, long enough")
        self.assertEqual(self.heard(recording), SOUND + b"1")
        self.assertEqual(self.env["oda.recording"]._reseal_old_keys(), 1)
        self.assertEqual(self.env["oda.recording"]._reseal_old_keys(), 0)
        self.keys.pop()
        self.env.invalidate_all()
        self.assertEqual(self.heard(recording), SOUND + b"1")
        self.assertEqual(self.path_of(recording), path, "the file stays as it is")

    def test_a_key_of_another_row_does_not_open(self):
        self.env.company.oda_recording_encrypt = True
        one, other = self.recorded(1), self.recorded(2)
        other.audio_key = one.audio_key
        with self.assertRaises(SealBroken):
            other._open_sound()

    def test_removed_with_its_key(self):
        """Whoever has an old backup of the files cannot open them any more."""
        self.env.company.oda_recording_encrypt = True
        recording = self.recorded(1)
        recording._remove("age")
        self.assertFalse(recording.audio_key)

    def test_a_crash_leaves_a_file_that_is_collected(self):
        recording = self.recorded(1)
        files = self.env["ir.attachment"]
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            recording._keep_sound(io.BytesIO(b"another sound" * 999), seal=False)
            path = self.path_of(recording)
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertTrue(os.path.exists(path))
        files._gc_file_store_unsafe()
        self.assertFalse(os.path.exists(path))
        self.assertEqual(self.heard(recording), SOUND + b"1")

    def test_anothers_file_is_never_overwritten(self):
        """A made-up collision of SHA-1 must not replace what hangs elsewhere."""
        recording = self.recorded(1)
        path = self.path_of(recording)
        with open(path, "wb") as file:
            file.write(b"other content under this name")
        self.addCleanup(os.unlink, path)
        with self.assertRaises(FileExistsError):
            recording._keep_sound(io.BytesIO(SOUND + b"1"), seal=False)

    def test_large_ones_are_never_in_memory(self):
        class Zeros(io.RawIOBase):
            """200 MB that are nowhere."""

            size, at = 200 * 1024**2, 0

            def seek(self, offset, whence=io.SEEK_SET):
                self.at = self.size + offset if whence == io.SEEK_END else offset
                return self.at

            def read(self, count=-1):  # pylint: disable=method-required-super
                count = min(count, self.size - self.at)
                self.at += count
                return bytes(count)

        self.env.company.oda_recording_encrypt = True
        recording = self.answered_call(link=LINK % 1).recording_ids.sudo()
        tracemalloc.start()
        recording._stored(Zeros(), "audio/mpeg", "0" * 64, 60)
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertLess(most, 16 * 1024**2)
        self.assertEqual(recording.size, Zeros.size)
        file, size = recording._open_sound()
        with file:
            self.assertEqual(size, Zeros.size)
            file.seek(123_456_789)
            self.assertEqual(file.read(10), bytes(10))


@tagged("post_install", "-at_install")
class TestSealedHttp(SealedCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.env.company.oda_recording_encrypt = True
        self.sound = SOUND * 30 + b"1"  # several pieces
        self.recording = self.recorded(1, content=self.sound)
        self.path = f"/oda/recording/{self.recording.id}"
        self.authenticate("t_ana", "t_ana")

    def _get(self, **headers):
        return self.url_open(self.path, headers=headers)

    def test_ranges_over_encrypted_sound(self):
        whole = self._get()
        self.assertEqual(whole.status_code, 200)
        self.assertEqual(whole.content, self.sound)
        self.assertEqual(whole.headers["Content-Type"], "audio/mpeg")
        self.assertEqual(whole.headers["Accept-Ranges"], "bytes")
        self.assertEqual(whole.headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("private", whole.headers["Cache-Control"])
        size = len(self.sound)
        for asked, expected in (
            ("bytes=0-9", self.sound[:10]),
            ("bytes=65530-65545", self.sound[65530:65546]),
            ("bytes=-5", self.sound[-5:]),
            (f"bytes={size - 3}-", self.sound[-3:]),
        ):
            with self.subTest(asked):
                part = self._get(Range=asked)
                self.assertEqual(part.status_code, 206)
                self.assertEqual(part.content, expected)
                self.assertTrue(part.headers["Content-Range"].endswith(f"/{size}"))
        self.assertEqual(self._get(Range=f"bytes={size}-").status_code, 416)
        self.assertEqual(len(self.events("recording.listen", self.recording)), 1)

    def test_head(self):
        answer = self.opener.head(self.base_url() + self.path)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(int(answer.headers["Content-Length"]), len(self.sound))
        self.assertFalse(self.events("recording.listen", self.recording))

    def test_missing_key_is_said_in_words(self):
        self.keys.clear()
        answer = self._get()
        self.assertEqual(answer.status_code, 503)
        self.assertIn("Tell an administrator", answer.text)
        self.assertNotIn("Traceback", answer.text)
        self.assertFalse(self.events("recording.listen", self.recording))

    def test_damaged_file(self):
        path = Path(self.path_of(self.recording))
        # Back at the end: the collection of files complains of one that is gone.
        self.addCleanup(path.write_bytes, path.read_bytes())
        with open(path, "r+b") as file:
            file.write(b"XXXX")
        self.assertEqual(self._get().status_code, 503)
        path.unlink()
        self.assertEqual(self._get().status_code, 404)

    def test_download_is_a_right_of_its_own(self):
        path = f"{self.path}?download=1"
        self.assertEqual(self.url_open(path).status_code, 404)
        self.assertFalse(self.events("recording.download", self.recording))
        self.ana.group_ids += self.env.ref("oda_telephony.group_recording_download")
        answer = self.url_open(path)
        self.assertEqual(answer.content, self.sound)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        event = self.events("recording.download", self.recording)
        self.assertEqual(event.user_id, self.ana)
        self.url_open(path, headers={"Range": "bytes=9-"})
        self.assertEqual(len(self.events("recording.download", self.recording)), 1)
        self.assertFalse(self.events("recording.listen", self.recording))

    def test_the_right_alone_hears_nothing(self):
        new_test_user(
            self.env,
            "t_taker",
            groups="oda_base.group_consultant,oda_telephony.group_recording_archive",
        )
        self.authenticate("t_taker", "t_taker")
        for path in (self.path, f"{self.path}?download=1"):
            self.assertEqual(self.url_open(path).status_code, 404)

    def test_removed(self):
        self.recording._remove("age")
        self.env.flush_all()
        self.assertEqual(self._get().status_code, 404)
