# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import csv
import re

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import file_open

DATA = "oda_crm/data/activity_classes.csv"
CODE = re.compile(r"[A-Ua-u]|\d{2}(?:\.?\d{1,2})?")
LEVELS = {1: "section", 2: "division", 4: "group", 5: "class"}  # length of the code


class OdaActivityClass(models.Model):
    """Fields of activity: CAEM Rev.2, the national form of NACE Rev.2."""

    _name = "oda.activity.class"
    _description = "Field of Activity"
    _order = "code, id"
    _parent_store = True

    code = fields.Char(required=True, index=True)
    name = fields.Char(required=True, index="trigram")
    level = fields.Selection(
        [
            ("section", "Section"),
            ("division", "Division"),
            ("group", "Group"),
            ("class", "Class"),
        ],
        required=True,
        default="class",
    )
    parent_id = fields.Many2one(
        "oda.activity.class",
        string="Part of",
        ondelete="restrict",
        index="btree_not_null",
    )
    parent_path = fields.Char(index=True)
    active = fields.Boolean(default=True)

    _code_unique = models.Constraint("UNIQUE(code)", "This code is already there.")

    @api.depends("code", "name")
    def _compute_display_name(self):
        for one in self:
            one.display_name = f"{one.code or ''} {one.name or ''}".strip()

    @api.model
    def _search_display_name(self, operator, value):
        """A code, whole or begun, with or without the dot; else words of the name."""
        if operator == "ilike" and isinstance(value, str):
            text = value.strip()
            if CODE.fullmatch(text):
                if text[2:] and "." not in text:
                    text = f"{text[:2]}.{text[2:]}"
                return Domain("code", "=like", text.upper() + "%")
            return Domain("name", "ilike", text)
        if operator == "in":
            return Domain("code", "in", value) | Domain("name", "in", value)
        return super()._search_display_name(operator, value)

    @api.model
    def _seed(self):
        """Fill an empty table from the file, floor by floor. Returns rows made."""
        if self.with_context(active_test=False).search_count([], limit=1):
            return 0
        with file_open(DATA, "r") as stream:
            rows = list(csv.DictReader(stream))
        ids = {}
        for size, level in LEVELS.items():
            floor = [row for row in rows if len(row["code"]) == size]
            made = self.create(
                [
                    {
                        "code": row["code"],
                        "name": row["name"],
                        "level": level,
                        "parent_id": ids.get(row["parent"], False),
                    }
                    for row in floor
                ]
            )
            ids.update((one.code, one.id) for one in made)
        return len(ids)
