# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Databases of one run: named after it, cloned from each other, dropped at the end."""

import hashlib
import os
import re
import threading
import time

from oda_tools.console import Stop, alive

GROUND = "oda_gate_"
MINE = re.compile(r"^oda_test_(\d+)_")


class Databases:
    """Makes and drops databases through the Runtime.

    :param runtime: the Runtime
    :param bool keep: leave everything for inspection (ODA_KEEP=1)
    """

    def __init__(self, runtime, keep=False):
        self.runtime = runtime
        self.keep = keep
        self._made = []
        self._lock = threading.Lock()

    @staticmethod
    def name(purpose):
        """Name of this run's database for a purpose, 63 characters at most."""
        return f"oda_test_{os.getpid()}_{purpose}"[:63]

    def clone(self, source, purpose):
        """A copy of ``source``, filestore included; returns its name."""
        target = self.remember(purpose)
        for attempt in range(10):
            try:
                self.runtime.createdb(target, template=source)
                return target
            except Stop as error:
                # a worker of the server (autovacuum) may be looking into the source
                if "being accessed" not in str(error) or attempt == 9:
                    raise
                time.sleep(1)
        return target

    def remember(self, purpose):
        """Reserve a name, so that the database is dropped at the end."""
        target = self.name(purpose)
        with self._lock:
            self._made.append(target)
        return target

    def drop(self, name):
        """Drop one early; quiet when that fails, the end of the run tries again."""
        if self.keep:
            return
        try:
            self.runtime.dropdb(name)
        except Stop:
            return
        with self._lock:
            if name in self._made:
                self._made.remove(name)

    def drop_all(self):
        """Drop what this run made; returns the names that were kept or stayed."""
        for name in list(self._made):
            self.drop(name)
        return list(self._made)

    def drop_orphans(self):
        """Drop databases of runs that were killed before they could clean up."""
        for name in self.runtime.databases():
            run = MINE.match(name)
            if run and not alive(int(run[1])) and not self.keep:
                self.runtime.dropdb(name)

    # -- the ground: what every addon stands on, kept between runs ------------------

    def ground_name(self, modules, sources):
        """Name of the kept template: changes with its modules and their manifests.

        :param modules: names installed in it
        :param sources: files whose content decides whether it is still good
        """
        digest = hashlib.sha256(" ".join(sorted(modules)).encode())
        for file in sorted(sources):
            digest.update(file.read_bytes())
        return GROUND + digest.hexdigest()[:12]

    def has(self, name):
        return name in self.runtime.databases()

    def keep_as_ground(self, made, name):
        """Give a finished database its lasting name and drop older grounds."""
        for old in self.runtime.databases():
            if old.startswith(GROUND) and old != name:
                self.drop(old)
        self.runtime.createdb(name, template=made)
        self.drop(made)
