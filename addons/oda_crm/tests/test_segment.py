# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import time
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tests import Form, new_test_user
from odoo.tools import SQL

from odoo.addons.oda_crm.models import oda_segment as module

from .common import CrmCase


class SegmentCase(CrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "bakery"})
        cls.people = cls.env["res.partner"].create(
            [
                {
                    "name": f"Segmentat {number}",
                    "city": "Segmentești" if number < 3 else "Altundeva",
                    "category_id": [Command.set(cls.tag.ids if number == 1 else [])],
                    "email": f"s{number}@example.com",
                }
                for number in range(5)
            ]
        )

    def segment(self, domain="[('city', '=', 'Segmentești')]", user=None, **values):
        Segment = self.env["oda.segment"].with_user(user or self.marketing)
        return Segment.create({"name": "S", "domain": domain, **values})


class TestSegment(SegmentCase):
    def test_who_and_how_many(self):
        segment = self.segment()
        self.assertEqual(segment.member_count, 3)
        self.assertEqual(segment.member_text, "3")
        self.assertFalse(segment.problem)
        self.assertEqual(segment._partners(), self.people[:3])
        self.assertEqual(segment._partners(limit=1, offset=1), self.people[1])
        found = self.env["res.partner"].search(
            [("id", "in", segment._partner_query()), ("category_id", "=", self.tag.id)]
        )
        self.assertEqual(found, self.people[1])
        action = segment.action_show()
        self.assertEqual(
            self.env["res.partner"].search(action["domain"]), self.people[:3]
        )

    def test_it_is_live(self):
        segment = self.segment()
        self.people[4].city = "Segmentești"
        segment.invalidate_recordset()
        self.assertEqual(segment.member_count, 4)
        self.people[4].active = False
        segment.invalidate_recordset()
        self.assertEqual(segment.member_count, 3, "archived cards are left in peace")

    def test_colleagues_are_no_beneficiaries(self):
        self.consultant.partner_id.city = "Segmentești"
        self.assertEqual(self.segment().member_count, 3)

    def test_parts_over_what_hangs_on_them(self):
        flow = self.env["crm.team"].create({"name": "Segment flow"})
        lost, _open = self.env["crm.lead"].create(
            [
                {
                    "name": "case",
                    "type": "opportunity",
                    "partner_id": person.id,
                    "team_id": flow.id,
                }
                for person in self.people[:2]
            ]
        )
        lost.action_set_lost()
        programme = self.env["oda.programme"].create({"name": "P", "code": "SEG"})
        self.env["oda.programme.follower"].create(
            {"partner_id": self.people[2].id, "programme_id": programme.id}
        )
        event = self.env["event.event"].create(
            {
                "name": "E",
                "date_begin": "2026-01-01 09:00:00",
                "date_end": "2026-01-01 18:00:00",
            }
        )
        self.env["event.registration"].create(
            {"event_id": event.id, "partner_id": self.people[1].id}
        )
        self.env["oda.consultation.session"].create({"partner_id": self.people[0].id})
        cases = (
            ("consultation", "yes", f"[('team_id', '=', {flow.id})]", [0, 1]),
            ("consultation", "yes", "[('won_status', '=', 'lost')]", [0]),
            ("consultation", "no", f"[('team_id', '=', {flow.id})]", [2]),
            ("programme", "yes", "[('programme_id.code', '=', 'SEG')]", [2]),
            ("programme", "no", "[]", [0, 1]),
            ("registration", "yes", f"[('event_id', '=', {event.id})]", [1]),
            ("session", "yes", "[]", [0]),
        )
        for kind, has, domain, expected in cases:
            with self.subTest(kind=kind, has=has):
                part = {"kind": kind, "has": has, "domain": domain}
                segment = self.segment(
                    user=self.consultant, part_ids=[Command.create(part)]
                )
                self.assertEqual(
                    [self.people.ids.index(p.id) for p in segment._partners()],
                    expected,
                )

    def test_answers_of_the_flow(self):
        flow = self.env["crm.team"].create(
            {
                "name": "Answers",
                "lead_properties_definition": [
                    {"name": "a1b2", "type": "char", "string": "What do they bake?"}
                ],
            }
        )
        self.env["crm.lead"].create(
            {
                "name": "case",
                "type": "opportunity",
                "partner_id": self.people[0].id,
                "team_id": flow.id,
                "lead_properties": {"a1b2": "plăcinte"},
            }
        )
        domain = "[('lead_properties.a1b2', '=', 'plăcinte')]"
        part = Command.create({"kind": "consultation", "domain": domain})
        segment = self.segment(part_ids=[part])
        self.assertEqual(segment._partners(), self.people[0])
        flow.lead_properties_definition = []
        segment.invalidate_recordset()
        self.assertIn("a1b2", segment.problem)
        self.assertEqual(segment.member_count, 0)

    def test_a_deleted_field_is_nobody_and_says_so(self):
        model = self.env["ir.model"]._get("res.partner")
        field = self.env["ir.model.fields"].create(
            {
                "name": "x_oda_colour",
                "field_description": "Colour",
                "model_id": model.id,
                "ttype": "char",
            }
        )
        broken = self.segment("[('x_oda_colour', '=', False)]")
        whole = self.segment()
        self.assertGreater(broken.member_count, 0)
        field.unlink()
        both = broken | whole
        self.env.invalidate_all()
        self.assertIn("x_oda_colour", broken.problem)
        self.assertEqual(both.mapped("member_count"), [0, 3])
        self.assertFalse(broken._partners())
        self.assertTrue(both.web_read({"member_text": {}, "problem": {}}))
        with self.assertRaises(UserError):
            broken.action_show()

    def test_bad_conditions_are_refused_in_words(self):
        for domain in (
            "[('no_such_field', '=', 1)]",
            "[('name', '=', __import__('os'))]",
            "[('oda_consultation_ids', 'any!', [])]",
            "[('id', '=', 'text')]",
            "[('create_date', '>', 'never')]",
            "['|', ('name', '=', 'x')]",
            "nonsense",
            "[('name.first', '=', 1)]",
        ):
            with self.subTest(domain=domain), self.assertRaises(ValidationError):
                self.segment(domain)
            self.env.cr.execute("SELECT 1")  # the transaction goes on
        segment = self.segment()
        with self.assertRaises(ValidationError):
            segment.part_ids = [Command.create({"domain": "[('nowhere', '=', 1)]"})]

    def test_html_and_length_are_only_text(self):
        domain = repr([("name", "=", "<script>alert(1)</script>'\"" * 100)])
        segment = self.segment(domain, description="<b>x</b>" * 2000)
        self.assertEqual(segment.member_count, 0)
        self.assertFalse(segment.problem)

    def test_too_slow_is_said(self):
        segment = self.segment("[]")

        class Slow:
            def is_empty(self):
                return False

            def select(self):
                return SQL("SELECT id, pg_sleep(0.05) FROM res_partner LIMIT 100")

        with (
            patch.object(module, "COUNT_SECONDS", 0.2),
            patch.object(
                module.OdaSegment,
                "_examined",
                lambda *_args: (Domain.TRUE, False),
            ),
            patch.object(
                self.env.registry["res.partner"], "_search", lambda *_a, **_k: Slow()
            ),
        ):
            started = time.monotonic()
            count, text = segment._count(started + 0.2)
            self.assertLess(time.monotonic() - started, 2)
        self.assertEqual(count, 0)
        self.assertIn("long", text)
        self.env.cr.execute("SHOW statement_timeout")
        self.assertEqual(self.env.cr.fetchone()[0], "0", "the clock is put back")

    def test_at_least_so_many(self):
        segment = self.segment()
        original = module.OdaSegment._count_within

        def only_capped(self, domain, limit, seconds):
            return original(self, domain, limit, seconds) if limit else None

        with (
            patch.object(module, "COUNT_CAP", 2),
            patch.object(module.OdaSegment, "_count_within", only_capped),
        ):
            self.assertEqual(segment._count(time.monotonic() + 5), (2, "at least 2"))

    def test_one_query_and_no_row_in_python(self):
        """Sub-conditions are sub-queries: the plan filters, nothing is fetched."""
        part = {"kind": "consultation", "domain": "[('stage_id.name', 'ilike', 'New')]"}
        segment = self.segment(part_ids=[Command.create(part)])
        segment._domain()
        self.env.flush_all()
        query = segment._partner_query()
        with patch.object(
            type(self.env["res.partner"]), "_fetch_query", side_effect=AssertionError
        ):
            self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
            plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("crm_lead", plan)
        self.assertNotIn("ANY ('{", plan, "no list of ids was fetched beforehand")
        segment.invalidate_recordset()
        with self.assertQueryCount(13):
            self.assertEqual(segment.member_count, 0)


