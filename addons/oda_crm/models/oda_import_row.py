# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json

from psycopg2.extras import execute_values

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import importing
from ..tables import Formula
from .res_partner_card import IDENTITY_READERS

#: targets that can be put right in the preview, one field each; others are in `more`
TYPED = ("name", "phone", "email", "idnp", "idno")
BATCH = 5000


class OdaImportRow(models.Model):
    """One row of a file: as it came, what is wrong with it, what becomes of it."""

    _name = "oda.import.row"
    _description = "Row of an Import"
    _order = "import_id desc, number"
    _rec_name = "name"

    import_id = fields.Many2one(
        "oda.import", required=True, readonly=True, ondelete="cascade"
    )
    number = fields.Integer(string="Line", readonly=True)
    name = fields.Char()
    phone = fields.Char()
    email = fields.Char()
    idnp = fields.Char(string="IDNP", groups=IDENTITY_READERS)
    idno = fields.Char(string="IDNO")
    more = fields.Json(readonly=True)
    formulas = fields.Json(readonly=True)
    keys = fields.Json(readonly=True)
    verdict = fields.Selection(
        [("ok", "Ready"), ("warning", "With a remark"), ("error", "With an error")],
        readonly=True,
    )
    words = fields.Char(string="Remarks", readonly=True)
    is_duplicate = fields.Boolean(string="Known already", readonly=True)
    duplicate_of = fields.Many2one(
        "res.partner",
        string="Known as",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    same_as = fields.Integer(
        string="Same as line", readonly=True, help="An earlier line of the file."
    )
    choice = fields.Selection(
        [
            ("skip", "Leave as it is"),
            ("update", "Fill in"),
            ("create", "Create"),
        ],
        string="What to do",
    )
    outcome = fields.Selection(
        [
            ("created", "Created"),
            ("updated", "Filled in"),
            ("skipped", "Left as it was"),
            ("refused", "Refused"),
        ],
        readonly=True,
    )

    _import_idx = models.Index("(import_id, number)")
    _verdict_idx = models.Index("(import_id, verdict, is_duplicate)")

    # === PUTTING RIGHT ===#

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(self.env._("Rows come from the file."))
        return super().create(vals_list)

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        self.import_id._oda_require_right()
        if not vals.keys() <= {*TYPED, "choice"}:
            raise AccessError(self.env._("This is set by the system."))
        if any(one.state != "preview" for one in self.import_id):
            raise UserError(self.env._("This import is over: choose the file anew."))
        done = super().write(vals)
        typed = [name for name in TYPED if name in vals]
        if typed:
            for row in self.filtered("formulas"):
                left = [name for name in row.formulas if name not in typed]
                row.sudo().formulas = left or False  # sudo: typed anew, no formula
            followers = self.search(
                [
                    ("import_id", "in", self.import_id.ids),
                    ("same_as", "in", self.mapped("number")),
                ]
            )
            (self | followers)._oda_judge()
        return done

    def _oda_drop(self):
        """Delete the rows of these imports at once; nothing hangs on them."""
        imports = self.import_id.ids
        if imports:
            self.env.flush_all()
            self.env.cr.execute(
                "DELETE FROM oda_import_row WHERE import_id = ANY(%s)", (imports,)
            )
            self.env.invalidate_all(flush=False)

    def _oda_cells(self):
        """Return ``{target: text}`` of the row, as it came or was put right."""
        self.ensure_one()
        row = self.sudo()  # sudo: all of it is judged, also what is not shown
        cells = {**(self.more or {}), **{one: row[one] or "" for one in TYPED}}
        for target in self.formulas or ():
            cells[target] = Formula(cells.get(target, ""))
        return {target: text for target, text in cells.items() if text}

    # === STAGING AND JUDGING, set-based ===#

    @api.model
    def _oda_insert(self, owner, rows):
        """Store rows, to be judged afterwards; set-based.

        :param owner: the `oda.import`
        :param rows: iterable of ``(number, {target: text})``
        """
        self.env.flush_all()
        batch = []
        for number, cells in rows:
            formulas = [key for key, text in cells.items() if isinstance(text, Formula)]
            more = {key: text for key, text in cells.items() if key not in TYPED}
            batch.append(
                (
                    owner.id,
                    number,
                    *(cells.get(name) or None for name in TYPED),
                    json.dumps(more) if more else None,
                    json.dumps(formulas) if formulas else None,
                )
            )
            if len(batch) == BATCH:
                self._oda_insert_batch(batch)
                batch = []
        self._oda_insert_batch(batch)
        self.env.invalidate_all(flush=False)

    @api.model
    def _oda_insert_batch(self, batch):
        if batch:
            execute_values(
                self.env.cr._obj,
                "INSERT INTO oda_import_row (import_id, number, name, phone, email,"
                " idnp, idno, more, formulas) VALUES %s",
                batch,
                template="(%s,%s,%s,%s,%s,%s,%s,%s::jsonb,%s::jsonb)",
                page_size=1000,
            )

    @api.model
    def _oda_judge_all(self, owner, tell=None):
        """Judge all rows of an import, `BATCH` at a time in the order of the file.

        :param tell: called with the share done, 0 to 1, before each batch; may raise
        """
        numbers = [
            n for (n,) in self._read_group([("import_id", "=", owner.id)], ["number"])
        ]
        catalogue = owner._oda_catalogue()
        for start in range(0, len(numbers), BATCH):
            if tell:
                tell(start / len(numbers))
            last = numbers[min(start + BATCH, len(numbers)) - 1]
            rows = self.search(
                [
                    ("import_id", "=", owner.id),
                    ("number", ">=", numbers[start]),
                    ("number", "<=", last),
                ]
            )
            rows._oda_judge(catalogue)

    def _oda_judge(self, catalogue=None):
        """Judge these rows again, and look for doubles of them."""
        regions = self.env["oda.phone"]._regions()
        for owner, rows in self.grouped("import_id").items():
            named = catalogue or owner._oda_catalogue()
            verdicts = {
                row.id: importing.judge(row._oda_cells(), regions, catalogue=named)
                for row in rows
            }
            people = self._oda_known(verdicts.values())
            same = rows._oda_same_rows(owner, verdicts)
            # sudo: the verdict is the system's to set
            rows.sudo()._oda_store(owner, verdicts, people, same)

    def _oda_store(self, owner, verdicts, people, same):
        """Write verdicts, doubles and choices in one statement a batch."""
        values = []
        for row in self:
            verdict = verdicts[row.id]
            found = [people[key] for key in importing.keys(verdict) if key in people]
            partner = next((one for one in found if one), None)
            earlier = same.get(row.id)
            words = [self._oda_word(code, value) for code, value in verdict.words]
            state = verdict.state
            if found and not partner:
                words.append(
                    self.env._("Known already, on a card that is not yours to see.")
                )
            if earlier:
                words.append(self.env._("The same as line %s of the file.", earlier))
            if (found or earlier) and state == "ok":
                state = "warning"
            double = bool(found or earlier)
            choice = "create"
            if double:
                kept = row.choice if row.is_duplicate else None
                choice = kept or ("skip" if not partner else owner.on_duplicate)
                if choice == "update" and not partner:
                    choice = "skip"
            keys = _texts(verdict)
            values.append(
                (
                    row.id,
                    state,
                    " ".join(words),
                    double,
                    partner,
                    earlier,
                    choice,
                    json.dumps(keys) if keys else None,
                )
            )
        self.env.flush_all()
        execute_values(
            self.env.cr._obj,
            """
            UPDATE oda_import_row r
               SET verdict = v.verdict, words = NULLIF(v.words, ''),
                   is_duplicate = v.double, duplicate_of = v.partner::int,
                   same_as = v.earlier::int, choice = v.choice, keys = v.keys::jsonb
              FROM (VALUES %s)
                   AS v (id, verdict, words, double, partner, earlier, choice, keys)
             WHERE r.id = v.id
            """,
            values,
            page_size=1000,
        )
        self.env.invalidate_all(flush=False)

    def _oda_word(self, code, value):
        """Return a remark in words that say what to do."""
        return {
            "phone": self.env._("“%s” is no phone number.", value),
            "email": self.env._("“%s” is no e-mail address.", value),
            "idnp": self.env._(
                "“%s” is no IDNP: 13 digits, the last one checks.", value
            ),
            "idno": self.env._(
                "“%s” is no IDNO: 13 digits, the last one checks.", value
            ),
            "birth": self.env._(
                "“%s” is no date of birth: write 17.05.2001 or 2001.", value
            ),
            "formula": self.env._("“%s” is a formula: put its value there.", value),
            "nameless": self.env._("There is no name."),
            "long_name": self.env._("The name is longer than %s letters.", value),
            "unreachable": self.env._("Neither a phone number nor an e-mail address."),
            "legal_form": self.env._("Left out: “%s” is no legal form of ours.", value),
            "activity": self.env._(
                "Left out: “%s” is no field of activity. Write its CAEM code: 10.71.",
                value,
            ),
            "locality": self.env._(
                "“%s” is not among the localities: kept as the town.", value
            ),
            "localities": self.env._(
                "There are several “%s”: add the district. Kept as the town.", value
            ),
            "district": self.env._("Left out: “%s” is no district.", value),
            "gender": self.env._("Left out: “%s” is no gender.", value),
            "lang": self.env._("Left out: “%s” is no language used here.", value),
            "tags": self.env._("Left out, as there is no such tag: %s.", value),
            "staff": self.env._("Left out: “%s” is no number of employees.", value),
            "founded": self.env._("Left out: “%s” is no year.", value),
            "consent_yes": self.env._(
                "Left out: a consent is recorded by a consultant or an administrator."
            ),
            "consent_source": self.env._(
                "Left out: “%s” is no source of a consent.", value
            ),
            "consent_at": self.env._("Left out: “%s” is no day of a consent.", value),
            "own": self.env._("Left out, does not fit its field: %s.", value),
            **dict.fromkeys(
                importing.CONSENTS,
                self.env._("Left out: write yes or no for a consent, not “%s”.", value),
            ),
        }[code]

    @api.model
    def _oda_known(self, verdicts):
        """Return ``{key: partner id, or None when not to be seen}`` of who is known.

        One query a kind of key, whatever the number of rows; archived people and
        other companies' left out.
        """
        wanted = {}
        for verdict in verdicts:
            for kind, value in importing.keys(verdict):
                wanted.setdefault(kind, set()).add(value)
        partners = self.env["res.partner"]
        partners.flush_model()
        self.env["oda.phone"].flush_model()
        columns = {
            "phone": ("n.e164", "JOIN oda_phone n ON n.partner_id = p.id"),
            "email": ("p.email_normalized", ""),
            "idnp": ("p.oda_idnp", ""),
            "idno": ("p.oda_idno", ""),
        }
        companies = self.env.companies.sudo()  # sudo: ids of the ancestors
        company_ids = (companies | companies.parent_ids).ids
        found = {}
        for kind, values in wanted.items():
            column, join = columns[kind]
            if kind in ("idnp", "idno"):
                field = partners._fields.get(f"oda_{kind}")
                # Who does not see these numbers does not learn whose they are.
                if not field or not partners._has_field_access(field, "read"):
                    continue
            # pylint: disable-next=sql-injection  # both are constants from above
            self.env.cr.execute(
                f"SELECT {column}, min(p.id) FROM res_partner p {join}"
                f" WHERE {column} = ANY(%s) AND p.active"
                " AND (p.company_id IS NULL OR p.company_id = ANY(%s))"
                f" GROUP BY {column}",
                (list(values), company_ids),
            )
            found.update(((kind, value), pid) for value, pid in self.env.cr.fetchall())
        seen = set(partners.browse(set(found.values()))._filtered_access("read").ids)
        return {key: pid if pid in seen else None for key, pid in found.items()}

    def _oda_same_rows(self, owner, verdicts):
        """Return ``{row id: line}`` of rows that an earlier line of the file has."""
        mine = {row.id: _texts(verdicts[row.id]) for row in self}
        first = {}
        # What other lines of the file say, by what was kept of them.
        self.env.cr.execute(
            """
            SELECT key, min(number)
              FROM oda_import_row, jsonb_array_elements_text(keys) key
             WHERE import_id = %s AND id <> ALL(%s) AND key = ANY(%s)
             GROUP BY key
            """,
            (owner.id, self.ids, list({k for keys in mine.values() for k in keys})),
        )
        first.update(self.env.cr.fetchall())
        same = {}
        for row in self.sorted("number"):
            lines = [first[key] for key in mine[row.id] if key in first]
            earlier = min(lines, default=row.number)
            if earlier < row.number:
                same[row.id] = earlier
            for key in mine[row.id]:
                first[key] = min(first.get(key, row.number), row.number)
        return same


def _texts(verdict):
    """Return the keys of a row as they are kept."""
    return [f"{kind}:{value}" for kind, value in importing.keys(verdict)]
