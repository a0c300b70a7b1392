# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models
from odoo.fields import Domain

from .. import layout


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "oda.gone.fields"]
    _description = "Beneficiary"

    oda_currency_id = fields.Many2one(
        "res.currency",
        string="Currency of amounts",
        compute="_compute_oda_currency_id",
        help="Amounts that administrators add to the card are in it.",
    )

    oda_is_house = fields.Boolean(
        string="The centre's own",
        compute="_compute_oda_is_house",
        search="_search_oda_is_house",
        help="The centre itself and everybody who logs in to work here.",
    )

    def _oda_house(self):
        """Return the ids of the partners that are nobody's beneficiaries."""
        # sudo: who works here is no secret; former colleagues count, too
        users = self.env["res.users"].sudo().with_context(active_test=False)
        # sudo: the names of the centres are no secret either
        companies = self.env["res.company"].sudo().search([("partner_id", "!=", False)])
        return (
            users.search([("share", "=", False)]).partner_id | companies.partner_id
        )._ids

    def _compute_oda_is_house(self):
        house = set(self._oda_house())
        for partner in self:
            partner.oda_is_house = partner.id in house

    def _search_oda_is_house(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("id", "in" if True in value else "not in", self._oda_house())

    def _compute_oda_currency_id(self):
        for partner in self:
            company = partner.company_id or self.env.company
            partner.oda_currency_id = company.currency_id

    def _validate_fields(self, field_names, excluded_names=()):
        field_names = set(field_names)  # the ORM hands over a generator
        own = [name for name in field_names if name.startswith(layout.PREFIX)]
        if own:
            self.env["oda.card.option"]._oda_check_chosen(self, own)
        return super()._validate_fields(field_names, excluded_names)
