# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class OdaDepartment(models.Model):
    """A department of the centre: people, who leads them, what it is a part of."""

    _name = "oda.department"
    _description = "Department"
    _parent_store = True
    _order = "complete_name, id"
    _rec_name = "complete_name"

    name = fields.Char(required=True, translate=True)
    complete_name = fields.Char(
        string="Full name", compute="_compute_complete_name", recursive=True, store=True
    )
    parent_id = fields.Many2one(
        "oda.department", string="Part of", index=True, ondelete="restrict"
    )
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("oda.department", "parent_id", string="Departments")
    manager_id = fields.Many2one(
        "res.users",
        index="btree_not_null",
        domain=[("share", "=", False)],
        help="Leads the department and all that are a part of it.",
    )
    member_ids = fields.One2many("res.users", "oda_department_id", string="People")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    active = fields.Boolean(default=True)

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for one in self:
            above = one.parent_id.complete_name
            one.complete_name = f"{above} / {one.name}" if above else one.name

    @api.constrains("parent_id")
    def _check_no_cycle(self):
        if self._has_cycle():
            raise ValidationError(
                self.env._("A department cannot be a part of itself.")
            )

    @api.constrains("parent_id", "company_id")
    def _check_company(self):
        for one in self:
            if one.parent_id and one.parent_id.company_id != one.company_id:
                raise ValidationError(
                    self.env._(
                        "%(one)s and %(above)s are departments of two companies.",
                        one=one.name,
                        above=one.parent_id.name,
                    )
                )

    # === CRUD: who belongs where decides who sees what ===#

    @api.model_create_multi
    def create(self, vals_list):
        departments = super().create(vals_list)
        self.env["oda.right"]._oda_apply_everywhere()
        return departments

    def write(self, vals):
        done = super().write(vals)
        self.env["oda.right"]._oda_apply_everywhere()
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_without_people(self):
        # sudo: also people that the one who deletes may not see
        for one in self.sudo().with_context(active_test=False):
            if one.member_ids:
                raise UserError(
                    self.env._(
                        "People still belong to %s: give them another department "
                        "first, or archive this one.",
                        one.name,
                    )
                )

    def unlink(self):
        done = super().unlink()
        self.env["oda.right"]._oda_apply_everywhere()
        return done
