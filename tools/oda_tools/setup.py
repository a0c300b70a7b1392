# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The stages before a database: system, server, Python, cluster, settings."""

import contextlib
import shutil

from oda_tools import cluster, locks, paths, python_env, server, settings, system
from oda_tools.console import Stage, Stop, say
from oda_tools.runtime import Runtime

# server 1.3, Python packages 0.5, cluster and databases, downloads: in GB
ROOM = 4


def prepare(dev=False, stages=5):
    """Do what is still needed and start the cluster; returns a Runtime.

    :param bool dev: also what tests and lint need
    :param int stages: how many the whole command has, for the numbers shown
    :raise Stop: one paragraph in words
    """
    paths.check_root()
    paths.make_local()
    own = cluster.Cluster()
    with locks.setup(), contextlib.ExitStack() as undo:
        undo.callback(own.release)
        _check_room()
        with Stage(f"1/{stages} system packages") as stage:
            system.ensure(stage, dev)
        with Stage(f"2/{stages} Odoo server") as stage:
            server.ensure(stage)
        with Stage(f"3/{stages} Python packages") as stage:
            python_env.ensure(stage, dev)
        with Stage(f"4/{stages} PostgreSQL") as stage:
            own.ensure()
            own.start()
            stage.note = f"version {own.version}, 127.0.0.1:{own.port}"
        with Stage(f"5/{stages} settings") as stage:
            conf = settings.write(own)
            stage.note = str(conf.relative_to(paths.ROOT))
        undo.pop_all()
    return Runtime(own, conf)


def _check_room():
    """Stop before a first set-up that the disk cannot hold."""
    if (paths.STAMPS / "python.json").exists():
        return
    free = shutil.disk_usage(paths.LOCAL).free / 1e9
    if free < ROOM:
        raise Stop(
            f"The disk of {paths.LOCAL} has {free:.1f} GB free; the first set-up needs "
            f"{ROOM} GB. Free some space and run the same command again."
        )
    say(f"Setting up in {paths.LOCAL}; this takes some minutes the first time.")
