# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, html2plaintext

from .. import timeline

TEXT_MAX = 2000  # characters of an entry shown; the record itself has the rest
SCOPE_MAX = 500  # contacts of a firm, consultations of a beneficiary


class OdaTimeline(models.AbstractModel):
    """Everything that happened with a record, newest first, page by page.

    Kinds are added by overriding :meth:`_oda_timeline_sources`; each reads at most one
    page of its own rows, with the rights of who looks.
    """

    _name = "oda.timeline"
    _description = "Timeline"

    def _oda_timeline_scope(self):
        """``{"partners": ids, "leads": ids, "by_lead": bool}`` whose history this is.

        ``by_lead``: rows are found by their consultation, else by their beneficiary.
        """
        return {"partners": [], "leads": [], "by_lead": False}

    @api.model
    def _oda_timeline_sources(self):
        """Return ``{kind: {"label", "icon", "read"}}`` of what the user may see.

        ``read(scope, before, limit)`` gives at most ``limit`` entries older than the
        cursor ``before`` (or None), newest first: dicts of ``at`` (naive UTC),
        ``kind``, ``id``, ``title``, ``text`` (plain), ``user_id`` or ``author_id`` (who
        did it), ``model`` and ``res_id`` (what to open), ``data`` (for the browser).
        """
        return {}

    @api.readonly
    def oda_timeline_page(self, before=None, limit=30, kinds=None):
        """One page for the browser.

        :param before: ``next`` of the page before, or None
        :param int limit: entries a page, 1..100
        :param kinds: list of kinds to show, None: all
        :returns: ``{"entries", "next", "kinds"}``; ``kinds`` are those the user may see
        """
        self.ensure_one()
        if not self.env.user._is_internal():
            raise AccessError(self.env._("The timeline is for the staff."))
        self.check_access("read")
        try:
            cursor = timeline.read_cursor(before)
        except timeline.CursorError as error:
            raise UserError(
                self.env._("This page of the timeline is not valid: reload the card.")
            ) from error
        known = self._oda_timeline_sources()
        entries, following = self._oda_timeline(
            cursor, timeline.read_limit(limit), kinds
        )
        return {
            "entries": [self._oda_timeline_json(entry) for entry in entries],
            "next": following or False,
            "kinds": [
                {"kind": kind, "label": source["label"], "icon": source["icon"]}
                for kind, source in known.items()
            ],
        }

    def _oda_timeline(self, before=None, limit=30, kinds=None):
        """Return ``(entries, cursor of the next page or None)``; see the sources.

        :param before: ``(datetime, kind, id)``: only older entries, None: the newest
        :param kinds: names of the kinds wanted, None: all that the user may see
        """
        self.ensure_one()
        sources = self._oda_timeline_sources()
        if isinstance(kinds, (list, tuple, set)):
            sources = {kind: sources[kind] for kind in sources if kind in kinds}
        scope = self._oda_timeline_scope()
        rows = [source["read"](scope, before, limit + 1) for source in sources.values()]
        entries, following = timeline.page(rows, limit)
        self._oda_timeline_names(entries)
        return entries, following

    @api.model
    def _oda_timeline_names(self, entries):
        """Write ``who`` into the entries: one query for all of them."""
        users = [one["user_id"] for one in entries if one.get("user_id")]
        authors = [one["author_id"] for one in entries if one.get("author_id")]
        names = {}
        if users or authors:
            # Names only: of colleagues, and of those whose words are shown anyhow.
            self.env.cr.execute(
                "SELECT 'user_id', u.id, p.name FROM res_users u"
                " JOIN res_partner p ON p.id = u.partner_id WHERE u.id = ANY(%s)"
                " UNION ALL SELECT 'author_id', id, COALESCE(name, complete_name)"
                " FROM res_partner WHERE id = ANY(%s)",
                (users, authors),
            )
            names = {row[:2]: row[2] for row in self.env.cr.fetchall()}
        for one in entries:
            by = "user_id" if one.get("user_id") else "author_id"
            one["who"] = names.get((by, one.get(by)), "")

    @api.model
    def _oda_timeline_json(self, entry):
        text = (entry.get("text") or "").strip()
        return {
            "key": f"{entry['kind']}-{entry['id']}",
            "kind": entry["kind"],
            "id": entry["id"],
            "at": fields.Datetime.to_string(entry["at"]),
            "title": entry.get("title") or "",
            "text": text[:TEXT_MAX] + ("…" if text[TEXT_MAX:] else ""),
            "who": entry["who"],
            "model": entry.get("model") or False,
            "res_id": entry.get("res_id") or False,
            "data": entry.get("data") or {},
        }

    # ---------------------------------------------------------- for the sources
    @api.model
    def _oda_timeline_read(self, model, domain, at, kind, before, limit, columns):
        """Rows of ``model`` as dicts: ``id``, ``at`` and ``columns``; one query.

        :param model: recordset in whose environment (and rights) the rows are read
        :param at: name of the datetime field that orders them
        :param columns: names of stored fields, or ``{name: SQL}`` for others, where the
            SQL speaks of the table by its own name
        """
        query = model._search(domain, order="id")
        names = columns if isinstance(columns, dict) else dict.fromkeys(columns)
        at_sql = model._field_to_sql(query.table, at, query)
        id_sql = SQL.identifier(query.table, "id")
        self._oda_timeline_narrow(query, at_sql, id_sql, kind, before)
        query.order = SQL("%s DESC, %s DESC", at_sql, id_sql)
        query.limit = limit
        selected = [
            sql or model._field_to_sql(query.table, name, query)
            for name, sql in names.items()
        ]
        rows = self.env.execute_query(query.select(id_sql, at_sql, *selected))
        return [
            dict(zip(("id", "at", *names), row, strict=True), kind=kind) for row in rows
        ]

    @api.model
    def _oda_timeline_narrow(self, query, at_sql, id_sql, kind, before):
        """Only rows older than the cursor, to the microsecond, unlike a domain."""
        query.add_where(SQL("%s IS NOT NULL", at_sql))
        if not before:
            return
        at, _kind, number = before
        place = timeline.side(kind, before)
        if place == timeline.WITHIN:
            older = SQL("(%s, %s) < (%s, %s)", at_sql, id_sql, at, number)
        elif place == timeline.AFTER:
            older = SQL("%s <= %s", at_sql, at)
        else:
            older = SQL("%s < %s", at_sql, at)
        query.add_where(older)

    @api.model
    def _oda_plain(self, html):
        """Readable text of a message's HTML, cut before it is parsed at length."""
        return html2plaintext((html or "")[: TEXT_MAX * 10], include_references=False)
