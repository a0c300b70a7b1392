# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import csv
from collections import defaultdict
from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.tools import file_open

BENEFICIARIES = "oda_crm/demo/beneficiaries.csv"
CONSULTATIONS = "oda_crm/demo/consultations.csv"
QUIET = {
    "mail_activity_quick_update": True,
    "mail_auto_subscribe_no_notify": True,
    "mail_create_nosubscribe": True,
}
FLAGS = ("woman", "youth", "rural", "migrant", "startup")
TASK_TYPES = {
    "call": "mail.mail_activity_data_call",
    "meeting": "mail.mail_activity_data_meeting",
    "todo": "mail.mail_activity_data_todo",
    "upload": "mail.mail_activity_data_upload_document",
}
# What Odoo's own demo data leaves among the beneficiaries; in this order, because a
# partner cannot be put away while its user works.
STOCK = (
    "crm.lead",
    "mail.activity",
    "event.registration",
    "event.event",
    "calendar.event",
    "crm.team",
    "res.users",
    "res.partner",
)
STOCK_USERS = ("base.user_demo", "base.demo_user0")


class OdaDemo(models.AbstractModel):
    """The demo story: beneficiaries, and consultations in every state.

    Consultations are worked through by the demo people themselves, under the rules
    and bans that bind people; only the dates are moved into the past afterwards.
    """

    _name = "oda.demo"
    _description = "Demo Data"

    @api.model
    def _load(self):
        """Make what of the demo is not there yet; a second call changes nothing."""
        self = self._in_romanian()  # pylint: disable=self-cls-assignment
        self._put_stock_away()
        self._load_beneficiaries()
        rows = [row for row in self._rows(CONSULTATIONS) if not self._known(row["id"])]
        if not rows:
            return
        leads = self._open(rows)
        self._talk(rows, leads)
        self._close_first_tasks(rows, leads)
        self._move(rows, leads)
        self._end(rows, leads)
        self._date_back(rows, leads)
        self._remind()

    def _in_romanian(self):
        """The people write Romanian; words of an addon come after its demo data."""
        if "ro_RO" not in dict(self.env["res.lang"].get_installed()):
            return self
        self.env["ir.module.module"]._get("oda_crm")._update_translations("ro_RO")
        self.env.invalidate_all()
        return self.with_context(lang="ro_RO")

    def _remind(self):
        """Reminders of the last days, whatever hour it is when the demo is made."""
        now = fields.Datetime.now()
        letters_wait = self.env["oda.stale"].with_context(mail_notify_force_send=False)
        for days in (12, 6, 0):
            letters_wait._oda_sweep(now - timedelta(days=days))

    # === READING ===#

    def _rows(self, path):
        with file_open(path, "r") as file:
            return list(csv.DictReader(file))

    def _known(self, name):
        return self.env.ref(f"oda_crm.demo_{name}", raise_if_not_found=False)

    def _person(self, name):
        return self.env.ref(f"oda_base.user_{name}" if name else "oda_base.user_maria")

    def _made(self, model, made):
        """Create records under their names: ``{name: values}`` -> ``{name: record}``"""
        records = self.env[model]._load_records(
            [
                {"xml_id": f"oda_crm.demo_{name}", "values": vals, "noupdate": True}
                for name, vals in made.items()
            ]
        )
        return dict(zip(made, records, strict=True))

    # === ODOO'S OWN DEMO ===#

    def _put_stock_away(self):
        """Archive the foreign people and cases of Odoo's demo, and what is on them."""
        for model in STOCK:
            records = self._stock(model)
            if model == "mail.activity":
                records.unlink()
            elif model == "crm.lead":
                records = records.filtered(
                    lambda lead: lead.active or lead.type == "opportunity"
                )
                with records._oda_paused("all"):
                    records.activity_ids.unlink()
                    # as leads: archived consultations would count as lost ones
                    records.write({"active": False, "type": "lead"})
            elif model == "res.partner":
                self._without_our_people(records).active = False
            else:
                records.active = False

    def _stock(self, model):
        # Of Odoo's own addons only: what people imported has a name as well.
        stock = self.env["ir.module.module"].search([("author", "=", "Odoo S.A.")])
        names = [*stock.mapped("name"), "base"]
        found = self.env["ir.model.data"].search(
            [("model", "=", model), ("module", "in", names)]
        )
        if model == "mail.activity":
            users = self._stock("res.users")
            return self.env[model].search([("user_id", "in", users.ids)])
        if model == "res.users":
            found = found.filtered(lambda one: one.complete_name in STOCK_USERS)
        return self.env[model].browse(found.mapped("res_id")).exists()

    def _without_our_people(self, partners):
        companies = self.env["res.company"].search([("partner_id", "in", partners.ids)])
        users = self.env["res.users"].search([("partner_id", "in", partners.ids)])
        return partners - users.partner_id - companies.partner_id

    # === BENEFICIARIES ===#

    def _load_beneficiaries(self):
        rows = [row for row in self._rows(BENEFICIARIES) if not self._known(row["id"])]
        firms = {r["id"]: self._card(r) for r in rows if r["id"].startswith("firm_")}
        self._made("res.partner", firms)
        people = {r["id"]: self._card(r) for r in rows if r["id"] not in firms}
        self._made("res.partner", people)
        self.env["oda.consent"].create(
            [
                {
                    "partner_id": self._known(row["id"]).id,
                    "purpose": said[:-1],
                    "granted": said[-1] == "+",
                    "source": "in_person" if row["idno"] else "phone",
                    "at": fields.Datetime.now() - timedelta(days=160),
                    "user_id": self._person("ana").id,
                }
                for row in rows
                for said in row["consents"].split()
            ]
        )

    def _card(self, row):
        vals = {
            "name": row["name"],
            "is_company": bool(row["idno"]),
            "parent_id": row["firm"] and self._known(row["firm"]).id,
            "country_id": self.env.ref("base.md").id,
            "lang": row["lang"],
            "phone": row["phone"],
            "email": row["email"],
            "oda_idno": row["idno"],
            "oda_idnp": row["idnp"],
            "oda_legal_form": row["legal_form"],
            "oda_gender": row["gender"],
            "oda_birth_year": int(row["birth_year"] or 0),
            "oda_founding_year": int(row["founded"] or 0),
            "oda_staff": int(row["staff"] or 0),
            "oda_turnover": float(row["turnover"] or 0),
            "oda_locality_id": self._locality(row["locality"]),
            "oda_activity_class_id": self._by_code("oda.activity.class", row),
        }
        vals |= {f"oda_is_{flag}": True for flag in row["flags"].split()}
        return {name: value for name, value in vals.items() if value}

    def _by_code(self, model, row):
        if not row["activity"]:
            return False
        return self.env[model].search([("code", "=", row["activity"])], limit=1).id

    def _locality(self, text):
        name, _slash, district = text.partition("/")
        domain = [
            ("name", "=", name),
            ("parent_id.name", "=", district),
            ("unit_id", "=", False),
        ]
        return name and self.env["oda.locality"].search(domain, limit=1).id

    # === CONSULTATIONS ===#

    def _open(self, rows):
        """Open each consultation, as its consultant, with its first tasks."""
        now = fields.Datetime.now().replace(second=0)
        leads = {}
        for row in rows:
            user = self._person(row["user"])
            vals = {
                "name": row["subject"],
                "type": "opportunity",
                "partner_id": self._known(row["partner"]).id,
                "team_id": self.env.ref(f"oda_crm.flow_{row['flow']}").id,
                "user_id": row["user"] and user.id,
                "activity_ids": self._tasks(row, user, now),
            }
            if row["programme"]:
                programme = self.env.ref(f"oda_crm.programme_{row['programme']}")
                vals["oda_programme_id"] = programme.id
            lead = self.env["crm.lead"].with_user(user).with_context(**QUIET)
            leads[row["id"]] = lead.create(vals)
        self.env["ir.model.data"]._update_xmlids(
            [
                {"xml_id": f"oda_crm.demo_{name}", "record": lead, "noupdate": True}
                for name, lead in leads.items()
            ]
        )
        return leads

    def _tasks(self, row, user, now):
        """The task that is next and, if it has a result, the one that was done."""
        planned = []
        if row["result"]:
            planned.append(("call", -24 * int(row["still"]) - 1, ""))
        if row["task"]:
            planned.append((row["task"], int(row["due"]), row["summary"]))
        return [
            Command.create(
                {
                    "res_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "activity_type_id": self.env.ref(TASK_TYPES[kind]).id,
                    "summary": summary,
                    "user_id": user.id,
                    "oda_due_at": self._due_at(now, hours),
                }
            )
            for kind, hours, summary in planned
        ]

    def _due_at(self, now, hours):
        """So many working hours from now; what is overdue was due on some noon."""
        if hours > 0:
            return self.env["mail.activity"]._oda_due_in(60 * hours)
        return min(now, (now + timedelta(hours=hours)).replace(hour=10, minute=0))

    def _talk(self, rows, leads):
        """Note the sessions, the last one with what was advised."""
        for row in rows:
            talks = [talk.strip() for talk in row["talks"].split("||") if talk.strip()]
            moments = self._moments(row, len(talks) + 1)[1:]
            for number, (talk, at) in enumerate(zip(talks, moments, strict=True)):
                channel, _colon, text = talk.partition(": ")
                if int(row["still"]):  # days ago: then it was in working time
                    at = at.replace(hour=7 + 2 * number, minute=10 * (at.day % 6))
                session = (
                    self.env["oda.consultation.session"]
                    .with_user(self._person(row["user"]))
                    .create(
                        {
                            "partner_id": leads[row["id"]].partner_id.id,
                            "lead_id": leads[row["id"]].id,
                            "channel": channel,
                            "started_at": at,
                            "ended_at": at + timedelta(minutes=25),
                            "content": text,
                        }
                    )
                )
            if talks and row["advised"]:
                session._set_answers(dict(map(self._answer, row["advised"].split())))

    def _answer(self, advised):
        name, _equals, number = advised.partition("=")
        instrument = self.env.ref(f"oda_crm.instrument_{name}")
        options = instrument.option_ids.ids
        value = {
            "number": float(number or 0),
            "one": options[:1] and options[0],
            "several": options[:2],
        }.get(instrument.kind, True)
        return instrument.id, value

    def _close_first_tasks(self, rows, leads):
        """Done with its result; what ends a consultation is closed at its end."""
        for row in rows:
            if row["result"] and row["state"] == "open":
                self._first_task(row, leads)._action_done(feedback=row["result"])

    def _first_task(self, row, leads):
        return leads[row["id"]].activity_ids.sorted("id")[:1]

    def _move(self, rows, leads):
        """Move each consultation on, one stage at a time, by its consultant."""
        stages = {
            flow: self.env["crm.stage"].search(
                [("team_ids", "=", self.env.ref(f"oda_crm.flow_{flow}").id)]
            )
            for flow in {row["flow"] for row in rows}
        }
        for step in range(1, 1 + max(int(row["steps"]) for row in rows)):
            moving = defaultdict(self.env["crm.lead"].browse)
            for row in rows:
                if int(row["steps"]) >= step:
                    moving[row["user"], row["flow"]] += leads[row["id"]]
            for (name, flow), some in moving.items():
                some.with_user(self._person(name)).stage_id = stages[flow][step]
            self.env.cr.flush()  # each step is tracked by itself

    def _end(self, rows, leads):
        reason = self.env.ref("crm.lost_reason_2")
        for row in rows:
            if row["state"] == "open":
                continue
            self._first_task(row, leads)._action_done(feedback=row["result"])
            if row["state"] == "lost":
                leads[row["id"]].action_set_lost(lost_reason_id=reason.id)
        self.env.cr.flush()

    # === DATES ===#

    def _moments(self, row, count):
        """``count`` moments from when it was opened to its last step, oldest first."""
        now = fields.Datetime.now()
        first = now - timedelta(days=int(row["age"]), hours=3)
        last = now - timedelta(days=int(row["still"]), hours=1)
        pause = (last - first) / max(1, count - 1)
        return [first + pause * number for number in range(count)]

    def _date_back(self, rows, leads):
        """Spread what was written today over the life of each consultation."""
        self.env.flush_all()
        for row in rows:
            lead = leads[row["id"]]
            first, last = self._moments(row, 2)
            messages = self.env["mail.message"].search(
                [("model", "=", "crm.lead"), ("res_id", "=", lead.id)], order="id"
            )
            at = self._moments(row, len(messages) + 1)[1:]
            self._set_dates(lead, first, last, messages.ids, at)
        self.env.invalidate_all(flush=False)
        made = self.env["crm.lead"].browse([lead.id for lead in leads.values()])
        for name in ("day_open", "day_close"):
            self.env.add_to_compute(made._fields[name], made)
        self.env.flush_all()

    def _set_dates(self, lead, first, last, message_ids, at):
        execute = self.env.cr.execute
        moved = [message_ids, at]
        execute(
            "UPDATE mail_message m SET date = v.at, create_date = v.at"
            " FROM unnest(%s::int[], %s::timestamp[]) v(id, at) WHERE v.id = m.id",
            moved,
        )
        execute(
            "UPDATE mail_tracking_value t SET create_date = v.at"
            " FROM unnest(%s::int[], %s::timestamp[]) v(id, at)"
            " WHERE v.id = t.mail_message_id",
            moved,
        )
        execute(
            "UPDATE mail_activity SET create_date = %s,"
            " oda_done_at = CASE WHEN active THEN NULL ELSE %s::timestamp END"
            " WHERE res_model = 'crm.lead' AND res_id = %s",
            [first, last, lead.id],
        )
        execute(
            "UPDATE oda_consultation_session SET create_date = started_at"
            " WHERE lead_id = %s",
            [lead.id],
        )
        execute(
            "UPDATE crm_lead SET create_date = %s,"
            " date_open = CASE WHEN date_open IS NULL THEN NULL ELSE %s::timestamp END,"
            " date_closed = CASE WHEN date_closed IS NULL THEN NULL"
            "               ELSE %s::timestamp END,"
            " date_last_stage_update = %s WHERE id = %s",
            [first, first, last, last, lead.id],
        )
