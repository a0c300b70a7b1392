# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import models

from ..spreadsheet import unguard


# pylint: disable-next=no-wizard-in-models  # core has it among the models too
class BaseImport(models.TransientModel):
    """Odoo's own import: by right, and reading back what our exports guarded."""

    _inherit = "base_import.import"

    def execute_import(self, fields, columns, options, dryrun=False):
        model = self.env.get(self.res_model)
        if getattr(model, "_oda_subject", None):
            model._oda_require("import")
        return super().execute_import(fields, columns, options, dryrun=dryrun)

    def _convert_import_data(self, fields, options):
        data, import_fields = super()._convert_import_data(fields, options)
        return [[unguard(cell) for cell in row] for row in data], import_fields
