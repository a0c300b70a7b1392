# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import csv

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import file_open

DATA = "oda_crm/data/localities.csv"
RURAL = ("commune", "village")


class OdaLocality(models.Model):
    """Districts and localities of the country (CUATM), for cards and reports.

    Two floors: districts, municipalities of the first rank and the autonomous unit
    have no parent; towns, communes and villages belong to one of them.
    """

    _name = "oda.locality"
    _description = "Locality"
    _order = "complete_name, id"
    _rec_name = "complete_name"
    _rec_names_search = ["complete_name", "code"]

    name = fields.Char(required=True)
    code = fields.Char(
        "CUATM Code", help="Seven digits of the state classifier, where known."
    )
    kind = fields.Selection(
        [
            ("district", "District"),
            ("municipality", "Municipality"),
            ("autonomy", "Autonomous unit"),
            ("town", "Town"),
            ("commune", "Commune"),
            ("village", "Village"),
        ],
        required=True,
        default="village",
    )
    parent_id = fields.Many2one(
        "oda.locality",
        string="District",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('parent_id', '=', False)]",
    )
    region = fields.Selection(
        [
            ("north", "North"),
            ("centre", "Centre"),
            ("south", "South"),
            ("gagauzia", "Gagauzia"),
            ("chisinau", "Chișinău"),
            ("left_bank", "Left bank of the Nistru"),
        ],
        compute="_compute_region",
        store=True,
        readonly=False,
        recursive=True,
    )
    complete_name = fields.Char(
        "Full Name",
        compute="_compute_complete_name",
        store=True,
        recursive=True,
        index="trigram",
    )
    active = fields.Boolean(default=True)

    _code_unique = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL", "This code already belongs to a locality."
    )
    _name_unique = models.UniqueIndex(
        "(COALESCE(parent_id, 0), name, kind) WHERE active",
        "This district already has a locality of this name and kind.",
    )

    @api.depends("parent_id.region")
    def _compute_region(self):
        for one in self:
            one.region = one.parent_id.region or one.region

    @api.depends("name", "kind", "parent_id.complete_name")
    def _compute_complete_name(self):
        short = {"district": "r. ", "municipality": "mun. ", "autonomy": "UTA "}
        for one in self:
            name = one.name or ""
            if one.parent_id:
                one.complete_name = f"{name}, {one.parent_id.complete_name}"
            else:
                one.complete_name = short.get(one.kind, "") + name

    @api.constrains("parent_id")
    def _check_parent(self):
        for one in self:
            if one.parent_id.parent_id or one.parent_id == one:
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be a district: it belongs to one itself.",
                        one.parent_id.name,
                    )
                )

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Who types a town means the town: what begins so comes before what is in its
        district."""
        found = super().name_search(name, domain, operator, limit)
        if not name or operator != "ilike":
            return found
        begins = Domain("name", "=ilike", f"{_plain(name)}%") & Domain(domain or [])
        first = self.search_fetch(begins, ["display_name"], limit=limit)
        first = first.sorted(
            lambda one: (one.kind in RURAL, len(one.name), not one.parent_id)
        )
        pairs = {one.id: one.display_name for one in first} | dict(found)
        return list(pairs.items())[:limit]

    @api.model
    def _seed(self):
        """Fill an empty table from the file; what people keep there is theirs.

        Returns the number of rows made. Two inserts, whatever the length.
        """
        if self.with_context(active_test=False).search_count([], limit=1):
            return 0
        with file_open(DATA, "r") as stream:
            rows = list(csv.DictReader(stream))
        tops = [row for row in rows if not row["district"]]
        made = self.create(
            [
                {
                    "name": row["name"],
                    "kind": row["kind"],
                    "region": row["region"],
                    "code": row["code"] or False,
                }
                for row in tops
            ]
        )
        ids = {
            (row["kind"], row["name"]): one.id
            for row, one in zip(tops, made, strict=True)
        }
        self.create(
            [
                {
                    "name": row["name"],
                    "kind": row["kind"],
                    "parent_id": ids[tuple(row["district"].split(":"))],
                    "code": row["code"] or False,
                }
                for row in rows
                if row["district"]
            ]
        )
        return len(rows)


def _plain(text):
    """Typed signs that a pattern would read as its own stand for themselves."""
    return text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
