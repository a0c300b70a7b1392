# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import CrmCase


class SeamsCase(CrmCase):
    """A consultant whose rights are "own", and the people of somebody else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oda.right"].search(
            [("level", "=", "consultant"), ("department_id", "=", False)]
        ).write({"see": "own", "edit": "own"})
        cls.stranger = new_test_user(
            cls.env, "stranger", groups="oda_base.group_consultant"
        )
        cls.hidden = cls.env["res.partner"].create(
            {"name": "Ion Secret", "email": "ion.secret@example.com"}
        )
        cls.case = cls.env["crm.lead"].create(
            {
                "name": "Secret case",
                "type": "opportunity",
                "partner_id": cls.hidden.id,
                "user_id": cls.stranger.id,
            }
        )
        cls.own_partner = cls.env["res.partner"].create(
            {"name": "Own one", "user_id": cls.consultant.id}
        )
        cls.own_case = cls.env["crm.lead"].create(
            {
                "name": "Own case",
                "type": "opportunity",
                "partner_id": cls.own_partner.id,
                "user_id": cls.consultant.id,
            }
        )
        group = cls.env["oda.instrument.group"].create({"name": "Grants"})
        cls.instrument = cls.env["oda.instrument"].create(
            {"name": "Seed grant", "kind": "text", "group_id": group.id}
        )
        cls.programme = cls.env["oda.programme"].create(
            {"name": "Programme", "code": "SEAM"}
        )
        cls.news = cls.env["oda.programme.news"].create(
            {"programme_id": cls.programme.id, "name": "News", "body": "<p>x</p>"}
        )
        cls.event = cls.env["event.event"].create(
            {
                "name": "Fair",
                "date_begin": "2031-01-01 08:00:00",
                "date_end": "2031-01-01 12:00:00",
            }
        )

    @classmethod
    def hung(cls, partner, lead, user):
        """Records of every model that hang on this person, made by the system."""
        session = cls.env["oda.consultation.session"].create(
            {
                "partner_id": partner.id,
                "lead_id": lead.id,
                "user_id": user.id,
                "content": "first",
                "answers": {str(cls.instrument.id): "what was said"},
            }
        )
        session.content_user_id = user
        session.with_user(cls.head).content = "second"
        follower = cls.env["oda.programme.follower"].create(
            {"partner_id": partner.id, "programme_id": cls.programme.id}
        )
        cls.env.cr.execute(
            "INSERT INTO oda_programme_notice (news_id, partner_id, at, state)"
            " VALUES (%s, %s, now(), 'told') RETURNING id",
            (cls.news.id, partner.id),
        )
        notice = cls.env["oda.programme.notice"].browse(cls.env.cr.fetchone()[0])
        stale = cls.env["oda.stale"].create({"lead_id": lead.id, "level": 1})
        return {
            "oda.consultation.session": session,
            "oda.instrument.answer": session.answer_ids,
            "oda.consultation.session.text": session.sudo().text_ids,
            "oda.consent": partner._oda_give_consent("news"),
            "oda.programme.follower": follower,
            "oda.programme.notice": notice,
            "oda.contact.refusal": cls.env["oda.contact.refusal"].create(
                {"partner_id": partner.id, "purpose": "news"}
            ),
            "event.registration": cls.env["event.registration"].create(
                {"event_id": cls.event.id, "partner_id": partner.id}
            ),
            "oda.stale": stale,
        }


@tagged("post_install", "-at_install")
class TestWhatHangsOnPeople(SeamsCase):
    """The matrix of rights reaches every model that tells of somebody."""

    def _looks(self, record, user):
        """Whether any door of reading shows the record to this person."""
        model = record.env[record._name].with_user(user)
        domain = [("id", "in", record.ids)]
        doors = {
            "search": bool(model.search(domain)),
            "count": bool(model.search_count(domain)),
            "group": bool(model._read_group(domain, [], ["__count"])[0][0]),
            "names": bool(model.name_search("", domain)),
            "read": model.browse(record.ids).has_access("read"),
        }
        self.assertEqual(len(set(doors.values())), 1, (record._name, doors))
        return doors["search"]

    def test_hidden_people_are_hidden_everywhere(self):
        hidden = self.hung(self.hidden, self.case, self.stranger)
        own = self.hung(self.own_partner, self.own_case, self.consultant)
        leads_only = ("oda.consultation.session.text", "oda.stale")
        for model, record in hidden.items():
            with self.subTest(model=model):
                self.assertTrue(record)
                if model in leads_only:
                    self.assertFalse(
                        self.env[model].with_user(self.consultant).has_access("read")
                    )
                    continue
                self.assertFalse(self._looks(record, self.consultant))
                self.assertTrue(self._looks(own[model], self.consultant))

    def test_a_lead_with_narrow_rights(self):
        self.env["oda.right"].search(
            [("level", "=", "lead"), ("department_id", "=", False)]
        ).write({"see": "own", "edit": "own"})
        for model, record in self.hung(self.hidden, self.case, self.stranger).items():
            with self.subTest(model=model):
                self.assertFalse(self._looks(record, self.lead))

    def test_marketing_counts_advice_and_does_not_read_it(self):
        answer = self.hung(self.hidden, self.case, self.stranger)[
            "oda.instrument.answer"
        ]
        self.assertTrue(self._looks(answer, self.marketing))
        with self.assertRaises(AccessError):
            answer.with_user(self.marketing).read(["value_text"])

    def test_nobody_speaks_for_people_they_do_not_see(self):
        for model, vals in (
            ("oda.consent", {"purpose": "news", "granted": True}),
            ("oda.programme.follower", {"programme_id": self.programme.id}),
            ("event.registration", {"event_id": self.event.id}),
        ):
            Model = self.env[model].with_user(self.consultant)
            with self.subTest(model=model):
                with self.assertRaises(AccessError):
                    Model.create({"partner_id": self.hidden.id, **vals})
                self.assertTrue(
                    Model.create({"partner_id": self.own_partner.id, **vals})
                )

    def test_tasks_of_hidden_cases_are_not_grouped(self):
        self.case.activity_ids.summary = "secret task"
        tasks = self.env["mail.activity"].with_user(self.consultant)
        domain = [("res_model", "=", "crm.lead"), ("res_id", "=", self.case.id)]
        self.assertFalse(tasks._read_group(domain, ["summary"], ["__count"]))
        self.assertFalse(tasks.formatted_read_group(domain, ["res_id"], ["__count"]))
        self.assertFalse(tasks.search_count(domain))
        self.assertFalse(tasks.name_search("secret"))
        messages = self.env["mail.message"].with_user(self.consultant)
        domain = [("model", "=", "crm.lead"), ("res_id", "=", self.case.id)]
        self.assertFalse(messages._read_group(domain, ["subject"], ["__count"]))

    def test_who_comes_to_a_department_is_seen_at_once(self):
        """Circles of people are kept: a new colleague is in them all the same."""
        self.env["oda.right"].search(
            [
                ("level", "=", "consultant"),
                ("subject", "=", "consultation"),
                ("department_id", "=", False),
            ]
        ).see = "department"
        department = self.env["oda.department"].create({"name": "Credit"})
        self.consultant.oda_department_id = department
        self.assertFalse(self.case.with_user(self.consultant).has_access("read"))
        newcomer = new_test_user(
            self.env,
            "newcomer",
            groups="oda_base.group_consultant",
            oda_department_id=department.id,
        )
        case = self.env["crm.lead"].create(
            {"name": "Theirs", "type": "opportunity", "user_id": newcomer.id}
        )
        self.assertTrue(case.with_user(self.consultant).has_access("read"))

    def test_a_segment_counts_only_who_is_seen(self):
        self.hung(self.hidden, self.case, self.stranger)
        segment = (
            self.env["oda.segment"]
            .with_user(self.consultant)
            .create(
                {
                    "name": "All that follow",
                    "part_ids": [(0, 0, {"kind": "programme", "domain": "[]"})],
                }
            )
        )
        self.assertEqual(segment.member_count, 0)


@tagged("post_install", "-at_install")
class TestNobodyLetsThemselvesIn(SeamsCase):
    """A record of one's own that points at a hidden one does not open it."""

    def test_a_session_on_a_hidden_case(self):
        Session = self.env["oda.consultation.session"].with_user(self.consultant)
        tries = (
            {"partner_id": self.own_partner.id, "lead_id": self.case.id},
            {"partner_id": self.hidden.id},
        )
        for vals in tries:
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                Session.create(vals)
        with self.assertRaises(AccessError):
            Session.with_context(default_lead_id=self.case.id).create(
                {"partner_id": self.own_partner.id}
            )
        mine = Session.create({"partner_id": self.own_partner.id})
        for vals in ({"lead_id": self.case.id}, {"partner_id": self.hidden.id}):
            with self.subTest(write=vals), self.assertRaises(AccessError):
                mine.write(vals)
        self.assertFalse(self.case.with_user(self.consultant).has_access("read"))
        self.assertFalse(self.hidden.with_user(self.consultant).has_access("read"))

    def test_a_walk_in_goes_on_with_the_one_case(self):
        """Whoever may see the beneficiary continues their case, whosever it is."""
        self.env["oda.right"].search(
            [
                ("level", "=", "consultant"),
                ("subject", "=", "beneficiary"),
                ("department_id", "=", False),
            ]
        ).see = "all"
        me = self.hidden.with_user(self.consultant)
        action = me.action_oda_new_session()
        self.assertNotEqual(action["context"].get("default_lead_id"), self.case.id)
        session = (
            self.env["oda.consultation.session"]
            .with_user(self.consultant)
            .with_context(**action["context"])
            .create({"content": "came in"})
        )
        self.assertEqual(session.sudo().lead_id, self.case)

    def test_a_case_of_a_hidden_person(self):
        Lead = self.env["crm.lead"].with_user(self.consultant)
        vals = {"name": "Mine", "type": "opportunity"}
        with self.assertRaises(AccessError):
            Lead.create({**vals, "partner_id": self.hidden.id})
        with self.assertRaises(AccessError):
            Lead.with_context(default_partner_id=self.hidden.id).create(dict(vals))
        with self.assertRaises(AccessError):
            self.own_case.with_user(self.consultant).partner_id = self.hidden
        self.assertFalse(self.hidden.with_user(self.consultant).has_access("read"))
        self.assertTrue(Lead.create({**vals, "partner_id": self.own_partner.id}))

    def test_a_contact_of_a_hidden_firm(self):
        """A contact's name and address say those of its firm."""
        Partner = self.env["res.partner"].with_user(self.consultant)
        self.hidden.write({"is_company": True, "street": "Secret street 1"})
        with self.assertRaises(AccessError):
            Partner.create({"name": "Child", "parent_id": self.hidden.id})
        with self.assertRaises(AccessError):
            Partner.with_context(default_parent_id=self.hidden.id).create(
                {"name": "Child"}
            )
        with self.assertRaises(AccessError):
            self.own_partner.with_user(self.consultant).parent_id = self.hidden
        child = Partner.create({"name": "Child", "parent_id": self.own_partner.id})
        self.assertEqual(child.parent_id, self.own_partner)

    def test_a_session_under_another_name_by_context(self):
        Session = self.env["oda.consultation.session"].with_user(self.consultant)
        with self.assertRaises(AccessError):
            Session.with_context(default_user_id=self.stranger.id).create(
                {"partner_id": self.own_partner.id}
            )

    def test_bookkeeping_of_a_session_by_context(self):
        Session = self.env["oda.consultation.session"].with_user(self.consultant)
        for name, value in (
            ("content_user_id", self.stranger.id),
            ("content_version", 99),
            ("content_at", "2020-01-01 00:00:00"),
        ):
            with self.subTest(name=name), self.assertRaises(AccessError):
                Session.with_context(**{f"default_{name}": value}).create(
                    {"partner_id": self.own_partner.id, "content": "x"}
                )

    def test_cold_calls_are_settled_by_their_buttons(self):
        cold = self.env["oda.cold.list"].create({"name": "List"})
        self.own_case.write(
            {"oda_cold_list_id": cold.id, "oda_cold_outcome": "refuses"}
        )
        mine = self.own_case.with_user(self.consultant)
        for vals in (
            {"oda_cold_outcome": False},
            {"oda_cold_outcome": "registers"},
            {"oda_cold_attempts": 0},
            {"oda_cold_list_id": False},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                mine.write(vals)
        Lead = self.env["crm.lead"].with_user(self.consultant)
        for key, value in (
            ("default_oda_cold_outcome", "registers"),
            ("default_oda_cold_list_id", cold.id),
            ("default_oda_kept_answers", {"1": {"x": 1}}),
        ):
            with self.subTest(key=key), self.assertRaises(AccessError):
                Lead.with_context(**{key: value}).create(
                    {"name": "x", "type": "opportunity"}
                )
        self.assertTrue(Lead.create({"name": "x", "type": "opportunity"}))

    def test_whose_rights_a_cold_list_is_made_with(self):
        """The job runs as who pressed the button; nobody names another."""
        Cold = self.env["oda.cold.list"].with_user(self.marketing)
        own = Cold.create({"name": "Mine"})
        for vals in (
            {"maker_id": self.admin.id},
            {"state": "making"},
            {"last_partner_id": 0, "total": 7},
            {"looked_at": 9},
        ):
            with self.subTest(vals=vals):
                with self.assertRaises(AccessError):
                    own.write(vals)
                with self.assertRaises(AccessError):
                    Cold.create({"name": "x", **vals})
        with self.assertRaises(AccessError):
            Cold.with_context(
                default_state="making", default_maker_id=self.admin.id
            ).create({"name": "x"})
        own.name = "Still mine"

    def test_the_state_of_news_is_the_buttons(self):
        News = self.env["oda.programme.news"].with_user(self.marketing)
        vals = {"programme_id": self.programme.id, "name": "n", "body": "<p>b</p>"}
        own = News.create(vals)
        for change in ({"state": "publishing"}, {"last_partner_id": 0, "total": 1}):
            with self.subTest(change=change):
                with self.assertRaises(AccessError):
                    own.write(change)
                with self.assertRaises(AccessError):
                    News.create({**vals, **change})
        self.news.sudo().state = "published"
        with self.assertRaises(AccessError):
            self.news.with_user(self.marketing).state = "draft"
        own.name = "other words"

    def test_since_when_somebody_follows(self):
        """A follower "since 2099" would outlive every no that they say."""
        Follower = self.env["oda.programme.follower"].with_user(self.consultant)
        vals = {"partner_id": self.own_partner.id, "programme_id": self.programme.id}
        with self.assertRaises(AccessError):
            Follower.create({**vals, "since": "2099-01-01 00:00:00"})
        with self.assertRaises(AccessError):
            Follower.with_context(default_since="2099-01-01 00:00:00").create(vals)
        mine = Follower.create(vals)
        with self.assertRaises(AccessError):
            mine.with_user(self.admin).since = "2099-01-01 00:00:00"

    def test_a_call_is_announced_once(self):
        call = self.env["oda.programme.call"].create(
            {
                "programme_id": self.programme.id,
                "name": "Call",
                "opens_at": "2030-01-01 00:00:00",
                "closes_at": "2030-02-01 00:00:00",
                "opening_told_at": "2030-01-01 00:00:00",
            }
        )
        with self.assertRaises(AccessError):
            call.with_user(self.marketing).opening_told_at = False

    def test_exports_along_a_path_need_the_right_as_well(self):
        """Marketing exports beneficiaries, not what was advised to them."""
        partner = self.hidden.with_user(self.marketing)
        self.assertTrue(partner.export_data(["name", "user_id", "user_id/id"]))
        for path in (
            "oda_consultation_ids",
            "oda_consultation_ids/name",
            "opportunity_ids/.id",
        ):
            with self.subTest(path=path), self.assertRaises(AccessError):
                partner.export_data(["name", path])
        follower = self.env["oda.programme.follower"].create(
            {"partner_id": self.hidden.id, "programme_id": self.programme.id}
        )
        self.assertTrue(
            follower.with_user(self.marketing).export_data(["partner_id/email"])
        )
        rows = self.env["oda.right"].search(
            [("level", "=", "marketing"), ("department_id", "=", False)]
        )
        rows.filtered(lambda row: row.subject == "beneficiary").can_export = False
        rows.filtered(lambda row: row.subject == "consultation").can_export = True
        with self.assertRaises(AccessError):
            follower.with_user(self.marketing).export_data(["partner_id/email"])
        case = self.case.with_user(self.marketing)
        self.assertTrue(case.export_data(["name", "partner_id", "partner_id/id"]))

    def test_an_import_is_not_begun_in_the_middle(self):
        Import = self.env["oda.import"].with_user(self.marketing)
        for key, value in (("state", "running"), ("user_id", self.admin.id)):
            with self.subTest(key=key), self.assertRaises(AccessError):
                Import.with_context(**{f"default_{key}": value}).create(
                    {"file": "bmFtZQo="}
                )


@tagged("post_install", "-at_install")
class TestAuditorSeesAll(SeamsCase):
    """The auditor reads every model of the business, and changes none."""

    def test_reads_every_model(self):
        technical = {"oda.import.progress", "oda.import.column"}
        for name, model in self.env.items():
            if (
                not name.startswith("oda.")
                or model._abstract
                or model._transient
                or model._module != "oda_crm"
                or name in technical
            ):
                continue
            mine = model.with_user(self.auditor)
            with self.subTest(model=name):
                self.assertTrue(mine.has_access("read"))
                for operation in ("write", "create", "unlink"):
                    self.assertFalse(mine.has_access(operation))
                mine.search([], limit=1).read()

    def test_reads_the_cards(self):
        hung = self.hung(self.hidden, self.case, self.stranger)
        for record in (self.hidden, self.case, hung["oda.consultation.session"]):
            with self.subTest(model=record._name):
                mine = record.with_user(self.auditor)
                arch = mine.get_view(view_type="form")
                names = [
                    name for name in mine._fields if f'name="{name}"' in arch["arch"]
                ]
                self.assertTrue(mine.read(names))
        self.assertTrue(
            self.hidden.with_user(self.auditor).oda_timeline_page()["entries"]
        )

    def test_leaves_no_trace_on_a_case(self):
        mine = self.case.with_user(self.auditor)
        with self.assertRaises(AccessError):
            mine.message_post(body="I was here")
        with self.assertRaises(AccessError):
            mine.activity_schedule("mail.mail_activity_data_todo")
        task = self.case.activity_ids
        self.assertTrue(task)
        with self.assertRaises(AccessError):
            task.with_user(self.auditor).action_feedback(feedback="I did it")


@tagged("post_install", "-at_install")
class TestOnceEach(SeamsCase):
    """Several overrides of one model do their own work, and do it once."""

    def _events(self, session):
        return self.env["oda.event"].search_count(
            [("code", "=", "session.change"), ("res_id", "=", session.id)]
        )

    def test_one_event_a_change_of_anothers_session(self):
        session = self.env["oda.consultation.session"].create(
            {
                "partner_id": self.hidden.id,
                "user_id": self.stranger.id,
                "content": "first",
            }
        )
        answers = {str(self.instrument.id): "advised"}
        changes = (
            {"answers": answers},
            {"content": "second", "answers": {str(self.instrument.id): "other"}},
            {"channel": "phone"},
        )
        for vals in changes:
            before = self._events(session)
            with self.subTest(vals=sorted(vals)):
                session.with_user(self.head).write(vals)
                self.assertEqual(self._events(session), before + 1)
        mine = self.env["oda.consultation.session"].with_user(self.head)
        made = mine.create(
            {
                "partner_id": self.hidden.id,
                "user_id": self.stranger.id,
                "answers": answers,
            }
        )
        self.assertFalse(self._events(made), "to make one is no change of it")

    def test_merged_consultations_lose_nothing(self):
        flow = self.env["crm.team"].create(
            {
                "name": "Flow",
                "company_id": False,
                "oda_own_stages": True,
                "lead_properties_definition": [
                    {"name": "plan", "string": "Plan", "type": "text"},
                    {"name": "jobs", "string": "Jobs", "type": "integer"},
                ],
            }
        )
        other = flow.copy({"name": "Other flow"})
        self.env["crm.stage"].create(
            [{"name": one.name, "team_ids": one.ids} for one in (flow, other)]
        )
        cold = self.env["oda.cold.list"].create({"name": "List"})
        common = {"type": "opportunity", "partner_id": self.hidden.id, "name": "x"}
        kept, gone, abroad = self.env["crm.lead"].create(
            [
                {
                    **common,
                    "team_id": flow.id,
                    "probability": 90,
                    "lead_properties": {"plan": "kept"},
                },
                {
                    **common,
                    "team_id": flow.id,
                    "probability": 10,
                    "oda_programme_id": self.programme.id,
                    "oda_cold_list_id": cold.id,
                    "oda_cold_attempts": 2,
                    "lead_properties": {"plan": "gone", "jobs": 0},
                },
                {
                    **common,
                    "team_id": other.id,
                    "probability": 1,
                    "lead_properties": {"plan": "abroad"},
                },
            ]
        )
        seat = self.env["event.registration"].create(
            {
                "event_id": self.event.id,
                "partner_id": self.hidden.id,
                "oda_lead_id": gone.id,
            }
        )
        one = (kept | gone | abroad).with_user(self.head).merge_opportunity().sudo()
        self.assertEqual(one, kept)
        self.assertFalse((gone | abroad).exists())
        self.assertEqual(one.oda_programme_id, self.programme)
        self.assertEqual((one.oda_cold_list_id, one.oda_cold_attempts), (cold, 2))
        self.assertEqual(seat.oda_lead_id, one)
        values = dict(one.lead_properties._values)
        self.assertEqual((values["plan"], values["jobs"]), ("kept", 0))
        self.assertEqual(one.oda_kept_answers[str(other.id)], {"plan": "abroad"})

    def test_a_batch_costs_what_one_costs(self):
        """200 consultations written at once: no query a consultation."""
        people = self.env["res.partner"].create([{"name": f"P{n}"} for n in range(60)])
        leads = self.env["crm.lead"].create(
            [
                {
                    "name": one.name,
                    "type": "opportunity",
                    "partner_id": one.id,
                    "user_id": self.stranger.id,
                    "team_id": self.env.ref("oda_crm.flow_ads").id,
                }
                for one in people
            ]
        )
        few, many = leads[:10], leads[10:]
        Lead = (
            self.env["crm.lead"]
            .with_user(self.head)
            .with_context(tracking_disable=True)
        )
        for vals in (
            {"priority": "2"},
            {"city": "Cahul"},
            {"user_id": self.head.id},
            {"partner_id": self.own_partner.id},
            {"active": False},
        ):
            counts = []
            for some in (few, few, many):  # the first one fills the caches
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                Lead.browse(some.ids).write(dict(vals))
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - before)
            with self.subTest(vals=sorted(vals)):
                self.assertLessEqual(counts[2], max(counts[:2]) + 8, counts)
