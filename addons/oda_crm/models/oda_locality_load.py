# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
from collections import Counter

from odoo import SUPERUSER_ID, api, models
from odoo.tools import SQL, file_open

from .. import places

DATA = "oda_crm/data/localities.csv"
EDITION = "oda_crm.localities_edition"
# In our first list, typed by hand, but in no classifier: (district, name).
MISTAKES = {("14", "Tîrnova"), ("27", "Fîntînița")}


class OdaLocality(models.Model):
    _inherit = "oda.locality"

    @api.model
    def _seed(self):
        """Bring in the classifier when the file is a new edition; returns rows changed.

        Idempotent, some ten statements whatever the length. Rows that people have
        edited keep what they say and only get what they lack (code, Russian name,
        commune); rows that only people made stay as they are.
        """
        with file_open(DATA, "r") as stream:
            text = stream.read()
        edition = hashlib.sha256(text.encode()).hexdigest()[:16]
        # sudo: a parameter of the addon's own; who calls this is the loader or a test
        parameters = self.env["ir.config_parameter"].sudo()
        some = self.with_context(active_test=False).search_count([], limit=1)
        if some and parameters.get_param(EDITION) == edition:
            return 0
        self.flush_model()
        changed = self._load_places(places.read(text.splitlines()))
        self._refresh_names()
        self.invalidate_model(flush=False)
        parameters.set_param(EDITION, edition)
        return changed

    # ------------------------------------------------------------------ steps
    def _load_places(self, rows):
        tops = {}  # district -> id
        units = {}  # code -> id
        changed = 0
        often = Counter((one.district, places.fold(one.name)) for one in rows)
        for part in (
            [one for one in rows if one.is_top],
            [one for one in rows if not one.is_top and not one.unit],
            [one for one in rows if one.unit],
        ):
            known = _Known(self._rows())
            values = [
                (
                    one,
                    None if one.is_top else tops[one.district],
                    units.get(one.unit),
                )
                for one in part
            ]
            new = []
            for one, parent, unit in values:
                alone = often[one.district, places.fold(one.name)] == 1
                row = known.match(one, parent, alone)
                if row is None:
                    new.append((one, parent, unit))
                else:
                    changed += self._update_place(known, row, one, parent, unit)
            changed += self._insert_places(new)
            found = _Known(self._rows())
            for one, parent, _unit in values:
                row = found.match(one, parent)
                if one.is_top:
                    tops[one.district] = row["id"]
                elif row:
                    units[one.code] = row["id"]
        return changed + self._archive_mistakes(tops)

    def _rows(self):
        self.env.cr.execute(
            "SELECT id, code, name, name_ru, kind, parent_id, unit_id, region, "
            "write_uid FROM oda_locality ORDER BY active DESC NULLS LAST, id"
        )
        return self.env.cr.dictfetchall()

    def _insert_places(self, values):
        if not values:
            return 0
        rows = [
            SQL(
                "(%s, %s, %s, %s, %s, %s, %s)",
                one.name,
                one.name_ru or None,
                one.code or None,
                one.kind,
                parent,
                unit,
                one.region or None,
            )
            for one, parent, unit in values
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO oda_locality (name, name_ru, code, kind, parent_id, unit_id,
                       region, active, create_uid, write_uid, create_date, write_date)
                SELECT v.name, v.name_ru, v.code, v.kind, v.parent::int, v.unit::int,
                       COALESCE(v.region, top.region), TRUE, %(uid)s, %(uid)s,
                       NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
                  FROM (VALUES %(rows)s)
                       AS v (name, name_ru, code, kind, parent, unit, region)
             LEFT JOIN oda_locality top ON top.id = v.parent::int
                ON CONFLICT DO NOTHING
                """,
                uid=SUPERUSER_ID,
                rows=SQL(", ").join(rows),
            )
        )
        return self.env.cr.rowcount

    def _update_place(self, known, row, one, parent, unit):
        """Bring one row up to date; 1 if anything changed. Few rows come here."""
        wanted = {
            "code": one.code or None,
            "name_ru": one.name_ru or None,
            "unit_id": unit,
        }
        ours = row["write_uid"] in (SUPERUSER_ID, None)
        if ours:
            wanted |= {"name": one.name, "kind": one.kind}
        vals = {
            name: value
            for name, value in wanted.items()
            if value != row[name] and (ours or (value and not row[name]))
        }
        after = row | vals
        if known.taken(row, after, parent):
            vals = {name: vals[name] for name in ("code", "name_ru") if name in vals}
            after = row | vals
        if vals:
            pairs = [
                SQL("%s = %s", SQL.identifier(name), value)
                for name, value in vals.items()
            ]
            self.env.cr.execute(
                SQL(
                    "UPDATE oda_locality SET %s WHERE id = %s",
                    SQL(", ").join(pairs),
                    row["id"],
                )
            )
            known.changed(row, after)
        return bool(vals)

    def _archive_mistakes(self, tops):
        ours = [
            (tops[district], name) for district, name in MISTAKES if district in tops
        ]
        self.env.cr.execute(
            "UPDATE oda_locality SET active = FALSE WHERE active AND code IS NULL "
            "AND unit_id IS NULL AND write_uid = %s AND (parent_id, name) IN %s",
            (SUPERUSER_ID, tuple(ours) or ((0, ""),)),
        )
        return self.env.cr.rowcount

    def _refresh_names(self):
        """Set what follows from names and places, for all rows, in one statement."""
        by_id = {row["id"]: row for row in self._rows()}
        values = []
        for row in by_id.values():
            top, unit = by_id.get(row["parent_id"]), by_id.get(row["unit_id"])
            around = (
                unit and places.full_name(unit["name"], unit["kind"]),
                top and places.full_name(top["name"], top["kind"]),
            )
            values.append(
                SQL(
                    "(%s, %s, %s, %s)",
                    row["id"],
                    places.full_name(row["name"], row["kind"], *around),
                    places.words(row["name"], row["name_ru"], row["code"], around),
                    places.rank(row["kind"], not top, bool(unit)),
                )
            )
        if values:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE oda_locality l
                       SET complete_name = v.full_name,
                           search_words = v.words, rank = v.rank
                      FROM (VALUES %s) AS v (id, full_name, words, rank)
                     WHERE l.id = v.id AND (l.complete_name, l.search_words, l.rank)
                           IS DISTINCT FROM (v.full_name, v.words, v.rank)
                    """,
                    SQL(", ").join(values),
                )
            )


