# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import UserError

from .. import rights
from .oda_right import FIELD

CHANGES_SHOWN = 8
#: records counted for a preview; more are "more than so many"
COUNTED = 10_000
MODELS = {"beneficiary": "res.partner", "consultation": "crm.lead"}


class OdaRight(models.Model):
    """What the screen "Who can do what?" asks and says."""

    _inherit = "oda.right"

    @api.model
    def get_matrix(self, department_id=False):
        """Return the matrix of a department, or the general one.

        :returns: ``{may_change, departments: [[id, name]], scopes: [[key, name]],
            subjects: [[key, name]], rights: [[key, name]], levels: [{key, name,
            cells: {subject: {values, own, locked, widest}}}], changes: [...]}``.
            `own`: the department has a row of its own, else the general one holds
        """
        self.check_access("read")
        department = self._oda_department(department_id)
        names = self._oda_names()
        rows = {
            (row.level, row.subject, row.department_id.id): row
            for row in self.search([("department_id", "in", [False, department.id])])
        }
        levels = []
        for level in rights.LEVELS:
            cells = {}
            for subject in rights.SUBJECTS:
                own = rows.get((level, subject, department.id))
                row = own or rows.get((level, subject, False))
                cells[subject] = {
                    "values": row._oda_values() if row else rights.consistent({}),
                    "own": bool(department and own),
                    "locked": list(rights.locked(level)),
                }
            levels.append({"key": level, "name": names["level"][level], "cells": cells})
        return {
            "may_change": self.env.user.has_group("oda_base.group_admin"),
            "departments": [
                [one.id, one.display_name]
                for one in self.env["oda.department"].search([])
            ],
            "scopes": list(names["see"].items()),
            "subjects": list(names["subject"].items()),
            "rights": [
                [right, self._fields[FIELD[right]]._description_string(self.env)]
                for right in rights.RIGHTS
            ],
            "yes_no": list(rights.YES_NO_RIGHTS),
            "levels": levels,
            "changes": self._oda_changes(names),
        }

    @api.model
    def set_cell(self, level, subject, department_id, right, value):
        """Change one cell at once; return the matrix as it stands then.

        Taking something away takes away what needs it: who no longer sees, no longer
        edits. A department that had no row of its own gets one.
        """
        self._oda_refuse_stranger()
        department = self._oda_department(department_id)
        if (
            level not in rights.LEVELS
            or subject not in rights.SUBJECTS
            or right not in rights.RIGHTS
            or not (
                isinstance(value, bool)
                if right in rights.YES_NO_RIGHTS
                else value in rights.SCOPES
            )
        ):
            raise UserError(self.env._("The matrix has no such cell."))
        if right in rights.locked(level):
            raise UserError(self.env._("This cell cannot be changed."))
        row = self._oda_row(level, subject, department)
        values = {**(row or self._oda_row(level, subject))._oda_values(), right: value}
        kept = rights.consistent(values)
        if kept[right] != value:
            raise UserError(
                self.env._(
                    "First widen what it needs: nobody edits, deletes or exports what "
                    "they cannot see, nor imports or merges what they cannot edit."
                )
            )
        vals = {FIELD[name]: one for name, one in kept.items()}
        if row:
            row.write(vals)
        else:
            self.create(
                dict(
                    vals,
                    level=level,
                    subject=subject,
                    department_id=department.id,
                )
            )
        return self.get_matrix(department.id)

    @api.model
    def reset_row(self, level, subject, department_id):
        """Let the general row hold for a department again; return the matrix."""
        self._oda_refuse_stranger()
        department = self._oda_department(department_id)
        if department:
            self._oda_row(level, subject, department).unlink()
        return self.get_matrix(department.id)

    @api.model
    def undo_change(self, event_id):
        """Undo a change that still stands; return the matrix of its department."""
        self._oda_refuse_stranger()
        event = self.env["oda.event"].search(
            [("id", "=", event_id), ("code", "=", "right.change")]
        )
        if not event:
            raise UserError(self.env._("There is no such change."))
        facts = event.details
        department = self._oda_department(facts["department"])
        row = self._oda_row(facts["level"], facts["subject"], department)
        if (row._oda_values() if row else None) != facts["after"]:
            raise UserError(
                self.env._("This was changed again since: undo the later change first.")
            )
        before = facts["before"]
        vals = {FIELD[name]: one for name, one in (before or {}).items()}
        if row and before:
            row.write(vals)
        elif row:
            row.unlink()
        else:
            self.create(
                dict(
                    vals,
                    level=facts["level"],
                    subject=facts["subject"],
                    department_id=department.id,
                )
            )
        return self.get_matrix(department.id)

    @api.model
    def preview_person(self, user_id):
        """Count what a colleague sees and edits now, under their own rights.

        :returns: ``{name, most, subjects: [{name, see, edit}]}``; a count above
            `most` means more than that
        """
        self._oda_refuse_stranger()
        known = type(user_id) is int and 0 < user_id < 2**31
        user = known and self.env["res.users"].search(
            [("id", "=", user_id), ("share", "=", False)]
        )
        if not user:
            raise UserError(self.env._("Choose somebody who works here."))
        names = self._oda_names()
        return {
            "name": user.name,
            "most": COUNTED,
            "subjects": [
                {
                    "name": names["subject"][subject],
                    "see": self._oda_count(user, MODELS[subject], "read"),
                    "edit": self._oda_count(user, MODELS[subject], "write"),
                }
                for subject in rights.SUBJECTS
            ],
        }

    @api.model
    def _oda_count(self, user, name, operation):
        model = self.env[name].with_user(user).with_context(active_test=True)
        if not model.has_access(operation):
            return 0
        domain = self.env["ir.rule"].with_user(user)._compute_domain(name, operation)
        return model.search_count(domain, limit=COUNTED + 1)

    # === HELPERS ===#

    @api.model
    def _oda_department(self, department_id):
        departments = self.env["oda.department"]
        if not department_id:
            return departments
        found = isinstance(department_id, int) and departments.search(
            [("id", "=", department_id)]
        )
        if not found:
            raise UserError(self.env._("This department is no longer there."))
        return found

    @api.model
    def _oda_row(self, level, subject, department=None):
        return self.search(
            [
                ("level", "=", level),
                ("subject", "=", subject),
                ("department_id", "=", department.id if department else False),
            ]
        )

    @api.model
    def _oda_changes(self, names):
        """Return the last changes for people to read, newest first."""
        words = dict(names["see"])
        words.update({True: self.env._("Yes"), False: self.env._("No")})
        labels = {
            right: self._fields[name]._description_string(self.env)
            for right, name in FIELD.items()
        }
        changes = []
        for event in self.env["oda.event"].search(
            [("code", "=", "right.change")], limit=CHANGES_SHOWN
        ):
            facts = event.details
            before, after = facts["before"] or {}, facts["after"] or {}
            what = (
                [self.env._("as all departments again")]
                if not after
                else [
                    f"{labels[right]}: {words.get(before.get(right), '–')} → "
                    f"{words.get(after.get(right), '–')}"
                    for right in rights.RIGHTS
                    if before.get(right) != after.get(right)
                ]
            )
            department = self.env["oda.department"].browse(facts["department"] or [])
            changes.append(
                {
                    "id": event.id,
                    "at": event.at.isoformat(sep=" ", timespec="seconds"),
                    "who": event.user_id.sudo().name,  # sudo: a name, also of who left
                    "where": department.exists().display_name or "",
                    "level": names["level"].get(facts["level"], facts["level"]),
                    "subject": names["subject"].get(facts["subject"], ""),
                    "what": ", ".join(what),
                }
            )
        return changes
