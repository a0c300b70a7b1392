# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models


class OdaImportProgress(models.Model):
    """How far an import is, and whether it shall stop.

    Beside the import, and written in transactions of its own: the import itself is
    one transaction, which nobody sees into and which nobody must get in the way of.
    """

    _name = "oda.import.progress"
    _description = "Progress of an Import"
    _log_access = False
    _rec_name = "import_id"

    import_id = fields.Many2one(
        "oda.import", required=True, index=True, ondelete="cascade"
    )
    percent = fields.Integer()
    cancel_asked = fields.Boolean()
