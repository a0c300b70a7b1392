# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What is needed around an Asterisk: settings, our samples, what is said without."""

import importlib
import re
import subprocess
import sys
import types

import pytest

from oda_tools import apt, asterisk, mirrors, paths
from oda_tools.console import Stop
from oda_tools.listener import Listener


@pytest.fixture
def exchange(tmp_path):
    """One that is configured, not started: no Asterisk is needed."""
    root = tmp_path / "root"
    (root / "usr/lib/x86/asterisk/modules").mkdir(parents=True)
    made = asterisk.Asterisk(tmp_path / "own folder", "a-secret", root, 15999, 18999)
    return made.configure("http://127.0.0.1:1/contact", "a-token")


def test_settings_are_whole_and_private(exchange):
    files = sorted((exchange.folder / "etc").iterdir())
    names = {file.name for file in files}
    assert {"asterisk.conf", "extensions.conf", "extensions_oda.conf"} <= names
    assert "manager_oda.conf" not in names, "a sample for operators"
    for file in files:
        text = file.read_text("utf-8")
        assert not re.search(r"@\{", text), file.name
        assert file.stat().st_mode & 0o077 == 0, file.name
    manager = (exchange.folder / "etc" / "manager.conf").read_text()
    assert "secret = a-secret" in manager
    for name in ("manager.conf", "http.conf"):
        text = (exchange.folder / "etc" / name).read_text()
        assert re.search(r"(?m)^bindaddr = 127\.0\.0\.1$", text), name


def test_dialplan_keeps_its_own_dollars(exchange):
    text = (exchange.folder / "etc" / "extensions_oda.conf").read_text()
    assert "${CALLERID(num)}" in text
    assert "${CHANNEL(linkedid)}" in text
    text = (exchange.folder / "etc" / "extensions.conf").read_text()
    assert "ODA_CONTACT_TOKEN = a-token" in text


def test_without_debian_it_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(mirrors, "debian_archives", list)
    with pytest.raises(asterisk.Missing, match="no (Debian archive|apt)"):
        asterisk.ensure()
    monkeypatch.setattr(apt.shutil, "which", lambda _name: None)
    with pytest.raises(asterisk.Missing, match="no apt"):
        asterisk.ensure()


def test_a_packages_list_that_cannot_be_read(monkeypatch, tmp_path):
    """An archive that is not there: words, no trace left in the cache."""
    monkeypatch.setattr(paths, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(paths, "LOGS", tmp_path / "log")
    monkeypatch.setattr(
        mirrors, "debian_archives", lambda: [(f"file://{tmp_path}/nowhere", {})]
    )
    if not apt.shutil.which("apt-get"):
        pytest.skip("no apt here")
    with pytest.raises(Stop):
        asterisk.ensure()
    assert not list((tmp_path / "asterisk-22").glob("*.new-*"))


def test_the_sample_settings_of_the_listener(exchange, tmp_path, monkeypatch):
    for name in ("odoo_secret", "ami_secret"):
        file = tmp_path / name
        file.touch(mode=0o600)
        file.write_text(f"the {name}")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    bare = types.ModuleType("oda_telephony")
    bare.__path__ = [str(paths.ADDONS / "oda_telephony")]
    monkeypatch.setitem(sys.modules, "oda_telephony", bare)
    config = importlib.import_module("oda_telephony.listener.config")
    found = config.load(str(paths.CONFIG / "asterisk.ini"))
    assert found.inbound == "https://crm.example.md/oda/in/asterisk/main"
    assert (found.secret, found.ami_secret) == ("the odoo_secret", "the ami_secret")
    own = Listener(tmp_path / "listener", exchange, "http://127.0.0.1:1", "s")
    assert config.load(str(own.folder / "listener.ini")).ami_port == 15999
    for name in [name for name in sys.modules if name.startswith("oda_telephony")]:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_listener_says_what_is_wrong_with_its_settings(tmp_path):
    """No Odoo is needed for it, and no traceback comes of it."""
    program = paths.ADDONS / "oda_telephony" / "listener"
    (tmp_path / "bad.ini").write_text("[odoo]\nurl = https://crm.example.md\n")
    for name, words in (("bad.ini", "key is missing"), ("none.ini", "No such file")):
        done = subprocess.run(
            [sys.executable, program, "--config", tmp_path / name],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr
