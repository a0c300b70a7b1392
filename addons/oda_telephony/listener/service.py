# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The listener's threads and their end."""

import argparse
import logging
import os
import signal
import sys
import threading

from .ari import Ari
from .config import ConfigError, load
from .link import Link
from .poster import Poster
from .spool import Busy, Spool

_logger = logging.getLogger("listener")


def main(arguments):
    """Run until SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="listener", description=__doc__)
    parser.add_argument(
        "--config",
        default=os.environ.get("ODA_ASTERISK_CONFIG", "/etc/oda/asterisk.ini"),
        help="ini file; secrets are in files that it names",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    try:
        config = load(options.config)
        spool = Spool(config.spool)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except Busy as busy:
        sys.stderr.write(f"Another listener uses {busy}: one is enough.\n")
        return 3
    link = Link(config, spool, stop)
    ari = Ari(config, link, stop)
    poster = Poster(config, spool, link, ari, stop)
    threads = (link, poster, ari)
    for thread in threads:
        thread.start()
    status = _watch(threads, stop)
    for thread in threads:
        thread.join(25)
    spool.close()
    return status


def _watch(threads, stop):
    """Wait for the end. A thread that died by a fault of ours ends the process: the
    supervisor starts it anew, and the spool has everything."""
    while not stop.wait(1.0):
        for thread in threads[:2]:
            if not thread.is_alive():
                _logger.critical("%s has died; ending", thread.name)
                stop.set()
                return 1
    return 0
