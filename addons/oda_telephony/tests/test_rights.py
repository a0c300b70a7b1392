# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import new_test_user

from .common import TelephonyCase

MODELS = ("oda.call", "oda.call.leg", "oda.recording", "oda.pbx.user")
# role -> what it may do with calls, legs, recordings, logins
RIGHTS = {
    "consultant": ("r", "r", "r", "r"),
    "lead": ("r", "r", "r", "r"),
    "supervisor": ("r", "r", "r", ""),
    "marketing": ("", "", "", ""),
    "cashier": ("", "", "", ""),
    "accountant": ("", "", "", ""),
    "admin": ("r", "r", "r", "rwcu"),
    "auditor": ("r", "r", "r", "r"),
    "connector": ("rwc", "rwc", "rwc", "r"),
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}


class TestRights(TelephonyCase):
    def test_matrix(self):
        for role, rights in RIGHTS.items():
            user = new_test_user(self.env, f"x_{role}", groups=f"oda_base.group_{role}")
            for model, allowed in zip(MODELS, rights, strict=True):
                for letter, operation in OPERATIONS.items():
                    with self.subTest(role=role, model=model, operation=operation):
                        self.assertEqual(
                            self.env[model].with_user(user).has_access(operation),
                            letter in allowed,
                        )

    def test_recordings_of_others_are_out_of_sight(self):
        recording = self.env["oda.recording"].create(
            {"call_id": self.answered_call().id, "url": "https://x.example/1"}
        )
        self.assertTrue(recording.with_user(self.ana).has_access("read"))
        self.assertFalse(recording.with_user(self.igor).has_access("read"))
        self.assertTrue(recording.with_user(self.boss).has_access("read"))

    def test_calls_of_a_hidden_beneficiary_are_hidden(self):
        call = self.answered_call()
        other = new_test_user(self.env, "x_other", groups="oda_base.group_consultant")
        recording = self.env["oda.recording"].create(
            {"call_id": call.id, "url": "https://x.example/1"}
        )
        self.assertTrue(call.with_user(other).has_access("read"))
        self.env["oda.right"].search(
            [("level", "in", ("consultant", "lead")), ("subject", "=", "beneficiary")]
        ).write({"see": "own", "edit": "own", "can_merge": False})
        for record in (call, call.leg_ids):
            self.assertFalse(record.with_user(other).has_access("read"))
            self.assertTrue(record.with_user(self.ana).has_access("read"), "had it")
            self.assertTrue(record.with_user(self.boss).has_access("read"), "sees all")
        self.assertTrue(recording.with_user(self.ana).has_access("read"))
        lead = new_test_user(self.env, "x_lead2", groups="oda_base.group_lead")
        self.assertFalse(recording.with_user(lead).has_access("read"))

    def test_public_methods_are_the_intended_ones(self):
        """Whatever RPC can reach is on this list, on purpose."""
        intended = {
            "oda.call": {
                "get_live_calls",
                "get_card",
                "save_draft",
                "finish",
                "dismiss",
                "action_open_card",
                "get_instruments",
                "save_answers",
                "oda_dial",
            },
            "oda.recording": {
                "action_fetch_now",
                "action_hold",
                "action_release",
                "get_player",
            },
            "oda.recording.hold": {"action_apply"},
            "oda.recording.archive": {
                "action_start",
                "action_go_on",
                "action_cancel",
                "action_remove",
            },
            "oda.recording.archive.part": set(),
            "oda.recording.archive.item": set(),
            "oda.call.leg": set(),
            "oda.pbx.user": {
                "action_silence",
                "action_take_suggestion",
                "action_unsilence",
                "get_my_lines",
                "set_silent",
            },
            "oda.pbx.group": set(),
            "oda.dial": set(),
        }
        base = set(dir(type(self.env["base"]))) | set(
            dir(type(self.env["res.country"]))
        )
        for model, expected in intended.items():
            cls = type(self.env[model])
            public = {
                name
                for name in set(dir(cls)) - base
                if not name.startswith("_")
                and callable(getattr(cls, name, None))
                and name not in self.env[model]._fields
                and not getattr(getattr(cls, name), "_api_private", False)
            }
            with self.subTest(model=model):
                self.assertEqual(public, expected)
