# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The listener's settings: an ini file, secrets in files of their own or the
environment. Never on the command line, where every user of the machine reads them."""

import configparser
import os
import stat
from dataclasses import dataclass, field
from urllib.parse import urlsplit


class ConfigError(Exception):
    """What is wrong and what to do, for the operator; holds no secret."""


@dataclass(frozen=True)
class Config:
    """`*_secret` are never printed. `ari_url` '' means: without ARI."""

    odoo_url: str
    key: str
    secret: str = field(repr=False)
    ami_host: str
    ami_port: int
    ami_tls: bool
    ami_ca: str
    ami_user: str
    ami_secret: str = field(repr=False)
    ari_url: str
    ari_user: str
    ari_secret: str = field(repr=False)
    ari_app: str
    ari_stand_back: float
    ca_file: str
    cdr_file: str
    spool: str

    @property
    def inbound(self):
        """Address that events are posted to."""
        return f"{self.odoo_url.rstrip('/')}/oda/in/asterisk/{self.key}"


def load(path, environ=None):
    """Return the :class:`Config` of an ini file; raise :class:`ConfigError`."""
    environ = os.environ if environ is None else environ
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}.") from None
    except (configparser.Error, UnicodeError) as error:
        raise ConfigError(f"{path} is no ini file: {type(error).__name__}.") from None

    def text(section, name, default=None):
        value = parser.get(section, name, fallback=default)
        if value is None or (default is None and not value.strip()):
            raise ConfigError(f"{path}: {name} is missing in [{section}].")
        return value.strip()

    def secret(section, variable):
        if environ.get(variable):
            return environ[variable].strip()
        return _secret_of(os.path.expandvars(text(section, "secret_file")))

    ari_url = text("ari", "url", "")
    return Config(
        odoo_url=_address(text("odoo", "url"), "url of [odoo]"),
        key=text("odoo", "key"),
        secret=secret("odoo", "ODA_ASTERISK_SECRET"),
        ca_file=text("odoo", "ca_file", ""),
        ami_host=text("ami", "host", "127.0.0.1"),
        ami_port=_port(text("ami", "port", "5038")),
        ami_tls=parser.getboolean("ami", "tls", fallback=False),
        ami_ca=text("ami", "ca_file", ""),
        ami_user=text("ami", "user"),
        ami_secret=secret("ami", "ODA_AMI_SECRET"),
        ari_url=_address(ari_url, "url of [ari]") if ari_url else "",
        ari_user=text("ari", "user", ""),
        ari_secret=secret("ari", "ODA_ARI_SECRET") if ari_url else "",
        ari_app=text("ari", "app", "oda"),
        ari_stand_back=float(text("ari", "stand_back", "300")),
        cdr_file=text("record", "cdr_file", ""),
        spool=text("listener", "spool"),
    )


def _secret_of(file):
    try:
        with open(file, encoding="utf-8") as handle:
            mode = os.fstat(handle.fileno()).st_mode
            value = handle.read().strip()
    except (OSError, UnicodeError):
        raise ConfigError(f"The secret's file {file} cannot be read.") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigError(f"{file} is open to every user: chmod 600 {file}")
    if not value or "\n" in value:
        raise ConfigError(f"{file} is to hold one line, the secret.")
    return value


def _port(text):
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise ConfigError("port of [ami] is no port: a number from 1 to 65535.")


def _address(text, what):
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in text:
        raise ConfigError(
            f"The {what} is no address: https://host, without a password."
        )
    return text.rstrip("/")
