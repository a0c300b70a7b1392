# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tests.common import BaseCase

from .. import pbxmatch
from ..models import oda_pbx_user_ask
from .common import TelephonyCase
from .fake_pbx import HOST, FakePbx


class TestSuggest(BaseCase):
    """Who may sit behind a login."""

    def test_by_e_mail_name_and_login(self):
        people = {
            1: ("consultant.ana", "ana@centre.md", "Ana Rusu"),
            2: ("ion@centre.md", "", "Ion Ceban"),
            3: ("maria", "m@centre.md", "Maria Lungu-Țurcanu"),
        }
        lines = {
            10: ("a.r", "ANA@centre.md", ""),
            20: ("701", "", "CEBAN Ion"),
            30: ("maria", "", ""),
            40: ("turcanu", "", "Turcanu Maria Lungu"),
        }
        found = pbxmatch.suggest(lines, people)
        self.assertEqual(found, {10: 1, 20: 2, 40: 3}, "the stronger word first")

    def test_nobody_is_guessed_between_two(self):
        people = {1: ("a", "", "Ana Rusu"), 2: ("b", "", "Ana Rusu")}
        self.assertEqual(pbxmatch.suggest({10: ("x", "", "Ana Rusu")}, people), {})
        twins = {10: ("x", "", "Ana Rusu"), 11: ("y", "", "Rusu Ana")}
        self.assertEqual(pbxmatch.suggest(twins, {1: ("a", "", "Ana Rusu")}), {})

    def test_a_first_name_alone_is_nobody(self):
        self.assertEqual(
            pbxmatch.suggest({10: ("701", "", "Ana")}, {1: ("z", "", "Ana")}), {}
        )

    def test_empty_and_odd(self):
        self.assertEqual(pbxmatch.suggest({}, {}), {})
        odd = {1: (None, None, None), 2: ("", "@", "  "), 3: ("@@", "é", "💬 ")}
        self.assertEqual(pbxmatch.suggest(odd, {5: (None, "", "")}), {})


