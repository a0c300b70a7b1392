# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.fields import Domain

from ..phone import DEFAULT_REGION, KINDS, looks_like_number, parse

# Set while one side of the mirror writes the other, so that they do not chase
# each other: the row <-> res.partner.phone.
MIRRORING = "oda_phone_mirroring"
CLAIM_MAX = 50  # rows saved at once; more are an import, not a person at a form
PARTIAL_MIN = 3  # digits; fewer cannot use the trigram index


class OdaPhone(models.Model):
    """One number of one person. Several people may share a number.

    The primary row mirrors ``res.partner.phone``: ``raw`` is the same text. Other
    rows exist only here. A number that cannot be understood is kept as typed and
    matches nobody.
    """

    _name = "oda.phone"
    _description = "Phone Number"
    _order = "is_primary desc, sequence, id"
    _rec_name = "raw"

    partner_id = fields.Many2one(
        "res.partner", string="Contact", required=True, index=True, ondelete="cascade"
    )
    raw = fields.Char("Number", required=True, help="The number as it was typed.")
    e164 = fields.Char(
        "International Number",
        compute="_compute_number",
        store=True,
        precompute=True,
        help="The one form in which numbers are compared: +37369123456.",
    )
    digits = fields.Char(
        compute="_compute_number", store=True, precompute=True, index="trigram"
    )
    kind = fields.Selection(
        [
            ("mobile", "Mobile"),
            ("fixed", "Fixed line"),
            ("other", "Other"),
            ("short", "Short number"),
            ("anonymous", "Anonymous"),
            ("invalid", "Not a number"),
        ],
        compute="_compute_number",
        store=True,
        precompute=True,
    )
    label = fields.Selection(
        [
            ("mobile", "Mobile"),
            ("work", "Work"),
            ("home", "Home"),
            ("fax", "Fax"),
            ("messenger", "Messenger"),
            ("other", "Other"),
        ],
        help="What the number is used for.",
    )
    is_primary = fields.Boolean(
        "Main", help="The number shown on the contact and dialled first."
    )
    sequence = fields.Integer(default=10)
    note = fields.Char(help="Whose number it is, when to call…")

    _e164 = models.Index("(e164) WHERE e164 IS NOT NULL")
    _partner_e164_unique = models.UniqueIndex(
        "(partner_id, e164) WHERE e164 IS NOT NULL",
        "This contact already has this number.",
    )

    # ------------------------------------------------------------------- fields
    @api.depends("raw")
    def _compute_number(self):
        # Not on the country of the partner: see res.partner._oda_reparse_phones,
        # which must not let two rows of one contact become the same number.
        for phone in self:
            number = parse(phone.raw, *self._regions(phone.partner_id))
            phone.e164 = number.e164
            phone.digits = number.digits
            phone.kind = number.kind

    @api.onchange("raw")
    def _onchange_raw(self):
        if self.raw:
            number = parse(self.raw, *self._regions(self.partner_id))
            if number.e164 and not number.extension:
                self.raw = number.international
            if not self.label and number.kind == "mobile":
                self.label = "mobile"

    @api.depends("raw", "partner_id")
    def _compute_display_name(self):
        for phone in self:
            name = phone.partner_id.display_name
            phone.display_name = f"{phone.raw or ''} ({name})" if name else phone.raw

    @api.model
    def _search_display_name(self, operator, value):
        """A number in any form, or a part of it; else the text as typed."""
        if operator == "in":  # what the ORM makes of "="
            return Domain.OR(
                super(OdaPhone, self)._search_display_name("in", [one])
                if not isinstance(one, str)
                else self._search_display_name("=", one)
                for one in value
            )
        if operator not in ("ilike", "like", "=", "=ilike") or not value:
            return super()._search_display_name(operator, value)
        number = parse(value, *self._regions())
        if number.e164:
            return Domain("e164", "=", number.e164)
        digits = number.digits.lstrip("0")
        if len(digits) >= PARTIAL_MIN and (
            looks_like_number(value) or number.kind == "short"
        ):
            return Domain("digits", "like", digits)
        return super()._search_display_name(operator, value)

    @api.model
    def _regions(self, partner=None):
        """(first, second) regions whose national forms ``partner`` may have used."""
        company = partner.company_id if partner else None
        first = (
            (partner and partner.country_id.code)
            or (company or self.env.company).country_id.code
            or DEFAULT_REGION
        )
        return first, "RO" if first == DEFAULT_REGION else DEFAULT_REGION

    # --------------------------------------------------------------------- CRUD
    @api.model
    def _number_vals(self, vals):
        """Only ``raw`` is typed; ``e164`` alone is accepted in its place."""
        vals = dict(vals)
        e164 = vals.pop("e164", None)
        if e164 and not vals.get("raw"):
            vals["raw"] = e164
        vals.pop("digits", None)
        vals.pop("kind", None)
        if vals.get("raw"):
            vals["raw"] = vals["raw"].strip()
        return vals

    @api.model_create_multi
    def create(self, vals_list):
        phones = super().create([self._number_vals(vals) for vals in vals_list])
        phones._claim_strangers()
        if not self.env.context.get(MIRRORING):
            starred = phones.filtered("is_primary")
            phones.partner_id._oda_phone_rows_changed(starred, added=True)
        return phones

    def write(self, vals):
        vals = self._number_vals(vals)
        if self.env.context.get(MIRRORING):
            result = super().write(vals)
            if "raw" in vals:
                self._claim_strangers()
            return result
        partners = self.partner_id
        result = super().write(vals)
        if "raw" in vals:
            self._claim_strangers()
        if not vals.keys().isdisjoint(("raw", "is_primary", "partner_id")):
            starred = self if vals.get("is_primary") else self.browse()
            (partners | self.partner_id)._oda_phone_rows_changed(starred)
        return result

    def unlink(self):
        if self.env.context.get(MIRRORING):
            return super().unlink()
        partners = self.partner_id
        orphans = self.filtered("is_primary").partner_id
        result = super().unlink()
        partners._oda_phone_rows_changed(self.browse(), orphans=orphans)
        return result

    def _claim_strangers(self):
        """Claim those of our numbers that nobody else has.

        A person who saves a stranger's card and a connector that opens one for the
        same number at the same moment do not see each other: the second of them is
        repeated, and then the connector finds the person's card. Not for imports:
        a live call must not wait until a file is read, and whoever imports looks
        for doubles anyhow.
        """
        if len(self) > CLAIM_MAX:
            return
        numbers = {phone.e164 for phone in self if phone.e164}
        if not numbers:
            return
        self.env.cr.execute(
            "SELECT n.e164 FROM oda_phone n JOIN res_partner p ON p.id = n.partner_id "
            "AND p.active WHERE n.e164 = ANY(%s) AND n.id <> ALL(%s)",
            (list(numbers), self.ids),
        )
        numbers -= {e164 for (e164,) in self.env.cr.fetchall()}
        if numbers:
            self.env["oda.claim"]._claim(*(f"phone:{e164}" for e164 in numbers))

    def _oda_same(self, number, text):
        """The row of ``self`` that is ``number`` (parsed from ``text``), or none."""
        if number.e164:
            return self.filtered(lambda row: row.e164 == number.e164)[:1]
        return self.filtered(lambda row: row.raw == text)[:1]

    # -------------------------------------------------------------------- verbs
    @api.model
    def _lookup(self, raw, region=None, limit=10):
        """Ids of the people whose number ``raw`` is, best first; ``[]`` if nobody.

        :param raw: the number in any form; anonymous, short or wrong: nobody
        :param region: country code for national forms, by default the company's
        :param int limit: how many to return at most

        Archived people are left out, and those of companies that the current user
        does not work for. Order: :meth:`_lookup_rank`.
        """
        first, second = self._regions()
        number = parse(raw, region or first, second)
        if not number.e164:
            return []
        self.flush_model()
        self.env["res.partner"].flush_model(["active", "company_id", "complete_name"])
        companies = self.env.companies.sudo().parent_ids  # sudo: ids of the ancestors
        rows = self._lookup_sql(
            self.env.cr,
            number.e164,
            company_ids=(companies | self.env.companies).ids,
            limit=max(limit, 50),
        )
        return self._lookup_rank([partner_id for partner_id, _name in rows])[:limit]

    @api.model
    def _lookup_rank(self, partner_ids):
        """Order of several people behind one number; to be overridden.

        Receives the ids whose main number it is first, then the last changed.
        """
        return partner_ids

    @staticmethod
    def _lookup_sql(cr, e164, company_ids=None, limit=10):
        """``[(partner_id, name)]`` behind an E.164: one btree and primary keys.

        The hot path of a ringing phone: no ORM, no flush, no rights. Whoever calls
        it answers for who sees the result. ``company_ids`` None means all.
        """
        cr.execute(
            """
            SELECT p.id, COALESCE(NULLIF(p.complete_name, ''), p.name, '')
              FROM oda_phone n
              JOIN res_partner p ON p.id = n.partner_id
             WHERE n.e164 = %(e164)s
               AND p.active
               AND (%(companies)s::int[] IS NULL
                    OR p.company_id IS NULL
                    OR p.company_id = ANY(%(companies)s::int[])
                    OR NOT COALESCE(p.partner_share, true))
             ORDER BY n.is_primary DESC NULLS LAST, p.write_date DESC NULLS LAST, p.id
             LIMIT %(limit)s
            """,
            {"e164": e164, "companies": company_ids, "limit": limit},
        )
        return cr.fetchall()


assert {key for key, _label in OdaPhone.kind.selection} == set(KINDS)
