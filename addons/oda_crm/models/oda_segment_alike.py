# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from textwrap import shorten

from psycopg2.errors import QueryCanceled

from odoo import Command, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .. import alike

SHOWN = 15
LONGEST = 50  # letters of one name among the reasons
SECONDS = 2.0
#: trait -> plain field of the beneficiary
_PLAIN = {
    "activity": "oda_activity_class_id",
    "locality": "oda_locality_id",
    "size": "oda_size_class",
    "legal_form": "oda_legal_form",
    "age_group": "oda_age_group",
    "gender": "oda_gender",
}


# pylint: disable-next=no-wizard-in-models  # one model a file, in one place
class OdaSegmentSimilar(models.TransientModel):
    """Who is most like this beneficiary, and why: shown before a segment is made."""

    _inherit = "oda.segment.similar"

    match_ids = fields.One2many(
        "oda.segment.similar.match", "wizard_id", string="Most alike"
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        partner = self.env["res.partner"].browse(values.get("partner_id")).exists()
        if partner and "match_ids" in fields:
            partner.check_access("read")
            values["match_ids"] = [
                Command.create({"partner_id": one.id, "reasons": why, "score": score})
                for one, why, score in self._oda_matches(partner)
            ]
        return values

    @api.model
    def _oda_matches(self, partner):
        """Return [(beneficiary, why in words, points)] of who is like `partner`.

        Best first, at most `SHOWN`; the reader's record rules hold in every part. Two
        queries and one for each kind of trait, whatever the number of beneficiaries;
        nobody when it takes too long.
        """
        mine = self._oda_traits(partner)[partner.id]
        if not any(mine.values()):
            return []
        ids = self._oda_candidates(partner, mine)
        people = self.env["res.partner"].browse(ids)
        theirs = self._oda_traits(people)
        names = self._oda_names(mine)
        found = []
        for one in people:
            shared = alike.compare(mine, theirs[one.id])
            if shared:
                why = "; ".join(self._oda_why(part, names) for part in shared)
                found.append((one, why, alike.points(shared)))
        return sorted(found, key=lambda match: (-match[2], match[0].id))

    @api.model
    def _oda_traits(self, people):
        """Return {id: {trait: value}} for `alike.compare`; ids, keys and sets."""
        traits = {}
        for one in people:
            known = {trait: one[name] for trait, name in _PLAIN.items()}
            activity, locality = known["activity"], known["locality"]
            traits[one.id] = {
                **known,
                "activity": activity.id,
                "branch": _branch(activity).id,
                "locality": locality.id,
                "district": (locality.parent_id or locality).id,
                "tags": set(one.category_id.ids),
                "programmes": set(),
                "instruments": set(),
            }
        for trait, (model, column, domain) in self._oda_hanging().items():
            domain = Domain("partner_id", "in", people.ids) & domain
            groups = self.env[model]._read_group(domain, ["partner_id", column])
            for owner, value in groups:
                traits[owner.id][trait].add(value.id)
        return traits

    @api.model
    def _oda_hanging(self):
        """Return {trait: (model, field, domain)} of what hangs on a beneficiary, as
        far as this person may read it."""
        hanging = {
            "programmes": (
                "oda.programme.follower",
                "programme_id",
                Domain("unsubscribed_at", "=", False),
            ),
            "instruments": ("oda.instrument.answer", "instrument_id", Domain.TRUE),
        }
        return {
            trait: found
            for trait, found in hanging.items()
            if self.env[found[0]].has_access("read")
        }

    @api.model
    def _oda_conditions(self, mine):
        """Return {trait: Domain of the beneficiaries who share it}."""
        conditions = {
            trait: Domain(name, "=", mine[trait])
            for trait, name in _PLAIN.items()
            if mine[trait]
        }
        if mine["branch"]:
            conditions["branch"] = Domain(
                "oda_activity_class_id", "child_of", mine["branch"]
            )
        if mine["district"]:
            conditions["district"] = Domain(
                "oda_locality_id", "child_of", mine["district"]
            )
        if mine["tags"]:
            field = self.env["res.partner"]._fields["category_id"]
            # One set for all, where the ORM would look into each card's tags.
            tagged = SQL(
                "(SELECT %s FROM %s WHERE %s IN %s)",
                SQL.identifier(field.column1),
                SQL.identifier(field.relation),
                SQL.identifier(field.column2),
                tuple(sorted(mine["tags"])),
            )
            conditions["tags"] = Domain("id", "in", tagged)
        for trait, (model, column, domain) in self._oda_hanging().items():
            if mine[trait]:
                wanted = domain & Domain(column, "in", sorted(mine[trait]))
                query = self.env[model]._search(wanted)
                whose = query.subselect(SQL.identifier(query.table, "partner_id"))
                conditions[trait] = Domain("id", "in", whose)
        return conditions

    @api.model
    def _oda_candidates(self, partner, mine):
        """Return the ids of the most alike, weighed by the database."""
        conditions = self._oda_conditions(mine)
        weights = {trait.name: trait for trait in alike.TRAITS}
        strong = [name for name in conditions if weights[name].strong]
        chosen = [conditions[name] for name in strong or conditions]
        Partner = self.env["res.partner"]
        domain = (
            Domain("partner_share", "=", True)
            & Domain("id", "!=", partner.id)
            & Domain.OR(chosen)
        )
        query = Partner._search(domain)
        if query.is_empty():
            return []
        score = SQL(" + ").join(
            SQL(
                "%s * COALESCE(%s, false)::int",
                weights[name].weight,
                condition.optimize_full(Partner)._to_sql(Partner, query.table, query),
            )
            for name, condition in conditions.items()
        )
        query.order = SQL("%s DESC, %s", score, SQL.identifier(query.table, "id"))
        query.limit = SHOWN
        try:
            rows = self.env["oda.segment"]._execute_within(query.select(), SECONDS)
        except QueryCanceled:
            return []
        return [row[0] for row in rows]

    # === IN WORDS ===#

    @api.model
    def _oda_names(self, mine):
        """Return {trait: {value: words}} of what this person has."""
        records = {
            "activity": "oda.activity.class",
            "branch": "oda.activity.class",
            "locality": "oda.locality",
            "district": "oda.locality",
            "tags": "res.partner.category",
            "programmes": "oda.programme",
            "instruments": "oda.instrument",
        }
        names = {}
        for trait, value in mine.items():
            if trait in records:
                ids = sorted(value) if isinstance(value, set) else [value] * bool(value)
                found = self.env[records[trait]].browse(ids)
                names[trait] = {one.id: one.display_name for one in found}
            else:
                field = self.env["res.partner"]._fields[_PLAIN[trait]]
                names[trait] = dict(field._description_selection(self.env))
        return names

    @api.model
    def _oda_why(self, shared, names):
        words = {
            "activity": self.env._("the same activity: %s"),
            "branch": self.env._("the same branch: %s"),
            "programmes": self.env._("follow the same programme: %s"),
            "instruments": self.env._("were advised on the same: %s"),
            "locality": self.env._("the same locality: %s"),
            "district": self.env._("the same district: %s"),
            "tags": self.env._("the same tag: %s"),
            "size": self.env._("the same size: %s"),
            "legal_form": self.env._("the same legal form: %s"),
            "age_group": self.env._("the same age: %s"),
            "gender": self.env._("the same gender: %s"),
        }
        values = (names[shared.trait].get(one) for one in shared.values)
        told = (shorten(one, LONGEST, placeholder="…") for one in values if one)
        return words[shared.trait] % ", ".join(told)


# pylint: disable-next=no-wizard-in-models  # the lines of the one above
class OdaSegmentSimilarMatch(models.TransientModel):
    """One beneficiary who is like the chosen one."""

    _name = "oda.segment.similar.match"
    _description = "Similar beneficiary"
    _order = "score desc, id"

    wizard_id = fields.Many2one(
        "oda.segment.similar", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Beneficiary", required=True, ondelete="cascade"
    )
    reasons = fields.Text(string="Why")
    score = fields.Integer(string="Points")

    def action_open(self):
        """Open the card of this beneficiary."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.partner",
            "res_id": self.partner_id.id,
            "views": [(False, "form")],
        }


def _branch(activity):
    """Return the division (two digits) of a class of activity."""
    while activity.level in ("class", "group") and activity.parent_id:
        activity = activity.parent_id
    return activity
