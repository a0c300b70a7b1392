# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import oda_connector_account_state as state
from ..net import BadStatus, ConnectionFailed, Outcome
from .common import InboundCase, WireCase

CLIENT = "odoo.addons.oda_base.models.oda_connector_account_state.SafeClient"


class Told:
    """Answers of a client that never leaves the house."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *args, **options):
        return self

    def post(self, url, **options):
        self.url, self.options = url, options
        if isinstance(self.answer, Exception):
            raise self.answer
        return self

    def json(self):
        return self.answer


@tagged("-at_install", "post_install")
class TestChannelState(WireCase):
    def refuse(self, reason="unauthenticated", count=1, **ago):
        at = fields.Datetime.now() - timedelta(**ago)
        self.env["oda.refusal"].create(
            {
                "at": at,
                "connector": self.account.connector,
                "account_id": self.account.id,
                "reason": reason,
                "count": count,
            }
        )
        self.env.invalidate_all()

    def got(self, **ago):
        self.receive("one")
        self.env.cr.execute(
            "UPDATE oda_inbound SET state = 'done', received_at = %s "
            "WHERE account_id = %s",
            (fields.Datetime.now() - timedelta(**ago), self.account.id),
        )
        self.env.invalidate_all()

    def test_states(self):
        self.assertEqual(self.account.live_state, "never")
        self.got(days=2)
        self.assertEqual(self.account.live_state, "quiet")
        self.got(minutes=5)
        self.assertEqual(self.account.live_state, "live")
        self.refuse(minutes=9)
        self.assertEqual(self.account.live_state, "live", "mended since")
        self.refuse(minutes=1)
        self.assertEqual(self.account.live_state, "trouble")
        self.account.active = False
        self.env.invalidate_all()
        self.assertEqual(self.account.live_state, "off")

    def test_without_a_secret_nothing_can_come(self):
        account = self.make_account(key="bare", secret=False)
        self.assertEqual(account.live_state, "no_secret")
        with self.assertRaises(UserError):
            account.action_test()

    def test_refusals_of_today_and_the_last_one(self):
        self.refuse(days=3, count=50, reason="malformed")
        self.assertEqual(self.account.refused_today, 0)
        self.assertEqual(self.account.refused_reason, "Could not be read")
        self.refuse(count=2)
        self.refuse(count=3)
        self.assertEqual(self.account.refused_today, 5)
        self.assertEqual(self.account.refused_reason, "Wrong token or signature")
        action = self.account.action_view_refused()
        found = self.env["oda.refusal"].search(action["domain"])
        self.assertEqual(found.account_id, self.account)

    def test_one_question_for_many_channels(self):
        accounts = self.account
        for number in range(4):
            accounts |= self.make_account(key=f"more{number}")
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(4):
            accounts.mapped("refused_reason")

    def test_full_address_is_there_to_copy(self):
        self.assertEqual(
            self.account.inbound_url,
            f"{self.account.get_base_url()}/oda/in/testwire/{self.account.key}",
        )

    def test_only_an_administrator_knocks(self):
        robot = self.env.ref("oda_base.user_connector")
        consultant = new_test_user(
            self.env, "knocks", groups="oda_base.group_consultant"
        )
        for user in (robot, consultant):
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_test()

    def knock(self, answer):
        told = Told(answer)
        with patch(CLIENT, told):
            params = self.account.action_test()["params"]
        secret = self.account._account().secret
        self.assertNotIn(secret, str([told.url, told.options]), "not ours to send")
        return params["type"], params["message"]

    def test_what_came_back_is_told_in_words(self):
        for answer, words in (
            (BadStatus("404", 404, "", Outcome.PERMANENT), "error 404"),
            (ConnectionFailed("no route", False), "could not be reached"),
            ({}, "Something else answers"),
            ({"probe": "guessed"}, "Something else answers"),
            ({"probe": 7}, "Something else answers"),
            ([], "Something else answers"),
        ):
            kind, message = self.knock(answer)
            self.assertEqual(kind, "danger", answer)
            self.assertIn(words, message)

    def test_a_knock_is_known_by_its_proof_only(self):
        Account, account = self.env["oda.connector.account"], self.account
        now = str(int(state.time.time()))
        proof = Account._probe_proof("ask", account.id, now)
        self.assertTrue(Account._probe_answer(account.id, f"{now}.{proof}"))
        old = str(int(now) - 3600)
        stale = Account._probe_proof("ask", account.id, old)
        for asked in (
            f"{old}.{stale}",
            f"{now}.",
            f"{now}.{'0' * 64}",
            f"{now}.ș",
            proof,
            "",
            f"-{now}.{proof}",
            f"{'9' * 40}.{proof}",
        ):
            self.assertIsNone(Account._probe_answer(account.id, asked), asked)
        self.assertIsNone(
            Account._probe_answer(account.id + 1, f"{now}.{proof}"), "another channel"
        )


@tagged("-at_install", "post_install")
class TestKnock(InboundCase):
    def test_through_the_real_door(self):
        self.env["ir.config_parameter"].set_param("web.base.url", self.base_url())
        self.env.invalidate_all()
        before = len(self.rows())
        self.env.flush_all()
        now = str(int(state.time.time()))
        Account = self.env["oda.connector.account"]
        proof = Account._probe_proof("ask", self.account.id, now)
        answer = self.push(b"{}", **{state.PROBE: f"{now}.{proof}"})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(
            answer.json(),
            {"probe": Account._probe_proof("answer", self.account.id, now)},
        )
        self.assertEqual(len(self.rows()), before, "nothing is kept")
        forged = self.push(
            b"{}", **{state.PROBE: f"{now}.{'0' * 64}", "X-Signature": "no"}
        )
        self.assertNotIn("probe", forged.text)
