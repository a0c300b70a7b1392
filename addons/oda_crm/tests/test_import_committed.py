# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, get_db_name, tagged

from ..models import oda_import_run

NAME = "Import Committed"


class Killed(BaseException):
    """The process is gone: nothing catches it, nothing is written after it."""


@tagged("post_install", "-at_install")
class TestImportCommitted(BaseCase):
    """Real transactions: nothing is half imported, whenever it ends."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        patcher = patch.object(Registry, "_lock", DummyRLock())
        patcher.start()
        self.addCleanup(patcher.stop)
        self.addCleanup(self._cleanup)
        rows = "".join(f"{NAME} {n},+373 68 {n:06}\n" for n in range(30))

        def prepare(env):
            one = env["oda.import"].create(
                {"file": base64.b64encode(f"Nume,Telefon\n{rows}".encode())}
            )
            one.action_read()
            one.action_run()
            env["queue.job"].search([("model_name", "=", "oda.import")]).unlink()
            return one.id

        self.import_id = self._in(prepare)

    def _in(self, function):
        with self.registry.cursor() as cr:
            result = function(api.Environment(cr, SUPERUSER_ID, {}))
            cr.commit()  # pylint: disable=invalid-commit
        return result

    def _cleanup(self):
        def clean(env):
            env["res.partner"].search([("name", "like", NAME)]).unlink()
            env["oda.import"].browse(self.import_id).exists().unlink()

        self._in(clean)

    def _count(self):
        return self._in(
            lambda env: env["res.partner"].search_count([("name", "like", NAME)])
        )

    def _state(self):
        return self._in(lambda env: env["oda.import"].browse(self.import_id).state)

    def _job(self):
        self._in(lambda env: env["oda.import"].browse(self.import_id)._job_run())

    def test_killed_anywhere_leaves_nothing_and_runs_again(self):
        for name in ("_oda_create_batch", "_oda_finish"):
            original = getattr(oda_import_run.OdaImport, name)

            def die(records, *args, original=original):
                original(records, *args)
                raise Killed

            with (
                self.subTest(after=name),
                patch.object(oda_import_run.OdaImport, name, die),
                patch.object(oda_import_run, "BATCH", 10),
            ):
                with self.assertRaises(Killed):
                    self._job()
                self.assertEqual(self._count(), 0)
                self.assertEqual(self._state(), "running")
        self._job()
        self.assertEqual((self._count(), self._state()), (30, "done"))
        self._job()
        self.assertEqual(self._count(), 30, "done is done")

    def test_stopped_in_the_middle(self):
        tell = oda_import_run.OdaImport._oda_tell_progress
        percents = []

        def cancel(records, percent):
            percents.append(percent)
            if len(percents) == 2:
                self._in(
                    lambda env: env["oda.import"].browse(self.import_id).action_cancel()
                )
            tell(records, percent)

        with (
            patch.object(oda_import_run.OdaImport, "_oda_tell_progress", cancel),
            patch.object(oda_import_run, "BATCH", 10),
        ):
            self._job()
        self.assertEqual(percents, [0, 33])
        self.assertEqual((self._count(), self._state()), (0, "cancelled"))

    def test_progress_is_seen_from_outside(self):
        seen = []
        tell = oda_import_run.OdaImport._oda_tell_progress

        def look(records, percent):
            tell(records, percent)
            seen.append(
                self._in(lambda env: env["oda.import"].browse(self.import_id).progress)
            )

        with (
            patch.object(oda_import_run.OdaImport, "_oda_tell_progress", look),
            patch.object(oda_import_run, "BATCH", 10),
        ):
            self._job()
        self.assertEqual(seen, [0, 33, 66, 99])
