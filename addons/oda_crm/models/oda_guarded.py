# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import functools

from lxml import etree

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from .. import rights
from .oda_right import SUBJECT_NAMES

assert [key for key, _name in SUBJECT_NAMES] == list(rights.SUBJECTS)


class OdaGuarded(models.AbstractModel):
    """A model that stands in the matrix of rights, or hangs on one that does.

    Records are guarded by record rules that ask `res.users._oda_domain`; here is
    what rules cannot say: import, export, and a refusal that tells what to do.
    """

    _name = "oda.guarded"
    _description = "Guarded by the Matrix of Rights"

    #: the subject of the matrix
    _oda_subject = None

    # === THE DOMAIN OF A SCOPE ===#

    @api.model
    def _oda_scope_domain(self, user, operation):
        """Return the domain of what `user` may read, write, create or unlink.

        Refuses all until a model says what is one's own, and so on.
        """
        return Domain.FALSE

    @api.model
    def _oda_by_scope(self, scope, user):
        """Return the domain of a scope of people's own records."""
        if scope in ("none", "all"):
            return Domain.TRUE if scope == "all" else Domain.FALSE
        circle = user._oda_circle()
        domain = self._oda_own_domain(user, circle)
        if scope != "own":
            domain |= self._oda_team_domain(circle)
        if scope == "department":
            domain |= self._oda_people_domain(circle.department_people)
        return domain

    @api.model
    def _oda_own_domain(self, user, circle):
        """What one works on oneself."""
        return Domain.FALSE

    @api.model
    def _oda_team_domain(self, circle):
        """What nobody works on, and what one's flows and colleagues work on."""
        return Domain.FALSE

    @api.model
    def _oda_people_domain(self, user_ids):
        """What any of these people works on."""
        return Domain.FALSE

    # === REFUSALS ===#

    def _check_access(self, operation):
        found = super()._check_access(operation)
        if found or any(self._ids) or self.env.su or not self.env.user._is_internal():
            return found
        if self._oda_shut(operation):
            return self, functools.partial(self._oda_right_refusal, operation)
        return None

    def _oda_beyond(self, operation):
        """Return whether it is the matrix that forbids this, and no other rule."""
        domain = self.env.user._oda_domain(self._name, operation)
        # sudo: to tell which rule it was that forbids
        mine = self.sudo().with_context(active_test=False).exists()
        return bool(mine - mine.filtered_domain(domain))

    @api.model
    def _oda_shut(self, operation):
        """Return whether there is no record at all for this: then say so at once,
        so that screens show no button for it."""
        scope = self.env.user._oda_scope(self._oda_subject, operation)
        return scope == "none" and operation != "read"

    def _oda_right_refusal(self, operation):
        """Return the error that says what one's right reaches, and whom to ask."""
        right = {"read": "see", "unlink": "delete"}.get(operation, "edit")
        names = self.env["oda.right"]._oda_names()
        return AccessError(
            self.env._(
                "This is beyond your rights. %(subject)s, “%(right)s”: %(scope)s. "
                "An administrator can change it in “Who can do what?”.",
                subject=names["subject"][self._oda_subject],
                right=self.env["oda.right"]
                ._fields[right]
                ._description_string(self.env),
                scope=names["see"][
                    self.env.user._oda_scope(self._oda_subject, operation)
                ],
            )
        )

    @api.model
    def _oda_require(self, right):
        """Refuse in words whoever may not import, export or merge these."""
        if self.env["res.users"]._oda_may(self._oda_subject, right):
            return
        subject = self.env["oda.right"]._oda_names()["subject"][self._oda_subject]
        words = {
            "import": self.env._("Your rights do not include the import of: %s."),
            "export": self.env._("Your rights do not include the export of: %s."),
            "merge": self.env._("Your rights do not include the merging of: %s."),
        }
        raise AccessError(
            words[right] % subject
            + " "
            + self.env._("An administrator can change it in “Who can do what?”.")
        )

    # === IMPORT AND EXPORT ===#

    @api.model
    def load(self, fields, data):
        self._oda_require("import")
        return super().load(fields, data)

    def export_data(self, fields_to_export):
        self._oda_require("export")
        result = super().export_data(fields_to_export)
        self._oda_log_export(len(self), fields_to_export)
        return result

    @api.model
    def _oda_log_export(self, count, names):
        self.env["oda.event"]._log(
            "data.export", model=self._name, count=count, fields=list(names)
        )

    @api.model
    def get_view(self, view_id=None, view_type="form", **options):
        """Leave out the buttons of import and export for whoever lacks the right."""
        result = super().get_view(view_id, view_type, **options)
        if view_type in ("list", "kanban"):
            may = self.env["res.users"]._oda_may
            shut = [
                name
                for name, right in (("import", "import"), ("export_xlsx", "export"))
                if not may(self._oda_subject, right)
            ]
            if shut:
                root = etree.fromstring(result["arch"])
                for name in shut:
                    root.set(name, "0")
                result["arch"] = etree.tostring(root, encoding="unicode")
        return result
