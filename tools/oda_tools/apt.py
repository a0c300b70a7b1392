# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Debian packages fetched by apt with lists and state of its own.

The machine's own apt configuration and installed packages are neither read (but for
the address of its archive) nor changed.
"""

import os
import shutil

from oda_tools import mirrors, paths
from oda_tools.console import Stop, run


class PrivateApt:
    """apt over suites of the archive that this machine already uses.

    :param Path folder: for lists and state; the caller removes it
    :param tuple suites: such as ("sid",)
    :param tuple archive: (uri, kept fields) of :func:`mirrors.debian_archives`
    """

    def __init__(self, folder, suites, archive):
        self.folder = folder
        for name in ("parts", "lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        stanza = mirrors.stanza(*archive, suites)
        (folder / "parts" / "oda.sources").write_text(stanza)
        options = {
            "Dir::Etc::SourceList": "/dev/null",
            "Dir::Etc::SourceParts": folder / "parts",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::Status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "",
            "APT::Update::Error-Mode": "any",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::Retries": "2",
            # a dated mirror's list of sid is out of its validity, by design
            "Acquire::Check-Valid-Until": "false",
        }
        self._command = ["apt-get", "-q", "-y"]
        self._command += [f"-o{name}={value}" for name, value in options.items()]
        self._env = {**os.environ, "LC_ALL": "C.UTF-8"}
        self._log = paths.LOGS / "setup.log"

    @property
    def archives(self):
        """Folder that :meth:`fetch` leaves the packages in."""
        return self.folder / "cache" / "archives"

    def update(self):
        """Read the package lists. Raises Stop."""
        what = "Reading Debian's package lists"
        run([*self._command, "update"], what, env=self._env, log=self._log)

    def fetch(self, packages, what):
        """Download packages with all that they depend on. Raises Stop."""
        command = [*self._command, "--download-only", "install", *packages]
        run(command, what, env=self._env, log=self._log)


def archives():
    """Archives to try: a list of (uri, kept fields).

    :raise Stop: this is no Debian, or has no apt
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise Stop("this machine has no apt.")
    found = mirrors.debian_archives()
    if not found:
        raise Stop("this machine's apt sources name no Debian archive.")
    return found
