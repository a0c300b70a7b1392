# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The ``[oda]`` section of Odoo's configuration file.

    [oda]
    environment = production            ; or sandbox
    secret_key = <new>, <previous>      ; the first seals, all unseal
    sandbox_hosts = 127.0.0.1:8070      ; only read when environment = sandbox
    metrics_token = <random>            ; bearer of all of /oda/health, /oda/metrics

Odoo itself reads only ``[options]``; like queue_job, we read our own section of
the same file. It is read once a process: changing it needs a restart, as any
other option of the server does.
"""

import configparser
import functools
import logging
import re

_logger = logging.getLogger(__name__)

ENVIRONMENTS = ("production", "sandbox")


_HIDDEN = re.compile("secret|token|password")


class Section(dict):
    """A dict that does not print its secrets when it lands in a log or error."""

    def __repr__(self):
        return repr({k: "***" if _HIDDEN.search(k) else v for k, v in self.items()})

    __str__ = __repr__


def parse_section(values):
    """Turn raw option strings into a Section.

    :param dict values: option name -> text
    :return: Section with at least ``secret_key`` (str, may be empty),
        ``environment`` ('production' | 'sandbox') and ``sandbox_hosts``
        (list of 'host:port', always empty in production); other options as text
    """
    section = Section(values)
    environment = str(section.get("environment") or "production").strip().lower()
    if environment not in ENVIRONMENTS:
        _logger.error(
            "[oda] environment = %r is neither %s: taken as production",
            environment,
            " nor ".join(ENVIRONMENTS),
        )
        environment = "production"
    hosts = str(section.get("sandbox_hosts") or "").replace(",", " ").split()
    section["environment"] = environment
    section["secret_key"] = str(section.get("secret_key") or "").strip()
    # An entry forgotten in a production file must open nothing.
    sandbox = environment == "sandbox"
    section["sandbox_hosts"] = [host.lower() for host in hosts] if sandbox else []
    return section


def read_section(path):
    """Read the ``[oda]`` section of the file at ``path`` (may be absent)."""
    parser = configparser.ConfigParser(
        interpolation=None, inline_comment_prefixes=(";",)
    )
    if path:
        parser.read([path], encoding="utf-8")
    return parse_section(dict(parser["oda"]) if parser.has_section("oda") else {})


@functools.lru_cache(maxsize=1)
def oda_section():
    """The section of the running server, cached; see :func:`parse_section`.

    Call it as ``settings.oda_section()`` so that a test can patch it in one place.
    """
    from odoo.tools import config  # the only line of ours here that needs Odoo

    return read_section(config.get("config"))
