# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from odoo import SUPERUSER_ID, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.oda_base.transaction import in_own_transaction

from .. import importing
from .crm_lead import QUIET

_logger = logging.getLogger(__name__)

BATCH = 500  # contacts created at once
TRIES = 3


class ImportCancelled(Exception):
    """The person asked to stop; nothing was created."""


class OdaImport(models.Model):
    """Creating what was looked at: one transaction, in a job."""

    _inherit = "oda.import"

    def action_run(self):
        """Create in the background what the preview shows."""
        self.ensure_one()
        self._oda_require_right()
        self.check_access("write")
        self.lock_for_update()
        if self.state != "preview":
            raise UserError(self.env._("Read the file first, and look at the preview."))
        if not self.row_ids.filtered(lambda row: row.verdict != "error"):
            raise UserError(self.env._("No row can be imported: put them right first."))
        self._oda_begin("running", "_job_run")
        return True

    def _oda_begin(self, state, job):
        """Go on in the background, where it can be watched and stopped."""
        # sudo: state and progress are the system's to set
        self.sudo().write({"state": state, "message": False})
        progress = self.env["oda.import.progress"].sudo()  # sudo: as above
        progress.search([("import_id", "=", self.id)]).unlink()
        progress.create({"import_id": self.id})
        later = self.with_delay(
            channel="root.oda_import", description=f"import {self.id}"
        )
        getattr(later, job)()

    def action_cancel(self):
        """Stop before anything is there; once it is committed, it stays."""
        self.ensure_one()
        self._oda_require_right()
        self.check_access("write")
        if self.state == "preview":
            self._oda_drop_staging()
            self.sudo().state = "cancelled"  # sudo: the state is the system's to set
        elif self.state in ("reading", "running"):
            # sudo: the person's own import, checked above
            self.env["oda.import.progress"].sudo().search(
                [("import_id", "=", self.id)]
            ).cancel_asked = True
        return True

    def get_progress(self):
        """Return ``{state, percent}`` for whoever waits before the form."""
        self.ensure_one()
        self.check_access("read")
        return {"state": self.state, "percent": self.progress}

    # === THE JOB ===#

    def _job_run(self):
        """Create everything on a cursor of its own; say what became of it."""
        self._oda_alone(
            "_oda_create_all",
            back_to="failed",
            stopped=self.env._("Stopped: nothing was created."),
        )

    def _oda_alone(self, method, back_to, stopped):
        """Run a method of this import in one transaction on a cursor of its own.

        Killed at any line it leaves nothing: the queue runs it again from the start,
        and an import that is past it is left alone.

        :param str method: raises `ImportCancelled` when the person wants it to stop
        :param back_to: the state after a failure
        :param stopped: the words after a stop
        """
        registry, uid = self.env.registry, self.env.uid
        context = {
            "lang": self.env.user.lang,
            "allowed_company_ids": [self.company_id.id],
        }
        import_id = self.id
        try:
            in_own_transaction(
                registry,
                uid,
                lambda env: getattr(env["oda.import"].browse(import_id), method)(),
                tries=TRIES,
                context=context,
            )
            return
        except ImportCancelled:
            state = "draft" if back_to == "draft" else "cancelled"
            words = stopped
        except (UserError, ValidationError, AccessError) as error:
            state, words = back_to, str(error)
        except Exception:
            _logger.exception("import %s failed", import_id)
            state = back_to
            words = self.env._(
                "Nothing was created: an error that nobody foresaw. An administrator "
                "finds it in the log under “import %s”.",
                import_id,
            )

        def tell(env):
            # sudo: the state is the system's to set
            env["oda.import"].browse(import_id).sudo().write(
                {"state": state, "message": words}
            )

        in_own_transaction(registry, uid, tell, context=context)

    def _oda_create_all(self):
        """Create, fill in, or leave each row; all of it in this transaction."""
        self.ensure_one()
        self.lock_for_update()
        if self.state != "running":
            return
        self._oda_require_right()
        rows = self.row_ids.sorted("number")
        regions = self.env["oda.phone"]._regions()
        catalogue = self._oda_catalogue()
        todo, known, outcome = [], [], {}
        for row in rows:
            cells = row._oda_cells()
            verdict = importing.judge(cells, regions, catalogue=catalogue)
            if verdict.state == importing.ERROR:
                outcome[row.id] = ("refused", row.words)
            elif row.is_duplicate and row.choice == "skip":
                outcome[row.id] = ("skipped", None)
            elif row.is_duplicate and row.choice == "update" and row.duplicate_of:
                known.append((row, verdict))
            elif row.choice == "skip":
                outcome[row.id] = ("skipped", None)
            else:
                todo.append((row, verdict))
        total = len(todo) + len(known) or 1
        numbers = []
        for start in range(0, len(todo), BATCH):
            self._oda_tell_progress(start * 100 // total)
            self._oda_create_batch(todo[start : start + BATCH], outcome, numbers)
        for start in range(0, len(known), BATCH):
            self._oda_tell_progress((len(todo) + start) * 100 // total)
            self._oda_fill_in(known[start : start + BATCH], outcome, numbers)
        if numbers:
            # sudo: numbers of contacts that were just created or allowed to be edited
            self.env["oda.phone"].sudo()._add(numbers)
        self._oda_tell_progress(99)
        self._oda_finish(outcome)

    def _oda_create_batch(self, batch, outcome, numbers):
        """Create contacts; one that Odoo refuses is refused alone, with its words."""
        Partner = self.env["res.partner"].with_context(
            **QUIET, no_reset_password=True, import_file=True
        )
        try:
            with self.env.cr.savepoint():
                partners = Partner.create([self._oda_vals(one) for _row, one in batch])
                self.env.flush_all()
        except (UserError, ValidationError) as error:
            if len(batch) == 1:
                outcome[batch[0][0].id] = ("refused", str(error))
                return
            half = len(batch) // 2
            self._oda_create_batch(batch[:half], outcome, numbers)
            self._oda_create_batch(batch[half:], outcome, numbers)
            return
        told = [verdict for _row, verdict in batch]
        self._oda_note_consents(list(zip(partners, told, strict=True)))
        for partner, (row, verdict) in zip(partners, batch, strict=True):
            outcome[row.id] = ("created", None)
            if verdict.clean.get("phone2"):
                numbers.append((partner.id, verdict.clean["phone2"]))

    def _oda_fill_in(self, batch, outcome, numbers):
        """Give known contacts what they have not got; nothing is overwritten."""
        partners = self.env["res.partner"].browse(
            {row.duplicate_of.id for row, _verdict in batch}
        )
        allowed = set(partners._filtered_access("write").ids)
        told = []
        for row, verdict in batch:
            partner = row.duplicate_of.with_context(**QUIET)
            if partner.id not in allowed:
                outcome[row.id] = (
                    "refused",
                    self.env._("The known card is not yours to change."),
                )
                continue
            vals = self._oda_missing_vals(partner, self._oda_vals(verdict))
            try:
                with self.env.cr.savepoint():
                    if vals:
                        partner.write(vals)
                        self.env.flush_all()
            except (UserError, ValidationError) as error:
                outcome[row.id] = ("refused", str(error))
                continue
            numbers += [
                (partner.id, verdict.clean[one])
                for one in ("phone", "phone2")
                if verdict.clean.get(one)
            ]
            outcome[row.id] = ("updated", None)
            told.append((row.duplicate_of, verdict))
        self._oda_note_consents(told)

    def _oda_finish(self, outcome):
        """Write what became of each row, and of all."""
        by_end = {}
        for row_id, (end, words) in outcome.items():
            by_end.setdefault((end, words), []).append(row_id)
        for (end, words), ids in by_end.items():
            vals = {"outcome": end, **({"words": words} if words else {})}
            # sudo: what became of a row is the system's to say
            self.env["oda.import.row"].sudo().browse(ids).write(vals)
        counts = {
            end: sum(len(ids) for key, ids in by_end.items() if key[0] == end)
            for end in ("created", "updated", "skipped", "refused")
        }
        # sudo: as above
        self.sudo().write(
            {"state": "done", **{f"{end}_count": n for end, n in counts.items()}}
        )
        self.env["oda.event"]._log("data.import", self, model="res.partner", **counts)

    def _oda_tell_progress(self, percent):
        """Say how far we are to those who wait, and stop when they say so."""
        import_id = self.id

        def tell(env):
            row = env["oda.import.progress"].search([("import_id", "=", import_id)])
            row.percent = percent
            return any(row.mapped("cancel_asked"))

        if in_own_transaction(self.env.registry, SUPERUSER_ID, tell):
            raise ImportCancelled
