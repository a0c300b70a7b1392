# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

#: whatever RPC can reach of ours, on purpose; each checks access itself
INTENDED = {
    "oda.card.layout": {"action_undo_last"},
    "oda.card.group": {"action_preview", "action_undo_last"},
    "oda.card.field": {
        "action_options",
        "action_preview",
        "action_rename",
        "action_undo_last",
    },
    "oda.new.field": {"action_make", "action_rename"},
    "crm.lead": {
        "action_oda_cold_call_back",
        "action_oda_cold_next",
        "action_oda_cold_no_answer",
        "action_oda_cold_refuse",
        "action_oda_cold_register",
        "action_oda_cold_skip",
        "action_oda_cold_wrong",
        "action_oda_new_session",
        "action_oda_plan_next_step",
        "action_oda_sessions",
        "oda_answer_zero",
        "oda_kanban_heads",
        "oda_move",
        "oda_my_orphans",
        "oda_plan_next_step",
        "oda_timeline_page",
    },
    "crm.team": {"oda_choose_flow"},
    "mail.activity": {"oda_cancel"},
    "oda.cold.list": {
        "action_call_next",
        "action_cancel",
        "action_distribute",
        "action_done",
        "action_make",
        "action_open_leads",
    },
    "oda.consultation.session": {
        "action_oda_end",
        "action_oda_open",
        "action_oda_open_case",
        "oda_session_save_draft",
    },
    "oda.import": {
        "action_cancel",
        "action_read",
        "action_run",
        "action_show_rows",
        "get_progress",
    },
    "oda.instrument": {"action_answers", "get_catalogue"},
    "oda.my.day": {"oda_my_day"},
    "oda.programme": {"action_open_followers", "action_open_leads"},
    "oda.programme.follower": {"action_follow_again", "action_stop"},
    "oda.programme.news": {"action_cancel", "action_publish"},
    "oda.right": {
        "get_matrix",
        "preview_person",
        "reset_row",
        "set_cell",
        "undo_change",
    },
    "oda.segment": {"action_show"},
    "oda.segment.similar": {"action_make"},
    "oda.stage.rule": {"get_grid", "preview_grid", "save_grid", "undo_grid"},
    "crm.stage": {"action_oda_earlier", "action_oda_later"},
    "oda.segment.similar.match": {"action_open"},
    "oda.task.result": {"action_confirm"},
    "oda.timeline": {"oda_timeline_page"},
    "res.partner": {
        "action_oda_new_session",
        "action_oda_sessions",
        "action_oda_similar",
        "oda_find_duplicates",
        "oda_merge_with",
        "oda_timeline_page",
    },
}
#: these only build an action out of the id; what it opens asks for rights
HARMLESS = {
    "action_oda_sessions",
    "action_oda_similar",
    "action_open_followers",
    "action_open_leads",
    "action_show_rows",
    "action_oda_open",
    "action_oda_plan_next_step",
    "action_answers",
}
OURS, TELLS = "odoo.addons.oda_crm.", "odoo.addons.oda_"
#: values of arguments nobody meant: each method is called with each
NONSENSE = (None, False, -1, 2**70, "x" * 10_000, [], {}, ["\0"], {"a": None})


def public_methods(model):
    """Names of what this addon adds to a model and RPC may call."""
    cls = type(model)
    stock, ours = set(), set()
    for base in cls.__mro__:
        module = getattr(base, "__module__", "")
        names = {
            name
            for name, value in vars(base).items()
            if callable(value)
            and not name.startswith("_")
            and not isinstance(value, type)
            and not getattr(value, "_api_private", False)
        }
        if module.startswith(OURS):
            ours |= names
        elif not module.startswith(TELLS):
            stock |= names
    return ours - stock - set(cls._fields)


