# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json

from werkzeug.exceptions import HTTPException

from odoo.http import Dispatcher, Response


class RawDispatcher(Dispatcher):
    """`type='oda_raw'`: hand the controller an untouched body.

    The stock `http` dispatcher parses forms before the controller runs, which
    consumes the stream: a signature over the raw bytes could not be checked.
    Errors come back as JSON in words, never as a page or a traceback.
    """

    routing_type = "oda_raw"
    mimetypes = ("*/*",)

    @classmethod
    def is_compatible_with(cls, request):
        return True

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        if self.request.db:
            return self.request.registry["ir.http"]._dispatch(endpoint)
        return endpoint(**args)

    def handle_error(self, exc):
        status, words = 503, "not available now, send it again later"
        if isinstance(exc, HTTPException) and exc.code:
            status, words = exc.code, exc.name.lower()
        headers = {"Retry-After": "5"} if status == 503 else {}
        return json_response({"error": words}, status, headers)


def json_response(body, status=200, headers=None):
    """Return a small JSON answer without Odoo's page machinery."""
    return Response(
        json.dumps(body, ensure_ascii=False),
        status=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        content_type="application/json; charset=utf-8",
    )
