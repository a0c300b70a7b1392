# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.sql import column_exists, create_column

from .. import firm, identity

# Personal numbers: whoever identifies people. Marketing does not.
IDENTITY_READERS = (
    "oda_base.group_consultant,oda_base.group_supervisor,oda_base.group_cashier,"
    "oda_base.group_accountant,oda_base.group_admin,oda_base.group_connector"
)
NUMBERS = {"oda_idnp": identity.PERSON, "oda_idno": identity.FIRM}
INDICATORS = ("oda_is_woman", "oda_is_youth", "oda_is_rural")
TICKS = (*INDICATORS, "oda_is_migrant", "oda_is_startup")
# Computed from fields that are new themselves, so nothing to compute for the people
# who are already there: a column made beforehand spares a pass over all of them.
NEW_COLUMNS = {
    "oda_size_class": "varchar",
    "oda_age_group": "varchar",
    **dict.fromkeys(INDICATORS, "bool"),
}
_REFRESH_AGE = """
UPDATE res_partner p
   SET oda_age_group = v.age_group,
       oda_is_youth = CASE WHEN p.oda_age_group = 'youth' THEN false
                           WHEN v.age_group = 'youth' THEN true
                           ELSE p.oda_is_youth END
  FROM (SELECT unnest(%(years)s::int[]) AS birth_year,
               unnest(%(groups)s::varchar[]) AS age_group) v
 WHERE p.oda_birth_year = v.birth_year
   AND p.oda_age_group IS DISTINCT FROM v.age_group
"""


