# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import datetime, timedelta

from markupsafe import Markup

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import CrmCase

NOON = datetime(2026, 3, 2, 12, 0, 0)


@tagged("post_install", "-at_install")
class TestTimeline(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.case = cls.env["crm.lead"].create(
            {"name": "Bakery", "type": "opportunity", "partner_id": cls.partner.id}
        )

    def page(self, record=None, user=None, **kwargs):
        record = self.partner if record is None else record
        return record.with_user(user or self.consultant).oda_timeline_page(**kwargs)

    def session(self, at=NOON, **vals):
        return self.env["oda.consultation.session"].create(
            {"partner_id": self.partner.id, "started_at": at, "ended_at": at, **vals}
        )

    def message(self, record=None, at=NOON, **vals):
        record = self.partner if record is None else record
        vals = {"message_type": "comment", **vals}
        vals["body"] = Markup(vals.get("body", "hello"))  # noqa: S704
        message = record.with_user(self.consultant).message_post(**vals)
        self.env.cr.execute(
            "UPDATE mail_message SET date = %s WHERE id = %s", (at, message.id)
        )
        return message

    def tracked(self):
        """What is tracked becomes messages when the transaction is committed."""
        self.env.flush_all()
        self.env.cr.precommit.run()

    def kinds(self, page):
        return [entry["kind"] for entry in page["entries"]]

    # -------------------------------------------------------------------- kinds
    def test_every_kind_of_person_and_consultation(self):
        self.session(content="wants a loan", lead_id=self.case.id)
        self.message(body="<p>a note</p>")
        self.message(self.case, subject="Offer", body="<b>two</b> pages")
        task = self.case.with_user(self.consultant).activity_schedule(
            "mail.mail_activity_data_call", summary="ring"
        )
        task.action_feedback(feedback="will bring the extract")
        stages = self.env["crm.stage"].search([], limit=2)
        self.case.stage_id = stages[0]
        self.tracked()
        self.case.with_user(self.consultant).stage_id = stages[1]
        self.tracked()
        self.partner.with_user(self.consultant).oda_legal_form = "srl"
        self.tracked()
        page = self.page(limit=100)
        kinds = self.kinds(page)
        for kind in ("session", "message", "task", "stage", "change"):
            self.assertIn(kind, kinds)
        by_kind = {entry["kind"]: entry for entry in reversed(page["entries"])}
        self.assertEqual(by_kind["session"]["text"], "wants a loan")
        self.assertEqual(by_kind["task"]["text"], "will bring the extract")
        self.assertEqual(by_kind["task"]["title"], "Call: ring")
        self.assertEqual(by_kind["stage"]["data"]["new"], stages[1].name)
        self.assertEqual(
            by_kind["change"]["data"]["new"], "Limited liability company (SRL)"
        )
        self.assertEqual(by_kind["stage"]["who"], self.consultant.name)
        texts = [one["text"] for one in page["entries"] if one["kind"] == "message"]
        self.assertIn("a note", texts)
        self.assertIn("*two* pages", texts)
        # the task's own message is told once, as a task
        self.assertFalse([text for text in texts if "extract" in text])
        # the consultation has its own only
        own = self.page(self.case, limit=100)
        self.assertNotIn("a note", [entry["text"] for entry in own["entries"]])
        self.assertIn("session", self.kinds(own))

    def test_event_registration(self):
        event = self.env["event.event"].create(
            {
                "name": "Forum",
                "date_begin": NOON,
                "date_end": NOON + timedelta(hours=2),
            }
        )
        self.env["event.registration"].create(
            {"event_id": event.id, "partner_id": self.partner.id}
        )
        manager = new_test_user(
            self.env,
            "t_event",
            groups="oda_base.group_consultant,event.group_event_registration_desk",
        )
        page = self.page(user=manager, kinds=["event"])
        self.assertEqual(page["entries"][0]["title"], "Forum")

    def test_history_of_a_firm_holds_its_contacts(self):
        firm = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        contact = self.env["res.partner"].create({"name": "C", "parent_id": firm.id})
        self.session(partner_id=contact.id, content="by a contact")
        texts = [entry["text"] for entry in self.page(firm)["entries"]]
        self.assertEqual(texts, ["by a contact"])

    # ------------------------------------------------------------------- paging
    def test_no_gap_and_no_double_at_equal_times(self):
        """Rows of three kinds at one instant, and microseconds apart."""
        wanted = set()
        for step in range(7):
            at = NOON + timedelta(microseconds=step // 3)
            row = self.session(NOON)
            self.env.cr.execute(
                "UPDATE oda_consultation_session SET started_at = %s, ended_at = %s "
                "WHERE id = %s",
                (at, at, row.id),
            )
            wanted.add(f"session-{row.id}")
            wanted.add(f"message-{self.message(at=at).id}")
            wanted.add(f"message-{self.message(self.case, at=at).id}")
        self.env.invalidate_all()
        for limit in (1, 2, 4, 20, 21, 100):
            seen, before = [], None
            while True:
                page = self.page(
                    before=before, limit=limit, kinds=["session", "message"]
                )
                seen += [entry["key"] for entry in page["entries"]]
                before = page["next"]
                if not before:
                    break
            self.assertEqual(len(seen), len(set(seen)), limit)
            self.assertEqual(set(seen), wanted, limit)

    def test_new_rows_do_not_shift_the_next_page(self):
        rows = [self.session(NOON + timedelta(minutes=n)) for n in range(4)]
        first = self.page(limit=2, kinds=["session"])
        self.session(NOON + timedelta(hours=1))
        second = self.page(limit=2, kinds=["session"], before=first["next"])
        self.assertEqual(
            [entry["id"] for entry in second["entries"]], [rows[1].id, rows[0].id]
        )

    def test_bad_requests(self):
        for before in ("x", [1, 2, 3], ["2026-01-01", "session"], {"a": 1}, [None] * 3):
            with self.assertRaisesRegex(UserError, "reload"):
                self.page(before=before)
        self.session()
        self.assertEqual(self.page(kinds=["nothing", 5])["entries"], [])
        self.assertTrue(self.page(kinds="session")["kinds"])
        self.assertEqual(len(self.page(limit=10**9, kinds=["session"])["entries"]), 1)
        self.assertEqual(len(self.page(limit="x", kinds=["session"])["entries"]), 1)

    def test_texts_of_people(self):
        self.session(content="<script>alert(1)</script>" + "x" * 10_000)
        self.message(body="<p>" + "y" * 30_000 + "</p>")
        for entry in self.page(kinds=["session", "message"])["entries"]:
            self.assertLessEqual(len(entry["text"]), 2001)
            self.assertTrue(entry["text"].endswith("…"))

    def test_queries(self):
        """At most four for the page and one for each kind, however full it is."""
        for step in range(40):
            self.session(NOON + timedelta(minutes=step))
            self.message(at=NOON + timedelta(minutes=step))
        mine = self.partner.with_user(self.consultant)
        mine.oda_timeline_page()  # rights and names of fields are kept in caches
        self.env.flush_all()
        self.env.invalidate_all()
        kinds = len(mine.oda_timeline_page(limit=1)["kinds"])
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(mine.env.company.name)  # of every request, not of the page
        before = self.env.cr.sql_log_count
        page = mine.oda_timeline_page(limit=30)
        self.assertEqual(len(page["entries"]), 30)
        self.assertLessEqual(self.env.cr.sql_log_count - before, 4 + kinds)

    # ------------------------------------------------------------------- rights
    def test_kinds_by_rights(self):
        self.session(content="secret advice")
        self.message()
        page = self.page(user=self.cashier)
        self.assertNotIn("session", [one["kind"] for one in page["kinds"]])
        self.assertNotIn("session", self.kinds(page))
        # asking for it by name does not help
        self.assertEqual(self.page(user=self.cashier, kinds=["session"])["entries"], [])

    def test_what_hangs_on_a_hidden_consultation(self):
        self.message(self.case, body="between us")
        texts = [entry["text"] for entry in self.page()["entries"]]
        self.assertIn("between us", texts)
        texts = [entry["text"] for entry in self.page(user=self.cashier)["entries"]]
        self.assertNotIn("between us", texts)

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Other centre"})
        self.session(company_id=other.id)
        self.assertNotIn("session", self.kinds(self.page()))
        foreign = self.env["res.partner"].create({"name": "F", "company_id": other.id})
        with self.assertRaises(AccessError):
            self.page(foreign)

    def test_not_for_portal(self):
        portal = new_test_user(self.env, "t_portal", groups="base.group_portal")
        for record in (portal.partner_id, self.case):
            with self.assertRaises(AccessError):
                self.page(record, user=portal)

    def test_changes_of_fields_one_may_not_read(self):
        field = self.env["ir.model.fields"]._get("res.partner", "oda_legal_form")
        self.tracked()
        self.partner.with_user(self.consultant).oda_legal_form = "sa"
        self.tracked()
        self.assertIn("change", self.kinds(self.page()))
        definition = self.env["res.partner"]._fields[field.name]
        self.patch(definition, "groups", "base.group_system")
        self.assertNotIn("change", self.kinds(self.page()))
