# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from types import SimpleNamespace
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ValidationError
from odoo.modules.registry import Registry
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tests import BaseCase, Form, get_db_name, new_test_user, tagged

from .test_session_form import FORM, FormCase


class TestSessionCase(FormCase):
    """A session, its beneficiary and its consultation belong together."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.env["res.partner"].create({"name": "Somebody Else"})

    def test_the_case_of_another_is_refused_in_words(self):
        with self.assertRaisesRegex(ValidationError, "Somebody Else") as caught:
            self.new_session(partner_id=self.other.id)
        self.assertIn("Vasile Croitoru", str(caught.exception))
        session = self.new_session()
        with self.assertRaises(ValidationError):
            session.partner_id = self.other
        theirs = self.env["crm.lead"]._oda_find_or_open(self.other)
        with self.assertRaises(ValidationError):
            session.lead_id = theirs
        session.write({"partner_id": self.other.id, "lead_id": theirs.id})
        session.lead_id = False

    def test_neither_by_import_nor_by_defaults(self):
        Session = self.env[FORM].with_user(self.consultant)
        with self.assertRaises(ValidationError):
            Session.with_context(default_lead_id=self.case.id).create(
                {"partner_id": self.other.id}
            )

    def test_a_firm_and_its_people_are_one(self):
        firm = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        one, two = self.env["res.partner"].create(
            [
                {"name": "Director", "parent_id": firm.id},
                {"name": "Accountant", "parent_id": firm.id},
            ]
        )
        lead = self.env["crm.lead"]._oda_find_or_open(firm)
        for person in (firm, one, two):
            self.assertTrue(self.new_session(partner_id=person.id, lead_id=lead.id))
        lead.partner_id = one
        self.assertTrue(self.new_session(partner_id=two.id, lead_id=lead.id))

    def test_a_case_of_nobody_yet_takes_anybody(self):
        lead = self.env["crm.lead"].create({"name": "New", "type": "opportunity"})
        self.assertTrue(self.new_session(partner_id=self.other.id, lead_id=lead.id))

    def test_old_sessions_stay_editable(self):
        session = self.new_session()
        self.case.partner_id = self.other
        session.content = "went on"
        self.assertEqual(session.content, "went on")

    def test_the_system_is_not_refused(self):
        session = self.env[FORM].create(
            {"partner_id": self.other.id, "lead_id": self.case.id}
        )
        self.assertEqual(session.lead_id, self.case)

    def test_the_name_of_somebody_hidden_is_not_told(self):
        self.env["oda.right"].search(
            [("level", "=", "consultant"), ("subject", "=", "beneficiary")]
        ).write({"see": "own", "edit": "own"})
        self.partner.oda_adviser_id = self.lead
        self.other.oda_adviser_id = self.consultant
        self.case.user_id = False  # seen as the team's, its beneficiary is not
        with self.assertRaises(ValidationError) as caught:
            self.new_session(partner_id=self.other.id)
        self.assertIn("somebody else", str(caught.exception))
        self.assertNotIn("Croitoru", str(caught.exception))

    def test_walk_ins_find_their_own_case(self):
        theirs = self.env["crm.lead"]._oda_find_or_open(self.other)
        action = self.partner.with_user(self.consultant).action_oda_new_session()
        form = Form(
            self.env[FORM].with_user(self.consultant).with_context(**action["context"])
        )
        self.assertEqual(form.lead_id, self.case)
        form.partner_id = self.other
        self.assertFalse(form.lead_id, "that one is of somebody else")
        session = form.save()
        self.assertEqual(session.lead_id, theirs)

    # === TOLD AT ONCE ===#

    def _sent(self, call):
        sent = []
        with patch.object(
            type(self.env["bus.bus"]),
            "_sendone",
            lambda self, target, kind, payload: sent.append((target, kind, payload)),
        ):
            call()
        return [
            (one, payload) for one, kind, payload in sent if kind.endswith("changed")
        ]

    def test_a_change_is_told_to_the_forms_that_show_it(self):
        session = self.new_session(content="a")
        [(target, told)] = self._sent(
            lambda: self.draft(session, 1, 1, content="a b", page="page-x")
        )
        self.assertEqual(target, session)
        self.assertEqual(
            told,
            {
                "id": session.id,
                "version": 2,
                "page": "page-x",
                "author": self.consultant.name,
            },
        )
        self.assertNotIn("a b", str(told), "the text itself is not sent about")
        [(target, told)] = self._sent(lambda: session.write({"content": "c"}))
        self.assertEqual((told["version"], told["page"]), (3, ""))
        self.assertFalse(self._sent(lambda: session.write({"content": "c"})))
        self.assertFalse(
            self._sent(lambda: self.draft(session, 2, 3, content="c", page="page-x"))
        )

    def _channels(self, user, asked):
        request = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch("odoo.addons.bus.models.ir_websocket.request", request):
            data = self.env["ir.websocket"].with_user(user)
            found = data._prepare_subscribe_data(asked, 0)["channels"]
        # Texts, pairs and records do not like to be compared with each other.
        sessions = [one for one in found if getattr(one, "_name", "") == FORM]
        return sessions, {one for one in found if isinstance(one, str)}

    def test_who_may_read_it_may_listen(self):
        session = self.new_session()
        session.lead_id = False
        channel = f"{FORM}_{session.id}"
        for user in (self.consultant, self.supervisor):
            self.assertEqual(self._channels(user, [channel])[0], [session])

    def test_nobody_else_listens(self):
        stranger = new_test_user(
            self.env, "case_stranger", groups="oda_base.group_consultant"
        )
        portal = new_test_user(self.env, "case_portal", groups="base.group_portal")
        flow = self.env["crm.team"].create({"name": "Far"})
        self.case.write({"user_id": self.lead.id})
        case = self.env["crm.lead"].create(
            {
                "name": "Far",
                "type": "opportunity",
                "team_id": flow.id,
                "user_id": self.colleague.id,
                "partner_id": self.other.id,
            }
        )
        session = self.new_session(
            self.colleague, partner_id=self.other.id, lead_id=case.id
        )
        channel = f"{FORM}_{session.id}"
        self.assertEqual(self._channels(self.colleague, [channel])[0], [session])
        public = self.env.ref("base.public_user")
        for user in (stranger, self.marketing, portal, public):
            with self.subTest(user=user.login):
                sessions, texts = self._channels(user, [channel])
                self.assertFalse(sessions)
                self.assertNotIn(channel, texts)

    def test_nonsense_is_no_channel(self):
        asked = [f"{FORM}_{n}" for n in ("0", "-1", "x", "9" * 10, "1; DROP")]
        sessions, texts = self._channels(self.consultant, [*asked, "mine"])
        self.assertFalse(sessions)
        self.assertIn("mine", texts)

    # === THE ADVISER ===#

    def test_a_case_opened_again_has_its_adviser(self):
        person = self.env["res.partner"].create({"name": "Reopened"})
        lead = self.env["crm.lead"]._oda_find_or_open(person, user=self.consultant)
        self.assertEqual(person.oda_adviser_id, self.consultant)
        lead.action_set_lost()
        self.assertEqual(person.oda_adviser_id, self.consultant, "the last one stands")
        other = self.env["crm.lead"]._oda_find_or_open(person, user=self.colleague)
        self.assertEqual(person.oda_adviser_id, self.colleague)
        other.action_set_lost()
        lead.action_restore()
        self.assertEqual(person.oda_adviser_id, self.consultant)


@tagged("post_install", "-at_install")
class TestAdviserTogether(BaseCase):
    """Two real transactions that do not see each other's talk."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())

        def prepare(env):
            users = env["res.users"].with_context(no_reset_password=True)
            group = env.ref("oda_base.group_consultant").ids
            one, two = users.create(
                [
                    {"name": name, "login": name, "group_ids": [(6, 0, group)]}
                    for name in ("adviser_one", "adviser_two")
                ]
            )
            partner = env["res.partner"].create({"name": "Adviser Together"})
            self._talk(env, partner.id, one.id, "2026-01-01 08:00:00")
            return partner.id, one.id, two.id

        self.ids = self._in(prepare)
        self.addCleanup(self._in, self._clean)

    def _in(self, function):
        with self.registry.cursor() as cr:
            result = function(api.Environment(cr, SUPERUSER_ID, {}))
            cr.commit()  # pylint: disable=invalid-commit
        return result

    def _clean(self, env):
        partner_id, one, two = self.ids
        partner = env["res.partner"].browse(partner_id)
        partner.oda_session_ids.unlink()
        partner.unlink()
        users = env["res.users"].browse([one, two])
        people = users.partner_id
        users.unlink()
        people.unlink()

    @staticmethod
    def _talk(env, partner_id, user_id, at):
        return env[FORM].create(
            {"partner_id": partner_id, "user_id": user_id, "started_at": at}
        )

    def _adviser(self):
        return self._in(
            lambda env: env["res.partner"].browse(self.ids[0]).oda_adviser_id.id
        )

    def test_the_later_talk_decides_whoever_commits_last(self):
        """The one that leaves the adviser as it was meets the other all the same."""
        partner_id, one, two = self.ids
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["res.partner"].browse(partner_id).name  # noqa: B018  # its snapshot
            # Another notes the earlier talk of another, and commits.
            self._in(
                lambda env: self._talk(env, partner_id, two, "2026-01-01 09:00:00")
            )
            self.assertEqual(self._adviser(), two)
            # Here the adviser would stay `one`, as this snapshot still has it.
            with self.assertRaises(PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                self._talk(env, partner_id, one, "2026-01-01 10:00:00")
            cr.rollback()
        self._in(lambda env: self._talk(env, partner_id, one, "2026-01-01 10:00:00"))
        self.assertEqual(self._adviser(), one)


@tagged("post_install", "-at_install")
class TestLayoutTogether(BaseCase):
    """Two administrators at once do not fill a kanban card beyond its room."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self.addCleanup(self._in, self._clean)

    def _in(self, function):
        with self.registry.cursor() as cr:
            result = function(api.Environment(cr, SUPERUSER_ID, {}))
            cr.commit()  # pylint: disable=invalid-commit
        return result

    def _clean(self, env):
        env["oda.card.group"].search([("name", "=like", "Together %")]).unlink()

    @staticmethod
    def _add(env, name):
        field = env["ir.model.fields"]._get("crm.lead", name)
        return env["oda.card.group"].create(
            {
                "name": f"Together {name}",
                "field_ids": [(0, 0, {"field_id": field.id, "on_kanban": True})],
            }
        )

    def test_the_second_is_repeated_and_then_refused_in_words(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["oda.card.group"].search([], limit=1)  # its snapshot
            self._in(lambda env: self._add(env, "referred"))
            with self.assertRaises(PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                self._add(env, "website")
            cr.rollback()
