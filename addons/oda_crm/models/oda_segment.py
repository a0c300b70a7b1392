# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
from contextlib import closing

from psycopg2 import Error as DatabaseError
from psycopg2.errors import QueryCanceled

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .. import segments

COUNT_SECONDS = 2.0  # for all segments that are shown at once
COUNT_CAP = 10_000  # counted up to here when all of them take too long
#: of one count, for as long as it runs
WORK_MEM = "64MB"
SAMPLE = 6  # members shown while the conditions are set
SHARERS = (
    "oda_base.group_lead",  # a head is one, too
    "oda_base.group_marketing",
    "oda_base.group_admin",
)


class OdaSegment(models.Model):
    """A named group of beneficiaries: who they are is asked anew at every use.

    Whoever reads it sees the beneficiaries that they may see. A segment that cannot
    be read any more (a field of it was deleted) is nobody and says so.
    """

    _name = "oda.segment"
    _description = "Segment"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    description = fields.Text()
    user_id = fields.Many2one(
        "res.users",
        string="Made by",
        required=True,
        default=lambda self: self.env.user,
        index=True,
        ondelete="restrict",
        copy=False,
    )
    company_id = fields.Many2one(
        "res.company", index=True, default=lambda self: self.env.company
    )
    shared = fields.Boolean(
        string="For everybody",
        copy=False,
        help="Others see and use it as well. Each of them finds in it only the "
        "beneficiaries that they may see.",
    )
    domain = fields.Char(
        string="Beneficiaries who", default="[]", required=True, size=None
    )
    part_ids = fields.One2many(
        "oda.segment.part", "segment_id", string="And also", copy=True
    )
    problem = fields.Text(compute="_compute_problem")
    member_count = fields.Integer(string="Count", compute="_compute_member_count")
    member_text = fields.Char(string="Beneficiaries", compute="_compute_member_count")
    sample_ids = fields.Many2many(
        "res.partner",
        string="For example",
        compute="_compute_sample_ids",
        help="Some of them, while the conditions are being set.",
    )

    @api.depends("domain", "part_ids.kind", "part_ids.has", "part_ids.domain")
    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_problem(self):
        for segment in self:
            segment.problem = segment._examined()[1]

    @api.depends("domain", "part_ids.kind", "part_ids.has", "part_ids.domain")
    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_sample_ids(self):
        for segment in self:
            segment.sample_ids = segment._sample()

    @api.depends("domain", "part_ids.kind", "part_ids.has", "part_ids.domain")
    @api.depends_context("uid", "allowed_company_ids", "lang")
    def _compute_member_count(self):
        until = time.monotonic() + COUNT_SECONDS
        for segment in self:
            count, text = segment._count(until)
            segment.member_count = count
            segment.member_text = text

    # === RIGHTS ===#

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("shared") for vals in vals_list):
            self._check_may_share()
        return super().create(vals_list)

    def write(self, vals):
        # Handing one over would put it into somebody else's list.
        if vals.get("shared") or vals.get("user_id", self.env.uid) != self.env.uid:
            self._check_may_share()
        return super().write(vals)

    def _check_may_share(self):
        if not self.env.su and not any(map(self.env.user.has_group, SHARERS)):
            raise AccessError(
                self.env._(
                    "A segment for everybody is made by a team lead, marketing or an "
                    "administrator. Keep it for yourself, or ask one of them."
                )
            )

    @api.constrains("domain", "part_ids")
    def _check_domain(self):
        for segment in self:
            problem = segment._examined()[1]
            if problem:
                raise ValidationError(
                    self.env._(
                        "%(name)s: %(problem)s", name=segment.name, problem=problem
                    )
                )

    # === WHO IS IN IT: THE VERBS OF OTHERS ===#

    def _domain(self):
        """Return the Domain of the members over `res.partner`, for this reader.

        Nobody (`Domain.FALSE`) when the segment cannot be read; see `problem`.
        """
        self.ensure_one()
        return self._examined()[0]

    def _partner_query(self):
        """Return the members as a Query of `res.partner`, for sub-queries.

        The reader's record rules hold in it. Nothing is fetched here.
        """
        return self.env["res.partner"]._search(self._domain())

    def _partners(self, limit=None, offset=0):
        """Return members, by id: a page of them or all."""
        return self.env["res.partner"].search(
            self._domain(), limit=limit, offset=offset, order="id"
        )

    # === ACTIONS ===#

    def action_show(self):
        """Open the members as a list."""
        self.ensure_one()
        self.check_access("read")
        if self.problem:
            raise UserError(self.problem)
        return {
            "type": "ir.actions.act_window",
            "name": self.name,
            "res_model": "res.partner",
            "view_mode": "list,kanban,form",
            "domain": list(self._domain()),
            "context": {"create": False},
            "help": self.env._("Nobody is in this segment now."),
        }

    # === BEHIND IT ===#

    def _examined(self):
        """Return (Domain, problem in words or False), whatever is wrong with it."""
        self.ensure_one()
        Partner = self.env["res.partner"]
        try:
            own = self._parse(self.domain, Partner)
            parts = [part._composed() for part in self.part_ids]
            domain = Domain("partner_share", "=", True) & Domain(
                segments.compose(own, parts)
            )
            self._probe(Partner, domain)
        except AccessError:
            # Not its text: that names records the reader may not know of.
            return Domain.FALSE, self.env._(
                "It asks about things that your role may not see."
            )
        except UserError as error:
            return Domain.FALSE, str(error.args[0])
        except (ValueError, TypeError, KeyError, NotImplementedError, DatabaseError):
            return Domain.FALSE, self.env._(
                "A value does not fit its field. Set the condition again."
            )
        return domain, False

    @api.model
    def _probe(self, model, domain):
        """Have the database judge the query without running it."""
        # The savepoint keeps what the database refuses from ending the transaction.
        with self.env.cr.savepoint(flush=False):
            query = model._search(domain, limit=1)
            if query.is_empty():
                return
            self.env.cr.execute(SQL("EXPLAIN %s", query.select()), log_exceptions=False)

    @api.model
    def _parse(self, text, model):
        """Return the parsed domain of a text over `model`; UserError in words."""
        try:
            domain = segments.parse(text, {"uid": self.env.uid})
        except segments.SegmentError as error:
            raise UserError(self._words(error)) from None
        for leaf in segments.leaves(domain):
            gone = self._gone(model, leaf.path)
            if gone:
                raise UserError(
                    self.env._(
                        "The field “%(field)s” does not exist any more, so nobody is "
                        "counted. Take it out of the conditions.",
                        field=gone,
                    )
                )
        return domain

    def _words(self, error):
        if error.reason == segments.TOO_LONG:
            return self.env._("There are too many conditions: make several segments.")
        if error.reason == segments.OPERATOR:
            return self.env._("“%s” is not a way to compare here.", error.detail)
        return self.env._("The conditions cannot be read. Set them again.")

    @api.model
    def _gone(self, model, path):
        """Return the first name of a dotted path that does not exist, or False."""
        names = path.split(".")
        for position, name in enumerate(names):
            field = model._fields.get(name)
            if field is None:
                return name[:100]
            if field.type == "properties":
                rest = names[position + 1 :]
                return rest and self._property_gone(field, rest[0])
            if field.relational:
                model = self.env[field.comodel_name]
            elif field.type in ("date", "datetime"):
                return False  # a part of it may follow: `date.month_number`
            elif names[position + 1 :]:
                return names[position + 1][:100]
        return False

    @api.model
    def _property_gone(self, field, key):
        """Return the key when no record defines such a property, else False."""
        holder = self.env[field.model_name]._fields[field.definition_record]
        container = self.env[holder.comodel_name]
        definition = container._fields[field.definition_record_field]
        if not definition.store:
            return False
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM %s WHERE %s @> %s::jsonb LIMIT 1",
                SQL.identifier(container._table),
                SQL.identifier(definition.name),
                f'[{{"name": "{key}"}}]' if key.isidentifier() else "[0]",
            )
        )
        return False if self.env.cr.fetchone() else key[:100]

    def _count(self, until):
        """Return (count, words): exact when time allows, else what is sure."""
        domain, problem = self._examined()
        if problem:
            return 0, self.env._("Not counted: see the segment")
        for limit in (None, COUNT_CAP):
            left = until - time.monotonic()
            if limit and left <= 0:
                left = COUNT_SECONDS / 10
            if left <= 0:
                continue
            count = self._count_within(domain, limit, left)
            if count is None:
                continue
            if limit and count >= limit:
                return count, self.env._("at least %s", f"{limit:,}".replace(",", " "))
            return count, str(count)
        return 0, self.env._("Takes too long to count")

    def _sample(self):
        """Return a few members; nobody when even these take too long to find."""
        people = self.env["res.partner"]
        domain, problem = self._examined()
        if problem:
            return people
        query = people._search(domain, limit=SAMPLE)
        if query.is_empty():
            return people
        try:
            rows = self._execute_within(query.select(), COUNT_SECONDS / 4)
        except QueryCanceled:
            return people
        return people.browse(row[0] for row in rows)

    def _count_within(self, domain, limit, seconds):
        """Return how many there are, or None when `seconds` are not enough."""
        query = self.env["res.partner"]._search(domain, limit=limit)
        if query.is_empty():
            return 0
        sql = SQL("SELECT COUNT(*) FROM (%s) AS members", query.select())
        try:
            return self._execute_within(sql, seconds)[0][0]
        except QueryCanceled:
            return None

    @api.model
    def _execute_within(self, sql, seconds):
        """Return the rows of a query that reads many beneficiaries.

        Whole relations are hashed in memory meanwhile; without the room for it the
        database would do it on its disk, in parts. Compiling such a query costs more
        than it saves (0.5 s).

        :raise psycopg2.errors.QueryCanceled: `seconds` were not enough
        """
        cr = self.env.cr
        self.env.flush_query(sql)
        # Rolled back in any case, which also puts the settings back.
        with closing(cr.savepoint(flush=False)):
            cr.execute(
                "SELECT set_config('statement_timeout', %s, true),"
                " set_config('work_mem', %s, true), set_config('jit', 'off', true)",
                (str(max(1, int(seconds * 1000))), WORK_MEM),
            )
            cr.execute(sql, log_exceptions=False)
            return cr.fetchall()