class TestSegmentRights(SegmentCase):
    def test_consultants_have_their_own(self):
        mine = self.segment(user=self.consultant)
        mine.name = "renamed"
        with self.assertRaises(AccessError):
            self.segment(user=self.consultant, shared=True)
        with self.assertRaises(AccessError):
            mine.shared = True
        with self.assertRaises(AccessError):
            mine.user_id = self.lead
        self.assertFalse(mine.with_user(self.head).has_access("read"))

    def test_shared_ones_are_read_by_all_and_edited_by_some(self):
        for owner in (self.lead, self.head, self.marketing, self.admin):
            part = Command.create({"kind": "programme", "has": "no", "domain": "[]"})
            shared = self.segment(user=owner, shared=True, part_ids=[part])
            for reader in (self.consultant, self.supervisor):
                self.assertEqual(shared.with_user(reader).member_count, 3)
                self.assertFalse(shared.with_user(reader).has_access("write"))
                self.assertFalse(shared.part_ids.with_user(reader).has_access("write"))
            self.assertTrue(shared.with_user(self.marketing).has_access("write"))
        for nobody in (self.cashier, self.accountant, self.connector):
            self.assertFalse(shared.with_user(nobody).has_access("read"))

    def test_parts_of_others_are_theirs(self):
        part = Command.create({"kind": "programme", "domain": "[]"})
        segment = self.segment(user=self.lead, shared=True, part_ids=[part])
        with self.assertRaises(AccessError):
            segment.part_ids.with_user(self.consultant).domain = "[(1, '=', 1)]"
        with self.assertRaises(AccessError):
            self.env["oda.segment.part"].with_user(self.consultant).create(
                {"segment_id": segment.id}
            )

    def test_whoever_looks_sees_what_they_may(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        self.people[0].company_id = company
        segment = self.segment(user=self.lead, shared=True)
        self.assertEqual(segment.member_count, 2)
        self.assertNotIn(self.people[0], segment.with_user(self.consultant)._partners())

    def test_sessions_are_not_told_by_counting(self):
        """Marketing may not read sessions: nor may a segment tell of them."""
        part = Command.create({"kind": "session", "domain": "[]"})
        segment = self.segment(user=self.lead, shared=True, part_ids=[part])
        self.assertFalse(segment.problem)
        theirs = segment.with_user(self.marketing)
        self.assertTrue(theirs.problem)
        self.assertEqual(theirs.member_count, 0)
        self.assertFalse(theirs._partners())

    def test_other_company_is_out_of_sight(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        segment = self.segment(user=self.lead, shared=True)
        segment.sudo().company_id = company
        self.assertFalse(segment.with_user(self.consultant).has_access("read"))

    def test_portal_is_refused(self):
        segment = self.segment(user=self.lead, shared=True)
        citizen = new_test_user(self.env, "seg_citizen", groups="base.group_portal")
        for model in ("oda.segment", "oda.cold.list", "oda.programme.follower"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(citizen).search([])
        with self.assertRaises(AccessError):
            segment.with_user(citizen).action_show()


class TestSimilar(SegmentCase):
    def test_from_the_chosen_fields(self):
        person = self.people[1]
        action = person.with_user(self.consultant).action_oda_similar()
        wizard = (
            self.env["oda.segment.similar"]
            .with_user(self.consultant)
            .with_context(**action["context"])
            .create({})
        )
        lines = {line.field_name: line for line in wizard.line_ids}
        self.assertIn("city", lines)
        self.assertEqual(lines["city"].value, "Segmentești")
        self.assertTrue(lines["category_id"].chosen)
        self.assertFalse(lines["city"].chosen)
        wizard.line_ids.chosen = False
        with self.assertRaises(UserError):
            wizard.action_make()
        lines["city"].chosen = True
        segment = self.env["oda.segment"].browse(wizard.action_make()["res_id"])
        self.assertEqual(
            segment.with_user(self.consultant)._partners(), self.people[:3]
        )
        self.assertEqual(segment.user_id, self.consultant)

    def test_programmes_count_too(self):
        programme = self.env["oda.programme"].create({"name": "P", "code": "SIM"})
        self.env["oda.programme.follower"].create(
            [
                {"partner_id": person.id, "programme_id": programme.id}
                for person in self.people[1:4]
            ]
        )
        wizard = (
            self.env["oda.segment.similar"]
            .with_user(self.consultant)
            .with_context(default_partner_id=self.people[1].id)
            .create({"programmes": True})
        )
        self.assertIn("SIM", wizard.programme_names)
        wizard.line_ids.chosen = False
        segment = self.env["oda.segment"].browse(wizard.action_make()["res_id"])
        self.assertEqual(
            segment.with_user(self.consultant)._partners(), self.people[1:4]
        )

    def test_no_field_can_be_smuggled_in(self):
        wizard = (
            self.env["oda.segment.similar"]
            .with_user(self.consultant)
            .with_context(default_partner_id=self.people[1].id)
            .create({})
        )
        wizard.line_ids = [
            Command.create({"field_name": "signup_token", "chosen": True})
        ]
        self.assertEqual(wizard.line_ids[-1].value, "")
        wizard.line_ids[:-1].chosen = False
        with self.assertRaises(UserError):
            wizard.action_make()


class TestSegmentAdvice(SegmentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = cls.env["oda.instrument.group"].create({"name": "Segment group"})
        cls.tick, cls.jobs, cls.form = cls.env["oda.instrument"].create(
            [
                {"name": "PARE 1+1", "kind": "tick", "group_id": group.id},
                {"name": "Jobs", "kind": "number", "group_id": group.id},
                {
                    "name": "Form",
                    "kind": "one",
                    "group_id": group.id,
                    "option_ids": [
                        Command.create({"name": "SRL"}),
                        Command.create({"name": "Patent"}),
                    ],
                },
            ]
        )

    def advise(self, person, answers, at="2026-01-05 10:00:00", user=None):
        session = self.env["oda.consultation.session"].create(
            {
                "partner_id": person.id,
                "started_at": at,
                "user_id": (user or self.consultant).id,
            }
        )
        session._set_answers({one.id: value for one, value in answers.items()})
        return session

    def members(self, domain, has="yes", user=None):
        part = {"kind": "advice", "has": has, "domain": repr(domain)}
        segment = self.segment(
            user=user or self.consultant, part_ids=[Command.create(part)]
        )
        self.assertFalse(segment.problem)
        return [self.people.ids.index(one.id) for one in segment._partners()]

    def test_who_was_advised_on_it(self):
        self.advise(self.people[0], {self.tick: True, self.jobs: 3})
        self.advise(self.people[1], {self.jobs: 12})
        on = [("instrument_id", "=", self.tick.id)]
        self.assertEqual(self.members(on), [0])
        self.assertEqual(self.members(on, has="no"), [1, 2])
        jobs = [("instrument_id", "=", self.jobs.id)]
        self.assertEqual(self.members(jobs), [0, 1])
        self.assertEqual(self.members([*jobs, ("value_number", ">", 5)]), [1])
        self.assertEqual(
            self.members(
                [("instrument_id.name", "ilike", "pare")], user=self.marketing
            ),
            [0],
        )

    def test_who_answered_so(self):
        srl, patent = self.form.option_ids
        self.advise(self.people[0], {self.form: srl.id})
        self.advise(self.people[1], {self.form: patent.id})
        self.assertEqual(self.members([("value_option_ids", "in", srl.ids)]), [0])
        self.assertEqual(self.members([("value_option_ids.name", "=", "Patent")]), [1])
        self.assertEqual(self.members([("channel", "=", "phone")]), [])
        self.assertEqual(
            self.members([("advised_at", ">=", "2026-01-05 00:00:00")]), [0, 1]
        )

    def test_the_latest_answer_counts(self):
        self.advise(self.people[0], {self.jobs: 20}, "2026-01-05 10:00:00")
        self.advise(self.people[0], {self.jobs: 2}, "2026-02-05 10:00:00")
        self.advise(self.people[1], {self.jobs: 20}, "2026-01-05 10:00:00")
        many = [("instrument_id", "=", self.jobs.id), ("value_number", ">", 10)]
        self.assertEqual(self.members(many), [0, 1])
        self.assertEqual(self.members([*many, ("is_latest", "=", True)]), [1])
        answers = self.env["oda.instrument.answer"].search(
            [("partner_id", "=", self.people[0].id)]
        )
        self.assertEqual(answers.mapped("is_latest"), [True, False])
        old = self.env["oda.instrument.answer"].search(
            [("partner_id", "=", self.people[0].id), ("is_latest", "=", False)]
        )
        self.assertEqual(old, answers[1])

    def test_what_was_written_is_not_marketings_to_ask(self):
        """Marketing counts who was advised; texts of answers are not theirs."""
        part = {
            "kind": "advice",
            "domain": "[('value_text', 'ilike', 'divorce')]",
        }
        segment = self.segment(
            user=self.lead, shared=True, part_ids=[Command.create(part)]
        )
        self.assertFalse(segment.problem)
        theirs = segment.with_user(self.marketing)
        self.assertTrue(theirs.problem)
        self.assertEqual(theirs.member_count, 0)
        self.assertFalse(theirs.sample_ids)

    def test_advice_out_of_sight_is_not_counted(self):
        stranger = new_test_user(
            self.env, "seg_stranger", groups="oda_base.group_consultant"
        )
        flow = self.env["crm.team"].create({"name": "Far"})
        lead = self.env["crm.lead"].create(
            {
                "name": "case",
                "type": "opportunity",
                "partner_id": self.people[0].id,
                "team_id": flow.id,
                "user_id": stranger.id,
            }
        )
        session = self.advise(self.people[0], {self.tick: True}, user=stranger)
        session.lead_id = lead
        on = [("instrument_id", "=", self.tick.id)]
        self.assertEqual(self.members(on), [])
        self.assertEqual(self.members(on, user=stranger), [0])

    def test_some_of_them_are_shown(self):
        self.advise(self.people[0], {self.tick: True})
        part = Command.create({"kind": "advice", "domain": "[]"})
        segment = self.segment(user=self.consultant, part_ids=[part])
        self.assertEqual(segment.sample_ids, self.people[0])
        self.assertFalse(self.segment("[('city', '=', 'Nowhere')]").sample_ids)
        with patch.object(module, "SAMPLE", 2):
            self.assertEqual(len(self.segment().sample_ids), 2)
        broken = self.env["oda.segment"].new(
            {"name": "x", "domain": "[('no', '=', 1)]"}
        )
        self.assertFalse(broken.sample_ids)

    def test_the_sample_is_of_the_reader(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        self.people[0].company_id = company
        segment = self.segment(user=self.lead, shared=True)
        self.assertEqual(
            segment.with_user(self.consultant).sample_ids, self.people[1:3]
        )

    def test_the_form_shows_them_before_it_is_saved(self):
        form = Form(self.env["oda.segment"].with_user(self.marketing))
        form.name = "New"
        form.domain = "[('city', '=', 'Segmentești')]"
        self.assertEqual(form.member_text, "3")
        self.assertEqual(len(form.sample_ids), 3)

    def test_a_count_leaves_no_setting_behind(self):
        cr = self.env.cr
        names = ("work_mem", "jit", "statement_timeout")

        def settings():
            cr.execute("SELECT " + ",".join(f"current_setting('{n}')" for n in names))
            return cr.fetchone()

        before = settings()
        segment = self.segment()
        segment.read(["member_text", "sample_ids"])
        self.assertEqual(settings(), before)


class TestAlike(SegmentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        classes = cls.env["oda.activity.class"]
        cls.bread = classes.search([("code", "=", "10.71")])
        cls.cakes = classes.search([("code", "=", "10.72")])
        district = cls.env["oda.locality"].create(
            {"name": "Segraion", "kind": "district", "region": "north"}
        )
        cls.village = cls.env["oda.locality"].create(
            {"name": "Segsat", "kind": "village", "parent_id": district.id}
        )
        cls.other = cls.env["oda.locality"].create(
            {"name": "Segalt", "kind": "village", "parent_id": district.id}
        )
        base, twin, near, far, _nothing = cls.people
        base.write(
            {
                "oda_activity_class_id": cls.bread.id,
                "oda_locality_id": cls.village.id,
                "oda_size_class": "small",
                "oda_gender": "female",
            }
        )
        twin.write(
            {
                "oda_activity_class_id": cls.bread.id,
                "oda_locality_id": cls.village.id,
                "oda_gender": "female",
            }
        )
        near.write({"oda_activity_class_id": cls.cakes.id, "oda_size_class": "small"})
        far.oda_locality_id = cls.other

    def matches(self, user=None, person=None):
        Similar = self.env["oda.segment.similar"].with_user(user or self.consultant)
        return Similar._oda_matches(
            (person or self.people[0]).with_user(Similar.env.user)
        )

    def test_the_most_alike_first_and_why(self):
        found = self.matches()
        mine = [(one, why) for one, why, _points in found if one in self.people]
        self.assertEqual([one for one, _why in mine], list(self.people[1:4]))
        self.assertIn("10.71", mine[0][1])
        self.assertIn("Segsat", mine[0][1])
        self.assertNotIn("branch", mine[0][1], "the same activity says it already")
        self.assertIn("branch", mine[1][1])
        self.assertIn("small", mine[1][1].lower())
        self.assertIn("Segraion", mine[2][1])
        points = [one[2] for one in found]
        self.assertEqual(points, sorted(points, reverse=True))
        self.assertNotIn(self.people[0], [one[0] for one in found])

    def test_programmes_and_advice(self):
        programme = self.env["oda.programme"].create({"name": "P", "code": "ALK"})
        follow = self.env["oda.programme.follower"]
        for person in (self.people[0], self.people[4]):
            follow.create({"partner_id": person.id, "programme_id": programme.id})
        [why] = [why for one, why, _p in self.matches() if one == self.people[4]]
        self.assertIn("programme", why)
        self.assertIn("P", why)

    def test_in_sight_only(self):
        self.env["oda.right"].search(
            [("level", "=", "consultant"), ("subject", "=", "beneficiary")]
        ).write({"see": "own", "edit": "own"})
        self.people[0].oda_adviser_id = self.consultant
        self.people[2:].oda_adviser_id = self.lead
        self.people[1].oda_adviser_id = self.consultant
        seen = [one for one, _why, _points in self.matches() if one in self.people]
        self.assertEqual(seen, [self.people[1]])

    def test_whom_one_may_not_see_one_does_not_compare(self):
        company = self.env["res.company"].create({"name": "Other centre"})
        self.people[0].company_id = company
        Similar = self.env["oda.segment.similar"].with_user(self.consultant)
        with self.assertRaises(AccessError):
            Similar.with_context(default_partner_id=self.people[0].id).create({})
        with self.assertRaises(AccessError):
            self.people[0].with_user(self.consultant).action_oda_similar()

    def test_nothing_known_nobody_alike(self):
        nobody = self.env["res.partner"].create({"name": "Nothing known"})
        self.assertEqual(self.matches(person=nobody), [])

    def test_the_search_of_another_is_not_read(self):
        action = self.people[0].with_user(self.consultant).action_oda_similar()
        wizard = self.env["oda.segment.similar"].browse(action["res_id"])
        self.assertTrue(wizard.match_ids)
        for records in (wizard, wizard.match_ids, wizard.line_ids):
            with self.assertRaises(AccessError):
                records.with_user(self.marketing).read([])
            self.assertTrue(records.with_user(self.consultant).read(["display_name"]))
        opened = wizard.match_ids[0].with_user(self.consultant).action_open()
        self.assertEqual(opened["res_id"], wizard.match_ids[0].partner_id.id)

    def test_no_query_a_candidate(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.matches()
            return len(found), self.env.cr.sql_log_count - before

        self.matches()  # what a warm worker has read already
        few, of_few = queries()
        self.env["res.partner"].create(
            [
                {"name": f"Baker {n}", "oda_activity_class_id": self.bread.id}
                for n in range(30)
            ]
        )
        many, of_many = queries()
        self.assertEqual(many, 15)
        self.assertLessEqual(few, many)
        self.assertLessEqual(of_many, of_few)
        self.assertLess(of_many, 30)

    def test_a_segment_of_what_they_were_advised_on(self):
        group = self.env["oda.instrument.group"].create({"name": "Alike group"})
        tick = self.env["oda.instrument"].create(
            {"name": "PARE", "kind": "tick", "group_id": group.id}
        )
        for person in (self.people[0], self.people[3]):
            session = self.env["oda.consultation.session"].create(
                {"partner_id": person.id}
            )
            session._set_answers({tick.id: True})
        action = self.people[0].with_user(self.consultant).action_oda_similar()
        wizard = (
            self.env["oda.segment.similar"]
            .with_user(self.consultant)
            .browse(action["res_id"])
        )
        self.assertEqual(wizard.instrument_names, "PARE")
        wizard.line_ids.chosen = False
        wizard.instruments = True
        segment = self.env["oda.segment"].browse(wizard.action_make()["res_id"])
        self.assertEqual(
            segment.with_user(self.consultant)._partners(),
            self.people[0] | self.people[3],
        )
