# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import logging

from psycopg2 import Error as DatabaseError
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
    Unauthenticated,
    UnknownAccount,
    driver_of,
    storable,
)
from ..models.oda_connector_account_state import PROBE
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
            if (asked := request.httprequest.headers.get(PROBE)) and (
                answer := env["oda.connector.account"]._probe_answer(account.id, asked)
            ):
                return json_response({"probe": answer})
            push = self._push(driver)
            self._ask(driver.authenticate, Unauthenticated, push, account)
            envelope = self._ask(driver.identify, Malformed, push)
            if not envelope.event_key:
                raise Malformed("nothing tells this push from another")
            answer = driver.answer(env, account, envelope)
            if answer is not None:
                return json_response(answer)
            self._keep(env, account, push, envelope)
            return json_response({})
        except PushRefused as refusal:
            self._count(env, connector, account, refusal)
            headers = {"Retry-After": "60"} if refusal.status == 503 else {}
            return json_response({"error": str(refusal)}, refusal.status, headers)

    @staticmethod
    def _ask(hook, refusal, *args):
        """Call a driver's hook; one that stumbles over a push has refused it."""
        try:
            return hook(*args)
        except (PushRefused, DatabaseError):
            raise
        except Exception as error:
            # The kind of error only: its text may quote the push or the secret.
            _logger.warning("%s raised %s", hook.__qualname__, type(error).__name__)
            raise refusal() from None

    @staticmethod
    def _push(driver):
        http_request = request.httprequest
        if http_request.method not in driver.methods:
            raise MethodRefused("send it with " + " or ".join(driver.methods))
        length = http_request.content_length
        if length is not None and length > driver.max_body:
            raise TooLarge(f"at most {driver.max_body} bytes")
        try:
            # One byte more than is taken: a chunked body that reaches the limit is
            # cut there without an error, and must not pass for a whole one.
            http_request.max_content_length = driver.max_body + 1
            # Cached: should the transaction be repeated, the stream is gone.
            body = http_request.get_data(cache=True)
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
    def _keep(env, account, push, envelope, tries=3):
        for last in range(tries - 1, -1, -1):
            try:
                return env["oda.inbound"]._receive(account, push, envelope)
            except SerializationFailure:
                # Most likely the same push came twice at once. Look again on a
                # fresh snapshot: "known already" is never answered unseen.
                env.cr.rollback()
                if not last:
                    raise

    @staticmethod
    def _count(env, connector, account, refusal):
        account_id = account.id if account else None
        # Invented connectors share one key: a row for each would fill the disk.
        known = connector if driver_of(connector) else ""
        count = _throttle.admit((account_id, known, refusal.reason))
        if not count:
            return
        _logger.info("push to %r refused: %s", connector[:32], refusal.reason)
        env.cr.execute(
            _REFUSAL,
            (
                storable(connector, 100),
                account_id,
                refusal.reason,
                storable(str(refusal), 250),
                refusal.status,
                request.httprequest.remote_addr,
                count,
            ),
        )
