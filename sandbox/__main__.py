# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Command line: ``python -m sandbox --port 8070 --odoo http://127.0.0.1:8069``."""

import argparse
import logging
import sys
from urllib.parse import urlsplit

from aiohttp import web

from .app import create_app
from .core import Config


def _odoo_url(text):
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"not an http(s) address: {text}")
    return text.rstrip("/")


def _port(text):
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return int(text)


def main(argv=None):
    """Serve until Ctrl-C or SIGTERM; return the exit code (1: port taken)."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Stand-ins for the outside services."
    )
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=8070)
    parser.add_argument("--odoo", type=_odoo_url, default="http://127.0.0.1:8069")
    parser.add_argument(
        "--public-url",
        type=_odoo_url,
        help="how Odoo reaches this process (default http://127.0.0.1:PORT)",
    )
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    config = Config(
        odoo=args.odoo,
        public_url=args.public_url or f"http://127.0.0.1:{args.port}",
    )
    print(f"Sandbox: http://{args.bind}:{args.port}/  ->  {args.odoo}", flush=True)
    try:
        # A short grace: a page left open must not hold Ctrl-C back.
        web.run_app(
            create_app(config),
            host=args.bind,
            port=args.port,
            print=None,
            access_log=None,
            shutdown_timeout=1.0,
        )
    except OSError as error:
        print(f"Sandbox: cannot listen on {args.bind}:{args.port}: {error.strerror}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
