# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import io
import os
import zipfile

from odoo.tests import HttpCase, new_test_user, tagged

from .test_recording_archive import ARCHIVE, ArchiveCase


@tagged("post_install", "-at_install")
class TestArchiveHttp(ArchiveCase, HttpCase):
    encrypt = False

    def setUp(self):
        super().setUp()
        self.env.company.oda_recording_encrypt = self.encrypt
        self.recorded(1, content=os.urandom(300_000))
        self.archive = self.made()
        self.path = f"/oda/recording/archive/{self.archive.id}/1"
        self.authenticate("t_maker", "t_maker")

    def test_whole_and_in_ranges(self):
        answer = self.url_open(self.path)
        self.assertEqual(answer.status_code, 200)
        part = self.archive.part_ids
        self.assertEqual(hashlib.sha256(answer.content).hexdigest(), part.sha256)
        self.assertIsNone(zipfile.ZipFile(io.BytesIO(answer.content)).testzip())
        self.assertIn(part.name, answer.headers["Content-Disposition"])
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertIn("private", answer.headers["Cache-Control"])
        rest = self.url_open(self.path, headers={"Range": "bytes=250000-"})
        self.assertEqual(rest.status_code, 206)
        self.assertEqual(rest.content, answer.content[250000:])
        # a browser goes on only with what it began with
        tag = answer.headers["ETag"]
        same = {"Range": "bytes=5-9", "If-Range": tag}
        self.assertEqual(self.url_open(self.path, headers=same).status_code, 206)
        other = {"Range": "bytes=5-9", "If-Range": '"another"'}
        self.assertEqual(self.url_open(self.path, headers=other).status_code, 200)
        events = self.events("recording.archive.take", self.archive)
        self.assertEqual(len(events), 1, "a resumed download is the same one")
        self.assertEqual(events.user_id, self.maker)
        self.assertEqual(events.details["part"], 1)

    def test_sums(self):
        answer = self.url_open(self.path[:-1] + "sums")
        part = self.archive.part_ids
        self.assertEqual(answer.text, f"{part.sha256}  {part.name}\n")

    def test_nobody_else(self):
        new_test_user(self.env, "t_second", groups=ARCHIVE)
        new_test_user(self.env, "t_portal", groups="base.group_portal")
        new_test_user(self.env, "t_adm", groups="oda_base.group_admin")
        for login in ("t_second", "t_boss", "t_ana", "t_adm", "t_portal"):
            self.authenticate(login, login)
            for path in (self.path, self.path[:-1] + "sums"):
                with self.subTest(login=login, path=path):
                    self.assertEqual(self.url_open(path).status_code, 404)
        self.authenticate(None, None)
        answer = self.url_open(self.path, allow_redirects=False)
        self.assertIn(answer.status_code, (302, 303))
        self.assertFalse(self.events("recording.archive.take", self.archive))

    def test_what_is_not_there(self):
        for path in (
            "/oda/recording/archive/99999999/1",
            self.path[:-1] + "2",
            self.path[:-1] + "0",
        ):
            self.assertEqual(self.url_open(path).status_code, 404)
        self.archive.action_remove()
        self.env.flush_all()
        self.assertEqual(self.url_open(self.path).status_code, 404)
        self.assertEqual(self.archive.state, "removed")

    def test_lost_from_the_disk(self):
        os.unlink(self.archive.sudo()._part_path(1))
        self.assertEqual(self.url_open(self.path).status_code, 404)


@tagged("post_install", "-at_install")
class TestSealedArchiveHttp(TestArchiveHttp):
    encrypt = True

    def test_key_gone(self):
        self.keys.clear()
        answer = self.url_open(self.path)
        self.assertEqual(answer.status_code, 503)
        self.assertIn("Tell an administrator", answer.text)
