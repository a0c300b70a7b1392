# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import fields, models
from odoo.exceptions import UserError

#: a larger file is read by a job; a smaller one while the person waits
AT_ONCE = 200_000  # bytes


class OdaImport(models.Model):
    """Reading and judging a file: at once, or in a job that tells how far it is."""

    _inherit = "oda.import"

    state = fields.Selection(
        selection_add=[("reading", "Being read"), ("preview",)],
        ondelete={"reading": "set default"},
    )

    def action_read(self):
        """Read the file, guess what its columns hold, judge every row: the preview.

        A large one is read in the background; its state is `reading` meanwhile.
        """
        self._oda_require_right()
        self.check_access("write")
        for one in self:
            one.lock_for_update()
            if one.state not in ("draft", "preview"):
                raise UserError(
                    self.env._("This import is over: choose the file anew.")
                )
            # Base64 is four letters for three bytes.
            if len(one.with_context(bin_size=False).file or b"") * 3 // 4 <= AT_ONCE:
                one._oda_read()
            else:
                one._oda_begin("reading", "_job_read")
        return True

    def _oda_read(self, tell=None):
        """Read and judge, in this transaction.

        :param tell: called with how far it is, in per cent; may raise to stop it
        """
        self.ensure_one()
        rows = self._oda_table()
        if not self.column_ids:
            self._oda_make_columns(rows)
        self._oda_stage(rows, tell)

    # === THE JOB ===#

    def _job_read(self):
        """Read on a cursor of its own; killed anywhere, nothing is staged and it runs
        again."""
        self._oda_alone(
            "_oda_read_all",
            back_to="draft",
            stopped=self.env._("Stopped: the file was not read."),
        )

    def _oda_read_all(self):
        self.ensure_one()
        self.lock_for_update()
        if self.state != "reading":
            return
        self._oda_require_right()
        self._oda_tell_progress(0)
        self._oda_read(self._oda_tell_progress)