class _Known:
    """Rows of the table, found as the classifier means them."""

    def __init__(self, rows):
        self.by_code = {row["code"]: row for row in rows if row["code"]}
        self.tops = {
            (row["kind"], places.fold(row["name"])): row
            for row in rows
            if not row["parent_id"]
        }
        self.names = {self._key(row, row["parent_id"]) for row in rows}
        self.loose = {}  # (parent, urban or not, folded name) -> rows without a code
        for row in rows:
            if not row["code"]:
                key = row["parent_id"], _sort(row["kind"]), places.fold(row["name"])
                self.loose.setdefault(key, []).append(row)

    def match(self, one, parent, alone=False):
        """The row that is this place already, or None; one without a code once.

        ``alone``: no other place of the district has the name, so a village that has
        become a town meanwhile is the same place.
        """
        if one.code in self.by_code:
            return self.by_code[one.code]
        if one.is_top:
            return self.tops.get((one.kind, places.fold(one.name)))
        sorts = ("urban", "rural") if alone else (_sort(one.kind),)
        for sort in sorts:
            if loose := self.loose.get((parent, sort, places.fold(one.name))):
                return loose.pop(0)
        return None

    def taken(self, before, after, parent):
        """Whether another row has the name that this one is about to have."""
        key = self._key(after, parent)
        return key in self.names and key != self._key(before, before["parent_id"])

    def changed(self, before, after):
        """Remember the new name of a row."""
        self.names.discard(self._key(before, before["parent_id"]))
        self.names.add(self._key(after, after["parent_id"]))

    @staticmethod
    def _key(row, parent):
        return parent, row["unit_id"], row["name"], row["kind"]


def _sort(kind):
    """Towns are not mistaken for villages of their name, nor either for districts."""
    if kind in (places.TOWN, places.MUNICIPALITY):
        return "urban"
    return "rural" if kind in places.RURAL else kind
