# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models

from odoo.addons.oda_base import phone as numbers


class OdaLine(models.Model):
    """A number of ours that people dial: whose it is, and in which language."""

    _name = "oda.line"
    _description = "Dialled Number"
    _order = "company_id, name, id"

    name = fields.Char(required=True, translate=True)
    number = fields.Char(
        required=True, help="As the exchange reports it: digits, with or without +."
    )
    key = fields.Char(compute="_compute_key", store=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    department_id = fields.Many2one(
        "oda.department", index="btree_not_null", ondelete="set null"
    )
    team_id = fields.Many2one(
        "crm.team", string="Flow", index="btree_not_null", ondelete="set null"
    )
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        help="Spoken on this number: counts for callers whose own is not known.",
    )
    active = fields.Boolean(default=True)

    _key_uniq = models.UniqueIndex(
        "(company_id, key) WHERE active", "This number is on the list already."
    )

    @api.depends("number")
    def _compute_key(self):
        for line in self:
            line.key = self._key(line.number)

    @api.model
    def _key(self, number):
        """Return what two spellings of one dialled number have in common; '' if none.

        A number of ours may be a short one, which is no number of the world.
        """
        parsed = numbers.parse(number or "")
        return parsed.e164 or "".join(filter(str.isdigit, number or "")) or ""

    def _people(self):
        """Return the users who answer this number: its department and its flow."""
        self.ensure_one()
        return self._people_of(self.department_id, self.team_id)

    @api.model
    def _people_of(self, department, team):
        # sudo: who works where is no secret to the one who is called
        department, team = department.sudo(), team.sudo()
        people = department.member_ids | team.member_ids
        if not people:
            people = department.manager_id | team.user_id
        return people.filtered(lambda user: user.active and not user.share).sorted("id")

    def _leader(self):
        self.ensure_one()
        line = self.sudo()  # sudo: who leads what, as above
        return (line.team_id.user_id or line.department_id.manager_id).filtered(
            "active"
        )

    # === CRUD: the plan of routing is cached ===#

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        self.env.registry.clear_cache()
        return lines

    def write(self, vals):
        done = super().write(vals)
        self.env.registry.clear_cache()
        return done

    def unlink(self):
        done = super().unlink()
        self.env.registry.clear_cache()
        return done
