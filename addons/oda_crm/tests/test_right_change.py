# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user

from .common import ROLES, CrmCase


class TestRightChange(CrmCase):
    """A change is the administrator's, journalled, and holds at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stranger = new_test_user(
            cls.env, "stranger", groups="oda_base.group_consultant"
        )
        cls.case = cls.env["crm.lead"].create(
            {
                "name": "Case",
                "type": "opportunity",
                "user_id": cls.stranger.id,
                "team_id": cls.env["crm.team"].create({"name": "Flow"}).id,
            }
        )
        cls.Right = cls.env["oda.right"].with_user(cls.admin)

    def _set(self, right, value, level="consultant", department=False):
        return self.Right.set_cell(level, "consultation", department, right, value)

    def _row(self, level="consultant", subject="consultation", department=False):
        return self.env["oda.right"].search(
            [
                ("level", "=", level),
                ("subject", "=", subject),
                ("department_id", "=", department),
            ]
        )

    def _events(self, code="right.change"):
        return self.env["oda.event"].search([("code", "=", code)])

    def test_holds_at_once(self):
        mine = self.case.with_user(self.consultant)
        self.assertFalse(mine.has_access("read"))
        self._set("see", "all")
        self.assertTrue(mine.has_access("read"))
        self.assertFalse(mine.has_access("write"))
        self._set("edit", "all")
        self.assertTrue(mine.has_access("write"))
        self._set("see", "own")
        self.assertFalse(mine.has_access("read"))
        self.assertEqual(self._row().edit, "own", "what is not seen is not edited")

    def test_other_threads_judge_anew_after_the_commit(self):
        self._set("see", "all")
        callbacks = self.env.cr.postcommit._funcs
        self.assertIn(self.env.registry.clear_cache, callbacks)

    def test_journal_says_before_and_after(self):
        before = self._events()
        self._set("see", "all")
        event = self._events() - before
        self.assertEqual(len(event), 1)
        self.assertEqual(event.user_id, self.admin)
        self.assertEqual(event.details["before"]["see"], "team")
        self.assertEqual(event.details["after"]["see"], "all")
        self.assertEqual(event.details["level"], "consultant")
        self._set("see", "all")
        self.assertEqual(len(self._events() - before), 1, "nothing changed")

    def test_only_administrators_change(self):
        settings = new_test_user(self.env, "settings", groups="base.group_system")
        for role in (*ROLES, None):
            if role == "admin":
                continue
            user = getattr(self, role) if role else settings
            Right = self.env["oda.right"].with_user(user)
            row = self._row().with_user(user)
            calls = (
                lambda R=Right: R.set_cell(
                    "consultant", "consultation", False, "see", "all"
                ),
                lambda R=Right: R.reset_row("consultant", "consultation", False),
                lambda R=Right: R.undo_change(self._events()[:1].id),
                lambda row=row: row.write({"see": "all"}),
                lambda row=row: row.unlink(),
                lambda R=Right: R.create({"level": "head", "subject": "beneficiary"}),
            )
            for number, call in enumerate(calls):
                with (
                    self.subTest(role=role, call=number),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    call()
            shown = Right.has_access("read")
            self.assertEqual(shown, role in ("supervisor", "auditor"))
            if shown:
                self.assertFalse(Right.get_matrix()["may_change"])

    def test_fixed_levels_stay(self):
        for level in ("cashier", "accountant", "connector"):
            with self.subTest(level=level), self.assertRaises(UserError):
                self._set("see", "own", level=level)
            with self.assertRaises(UserError):
                self._row(level).with_user(self.admin).see = "own"
            with self.assertRaises(UserError):
                # the key of the loader opens no door for a person
                self._row(level).with_user(self.admin).with_context(
                    install_mode=True
                ).see = "own"

    def test_auditors_change_nothing(self):
        self._set("export", True, level="auditor")
        for right, value in (("edit", "own"), ("import", True), ("merge", True)):
            with self.subTest(right=right), self.assertRaises(UserError):
                self._set(right, value, level="auditor")
        with self.assertRaises(ValidationError):
            self._row("auditor").with_user(self.admin).edit = "own"

    def test_contradictions_are_refused_in_words(self):
        with self.assertRaisesRegex(UserError, "First widen"):
            self._set("edit", "all")
        with self.assertRaises(ValidationError):
            self._row().with_user(self.admin).edit = "all"

    def test_nonsense(self):
        for args in (
            ("nobody", "consultation", False, "see", "all"),
            ("head", "x", False, "see", "all"),
            ("head", "consultation", False, "x", "all"),
            ("head", "consultation", False, "see", "everything"),
            ("head", "consultation", False, "see", True),
            ("head", "consultation", False, "import", "yes"),
            ("head", "consultation", 10**9, "see", "all"),
            ("head", "consultation", "1 OR 1=1", "see", "all"),
            ([], {}, False, [], {}),
        ):
            with self.subTest(args=args), self.assertRaises(UserError):
                self.Right.set_cell(*args)

    def test_undo_and_what_was_changed_since(self):
        self._set("see", "all")
        first = self._events()[:1]
        self._set("see", "own")
        second = self._events()[:1]
        with self.assertRaisesRegex(UserError, "later"):
            self.Right.undo_change(first.id)
        self.Right.undo_change(second.id)
        self.assertEqual(self._row().see, "all")
        self.assertEqual(self._row().edit, "team", "what followed comes back too")
        self.Right.undo_change(first.id)
        self.assertEqual(self._row().see, "team")
        with self.assertRaises(UserError):
            self.Right.undo_change(0)

    def test_a_department_of_its_own(self):
        department = self.env["oda.department"].create({"name": "Credit"})
        matrix = self._set("see", "all", department=department.id)
        level = matrix["levels"][0]
        self.assertTrue(level["cells"]["consultation"]["own"])
        self.assertEqual(self._row().see, "team", "the general row stays")
        mine = self.case.with_user(self.consultant)
        self.assertFalse(mine.has_access("read"))
        self.consultant.oda_department_id = department
        self.assertTrue(mine.has_access("read"))
        made = self._events()[:1]
        self.Right.undo_change(made.id)
        self.assertFalse(mine.has_access("read"))
        self.Right.undo_change(self._events()[:1].id)
        self.assertTrue(mine.has_access("read"), "undoing is a change too")
        self.Right.reset_row("consultant", "consultation", department.id)
        self.assertFalse(mine.has_access("read"))
        with self.assertRaises(UserError):
            self._row().with_user(self.admin).unlink()

    def test_the_department_above_counts(self):
        above = self.env["oda.department"].create({"name": "Above"})
        below = above.create({"name": "Below", "parent_id": above.id})
        self._set("see", "all", department=above.id)
        self.consultant.oda_department_id = below
        mine = self.case.with_user(self.consultant)
        self.assertTrue(mine.has_access("read"))
        below.parent_id = False
        self.assertFalse(mine.has_access("read"))

    def test_odoos_own_export_right_follows(self):
        self.assertFalse(self.consultant.has_group("base.group_allow_export"))
        self._set("export", True)
        consultant = self.consultant.with_user(self.consultant)
        self.assertTrue(consultant.has_group("base.group_allow_export"))
        self._set("export", False)
        self.assertFalse(consultant.has_group("base.group_allow_export"))
        self.assertTrue(
            self.marketing.with_user(self.marketing).has_group(
                "base.group_allow_export"
            )
        )

    def test_the_screen_is_told_all(self):
        self._set("see", "all")
        matrix = self.Right.get_matrix()
        self.assertEqual(len(matrix["levels"]), 10)
        self.assertEqual(len(matrix["rights"]), 6)
        self.assertTrue(matrix["may_change"])
        self.assertIn("All", matrix["changes"][0]["what"])
        with self.assertRaises(AccessError):
            self.env["oda.right"].with_user(self.consultant).get_matrix()

    def test_what_a_colleague_can_do_is_counted_with_their_rights(self):
        def told(user):
            preview = self.Right.preview_person(user.id)
            consultations = preview["subjects"][1]
            return consultations["see"], consultations["edit"]

        self._set("edit", "own")
        self._set("see", "own")
        before, _edits = told(self.consultant)
        mine = self.case.copy({"user_id": self.consultant.id})
        self.assertEqual(told(self.consultant)[0], before + 1)
        self._set("see", "all")
        sees, edits = told(self.consultant)
        leads = self.env["crm.lead"].with_user(self.consultant)
        self.assertEqual(sees, leads.search_count([]))
        self.assertGreaterEqual(sees, before + 2)
        self.assertTrue(edits and edits < sees)
        self.assertTrue(mine.with_user(self.consultant).has_access("write"))
        self.assertEqual(told(self.auditor)[1], 0)
        self.assertEqual(told(self.cashier)[1], 0)

    def test_only_administrators_count_for_others(self):
        for user in (self.consultant, self.head, self.supervisor, self.auditor):
            with self.assertRaises(AccessError):
                self.Right.with_user(user).preview_person(self.consultant.id)
        citizen = new_test_user(self.env, "a_citizen", groups="base.group_portal")
        for bad in (citizen.id, 0, -1, None, "x", 2**70, [], True):
            with self.subTest(bad=str(bad)[:10]), self.assertRaises(UserError):
                self.Right.preview_person(bad)
