# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache

from .. import rights

#: operation of the ORM -> right of the matrix
RIGHT_OF = {"read": "see", "write": "edit", "create": "edit", "unlink": "delete"}


class Circle(NamedTuple):
    """Who stands around a person; ids.

    :ivar departments: the person's department and those above it, nearest first
    :ivar flows: flows the person is in, or leads
    :ivar colleagues: people of these flows, and of the same department
    :ivar department_people: people of the department, and of what is a part of it
    :ivar nobody: users who are no person to wait for: the system, who has left
    :ivar companies: contacts of our own companies
    """

    departments: tuple
    flows: tuple
    colleagues: tuple
    department_people: tuple
    nobody: tuple
    companies: tuple


class ResUsers(models.Model):
    """What a person may do with beneficiaries and consultations: see `rights.py`."""

    _inherit = "res.users"

    oda_department_id = fields.Many2one(
        "oda.department",
        string="Department",
        index="btree_not_null",
        ondelete="set null",  # one with people is not deleted: see its model
    )

    def write(self, vals):
        done = super().write(vals)
        if not vals.keys().isdisjoint({"oda_department_id", "active", "group_ids"}):
            self.env["oda.right"]._oda_apply_everywhere()
        return done

    # === WHO I AM IN THE MATRIX ===#

    def _oda_levels(self):
        """Return the levels of the matrix this person holds, in its order."""
        self.ensure_one()
        # sudo: one's groups, whoever asks
        held = set(self.sudo().all_group_ids.ids)
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        levels = [
            level
            for level in rights.LEVELS
            if ref(f"oda_base.group_{level}", raise_if_not_found=False) in held
        ]
        if "admin" not in levels and ref("base.group_system") in held:
            levels.append("admin")  # gives themselves any group; no use in hiding
        return levels

    @ormcache("self.id", "subject")
    def _oda_rights(self, subject):
        """Return `rights.judge` for this person; not to be changed by the caller."""
        return rights.judge(
            self.env["oda.right"]._oda_rows(),
            self._oda_levels(),
            subject,
            self._oda_circle().departments,
        )

    @ormcache("self.id")
    def _oda_circle(self):
        """Return the `Circle` of this person."""
        self.ensure_one()
        # sudo: who works where, whatever this person may see of it
        me = self.sudo().with_context(active_test=False)
        own = me.oda_department_id
        above = [int(part) for part in (own.parent_path or "").split("/") if part]
        departments = me.env["oda.department"].search(
            [
                "|",
                ("id", "child_of", own.ids),
                ("id", "child_of", self._oda_led_departments().ids),
            ]
        )
        members = me.env["crm.team.member"].search(
            [("user_id", "=", self.id), ("active", "=", True)]
        )
        flows = members.crm_team_id | me.env["crm.team"].search(
            [("user_id", "=", self.id)]
        )
        colleagues = (
            me.env["crm.team.member"]
            .search([("crm_team_id", "in", flows.ids), ("active", "=", True)])
            .user_id
            | flows.user_id
            | own.member_ids
        )
        people = me.search([("oda_department_id", "in", departments.ids)])
        left = me.search([("active", "=", False), ("share", "=", False)])
        system = {SUPERUSER_ID, self.env.ref("oda_base.user_connector").id}
        return Circle(
            tuple(reversed(above)),
            tuple(flows.ids),
            tuple(sorted({self.id, *colleagues.ids})),
            tuple(sorted({self.id, *people.ids})),
            tuple(sorted((system | set(left.ids)) - {self.id})),
            tuple(
                # pylint: disable-next=no-search-all  # as many as there are offices
                me.env["res.company"].search([]).partner_id.ids
            ),
        )

    def _oda_led_departments(self):
        # sudo: as in `_oda_circle`
        return self.env["oda.department"].sudo().search([("manager_id", "=", self.id)])

    # === WHAT THE RULES ASK ===#

    def _oda_domain(self, model, operation):
        """Return the domain of the records of a model that the matrix leaves.

        Record rules call it; companies are the business of other rules. People from
        outside (portal) are not in the matrix: Odoo's own rules hold for them.

        :param model: name of a model that has `_oda_subject`
        :param operation: `read`, `write`, `create` or `unlink`
        """
        self.ensure_one()
        if not self._is_internal():
            return Domain.TRUE
        return self.env[model]._oda_scope_domain(self, operation)

    def _oda_follow(self, model, path, operation="read", own=()):
        """Return the domain of records that hang on one of a guarded model by `path`.

        For the rules of other models (calls, answers): they are seen by whoever sees
        what they hang on; what hangs on nothing yet is seen by all.

        :param own: domain of what is the person's whatever it hangs on
        """
        self.ensure_one()
        domain = self._oda_domain(model, operation)
        if domain.is_true():
            return domain
        own = Domain(own) if own else Domain.FALSE
        return own | Domain(path, "=", False) | Domain(path, "any!", domain)

    def _oda_scope(self, subject, operation):
        """Return one of `rights.SCOPES` for an operation of the ORM."""
        return self._oda_rights(subject)[RIGHT_OF[operation]]

    @api.model
    def _oda_may(self, subject, right):
        """Return whether the person who asks may import, export or merge."""
        if self.env.su:
            return True
        return bool(self.env.user._oda_rights(subject)[right])
