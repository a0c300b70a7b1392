# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from .. import places

RURAL = places.RURAL


class OdaLocality(models.Model):
    """Districts and localities of the country (CUATM), for cards and reports.

    Districts, municipalities of the first rank and the autonomous units have no parent;
    all else belongs to one of them, and a village may belong to a commune or a town
    (``unit_id``) of the same district.
    """

    _name = "oda.locality"
    _description = "Locality"
    _order = "rank, name, complete_name, id"
    _rec_name = "complete_name"
    _rec_names_search = ["complete_name", "code"]

    name = fields.Char(required=True)
    name_ru = fields.Char(
        "Name in Russian", help="Found by it too; usage, not an official name."
    )
    code = fields.Char(
        "CUATM Code", help="Seven digits of the state classifier, where known."
    )
    kind = fields.Selection(
        [
            ("district", "District"),
            ("municipality", "Municipality"),
            ("autonomy", "Autonomous unit"),
            ("town", "Town or city"),
            ("sector", "City district"),
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
    unit_id = fields.Many2one(
        "oda.locality",
        string="Commune or Town",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('parent_id', '=', parent_id), ('unit_id', '=', False)]",
        help="Of a village that has no town hall of its own.",
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
    # What name_search looks in: folded in Python, so that a database without the
    # unaccent extension finds Hîncești by "hancesti" just the same.
    search_words = fields.Char(
        compute="_compute_complete_name", store=True, recursive=True, index="trigram"
    )
    rank = fields.Integer(compute="_compute_complete_name", store=True, recursive=True)
    active = fields.Boolean(default=True)

    _code_unique = models.UniqueIndex(
        "(code) WHERE code IS NOT NULL", "This code already belongs to a locality."
    )
    _name_unique = models.UniqueIndex(
        "(COALESCE(parent_id, 0), COALESCE(unit_id, 0), name, kind) WHERE active",
        "This district already has a locality of this name and kind.",
    )

    @api.depends("parent_id.region")
    def _compute_region(self):
        for one in self:
            one.region = one.parent_id.region or one.region

    @api.depends(
        "name",
        "name_ru",
        "code",
        "kind",
        "parent_id.complete_name",
        "unit_id.name",
        "unit_id.kind",
    )
    def _compute_complete_name(self):
        for one in self:
            unit, top = one.unit_id, one.parent_id
            around = (
                unit and places.full_name(unit.name, unit.kind),
                top.complete_name,
            )
            one.complete_name = places.full_name(one.name, one.kind, *around)
            one.search_words = places.words(one.name, one.name_ru, one.code, around)
            one.rank = places.rank(one.kind, not top, bool(unit))

    @api.constrains("parent_id", "unit_id")
    def _check_parent(self):
        for one in self:
            if one.parent_id.parent_id or one.parent_id == one:
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be a district: it belongs to one itself.",
                        one.parent_id.name,
                    )
                )
            unit = one.unit_id
            if unit and (
                unit == one or unit.unit_id or unit.parent_id != one.parent_id
            ):
                raise ValidationError(
                    self.env._(
                        "“%s” cannot be the commune here: it has to be a commune or a "
                        "town of the same district.",
                        unit.name,
                    )
                )

    # --------------------------------------------------------------------- search
    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Who types a town means the town: what begins so comes before what is in its
        district, towns before villages."""
        typed = places.fold(name)
        if not typed or operator != "ilike":
            return super().name_search(name, domain, operator, limit)
        domain = Domain(domain or [])
        begins = Domain("search_words", "like", f"{places.MARK}{typed}") & domain
        first = self.search_fetch(begins, ["display_name"], limit=limit)
        exact = first.filtered(
            lambda one: typed in places.spellings(one.name) + [places.fold(one.name_ru)]
        )
        pairs = {one.id: one.display_name for one in exact | first}
        if limit is None or len(pairs) < limit:
            more = self._oda_typed(name) & domain
            for one in self.search_fetch(more, ["display_name"], limit=limit):
                pairs.setdefault(one.id, one.display_name)
        return list(pairs.items())[:limit]

    @api.model
    def _search_display_name(self, operator, value):
        if operator in ("ilike", "not ilike") and isinstance(value, str) and value:
            found = self._oda_typed(value)
            return found if operator == "ilike" else ~found
        return super()._search_display_name(operator, value)

    @api.model
    def _oda_typed(self, text):
        """Domain of places in whose names, or around them, all typed words occur."""
        typed = places.fold(text).split()
        return (
            Domain.AND(Domain("search_words", "like", one) for one in typed[:12])
            if typed
            else Domain.FALSE
        )