@tagged("post_install", "-at_install")
class TestPublicMethods(TransactionCase):
    def test_public_methods_are_the_intended_ones(self):
        """Whatever RPC can reach is on this list, on purpose."""
        for name, model in self.env.items():
            with self.subTest(model=name):
                self.assertEqual(public_methods(model), INTENDED.get(name, set()))

    def test_the_browsers_own_tests_are_found(self):
        """A manifest with two `assets` keeps the last one, without a word."""
        paths = self.env["ir.asset"]._get_asset_paths("web.assets_unit_tests", {})
        self.assertTrue(any("oda_crm/static/tests/" in str(one) for one in paths))

    def test_outsiders_are_refused_by_all(self):
        """Portal people, the public, and employees who hold no level."""
        partner = self.env["res.partner"].create({"name": "Somebody"})
        lead = self.env["crm.lead"].create(
            {"name": "Case", "type": "opportunity", "partner_id": partner.id}
        )
        records = {"res.partner": partner, "crm.lead": lead}
        records["mail.activity"] = lead.activity_ids
        records["oda.consultation.session"] = self.env[
            "oda.consultation.session"
        ].create({"partner_id": partner.id})
        people = (
            new_test_user(self.env, "x_portal", groups="base.group_portal"),
            self.env.ref("base.public_user"),
            new_test_user(self.env, "x_nobody", groups="base.group_user"),
        )
        for user in people:
            for name, methods in INTENDED.items():
                for method in methods - HARMLESS:
                    with self.subTest(user=user.login, model=name, method=method):
                        self._refused(
                            records.get(name, self.env[name].browse(1)), method, user
                        )

    def _refused(self, record, method, user):
        record = record.with_user(user)
        if method == "oda_my_orphans":
            self.assertFalse(record.oda_my_orphans([record.id])["leads"])
            return
        arguments = {
            "oda_find_duplicates": ({},),
            "oda_merge_with": (1,),
            "oda_move": (1,),
            "oda_answer_zero": ("x",),
            "oda_plan_next_step": (1,),
            "oda_cancel": ("because of that",),
            "oda_session_save_draft": (record.id, 1, 0, {}, "page"),
            "set_cell": ("consultant", "beneficiary", False, "see", "all"),
            "reset_row": ("consultant", "beneficiary", False),
            "undo_change": (1,),
            "preview_grid": (1, [], []),
            "preview_person": (1,),
            "save_grid": (1, [], []),
            "undo_grid": (1, 1),
        }.get(method, ())
        try:
            with self.env.cr.savepoint():
                getattr(record, method)(*arguments)
        except (AccessError, MissingError):
            return
        self.fail("was not refused")

    @mute_logger("odoo.sql_db")
    def test_nonsense_is_refused_in_words(self):
        """No traceback for what somebody sends: words, or nothing happens."""
        head = new_test_user(self.env, "x_head", groups="oda_base.group_head")
        partner = self.env["res.partner"].create({"name": "Somebody"})
        lead = self.env["crm.lead"].create(
            {"name": "Case", "type": "opportunity", "partner_id": partner.id}
        )
        lead, partner = lead.with_user(head), partner.with_user(head)
        sessions = self.env["oda.consultation.session"].with_user(head)
        calls = {
            "orphans": lambda bad: lead.oda_my_orphans(bad),
            "step type": lambda bad: lead.oda_plan_next_step(bad),
            "step words": lambda bad: lead.oda_plan_next_step(
                self.env.ref("mail.mail_activity_data_todo").id, bad
            ),
            "step time": lambda bad: lead.oda_plan_next_step(
                self.env.ref("mail.mail_activity_data_todo").id, "x", bad
            ),
            "step user": lambda bad: lead.oda_plan_next_step(
                self.env.ref("mail.mail_activity_data_todo").id, "x", None, bad
            ),
            "zero": lambda bad: lead.oda_answer_zero(bad),
            "timeline": lambda bad: lead.oda_timeline_page(bad, bad, bad),
            "duplicates": lambda bad: partner.oda_find_duplicates(bad),
            "merge": lambda bad: partner.oda_merge_with(bad),
            "draft": lambda bad: sessions.oda_session_save_draft(
                bad, bad, bad, bad, bad
            ),
            "cancel": lambda bad: lead.activity_ids.oda_cancel(bad),
        }
        for name, call in calls.items():
            for bad in NONSENSE:
                with self.subTest(call=name, bad=str(bad)[:20]):
                    try:
                        with self.env.cr.savepoint():
                            call(bad)
                    except UserError as error:
                        self.assertTrue(str(error))
