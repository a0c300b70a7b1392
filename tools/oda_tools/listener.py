# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The listener beside the sandbox's Asterisk, run as an operator runs it."""

import os
import signal
import subprocess

from oda_tools import paths
from oda_tools.console import end, tail
from oda_tools.runtime import tied

PROGRAM = paths.ADDONS / "oda_telephony" / "listener"

_SETTINGS = """\
[odoo]
url = {odoo_url}
key = {key}
secret_file = {folder}/odoo.secret

[ami]
port = {ami_port}
user = oda
secret_file = {folder}/ami.secret

[ari]
url = {ari_url}
user = oda
secret_file = {folder}/ami.secret
stand_back = {stand_back}

[record]
cdr_file = {cdr_file}

[listener]
spool = {folder}/spool
"""


class Listener:
    """:param asterisk: an `Asterisk`
    :param Path folder: settings, secrets, spool and log of this one
    """

    def __init__(self, folder, asterisk, odoo_url, secret, key="demo", stand_back=300):
        self.folder, self.log_path = folder, folder / "listener.log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in (("odoo", secret), ("ami", asterisk.secret)):
            file = folder / f"{name}.secret"
            file.touch(mode=0o600)
            file.write_text(value)
        (folder / "listener.ini").write_text(
            _SETTINGS.format(
                odoo_url=odoo_url,
                key=key,
                folder=folder,
                ami_port=asterisk.ami_port,
                ari_url=asterisk.ari_url,
                cdr_file=asterisk.cdr_file,
                stand_back=stand_back,
            )
        )
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def start(self, python=paths.PYTHON):
        argv = [python, PROGRAM, "--config", self.folder / "listener.ini"]
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                tied(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        return self

    def poll(self):
        return self._process.poll()

    def last_lines(self):
        return tail(self.log_path.read_text(errors="replace"))

    def wait_ready(self, _timeout=0):
        return self

    def kill9(self):
        """As a crash would."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self):
        if self._process is not None:
            end(self._process)
