# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaInstrumentGroup(models.Model):
    """A heading of the consultation form."""

    _name = "oda.instrument.group"
    _description = "Group of Instruments"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    instrument_ids = fields.One2many("oda.instrument", "group_id")
