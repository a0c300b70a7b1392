# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""PBX Moldcell: a tenant of the ITooLabs switch, as seen from a CRM."""

from .double import MoldcellDouble as DOUBLE

__all__ = ["DOUBLE"]
