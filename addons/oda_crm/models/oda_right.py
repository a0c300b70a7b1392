# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .. import rights

#: right -> field of the model (`import` is a word of Python)
FIELD = {
    "see": "see",
    "edit": "edit",
    "import": "can_import",
    "export": "can_export",
    "delete": "delete",
    "merge": "can_merge",
}
SCOPE_NAMES = [
    ("none", "No"),
    ("own", "Own"),
    ("team", "Own and team"),
    ("department", "Department"),
    ("all", "All"),
]
LEVEL_NAMES = [
    ("consultant", "Consultant"),
    ("lead", "Team lead"),
    ("head", "Head"),
    ("supervisor", "Supervisor"),
    ("marketing", "Marketing"),
    ("admin", "Administrator"),
    ("auditor", "Auditor"),
    ("cashier", "Cashier"),
    ("accountant", "Accountant"),
    ("connector", "Connectors (no person)"),
]
SUBJECT_NAMES = [("beneficiary", "Beneficiaries"), ("consultation", "Consultations")]


class OdaRight(models.Model):
    """A row of the matrix: what a level may do with a subject, here or everywhere.

    Changes are journalled with before and after and hold at once in all workers.
    """

    _name = "oda.right"
    _description = "Right"
    _order = "subject, id"
    _rec_name = "level"

    level = fields.Selection(LEVEL_NAMES, required=True, readonly=True)
    subject = fields.Selection(SUBJECT_NAMES, required=True, readonly=True)
    department_id = fields.Many2one(
        "oda.department",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Empty: holds for all departments that have no row of their own.",
    )
    see = fields.Selection(SCOPE_NAMES, required=True, default="none")
    edit = fields.Selection(SCOPE_NAMES, required=True, default="none")
    can_import = fields.Boolean(string="Import")
    can_export = fields.Boolean(string="Export")
    delete = fields.Selection(SCOPE_NAMES, required=True, default="none")
    can_merge = fields.Boolean(string="Merge")

    _one_row = models.UniqueIndex(
        "(level, subject, COALESCE(department_id, 0))",
        "This level has its row already.",
    )

    @api.depends("level", "subject", "department_id")
    def _compute_display_name(self):
        names = self._oda_names()
        for one in self:
            where = one.department_id.name or self.env._("all departments")
            level = names["level"].get(one.level, "")
            subject = names["subject"].get(one.subject, "")
            one.display_name = f"{level} · {subject} · {where}"

    @api.model
    def _oda_names(self):
        return {
            name: dict(self._fields[name]._description_selection(self.env))
            for name in ("level", "subject", "see")
        }

    @api.constrains("level", *FIELD.values())
    def _check_allowed(self):
        for one in self:
            values = one._oda_values()
            shut = set(rights.locked(one.level)) & {
                right for right in values if values[right] not in (False, "none")
            }
            if one.level in rights.READ_ONLY_LEVELS and shut:
                raise ValidationError(self.env._("Auditors change nothing."))
            if rights.consistent(values) != values:
                raise ValidationError(
                    self.env._(
                        "%s: nobody can edit, import or merge what they cannot edit, "
                        "nor edit, delete or export what they cannot see.",
                        one.display_name,
                    )
                )

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._oda_refuse_stranger()
        rows = super().create(vals_list)
        for row in rows:
            row._oda_refuse_fixed()
            row._oda_journal(None, row._oda_values())
        self._oda_sync_export(sorted(set(rows.mapped("level"))))
        self._oda_apply_everywhere()
        return rows

    def write(self, vals):
        self._oda_refuse_stranger()
        if not vals.keys().isdisjoint({"level", "subject", "department_id"}):
            raise UserError(
                self.env._("A row of the matrix stays what it is: add another.")
            )
        self._oda_refuse_fixed()
        before = {row.id: row._oda_values() for row in self}
        done = super().write(vals)
        for row in self:
            if row._oda_values() != before[row.id]:
                row._oda_journal(before[row.id], row._oda_values())
        self._oda_sync_export(sorted(set(self.mapped("level"))))
        self._oda_apply_everywhere()
        return done

    def unlink(self):
        self._oda_refuse_stranger()
        self._oda_refuse_fixed()
        for row in self:
            row._oda_journal(row._oda_values(), None)
        levels = sorted(set(self.mapped("level")))
        done = super().unlink()
        self._oda_sync_export(levels)
        self._oda_apply_everywhere()
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_special_only(self):
        if any(not row.department_id for row in self):
            raise UserError(
                self.env._("The general row of a level is changed, not deleted.")
            )

    def _oda_refuse_stranger(self):
        """The matrix is the administrators', whoever else has rights on settings."""
        if not (self.env.su or self.env.user.has_group("oda_base.group_admin")):
            raise AccessError(self.env._("Only an administrator changes the rights."))

    def _oda_refuse_fixed(self):
        if self._oda_installing():
            return
        for row in self.filtered(lambda one: one.level in rights.FIXED_LEVELS):
            raise UserError(
                self.env._("The rights of this level are fixed: %s", row.display_name)
            )

    def _oda_installing(self):
        """The addon's own data: anybody may send the key, the superuser is us."""
        return self.env.su and self.env.context.get("install_mode")

    # === FOR THE RULES ===#

    def _oda_values(self):
        """Return the row as `rights.Row.values`."""
        self.ensure_one()
        return {right: self[name] for right, name in FIELD.items()}

    @api.model
    def _oda_rows(self):
        """Return the whole matrix as plain rows."""
        # sudo: everybody's rights are judged by it, few may read it
        return [
            rights.Row(
                row.level,
                row.subject,
                row.department_id.id or None,
                row._oda_values(),
            )
            for row in self.sudo().search([])
        ]

    @api.model
    def _oda_apply_everywhere(self):
        """Let every worker judge anew: now, and again once the change is committed.

        Between the two another thread of this process could have cached the old one.
        """
        registry = self.env.registry
        registry.clear_cache()
        self.env.cr.postcommit.add(registry.clear_cache)

    def _oda_journal(self, before, after):
        if not self._oda_installing():
            self.env["oda.event"]._log(
                "right.change",
                self,
                level=self.level,
                subject=self.subject,
                department=self.department_id.id or False,
                before=before,
                after=after,
            )

    @api.model
    def _oda_sync_export(self, levels):
        """Odoo's own export right follows: a level that exports something has it."""
        allow = self.env.ref("base.group_allow_export")
        # sudo: groups are the settings', the matrix decides about this one
        rows = self.sudo().search([("level", "in", levels), ("can_export", "=", True)])
        exporting = set(rows.mapped("level"))
        for level in levels:
            group = self.env.ref(f"oda_base.group_{level}").sudo()  # sudo: as above
            wanted = level in exporting
            if wanted != (allow in group.implied_ids):
                command = fields.Command.link if wanted else fields.Command.unlink
                group.implied_ids = [command(allow.id)]
