# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import AccessError

from .people import given


class OdaBySystem(models.AbstractModel):
    """A model some fields of which buttons and jobs set, and no person by hand.

    `readonly` only tells the screen; here RPC, imports and defaults of the context
    are refused as well.
    """

    _name = "oda.by_system"
    _description = "Has Fields Set by the System"

    #: names of these fields
    _oda_by_system = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._oda_refuse_given(given(self, self._oda_by_system, vals, new=True))
        return super().create(vals_list)

    def write(self, vals):
        self._oda_refuse_given(given(self, self._oda_by_system, vals))
        return super().write(vals)

    @api.model
    def _oda_refuse_given(self, names):
        if names:
            raise AccessError(self.env._("This is set by the system."))
