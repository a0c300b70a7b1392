# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Run by path, `python addons/oda_telephony/listener`: without Odoo and its workers."""

import importlib
import sys
import types
from pathlib import Path

ADDON = Path(__file__).resolve().parents[1]


def main():
    # The addon's own __init__ imports models, and so Odoo: a bare package in its place
    # lets `..drivers` be found without it.
    bare = types.ModuleType("oda_telephony")
    bare.__path__ = [str(ADDON)]
    sys.modules["oda_telephony"] = bare
    return importlib.import_module("oda_telephony.listener.service").main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
