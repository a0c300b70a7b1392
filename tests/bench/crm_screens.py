# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the web client asks the server when it opens a screen: Chromium is asked."""

import json

from . import agents, load

#: the flow's consultations, as the button of the flows' dashboard opens them
PIPELINE = "crm.crm_case_form_view_salesteams_opportunity"
_DO = "([action, options]) => odoo.__WOWL_DEBUG__.root.env.services.action.doAction"
_CALL = f"{_DO}(action, options)"
#: asked once a page, and kept by the browser
_ONCE = ("get_views", "load", "has_group", "get_formview_id")
#: the page one lands on, which is still being read when another is opened
_HOME = ("oda_my_day",)


class Asked:
    """The calls one screen made of the server's models, in their order."""

    def __init__(self, page):
        self.calls = []
        page.on("request", self._note)

    def _note(self, request):
        if "/web/dataset/call_kw/" in request.url and request.method == "POST":
            params = json.loads(request.post_data)["params"]
            mail = params["model"].startswith("discuss.")
            if params["method"] not in _ONCE + _HOME and not mail:
                self.calls.append(params)

    def take(self):
        calls, self.calls = self.calls, []
        return calls


def watch(ground, server, login, flow, lead_id):
    """Open the flow's kanban and then a card in Chromium.

    :return: ``(calls of the kanban, calls of the card)``, as JSON-RPC ``params``
    """
    with agents.proxy(ground.runtime, server) as url:
        with agents.screen(url, login) as screen:
            page = screen.page
            asked = Asked(page)
            options = {"additionalContext": {"active_id": flow}}
            page.evaluate(_CALL, [PIPELINE, options])
            page.wait_for_selector(
                ".o_kanban_record:not(.o_kanban_ghost)", timeout=90_000
            )
            page.wait_for_timeout(2000)
            kanban = asked.take()
            action = {
                "type": "ir.actions.act_window",
                "res_model": "crm.lead",
                "res_id": lead_id,
                "views": [[False, "form"]],
            }
            page.evaluate(_CALL, [action, {}])
            page.wait_for_selector(".o_form_view .o_form_sheet", timeout=90_000)
            page.wait_for_timeout(2000)
            return kanban, asked.take()


def replayed(server, db, login, calls):
    """These calls as a screen for ``Generator.in_turn``."""
    cookie = agents.session(server.url, db, login)
    requests = [
        load.post(
            f"/web/dataset/call_kw/{params['model']}/{params['method']}",
            json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}),
            "application/json",
            cookie,
        )
        for params in calls
    ]
    return server.port, requests


def only(calls, model, method):
    """The kwargs of the first of these calls of a method."""
    return next(
        one["kwargs"]
        for one in calls
        if (one["model"], one["method"]) == (model, method)
    )
