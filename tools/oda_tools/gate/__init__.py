# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The quality gate behind ``make test`` and ``make lint``.

``stages.py`` says what runs and in which order; every other file is one concern:
reading addons (``addons``), counting tests without running them (``counting``),
databases, processes, log reading and the log's verdict, and one file a kind of test.
"""

from oda_tools.gate.stages import lint, test

__all__ = ["lint", "test"]
