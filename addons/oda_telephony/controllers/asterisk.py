# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Two side doors of the asterisk connector: the dialplan's question, the listener's
word on how it does. Calls themselves come by `/oda/in/asterisk/<key>`."""

import hmac
import json
import logging
import re
import time
import uuid

from odoo import SUPERUSER_ID, api, http
from odoo.http import Response, request

from odoo.addons.oda_base.connectors import (
    Malformed,
    PushRefused,
    TooLarge,
    Unauthenticated,
    UnknownAccount,
)
from odoo.addons.oda_base.controllers.inbound import InboundController
from odoo.addons.oda_base.controllers.raw_dispatcher import json_response

from ..drivers import asterisk_push as wire
from ..drivers.events import ContactQuery

_logger = logging.getLogger(__name__)

MAX_BODY = 8 * 1024
_NAME_MAX = 60
#: what a dialplan or an old phone could stumble over goes
_NOT_SHOWN = re.compile(r"[^\w .,'’()&/+–—-]")


def contact_text(name, login):
    """Return `oda|login|name`: one line that a dialplan can cut.

    Nothing in it means anything to Asterisk: no quotes, commas in names become spaces.
    """
    login = login if login and wire.is_login(login) else ""
    name = _NOT_SHOWN.sub(" ", name or "").replace(",", " ").replace("/", " ")
    return f"oda|{login}|{' '.join(name.split())[:_NAME_MAX]}"


class AsteriskController(http.Controller):
    @http.route(
        "/oda/in/asterisk/<string:key>/contact",
        type="oda_raw",
        auth="none",
        methods=["GET", "POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def contact(self, key):
        """Say who calls and who is to be rung: plain text, see `contact_text`.

        `number`, `did` and `callid` in the query or a form, `Authorization: Bearer`
        with the account's key for the dialplan. 401 and 404 as at the main door.
        """
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        account = None
        try:
            account = self._account(env, key)
            token = wire.contact_token(account.secret)
            _scheme, _space, given = request.httprequest.headers.get(
                "Authorization", ""
            ).partition(" ")
            if not token or not hmac.compare_digest(
                given.strip().encode("latin-1", "replace"), token.encode()
            ):
                raise Unauthenticated("wrong key for the dialplan")
            self._body()
            asked = request.httprequest.values
            query = ContactQuery(
                phone=wire.number(asked.get("number", "")),
                # The dialplan need not know the call's id: a decision has one anyway.
                callid=wire.call_id(asked.get("callid", "")) or str(uuid.uuid4()),
                did=wire.number(asked.get("did", "")) or None,
            )
            found = env["oda.call"]._answer_contact(account, query)
            text = contact_text(*(found or ("", None)))
        except PushRefused as refusal:
            InboundController._count(env, "asterisk", account, refusal)
            return json_response({"error": str(refusal)}, refusal.status)
        return Response(
            text,
            content_type="text/plain; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )

    @http.route(
        "/oda/in/asterisk/<string:key>/state",
        type="oda_raw",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def state(self, key):
        """Take the listener's word on how it does; tell it the account's habits."""
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        account = None
        try:
            account = self._account(env, key)
            raw = self._body()
            header = request.httprequest.headers.get(wire.HEADER, "")
            if why := wire.verify(account.secret, header, raw, time.time()):
                raise Unauthenticated(why)
            try:
                facts = json.loads(raw)
            except (ValueError, RecursionError):
                raise Malformed("the body is not JSON") from None
            if not isinstance(facts, dict):
                raise Malformed("the JSON is not an object")
        except PushRefused as refusal:
            InboundController._count(env, "asterisk", account, refusal)
            return json_response({"error": str(refusal)}, refusal.status)
        env["oda.pbx.listener"]._told(account, facts)
        row = env["oda.connector.account"].browse(account.id)
        return json_response({"habits": row._ast_habits()})

    @staticmethod
    def _account(env, key):
        account = env["oda.connector.account"]._resolve("asterisk", key)
        if account is None:
            raise UnknownAccount("no such address")
        return account

    @staticmethod
    def _body():
        http_request = request.httprequest
        if (http_request.content_length or 0) > MAX_BODY:
            raise TooLarge(f"at most {MAX_BODY} bytes")
        http_request.max_content_length = MAX_BODY + 1
        try:
            raw = http_request.get_data(cache=True, parse_form_data=False)
        except Exception as error:  # noqa: BLE001  (cut or lying streams)
            raise Malformed("the body could not be read to its end") from error
        if len(raw) > MAX_BODY:
            raise TooLarge(f"at most {MAX_BODY} bytes")
        return raw
