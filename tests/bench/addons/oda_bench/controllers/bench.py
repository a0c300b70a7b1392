# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json
import time

from odoo import SUPERUSER_ID, api, http
from odoo.http import request

_BARE = {
    "type": "http",
    "auth": "none",
    "methods": ["POST"],
    "csrf": False,
    "save_session": False,
}


def _sanitized(env, e164):
    """Stock Odoo: the indexed-to-be column of phone_validation."""
    return env["res.partner"].search([("phone_sanitized", "=", e164)]).ids


def _mobile_search(env, e164):
    """Stock Odoo: the search behind the phone field of its own screens."""
    return env["res.partner"].search([("phone_mobile_search", "=", e164)]).ids


def _lookup(env, e164):
    return env["oda.phone"]._lookup(e164)


def _lookup_sql(env, e164):
    rows = env["oda.phone"]._lookup_sql(env.cr, e164)
    return [partner_id for partner_id, _name in rows]


class BenchController(http.Controller):
    @http.route("/oda_bench/empty", **_BARE)
    def empty(self, **_values):
        """The least that an Odoo route with a database can do."""
        return request.make_json_response({})

    @http.route("/oda_bench/insert", **_BARE)
    def insert(self, **values):
        """The least that an Odoo route that keeps what it got can do."""
        request.env.cr.execute(
            "INSERT INTO oda_bench_row (received_at, body) "
            "VALUES (now() AT TIME ZONE 'UTC', %s)",
            (json.dumps(values),),
        )
        return request.make_json_response({})

    @http.route("/oda_bench/lookup", **_BARE)
    def lookup(self, way, numbers):
        """Time one way to find people by number: {"ms": [...], "found": [...]}."""
        find = {
            "phone_sanitized": _sanitized,
            "phone_mobile_search": _mobile_search,
            "_lookup": _lookup,
            "_lookup_sql": _lookup_sql,
        }[way]
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        times, found = [], []
        for e164 in numbers.split():
            begin = time.perf_counter()
            ids = find(env, e164)
            times.append((time.perf_counter() - begin) * 1000)
            found.append(ids)
        return request.make_json_response({"ms": times, "found": found})
