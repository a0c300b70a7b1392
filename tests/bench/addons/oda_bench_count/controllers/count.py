# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
import time
from datetime import datetime

from odoo import SUPERUSER_ID, api, http, models
from odoo.http import request


class CountController(http.Controller):
    @http.route(
        "/oda_bench/call",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def call(self, **_values):
        """Run one method as a person, in an environment that has read nothing yet.

        The body is JSON: ``login`` (none: the superuser), ``model``, ``method``,
        ``ids``, ``args``, ``kwargs``, ``context``; ``times`` it is run, each in an
        empty cache; ``commit``, else it is rolled back; ``loud`` for its statements.
        A text that begins with ``at:`` is a moment.

        :return: ``{"ms": [...], "queries": [...], "result": ..., "sql": [...]}``;
            writing out what waits, and what a commit would do before, is counted
        """
        ask = json.loads(request.httprequest.data, object_hook=_moments)
        cr = request.env.cr
        root = api.Environment(cr, SUPERUSER_ID, {})
        user = root.user
        if ask.get("login"):
            user = root["res.users"].search([("login", "=", ask["login"])])
        uid, company = user.id, user.company_id.id
        context = {
            "lang": user.lang,
            "tz": user.tz,
            "uid": uid,
            "allowed_company_ids": [company],
            **ask.get("context", {}),
        }
        answer = {"ms": [], "queries": [], "sql": []}
        for _time in range(ask.get("times", 1)):
            cr.flush()
            cr.transaction.reset()
            env = api.Environment(cr, uid, context)
            cr.transaction.default_env = env  # what is written out at the end
            records = env[ask["model"]].browse(ask.get("ids", ()))
            heard = _listen(cr, answer["sql"]) if ask.get("loud") else None
            before, begin = cr.sql_log_count, time.perf_counter()
            result = getattr(records, ask["method"])(
                *ask.get("args", ()), **ask.get("kwargs", {})
            )
            cr.flush()
            answer["ms"].append((time.perf_counter() - begin) * 1000)
            answer["queries"].append(cr.sql_log_count - before)
            if heard:
                heard()
            if isinstance(result, models.BaseModel):
                result = result.ids
            if not ask.get("commit"):
                cr.rollback()
        answer["result"] = result
        return request.make_json_response(answer)


def _moments(values):
    return {
        key: datetime.fromisoformat(value[3:])
        if isinstance(value, str) and value.startswith("at:")
        else value
        for key, value in values.items()
    }


def _listen(cr, found):
    """Note the statements of a cursor; call the result to stop."""
    execute = cr.execute

    def noted(query, *arguments, **options):
        found.append(str(getattr(query, "code", query)))
        return execute(query, *arguments, **options)

    cr.execute = noted
    return lambda: delattr(cr, "execute")