class ResPartner(models.Model):
    """What a beneficiary's card says of a person or a firm."""

    _inherit = "res.partner"

    oda_idnp = fields.Char(
        "IDNP",
        index="btree_not_null",
        copy=False,
        groups=IDENTITY_READERS,
        help="Personal number: 13 digits, does not begin with 1. In Romania: CNP.",
    )
    oda_idno = fields.Char(
        "IDNO",
        index="btree_not_null",
        copy=False,
        help="Number of the company: 13 digits, begins with 1. In Romania: CUI.",
    )
    oda_locality_id = fields.Many2one(
        "oda.locality",
        string="Locality",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    oda_region = fields.Selection(
        related="oda_locality_id.region", string="Region", store=False
    )
    oda_activity_class_id = fields.Many2one(
        "oda.activity.class",
        string="Field of Activity",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
    )
    oda_legal_form = fields.Selection(
        [
            ("person", "Natural person"),
            ("independent", "Independent activity"),
            ("patent", "Patent holder"),
            ("ii", "Individual enterprise (ÎI)"),
            ("gt", "Peasant farm (GȚ)"),
            ("srl", "Limited liability company (SRL)"),
            ("sa", "Joint-stock company (SA)"),
            ("cooperative", "Cooperative"),
            ("partnership", "Partnership"),
            ("state", "State or municipal enterprise"),
            ("ngo", "Non-commercial organisation"),
            ("public", "Public institution"),
            ("other", "Other"),
        ],
        string="Legal Form",
        tracking=True,
    )
    oda_staff = fields.Integer("Employees", aggregator="sum")
    oda_turnover = fields.Float("Turnover (lei)", digits=(16, 2))
    oda_assets = fields.Float("Assets (lei)", digits=(16, 2))
    oda_size_class = fields.Selection(
        [
            ("micro", "Micro"),
            ("small", "Small"),
            ("medium", "Medium"),
            ("large", "Large"),
        ],
        string="Size",
        compute="_compute_oda_size_class",
        store=True,
        readonly=False,
        tracking=True,
        help="By employees, and turnover or assets (law 179/2016); may be corrected.",
    )
    oda_founding_year = fields.Integer("Founded in", aggregator=None)
    oda_gender = fields.Selection(
        [("female", "Woman"), ("male", "Man"), ("other", "Other")], string="Gender"
    )
    oda_birth_year = fields.Integer(
        "Birth Year", index="btree_not_null", aggregator=None
    )
    oda_age_group = fields.Selection(
        [
            ("minor", "Under 18"),
            ("youth", "18-35"),
            ("adult", "36-59"),
            ("senior", "60 and over"),
        ],
        string="Age Group",
        compute="_compute_oda_age_group",
        store=True,
        help="By the birth year; brought up to date each night.",
    )
    oda_is_woman = fields.Boolean(
        "Woman entrepreneur",
        compute="_compute_oda_is_woman",
        store=True,
        readonly=False,
        help="Of a person by the gender, of a firm ticked by hand.",
    )
    oda_is_youth = fields.Boolean(
        "Young entrepreneur",
        compute="_compute_oda_is_youth",
        store=True,
        readonly=False,
        help="Of a person by the birth year (18-35), of a firm ticked by hand.",
    )
    oda_is_migrant = fields.Boolean("Migrant or diaspora")
    oda_is_rural = fields.Boolean(
        "Rural",
        compute="_compute_oda_is_rural",
        store=True,
        readonly=False,
        help="By the locality; may be corrected.",
    )
    oda_is_startup = fields.Boolean("Start-up")

    def _auto_init(self):
        for name, kind in NEW_COLUMNS.items():
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    # ------------------------------------------------------------------ computes
    @api.depends("oda_staff", "oda_turnover", "oda_assets")
    def _compute_oda_size_class(self):
        for partner in self:
            partner.oda_size_class = (
                firm.size_class(
                    partner.oda_staff, partner.oda_turnover, partner.oda_assets
                )
                or partner.oda_size_class
            )

    @api.depends("oda_birth_year")
    def _compute_oda_age_group(self):
        year = fields.Date.context_today(self).year
        for partner in self:
            partner.oda_age_group = firm.age_group(partner.oda_birth_year, year)

    @api.depends("oda_gender")
    def _compute_oda_is_woman(self):
        for partner in self:
            if partner.oda_gender:
                partner.oda_is_woman = partner.oda_gender == "female"
            else:
                partner.oda_is_woman = partner.oda_is_woman

    @api.depends("oda_age_group")
    def _compute_oda_is_youth(self):
        for partner in self:
            if partner.oda_age_group:
                partner.oda_is_youth = partner.oda_age_group == "youth"
            else:
                partner.oda_is_youth = partner.oda_is_youth

    @api.depends("oda_locality_id")
    def _compute_oda_is_rural(self):
        for partner in self:
            if kind := partner.oda_locality_id.kind:
                partner.oda_is_rural = kind in ("commune", "village")
            else:
                partner.oda_is_rural = partner.oda_is_rural

    @api.model
    def _oda_refresh_ages(self):
        """Bring age groups up to date; returns how many people changed. Nightly."""
        self.env.flush_all()
        year = fields.Date.context_today(self).year
        years = list(range(firm.BIRTH_MIN, year + 1))
        self.env.cr.execute(
            _REFRESH_AGE,
            {"years": years, "groups": [firm.age_group(one, year) for one in years]},
        )
        changed = self.env.cr.rowcount
        if changed:
            self.invalidate_model(["oda_age_group", "oda_is_youth"], flush=False)
        return changed

    # ---------------------------------------------------------------- identities
    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._oda_normal_numbers(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._oda_normal_numbers(vals))

    @api.model
    def _oda_normal_numbers(self, vals):
        typed = [name for name in NUMBERS if vals.get(name)]
        if not typed:
            return vals
        return dict(vals, **{name: identity.normal(vals[name]) for name in typed})

    @api.onchange("oda_idnp", "oda_idno")
    def _onchange_oda_numbers(self):
        for name in NUMBERS:
            if self._has_field_access(self._fields[name], "read") and self[name]:
                self[name] = identity.normal(self[name])

    @api.constrains("oda_idnp", "oda_idno", "country_id")
    def _check_oda_numbers(self):
        home = self.env.company.country_id.code
        # sudo: whoever changes the country need not be one who reads the numbers
        for partner in self.sudo():
            for name, kind in NUMBERS.items():
                if not partner[name]:
                    continue
                try:
                    identity.check(partner[name], kind, partner.country_id.code or home)
                except identity.IdentityError as error:
                    raise ValidationError(
                        self._oda_number_refusal(name, partner[name], error.args[0])
                    ) from error

    @api.model
    def _oda_number_refusal(self, name, number, reason):
        """What is wrong with a number and what to do, for a person to read."""
        label = {"oda_idnp": "IDNP", "oda_idno": "IDNO"}[name]
        number = number[:30]
        if reason == identity.OF_FIRM:
            return self.env._(
                "%s is the number of a company (IDNO): write it in that field.", number
            )
        if reason == identity.OF_PERSON:
            return self.env._(
                "%s does not begin with 1, so it is no company's number (IDNO): if it "
                "is a person's, write it in the field IDNP.",
                number,
            )
        if reason == identity.SIZE:
            return self.env._(
                "%(label)s “%(number)s” has %(count)s digits instead of 13: compare it "
                "with the document.",
                label=label,
                number=number,
                count=len(number),
            )
        if reason == identity.CHECK:
            return self.env._(
                "%(label)s “%(number)s” is mistyped: its last digit does not fit the "
                "others. Compare it with the document, or leave the field empty.",
                label=label,
                number=number,
            )
        return self.env._(
            "%(label)s “%(number)s” must be 13 digits; spaces and dashes do not "
            "matter.",
            label=label,
            number=number,
        )

    @api.constrains("oda_birth_year", "oda_founding_year")
    def _check_oda_years(self):
        now = fields.Date.context_today(self).year
        for partner in self:
            for name in ("oda_birth_year", "oda_founding_year"):
                if firm.wrong_year(partner[name], now):
                    raise ValidationError(
                        self.env._(
                            "%(label)s: %(year)s is not possible, write a year from "
                            "%(first)s to %(last)s.",
                            label=self._fields[name]._description_string(self.env),
                            year=partner[name],
                            first=firm.BIRTH_MIN,
                            last=now,
                        )
                    )

    @api.constrains("oda_staff", "oda_turnover", "oda_assets")
    def _check_oda_amounts(self):
        for partner in self:
            if min(partner.oda_staff, partner.oda_turnover, partner.oda_assets) < 0:
                raise ValidationError(
                    self.env._(
                        "Employees, turnover and assets cannot be negative: leave "
                        "what is not known at 0."
                    )
                )
