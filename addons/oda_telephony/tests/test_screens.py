# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from .common import TelephonyCase


class TestScreens(TelephonyCase):
    def test_the_list_knows_which_calls_can_be_heard(self):
        heard, silent = self.answered_call(), self.answered_call("call-2")
        Recording = self.env["oda.recording"]
        recording = Recording.create({"call_id": heard.id, "url": "https://a/1.mp3"})
        Recording.create(
            {"call_id": silent.id, "url": "https://a/2.mp3", "state": "missing"}
        )
        calls = (heard | silent).with_user(self.boss)
        self.assertEqual(calls.mapped("has_recording"), [False, False])
        recording.state = "stored"
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(calls.mapped("has_recording"), [True, False])

    def test_one_question_for_a_page_of_calls(self):
        calls = self.answered_call()
        for number in range(2, 6):
            calls |= self.answered_call(f"call-{number}")
        self.env.flush_all()
        self.env.invalidate_all()
        calls.mapped("state")
        with self.assertQueryCount(1):
            calls.mapped("has_recording")

    def test_journal_in_words(self):
        event = self.env["oda.event"]._log("pbx.newcomers_full", self.account)
        self.assertEqual(event.words, "The list of new PBX logins is full")
        self.assertEqual(event.subject, "Connector Account")

    def test_refusal_names_the_service(self):
        refusal = self.env["oda.refusal"].create(
            {
                "at": self.later(),
                "reason": "unauthenticated",
                "connector": "moldcell",
                "account_id": self.account.id,
            }
        )
        self.assertEqual(refusal.connector_label, "PBX Moldcell")

    def test_logins_have_cards_on_a_phone(self):
        action = self.env.ref("oda_telephony.action_oda_pbx_user")
        self.assertEqual(action.view_mode, "list,kanban,form")
