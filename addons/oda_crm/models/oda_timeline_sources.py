# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .. import timeline

MESSAGES = ("comment", "email", "email_outgoing", "sms", "whatsapp", "auto_comment")
WHERE_TRACKED = ("res.partner", "crm.lead")
VALUES = ("integer", "float", "char", "text", "datetime")


class OdaTimeline(models.AbstractModel):
    """What every card has: sessions, messages, tasks, stages, events, changes."""

    _inherit = "oda.timeline"

    @api.model
    def _oda_timeline_sources(self):
        sources = super()._oda_timeline_sources()
        if self.env["oda.consultation.session"].has_access("read"):
            sources["session"] = {
                "label": self.env._("Sessions"),
                "icon": "fa-comments-o",
                "read": self._oda_timeline_sessions,
            }
        sources["message"] = {
            "label": self.env._("Messages"),
            "icon": "fa-envelope-o",
            "read": self._oda_timeline_messages,
        }
        sources["task"] = {
            "label": self.env._("Tasks done"),
            "icon": "fa-check-square-o",
            "read": self._oda_timeline_tasks,
        }
        sources["stage"] = {
            "label": self.env._("Stages"),
            "icon": "fa-flag-o",
            "read": self._oda_timeline_stages,
        }
        if self.env["event.registration"].has_access("read"):
            sources["event"] = {
                "label": self.env._("Events"),
                "icon": "fa-calendar",
                "read": self._oda_timeline_events,
            }
        sources["change"] = {
            "label": self.env._("Changes"),
            "icon": "fa-pencil",
            "read": self._oda_timeline_changes,
        }
        return sources

    # ----------------------------------------------------------------- sessions
    @api.model
    def _oda_timeline_of(self, scope):
        """Domain of rows that have both ``partner_id`` and ``lead_id``."""
        if scope["by_lead"]:
            return Domain("lead_id", "in", scope["leads"])
        return Domain("partner_id", "in", scope["partners"])

    @api.model
    def _oda_timeline_sessions(self, scope, before, limit):
        sessions = self.env["oda.consultation.session"]
        channels = dict(sessions._fields["channel"]._description_selection(self.env))
        rows = self._oda_timeline_read(
            sessions,
            self._oda_timeline_of(scope),
            "started_at",
            "session",
            before,
            limit,
            ("channel", "direction", "content", "user_id", "ended_at"),
        )
        for row in rows:
            row["title"] = channels.get(row["channel"], row["channel"])
            row["text"] = row["content"]
            row["model"], row["res_id"] = sessions._name, row["id"]
            row["data"] = {"direction": row["direction"]}
        return rows

    # ----------------------------------------------------------------- messages
    @api.model
    def _oda_timeline_documents(self, scope):
        """Domain of what hangs on the cards and consultations by model and id."""
        return Domain.OR(
            Domain("model", "=", model) & Domain("res_id", "in", ids)
            for model, ids in self._oda_timeline_ids(scope).items()
        )

    @api.model
    def _oda_timeline_ids(self, scope):
        partners = [] if scope["by_lead"] else scope["partners"]
        return {"res.partner": partners, "crm.lead": scope["leads"]}

    @api.model
    def _oda_timeline_mail(self, scope, kind, before, limit, domain):
        # sudo: messages are as readable as their documents, which were found with the
        # rights of who looks; asking for each again would cost a query a message
        return self._oda_timeline_read(
            self.env["mail.message"].sudo(),
            self._oda_timeline_documents(scope) & domain,
            "date",
            kind,
            before,
            limit,
            (
                "subject",
                "body",
                "author_id",
                "email_from",
                "message_type",
                "subtype_id",
                "model",
                "res_id",
                "mail_activity_type_id",
            ),
        )

    @api.model
    def _oda_timeline_messages(self, scope, before, limit):
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        rows = self._oda_timeline_mail(
            scope,
            "message",
            before,
            limit,
            Domain("message_type", "in", MESSAGES)
            & Domain("subtype_id", "!=", ref("mail.mt_activities")),
        )
        note = ref("mail.mt_note")
        for row in rows:
            mail = row["message_type"] != "comment"
            row["title"] = row["subject"] or (
                self.env._("E-mail")
                if mail
                else self.env._("Note")
                if row["subtype_id"] == note
                else self.env._("Message")
            )
            row["text"] = self._oda_plain(row["body"])
            row["data"] = {"type": row["message_type"], "from": row["email_from"] or ""}
        return rows

    @api.model
    def _oda_timeline_tasks(self, scope, before, limit):
        """Done tasks, by the message of their closing: the task has a day, no hour."""
        ref = self.env["ir.model.data"]._xmlid_to_res_id
        rows = self._oda_timeline_mail(
            scope,
            "task",
            before,
            limit,
            Domain("subtype_id", "=", ref("mail.mt_activities"))
            & Domain("mail_activity_type_id", "!=", False),
        )
        types = dict.fromkeys(row["mail_activity_type_id"] for row in rows)
        # sudo: the name of a kind of task that may be another department's
        for one in self.env["mail.activity.type"].sudo().browse(types):
            types[one.id] = one.name
        for row in rows:
            row["title"] = types[row["mail_activity_type_id"]]
            told = timeline.task_result(row["body"])
            if told is None:
                row["text"] = self._oda_plain(row["body"])
                continue
            summary, row["text"] = told
            row["title"] = ": ".join(filter(None, (row["title"], summary)))
        return rows

    # ------------------------------------------------------------------ changes
    @api.model
    def _oda_timeline_tracked(self):
        """``{id of ir.model.fields: (model, field)}`` that the user may read."""
        known = {}
        for model in WHERE_TRACKED:
            records = self.env[model]
            names = records._track_get_fields()
            for name in names:
                field = records._fields[name]
                if records._has_field_access(field, "read"):
                    # sudo: ids of fields, from the registry's own cache
                    fields = self.env["ir.model.fields"].sudo()
                    known[fields._get_ids(model)[name]] = (model, field)
        return known

    @api.model
    def _oda_timeline_stages(self, scope, before, limit):
        return self._oda_timeline_tracking(scope, "stage", before, limit, stages=True)

    @api.model
    def _oda_timeline_changes(self, scope, before, limit):
        return self._oda_timeline_tracking(scope, "change", before, limit, stages=False)

    @api.model
    def _oda_timeline_tracking(self, scope, kind, before, limit, stages):
        known = {
            field_id: (model, field)
            for field_id, (model, field) in self._oda_timeline_tracked().items()
            if stages == (model == "crm.lead" and field.name == "stage_id")
        }
        # sudo: as for messages; fields the user may not read are left out above
        values = self.env["mail.tracking.value"].sudo()
        query = values._search([("field_id", "in", list(known))], order="id")
        message = query.join(
            query.table, "mail_message_id", "mail_message", "id", "mail_message_id"
        )
        where = SQL(" OR ").join(
            SQL(
                "(%s = %s AND %s = ANY(%s))",
                SQL.identifier(message, "model"),
                model,
                SQL.identifier(message, "res_id"),
                ids,
            )
            for model, ids in self._oda_timeline_ids(scope).items()
        )
        query.add_where(SQL("(%s)", where))
        at_sql = SQL.identifier(message, "date")
        id_sql = SQL.identifier(query.table, "id")
        self._oda_timeline_narrow(query, at_sql, id_sql, kind, before)
        query.order = SQL("%s DESC, %s DESC", at_sql, id_sql)
        query.limit = limit
        columns = [
            SQL.identifier(query.table, f"{side}_value_{one}")
            for side in ("old", "new")
            for one in VALUES
        ]
        rows = self.env.execute_query(
            query.select(
                id_sql,
                at_sql,
                SQL.identifier(query.table, "field_id"),
                SQL.identifier(message, "author_id"),
                SQL.identifier(message, "model"),
                SQL.identifier(message, "res_id"),
                *columns,
            )
        )
        entries = []
        for number, at, field_id, author, model, res_id, *shown in rows:
            field = known[field_id][1]
            old, new = shown[: len(VALUES)], shown[len(VALUES) :]
            entries.append(
                {
                    "id": number,
                    "at": at,
                    "kind": kind,
                    "author_id": author,
                    "model": model,
                    "res_id": res_id,
                    "title": field._description_string(self.env),
                    "data": {
                        "old": self._oda_tracked_text(field, old),
                        "new": self._oda_tracked_text(field, new),
                    },
                }
            )
        return entries

    @api.model
    def _oda_tracked_text(self, field, values):
        """A tracked value for people to read; ``""`` for none."""
        integer, decimal, char, text, moment = values
        if field.type == "boolean":
            return self.env._("yes") if integer else self.env._("no")
        if field.type == "integer":
            return str(integer or 0)
        if field.type in ("float", "monetary"):
            return f"{decimal or 0:g}"
        if field.type in ("date", "datetime"):
            return f"{moment:%d.%m.%Y}" if moment else ""
        return ((char or text) or "")[:200]

    # ------------------------------------------------------------------- events
    @api.model
    def _oda_timeline_events(self, scope, before, limit):
        registrations = self.env["event.registration"]
        states = dict(registrations._fields["state"]._description_selection(self.env))
        # sudo: the name of an event that somebody was registered for
        events = self.env["event.event"].sudo()
        table = registrations._table
        name = SQL(
            "(SELECT %s FROM event_event e WHERE e.id = %s)",
            events._field_to_sql("e", "name"),
            SQL.identifier(table, "event_id"),
        )
        rows = self._oda_timeline_read(
            registrations.with_context(active_test=False),
            Domain("partner_id", "in", scope["partners"]),
            "create_date",
            "event",
            before,
            limit,
            {
                "name": None,
                "state": None,
                "user_id": SQL.identifier(table, "create_uid"),
            }
            | {"event": name},
        )
        for row in rows:
            row["title"] = row["event"]
            row["text"] = states.get(row["state"], row["state"])
            row["model"], row["res_id"] = registrations._name, row["id"]
        return rows
