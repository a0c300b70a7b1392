# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Refusals that the screens tell from others by their class."""

from odoo.exceptions import UserError


class ResultRefused(UserError):
    """A task does not close with this text; the screen keeps what was typed."""
