# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from psycopg2.errors import SerializationFailure
from werkzeug.exceptions import RequestEntityTooLarge

from odoo import SUPERUSER_ID, api, http
from odoo.http import request

from ..connectors import (
    Malformed,
    MethodRefused,
    Push,
    PushRefused,
    TooLarge,
    UnknownAccount,
    driver_of,
)
from ..refusals import RefusalThrottle
from .raw_dispatcher import json_response

_logger = logging.getLogger(__name__)
_throttle = RefusalThrottle()

_REFUSAL = """
INSERT INTO oda_refusal
    (at, connector, account_id, reason, words, status, remote_addr, count)
VALUES (now() AT TIME ZONE 'UTC', %s, %s, %s, %s, %s, %s, %s)
"""


class InboundController(http.Controller):
    """The one door of every provider: verify, keep, answer. Nothing else."""

    @http.route(
        "/oda/in/<string:connector>/<string:key>",
        type="oda_raw",
        auth="none",
        methods=["POST", "GET", "PUT", "DELETE", "PATCH"],
        csrf=False,
        save_session=False,
        readonly=False,
    )
    def receive(self, connector, key):
        """Answer 200 once the push is safe (or known already).

        400 malformed, 401/403 not verified, 404 unknown address, 405 wrong
        method, 413 too large. None of these leaves a row in the inbox; all
        are counted where an administrator sees them.
        """
        env = api.Environment(request.env.cr, SUPERUSER_ID, {})
        account = None
        try:
            driver = driver_of(connector)
            if driver:
                account = env["oda.connector.account"]._resolve(connector, key)
            if account is None:
                raise UnknownAccount("no such address")
            push = self._push(driver)
            driver.authenticate(push, account)
            envelope = driver.identify(push)
            answer = driver.answer(env, account, envelope)
            if answer is not None:
                return json_response(answer)
            self._keep(env, account, push, envelope)
            return json_response({})
        except PushRefused as refusal:
            self._count(env, connector, account, refusal)
            return json_response({"error": str(refusal)}, refusal.status)

    @staticmethod
    def _push(driver):
        http_request = request.httprequest
        if http_request.method not in driver.methods:
            raise MethodRefused("send it with " + " or ".join(driver.methods))
        length = http_request.content_length
        if length is not None and length > driver.max_body:
            raise TooLarge(f"at most {driver.max_body} bytes")
        try:
            http_request._HTTPRequest__wrapped.max_content_length = driver.max_body
            body = http_request.get_data(cache=False)
        except RequestEntityTooLarge as error:
            raise TooLarge(f"at most {driver.max_body} bytes") from error
        except Exception as error:  # noqa: BLE001  (cut or lying streams)
            raise Malformed("the body could not be read to its end") from error
        if len(body) > driver.max_body:
            raise TooLarge(f"at most {driver.max_body} bytes")
        return Push(
            method=http_request.method,
            query=http_request.args,
            headers=http_request.headers,
            content_type=http_request.headers.get("Content-Type", ""),
            body=body,
            remote_addr=http_request.remote_addr or "",
        )

    @staticmethod
    def _keep(env, account, push, envelope):
        try:
            env["oda.inbound"]._receive(account, push, envelope)
        except SerializationFailure:
            # The same push came twice at once and the other one was stored.
            env.cr.rollback()

    @staticmethod
    def _count(env, connector, account, refusal):
        account_id = account.id if account else None
        count = _throttle.admit((account_id, connector[:32], refusal.reason))
        if not count:
            return
        _logger.info("push to %r refused: %s", connector[:32], refusal.reason)
        env.cr.execute(
            _REFUSAL,
            (
                connector[:32].replace("\0", ""),
                account_id,
                refusal.reason,
                str(refusal)[:200].replace("\0", ""),
                refusal.status,
                request.httprequest.remote_addr,
                count,
            ),
        )
