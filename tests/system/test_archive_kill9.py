# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""kill -9 while an archive is made: it ends whole, and nothing is made twice."""

from oda_tools import paths
from tests.helpers import archive


def test_an_archive_survives_kill9(system):
    system.expect_log(
        "odoo.addons.queue_job.jobrunner.runner",
        "Re-queued dead job",
        "the job of a killed server is found by its released lock and run again",
    )
    filestore = paths.FILESTORE / system.db
    digests = archive.make_recordings(system.psql, filestore)
    asked = archive.ask_for_it(system.url, system.db)
    wrong, kills = archive.crash(
        system.psql, lambda: system.restart(crash=True), filestore, asked
    )
    assert wrong == []
    assert kills == len(archive.KILL_AT), "it was over before it could be killed"
    inside = archive.contents(filestore / "oda_archives" / str(asked))
    assert set(digests) <= set(inside)
    assert len(inside) == len(set(inside))
