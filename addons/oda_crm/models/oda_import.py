# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import importing, tables
from ..spreadsheet import guard
from .people import given

#: target of a column -> field of the contact; left out where the field is missing
FIELD_OF = {
    "name": "name",
    "phone": "phone",
    "phone2": "oda_phone_ids",
    "email": "email",
    "idnp": "oda_idnp",
    "idno": "oda_idno",
    "company": "company_name",
    "function": "function",
    "street": "street",
    "city": "city",
    "zip": "zip",
    "ref": "ref",
    "website": "website",
    "birth": "oda_birth_year",
    "note": "comment",
    "first_name": "name",
    "last_name": "name",
    "legal_form": "oda_legal_form",
    "activity": "oda_activity_class_id",
    "locality": "oda_locality_id",
    "district": "oda_locality_id",
    "gender": "oda_gender",
    "lang": "lang",
    "tags": "category_id",
    "staff": "oda_staff",
    "founded": "oda_founding_year",
    "consent_processing": "oda_consent_ids",
    "consent_news": "oda_consent_ids",
    "consent_calls": "oda_consent_ids",
    "consent_sms": "oda_consent_ids",
    "consent_source": "oda_consent_ids",
    "consent_at": "oda_consent_ids",
}
#: set by the system only
GUARDED = {"user_id", "state", "company_id", "message"} | {
    f"{end}_count" for end in ("created", "updated", "skipped", "refused")
}
KEPT_DAYS = 30  # staging rows hold people's data: not longer than needed


