# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from .. import layout


class Base(models.AbstractModel):
    """What is exported through another model is exported all the same."""

    _inherit = "base"

    def export_data(self, fields_to_export):
        for name in fields_to_export:
            self._oda_require_along(name)
        return super().export_data(fields_to_export)

    @api.model
    def _oda_require_along(self, path):
        """Refuse a path through records that this person may not export.

        The name of one record, as `partner_id` shows it, and its ids are no export.
        """
        model, names = self, path.split("/")
        for position, name in enumerate(names):
            field = model._fields.get(name)
            if field is None:
                return
            if name.startswith(layout.BRIDGE) and field.related:
                # shown here, but another record's
                model._oda_require_along(field.related.replace(".", "/"))
            if not field.relational:
                return
            model = self.env[field.comodel_name]
            beyond = set(names[position + 1 :]) - {"id", ".id"}
            many = field.type != "many2one"
            if (beyond or many) and getattr(model, "_oda_subject", None):
                model._oda_require("export")
