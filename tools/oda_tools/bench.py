# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""`make bench`: the benches of tests/bench, run with the venv's Python.

Settings from the environment: ``ONLY`` (names of benches), ``QUICK=1``.
"""

import os
import subprocess

from oda_tools import paths
from oda_tools.console import Stop, end
from oda_tools.runtime import Runtime


def run():
    """Prepare the clone, run the benches; returns 1 when a target was missed."""
    if not (paths.ROOT / "tests" / "bench" / "__main__.py").exists():
        raise Stop("There are no benches in this clone (tests/bench).")
    wanted = {name: os.environ.get(name, "") for name in ("ONLY", "QUICK")}
    folders = os.pathsep.join([str(paths.ROOT), str(paths.ROOT / "tools")])
    with Runtime.prepare(dev=True) as runtime:
        process = subprocess.Popen(
            [str(runtime.python), "-m", "tests.bench"],
            env=runtime.env({"PYTHONPATH": folders, **wanted}),
            cwd=paths.ROOT,
        )
        try:
            return process.wait()
        except BaseException:
            # the benches got the Ctrl-C of the terminal too: let them tidy up
            end(process, 60)
            raise