class OdaImport(models.Model):
    """A file of beneficiaries on its way in: read, judged, looked at, then created.

    Nothing is created before a person has seen the preview; then everything is, in
    one transaction, or nothing.
    """

    _name = "oda.import"
    _description = "Import of Beneficiaries"
    _order = "id desc"

    name = fields.Char(string="File name", required=True, default="contacts.csv")
    file = fields.Binary(required=True, attachment=True)
    user_id = fields.Many2one(
        "res.users",
        string="Imported by",
        required=True,
        readonly=True,
        index=True,
        default=lambda self: self.env.user,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    state = fields.Selection(
        [
            ("draft", "File chosen"),
            ("preview", "Preview"),
            ("running", "Being created"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="draft",
    )
    encoding = fields.Selection(
        [(one, one.upper()) for one in ("utf-8", "utf-8-sig", "utf-16")]
        + [(one, one.upper()) for one in tables.ENCODINGS],
        help="Guessed; to be changed when letters look wrong.",
    )
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Bar")],
        help="Guessed; to be changed when everything is in one column.",
    )
    on_duplicate = fields.Selection(
        [
            ("skip", "Leave the known card as it is"),
            ("update", "Fill in what the known card has not got"),
            ("create", "Make another card"),
        ],
        string="When somebody is known already",
        required=True,
        default="update",
        help="Can be chosen otherwise for each row of the preview.",
    )
    column_ids = fields.One2many("oda.import.column", "import_id", string="Columns")
    row_ids = fields.One2many("oda.import.row", "import_id", string="Lines")
    row_count = fields.Integer(string="Rows", compute="_compute_counts")
    ok_count = fields.Integer(string="Ready", compute="_compute_counts")
    warning_count = fields.Integer(string="With a remark", compute="_compute_counts")
    error_count = fields.Integer(string="With an error", compute="_compute_counts")
    duplicate_count = fields.Integer(string="Known already", compute="_compute_counts")
    created_count = fields.Integer(string="Created", readonly=True)
    updated_count = fields.Integer(string="Filled in", readonly=True)
    skipped_count = fields.Integer(string="Left as they were", readonly=True)
    refused_count = fields.Integer(string="Refused", readonly=True)
    refused_file = fields.Binary(string="Refused rows", compute="_compute_refused_file")
    refused_name = fields.Char(compute="_compute_refused_file")
    message = fields.Text(readonly=True)
    progress = fields.Integer(compute="_compute_progress")

    @api.depends("row_ids.verdict", "row_ids.is_duplicate")
    def _compute_counts(self):
        counts = {
            (one.id, verdict, double): count
            for one, verdict, double, count in self.env["oda.import.row"]._read_group(
                [("import_id", "in", self.ids)],
                ["import_id", "verdict", "is_duplicate"],
                ["__count"],
            )
        }
        for one in self:
            mine = {key[1:]: count for key, count in counts.items() if key[0] == one.id}
            of = {
                state: sum(count for key, count in mine.items() if key[0] == state)
                for state in ("ok", "warning", "error")
            }
            one.row_count = sum(of.values())
            one.ok_count = of["ok"]
            one.warning_count = of["warning"]
            one.error_count = of["error"]
            one.duplicate_count = sum(n for key, n in mine.items() if key[1])

    def _compute_progress(self):
        found = dict(
            self.env["oda.import.progress"]
            .sudo()  # sudo: how far the person's own import is
            ._read_group(
                [("import_id", "in", self.ids)], ["import_id"], ["percent:max"]
            )
        )
        for one in self:
            one.progress = 100 if one.state == "done" else found.get(one, 0)

    # === RIGHTS ===#

    @api.model
    def _oda_require_right(self):
        self.env["res.partner"]._oda_require("import")

    @api.model_create_multi
    def create(self, vals_list):
        self._oda_require_right()
        if any(given(self, GUARDED, vals, new=True) for vals in vals_list):
            raise AccessError(self.env._("This is set by the system."))
        imports = super().create(vals_list)
        for one in imports:
            one._oda_check_size()
        return imports

    def write(self, vals):
        typed = {"name", "file", "encoding", "delimiter", "on_duplicate", "column_ids"}
        if not self.env.su:
            self._oda_require_right()
            if not vals.keys() <= typed | {"row_ids"}:
                raise AccessError(self.env._("This is set by the system."))
            if any(one.state not in ("draft", "preview") for one in self):
                raise UserError(
                    self.env._("This import is over: choose the file anew.")
                )
        done = super().write(vals)
        if "file" in vals:
            for one in self:
                one._oda_check_size()
        if not vals.keys().isdisjoint({"file", "encoding", "delimiter"}):
            self._oda_drop_staging()
        if "on_duplicate" in vals:
            self.row_ids.filtered("is_duplicate").choice = vals["on_duplicate"]
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_not_running(self):
        if any(one.state in ("reading", "running") for one in self):
            raise UserError(self.env._("Stop the import first."))

    def _oda_check_size(self):
        raw = self.with_context(bin_size=False).file or b""
        if len(raw) * 3 // 4 > tables.SIZE_MAX + 2:
            raise UserError(
                self._oda_table_words(
                    tables.TableError("size", tables.SIZE_MAX // 1024 // 1024)
                )
            )

    def _oda_drop_staging(self):
        self.row_ids._oda_drop()
        self.sudo().column_ids.unlink()  # sudo: made by the system, of one's own file
        self.sudo().state = "draft"  # sudo: the state is the system's to set

    @api.autovacuum
    def _gc_staging(self):
        """Forget what people were in old files; the counts stay."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS)
        old = self.search(
            [("create_date", "<", limit), ("state", "not in", ("reading", "running"))]
        )
        old.row_ids._oda_drop()
        old.write({"file": base64.b64encode(b"-")})

    # === READING THE FILE ===#

    def _oda_table(self):
        """Return the rows of the file; what is wrong with it is told in words."""
        self.ensure_one()
        data = base64.b64decode(self.with_context(bin_size=False).file or b"")
        try:
            rows, encoding, delimiter = tables.read(data, self.encoding, self.delimiter)
        except tables.TableError as error:
            raise UserError(self._oda_table_words(error)) from error
        super().write({"encoding": encoding, "delimiter": delimiter})
        return rows

    def _oda_table_words(self, error):
        words = {
            "empty": self.env._(
                "The file has no rows: a first line with the names of the columns and "
                "at least one person are needed."
            ),
            "size": self.env._(
                "The file is larger than %s MB: import it in parts.", error.limit
            ),
            "rows": self.env._(
                "The file has more than %s rows: import it in parts.", error.limit
            ),
            "columns": self.env._(
                "The file has more than %s columns: leave out what is not needed.",
                error.limit,
            ),
            "zip": self.env._(
                "This is not a spreadsheet that can be read: save it as .xlsx or .csv."
            ),
            "bomb": self.env._(
                "The spreadsheet unpacks to more than is accepted: save it anew as "
                ".xlsx or .csv."
            ),
            "encoding": self.env._(
                "The letters of the file cannot be read: choose another encoding, or "
                "save it as UTF-8."
            ),
            "binary": self.env._(
                "This is not a text file: save it as .xlsx or .csv (UTF-8)."
            ),
        }
        return words[error.code]

    @api.model
    def _oda_targets(self):
        """Return the targets whose field of contacts this person may write."""
        partners = self.env["res.partner"]
        ours = [
            target
            for target in importing.TARGETS
            if (field := partners._fields.get(FIELD_OF[target]))
            and partners._has_field_access(field, "write")
        ]
        return ours + list(self._oda_own_fields())

    def _oda_make_columns(self, rows):
        headers, first = rows[0], rows[1]
        found = importing.guess_columns(
            headers,
            self._oda_remembered(headers),
            self._oda_targets(),
            self._oda_own_headers(),
        )
        # sudo: columns are made by the system, of one's own file
        self.env["oda.import.column"].sudo().create(
            [
                {
                    "import_id": self.id,
                    "position": position,
                    "header": header[:200],
                    "sample": first[position][:200],
                    "target": target or False,
                }
                for position, (header, target) in enumerate(
                    zip(headers, found, strict=True)
                )
                if header.strip() or first[position].strip()
            ]
        )

    def _oda_remembered(self, headers):
        """Return what people chose by hand for columns of these names before."""
        # sudo: the names of columns that colleagues have seen, no more
        chosen = (
            self.env["oda.import.column"]
            .sudo()
            .search(
                [
                    ("key", "in", [importing.normal(header) for header in headers]),
                    ("by_hand", "=", True),
                ],
                order="id",
            )
        )
        return {one.key: one.target or None for one in chosen}

    def _oda_stage(self, rows, tell=None):
        """Put the rows where they can be looked at, judged and compared.

        :param tell: called with how far it is, in per cent
        """
        columns = {
            column.position: column.target
            for column in self.column_ids
            if column.target
        }
        if not {"name", "first_name", "last_name", "company"} & set(columns.values()):
            raise UserError(self.env._("Choose the column that holds the names."))
        self.row_ids._oda_drop()
        self.env["oda.import.row"]._oda_insert(
            self,
            (
                (number, {t: row[position] for position, t in columns.items()})
                for number, row in enumerate(rows[1:], start=2)
            ),
        )
        self.env["oda.import.row"]._oda_judge_all(
            self, tell and (lambda share: tell(10 + int(share * 89)))
        )
        self.sudo().state = "preview"  # sudo: the state is the system's to set

    # === RESULT ===#

    @api.depends("state")
    def _compute_refused_file(self):
        for one in self:
            one.refused_file = False
            one.refused_name = one.env._("refused rows") + ".csv"
            if one.state == "done" and one.refused_count:
                one.refused_file = base64.b64encode(one._oda_refused_csv())

    def _oda_refused_csv(self):
        """Return the refused rows as they came, with the reason, as UTF-8 CSV."""
        refused = self.row_ids.filtered(lambda row: row.outcome == "refused")
        targets = list(
            dict.fromkeys(column.target for column in self.column_ids if column.target)
        )
        names = dict(self.env["oda.import.column"]._oda_target_names())
        lines = [
            [self.env._("Row"), *(names[one] for one in targets), self.env._("Reason")]
        ]
        for row in refused.sorted("number"):
            cells = row._oda_cells()
            lines.append(
                [row.number, *(cells.get(one, "") for one in targets), row.words or ""]
            )
        return tables.write_csv([[guard(cell) for cell in line] for line in lines])

    def action_show_rows(self):
        """Open the rows, filtered as the context of the button says."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "oda_crm.action_oda_import_row"
        )
        action["domain"] = [("import_id", "=", self.id)]
        action["context"] = {
            key: value
            for key, value in self.env.context.items()
            if key.startswith("search_default_")
        }
        return action
