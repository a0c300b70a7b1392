# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import os
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, get_db_name, tagged

from ..models.oda_recording_waveform import OdaRecording as Waveform

KEY = "committed-recordings"


@tagged("post_install", "-at_install")
class TestRecordingCommitted(BaseCase):
    """The night with real transactions: the bytes are really gone from the disk."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        for target, name, double in (
            (Registry, "_lock", DummyRLock()),
            (Waveform, "_enqueue_waveform", lambda _self: None),
        ):
            patcher = patch.object(target, name, double)
            patcher.start()
            self.addCleanup(patcher.stop)
        self.addCleanup(self._in, self._clean)
        self.ids, self.paths = self._in(self._make)

    def _in(self, function):
        with self.registry.cursor() as cr:
            result = function(api.Environment(cr, SUPERUSER_ID, {}))
            cr.commit()  # pylint: disable=invalid-commit
        return result

    def _make(self, env):
        account = env["oda.connector.account"].create(
            {"name": KEY, "connector": "moldcell", "key": KEY, "active": False}
        )
        ids, paths = [], []
        for number, months in enumerate((7, 7, 1)):
            call = env["oda.call"].create(
                {
                    "account_id": account.id,
                    "company_id": account.company_id.id,
                    "callid": f"{KEY}-{number}",
                    "started_at": datetime.now() - timedelta(days=31 * months),
                }
            )
            recording = env["oda.recording"].create({"call_id": call.id})
            sound = b"\xff\xf3\x44\xc4" + os.urandom(5000)
            digest = hashlib.sha256(sound).hexdigest()
            recording._stored(sound, "audio/mpeg", digest, 9)
            attachment = recording._sound_attachment()
            ids.append(recording.id)
            paths.append(attachment._full_path(attachment.store_fname))
        env["oda.recording"].browse(ids[1])._hold("the court asked for it", False)
        return ids, paths

    def _clean(self, env):
        account = (
            env["oda.connector.account"]
            .with_context(active_test=False)
            .search([("key", "=", KEY)])
        )
        calls = env["oda.call"].search([("account_id", "=", account.id)])
        calls.recording_ids.unlink()
        calls.unlink()
        account.unlink()

    def _states(self):
        return self._in(
            lambda env: env["oda.recording"].browse(self.ids).mapped("state")
        )

    def test_over_age_is_gone_from_the_disk(self):
        self.assertTrue(all(map(os.path.exists, self.paths)))
        self._in(lambda env: env["oda.recording"]._cron_retention())
        self.assertEqual(self._states(), ["deleted", "stored", "stored"])
        self.assertEqual(
            [os.path.exists(path) for path in self.paths], [False, True, True]
        )
        found = self._in(
            lambda env: (
                env["oda.event"]
                .search(
                    [
                        ("code", "=", "recording.delete"),
                        ("res_model", "=", "oda.recording"),
                        ("res_id", "=", self.ids[0]),
                    ]
                )
                .mapped("details")
            )
        )
        self.assertEqual(found[0]["call"], f"{KEY}-0")

    def test_encrypting_what_is_there(self):
        """A job of the whole company: the clear files are gone from the disk."""

        def encrypt(env):
            company = env["oda.recording"].browse(self.ids[0]).company_id
            company.oda_recording_encrypt = True
            jobs = [("model_name", "=", "oda.recording"), ("state", "=", "pending")]
            env["queue.job"].search(jobs).unlink()
            return company.id

        def plain(env):
            env["res.company"].browse(company_id).oda_recording_encrypt = False

        company_id = self._in(encrypt)
        self.addCleanup(self._in, plain)
        done = self._in(lambda env: env["oda.recording"]._seal_old(company_id))
        self.assertRegex(done, r"^\d+ sealed, all done$")
        self.assertFalse([path for path in self.paths if os.path.exists(path)])

        def heard(env):
            recording = env["oda.recording"].browse(self.ids[0])
            with recording._open_sound()[0] as file:
                return hashlib.sha256(file.read()).hexdigest() == recording.sha256

        self.assertTrue(self._in(heard))