@tagged("post_install", "-at_install")
class TestPbxUsers(TelephonyCase):
    """Logins, departments and presence as the exchange has them."""

    def setUp(self):
        super().setUp()
        self.account.moldcell_address = HOST
        self.pbx = FakePbx().patch(self)
        self.lines = self.env["oda.pbx.user"]
        self.ana_line, self.igor_line = (
            self.lines.search(
                [("account_id", "=", self.account.id), ("user_id", "=", user.id)]
            )
            for user in (self.ana, self.igor)
        )

    def line(self, login):
        return self.lines.search(
            [("account_id", "=", self.account.id), ("login", "=", login)]
        )

    def refresh(self):
        return self.account.action_pbx_refresh()

    # --- the list ---------------------------------------------------------------

    def test_what_the_exchange_has_is_written_in(self):
        new_test_user(
            self.env,
            "m.lungu",
            name="Maria Lungu",
            email="maria@centre.example",
            groups="oda_base.group_consultant",
        )
        self.pbx.answers["accounts"] = json.dumps(
            [
                {"name": "ana", "realName": "Ana R.", "ext": "701"},
                {"name": "Maria@demo", "realName": "Maria L", "email": "x@y"}
                | {"email": "maria@centre.example", "telnum": "37322200103"},
                {"name": "g_1", "realName": "a group is no person"},
                {"name": ""},
                "nonsense",
            ]
        )
        self.pbx.answers["groups"] = json.dumps(
            [{"id": "g_1b2c", "realName": "Call centru", "ext": "800"}]
        )
        action = self.refresh()
        self.assertEqual(action["res_model"], "oda.pbx.user")
        maria = self.line("maria")
        self.assertEqual(maria.telnum, "37322200103")
        self.assertEqual(maria.suggested_user_id.login, "m.lungu")
        self.assertFalse(maria.user_id, "suggested, not taken")
        self.assertEqual(self.ana_line.real_name, "Ana R.")
        self.assertEqual(self.ana_line.user_id, self.ana, "what was chosen stays")
        self.assertTrue(self.igor_line.is_gone)
        self.assertEqual(self.igor_line.user_id, self.igor, "marked, not removed")
        self.assertFalse(self.line("g_1"))
        group = self.account.pbx_group_ids
        self.assertEqual((group.name, group.ext), ("Call centru", "800"))
        self.assertEqual(self.account.pbx_unmapped, 1)
        maria.action_take_suggestion()
        self.assertEqual(maria.user_id.login, "m.lungu")
        self.assertFalse(maria.suggested_user_id)
        # Once more: nothing doubled, and who is back is back.
        self.pbx.answers["accounts"] = '[{"name": "igor"}]'
        self.refresh()
        self.assertFalse(self.igor_line.is_gone)
        self.assertEqual(len(self.account.pbx_group_ids), 1)

    def test_unmapped_come_first(self):
        self.event("INCOMING", user="zoe")
        self.work()
        view = self.env.ref("oda_telephony.oda_pbx_user_view_list")
        self.assertIn('default_order="has_person', view.arch)
        mine = [("account_id", "=", self.account.id)]
        rows = self.lines.search(mine, order="has_person, login")
        self.assertEqual(rows[0].login, "zoe", "also one that a push wrote in")

    def test_refusals_in_words(self):
        for answer, words in (
            (401, "does not accept our token"),
            (301, "not at this address"),
            (503, "could not be reached"),
            ("<html>login</html>", "unexpected"),
        ):
            with self.subTest(answer=answer):
                self.pbx.answers["accounts"] = answer
                with self.assertRaisesRegex(UserError, words):
                    self.refresh()
        self.account.moldcell_address = False
        with self.assertRaisesRegex(UserError, "address and token"):
            self.refresh()

    def test_an_empty_answer_marks_and_removes_nothing(self):
        self.refresh()
        self.assertEqual(self.igor_line.exists().user_id, self.igor)
        self.assertTrue(self.igor_line.is_gone)

    def test_hostile_names(self):
        self.pbx.answers["accounts"] = json.dumps(
            [{"name": "x" * 500, "realName": "<script>alert(1)</script>" * 50}]
        )
        self.refresh()
        self.assertEqual(len(self.line("x" * 64).real_name), 120)

    def test_who_may_map(self):
        line = self.line("ana")
        for user in (self.ana, self.boss):
            with self.assertRaises(AccessError):
                line.with_user(user).write({"user_id": user.id})
            with self.assertRaises(AccessError):
                self.env["oda.pbx.group"].with_user(user).create(
                    {"account_id": self.account.id, "code": "x", "name": "x"}
                )

    # --- presence ---------------------------------------------------------------

    def test_a_call_makes_busy_and_its_end_available(self):
        self.event("INCOMING")
        self.work()
        self.assertEqual(self.ana_line.presence, "unknown", "ringing is not talking")
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(self.ana_line.presence, "busy")
        self.event("COMPLETED")
        self.work()
        self.assertEqual(self.ana_line.presence, "available")
        self.assertEqual(self.igor_line.presence, "unknown")

    def test_do_not_disturb_outlives_a_call(self):
        self.lines._set_presence(self.account, {"ana": "dnd"})
        self.event("INCOMING")
        self.event("ACCEPTED")
        self.work()
        self.assertEqual(self.ana_line.presence, "busy")
        self.event("COMPLETED")
        self.work()
        self.assertEqual(self.ana_line.presence, "dnd")

    def test_old_news_and_odd_news(self):
        now = fields.Datetime.now()
        self.lines._set_presence(self.account, {"ana": "dnd"}, now)
        old = now - timedelta(minutes=5)
        self.lines._set_presence(self.account, {"ana": "available"}, old)
        self.assertEqual(self.ana_line.presence, "dnd")
        odd = {"ana": "asleep", "nobody": "busy"}
        self.lines._set_presence(self.account, odd)
        self.assertEqual(self.ana_line.presence, "dnd")
        self.lines._set_presence(self.account, {})
        self.lines._set_presence(self.account._account(), {"ana": "available"})
        self.assertEqual(self.ana_line.presence, "available")

    def switch(self, line, on, user):
        answer = line.with_user(user).set_silent(on)
        row = self.env["oda.outbound"].search(
            [("res_model", "=", "oda.pbx.user"), ("res_id", "=", line.id)], limit=1
        )
        self.env.flush_all()
        box = self.env["oda.outbound"].with_user(self.robot)
        message = box._claim_here(self.account.id)
        driver, account, _words = box._sender(self.account.id)
        delivery = box._attempt(driver, account, message)
        box.browse(message["id"])._conclude_here(delivery)
        self.env.invalidate_all()
        return answer, row

    def test_the_person_switches_their_own_phone(self):
        answer, row = self.switch(self.ana_line, True, self.ana)
        self.assertEqual(answer["wanted"], "on")
        self.assertEqual(row.state, "done")
        self.assertEqual(
            self.pbx.asked, [("set_dnd", {"user": "ana", "state": "true"})]
        )
        self.assertEqual(self.ana_line.presence, "dnd")
        self.assertFalse(self.ana_line.silent_wanted)
        mine = self.lines.with_user(self.ana).get_my_lines()
        self.assertEqual([one["silent"] for one in mine], [True])
        self.switch(self.ana_line, False, self.ana)
        self.assertEqual(self.ana_line.presence, "available")

    def test_a_colleague_may_not_a_team_lead_may(self):
        with self.assertRaises(AccessError):
            self.ana_line.with_user(self.igor).set_silent(True)
        lead = new_test_user(self.env, "t_lead", groups="oda_base.group_lead")
        self.switch(self.ana_line, True, lead)
        self.assertEqual(self.ana_line.presence, "dnd")
        event = self.env["oda.event"].search([("code", "=", "pbx.silence")], limit=1)
        self.assertEqual((event.user_id, event.res_id), (lead, self.ana_line.id))

    def test_a_lead_of_another_company_may_not(self):
        other = self.env["res.company"].create({"name": "Other centre"})
        lead = new_test_user(
            self.env,
            "t_lead2",
            groups="oda_base.group_lead",
            company_id=other.id,
            company_ids=[fields.Command.set(other.ids)],
        )
        with self.assertRaises(AccessError):
            self.ana_line.with_user(lead).set_silent(True)

    def test_a_portal_user_has_no_phone(self):
        portal = new_test_user(self.env, "t_portal2", groups="base.group_portal")
        self.assertEqual(self.lines.with_user(portal).get_my_lines(), [])
        with self.assertRaises(AccessError):
            self.ana_line.with_user(portal).set_silent(True)

    def test_a_switch_that_fails_says_so(self):
        self.pbx.answers["set_dnd"] = 400
        self.switch(self.ana_line, True, self.ana)
        self.assertNotEqual(self.ana_line.presence, "dnd")
        self.assertFalse(self.ana_line.silent_wanted)
        self.assertIn("did not understand", self.ana_line.silent_words)

    def test_verbs_of_the_driver(self):
        driver, account = self.account._driver(), self.account._account()
        self.pbx.answers["subscribeOnCalls"] = "OK"

        def send(verb, **payload):
            return driver.send(account, {"verb": verb, "payload": payload}).state

        self.assertEqual(send("subscribe", login="ana", group="g_1", on=False), "done")
        self.assertEqual(
            self.pbx.asked[-1],
            ("subscribeOnCalls", {"user": "ana", "group_id": "g_1", "status": "off"}),
        )
        # Without a group the exchange would switch the person everywhere.
        self.assertEqual(send("subscribe", login="ana", group="", on=False), "failed")
        self.assertEqual(send("authenticate"), "failed", "only verbs, no methods")
        self.assertEqual(len(self.pbx.asked), 1)

    def test_the_newer_way_cannot(self):
        self.account.moldcell_mode = "v1"
        self.assertFalse(self.ana_line.can_silence)
        with self.assertRaisesRegex(UserError, "cannot do that"):
            self.ana_line.with_user(self.ana).set_silent(True)

    def test_the_exchange_is_asked_about_each_phone(self):
        self.pbx.answers["groups"] = lambda data: json.dumps(
            [{"id": "g_1", "realName": "Call centru"}]
            if data.get("user") in (None, "ana")
            else []
        )
        self.pbx.answers["get_dnd"] = lambda data: json.dumps(
            {"state": data["user"] == "igor"}
        )
        self.pbx.answers["accounts"] = '[{"name": "ana"}, {"name": "igor"}]'
        self.refresh()
        env = self.env

        def own(_registry, uid, function, tries=6, context=None):
            return function(env(user=uid))

        with patch.object(oda_pbx_user_ask, "in_own_transaction", own):
            words = self.lines.with_user(self.robot)._ask_lines(self.account.id)
        self.assertEqual(words, "2 of 2 phones asked")
        self.env.invalidate_all()
        self.assertEqual(self.ana_line.group_ids.name, "Call centru")
        self.assertFalse(self.igor_line.group_ids)
        self.assertEqual(self.igor_line.presence, "dnd")
        self.assertEqual(self.ana_line.presence, "available")
