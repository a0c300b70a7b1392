# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Help for tests of connectors; other addons' tests may use it too.

`InboundCase` pushes over HTTP inside the test's transaction, `WireCase` works
below HTTP, `CommittedCase` commits for real and cleans up after itself. All have
`receive`, `drain`, `trap_wakes` and one account of the provider `testwire`; set
`connector`, `secret` and override `headers_for` to test another driver with them.
"""

import hashlib
import hmac
import json
import socket
from contextlib import ExitStack, contextmanager
from unittest.mock import patch
from urllib.parse import parse_qs

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import HttpCase, TransactionCase
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME
from odoo.tests.test_cursor import TestCursor

from odoo.addons.oda_base import connectors, settings
from odoo.addons.oda_base.connectors import (
    Delivery,
    Driver,
    Envelope,
    Forbidden,
    Malformed,
    Push,
    Unauthenticated,
)
from odoo.addons.oda_base.controllers import inbound as door
from odoo.addons.oda_base.refusals import RefusalThrottle

SECRET = "wire-Secret-5b1f0e"
SIGNATURE = "X-Wire-Signature"
#: seals in tests; nothing outside them is sealed with it
SEALING_KEY = "only-for-tests-" + "k" * 40


def sign(body, secret=SECRET):
    """Hex HMAC-SHA256 of raw bytes, as the provider of the tests signs."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Wire(Driver):
    """The provider of the tests: JSON or form with `id`, `order`, `kind`.

    `seen` keeps every push as the driver got it; `sent` and `asked` every message.
    `script` holds what `send` and `resolve` shall answer, in turn: a `Delivery`
    or an exception to raise. An empty script means: done.
    """

    name = "testwire"
    max_body = 2048
    processor = "res.partner"
    rate = (10_000, 1.0)

    def __init__(self):
        self.seen, self.sent, self.asked, self.script = [], [], [], []

    def authenticate(self, push, account):
        self.seen.append(push)
        given = push.headers.get(SIGNATURE, "")
        expected = sign(push.body, account.secret)
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise Unauthenticated("wrong signature")
        if push.headers.get("X-Wire-Banned"):
            raise Forbidden("this address may not push")

    def identify(self, push):
        if push.content_type.startswith("application/x-www-form-urlencoded"):
            fields = {k: v[0] for k, v in parse_qs(push.body.decode()).items()}
        else:
            try:
                fields = json.loads(push.body)
            except ValueError as error:
                raise Malformed("this is not JSON") from error
        if fields.get("kind") == "stumble":
            raise KeyError(f"our own bug, near {SECRET}")
        return Envelope(
            event_key=fields.get("id", ""),
            order_key=fields.get("order", ""),
            kind=fields.get("kind", ""),
            fields=fields,
        )

    def answer(self, env, account, envelope):
        if envelope.kind == "ask":
            return {"name": "Ana", "account": account.key}
        return None

    def _next(self):
        turn = self.script.pop(0) if self.script else Delivery("done", "ref-1")
        if isinstance(turn, BaseException):
            raise turn
        return turn

    def send(self, account, message):
        self.sent.append((account, dict(message)))
        return self._next()

    def resolve(self, account, message):
        self.asked.append((account, dict(message)))
        return self._next()


def all_done(model, rows):
    """The processor used unless a test says otherwise."""
    return [(row, "done", "") for row in rows]


class WireMixin:
    """Set-up and helpers for any kind of test case class of Odoo."""

    connector = Wire.name
    key = "test-key"
    secret = SECRET

    @classmethod
    def set_up_wire(cls):
        """Make the provider known and seal with a key of our own."""
        section = settings.Section(settings.oda_section(), secret_key=SEALING_KEY)
        cls.startClassPatcher(patch.object(settings, "oda_section", lambda: section))
        cls.startClassPatcher(patch.object(door, "_throttle", RefusalThrottle()))
        cls.driver = cls.add_driver(Wire())
        cls.startClassPatcher(
            patch.object(
                cls.registry["res.partner"],
                "_oda_process_inbound",
                all_done,
                create=True,
            )
        )

    @classmethod
    def add_driver(cls, driver):
        """Register a driver and its connector for this class; return it."""
        cls.startClassPatcher(patch.dict(connectors._drivers, {driver.name: driver}))
        field = cls.registry["oda.connector.account"]._fields["connector"]
        choices = {**(field._selection or {}), driver.name: driver.name}
        cls.startClassPatcher(patch.object(field, "_selection", choices))
        cls.startClassPatcher(patch.object(field, "selection", list(choices.items())))
        return driver

    @classmethod
    def make_account(cls, env=None, **vals):
        """Create an account; the class's connector, key and secret by default."""
        vals = {
            "name": "Wire",
            "connector": cls.connector,
            "key": cls.key,
            "secret": cls.secret,
            **vals,
        }
        return (env or cls.env)["oda.connector.account"].create(vals)

    def setUp(self):
        super().setUp()
        if isinstance(self.driver, Wire):
            for calls in (
                self.driver.seen,
                self.driver.sent,
                self.driver.asked,
                self.driver.script,
            ):
                calls.clear()
        # A refusal is counted once a window: each test has its own.
        door._throttle._seen.clear()

    def work_with(self, function):
        """Let `function(model, rows)` process the rows until the test ends."""

        def process(model, rows):
            return function(model, rows)

        self.startPatcher(
            patch.object(self.registry["res.partner"], "_oda_process_inbound", process)
        )

    def receive(self, event, order="", kind="", body=b"{}", account=None):
        """Store a verified push below HTTP; return its row (empty if known)."""
        account = account or self.account
        row_id = self.env["oda.inbound"]._receive(
            account._account(),
            Push("POST", {}, {}, "application/json", body, "192.0.2.7"),
            Envelope(event, order, kind),
        )
        return self.env["oda.inbound"].browse(row_id or ())

    def drain(self, model="oda.inbound", account=None):
        """Run the job as its own user; return what the job says."""
        account = account or self.account
        worker = self.env[model].with_user(account._jobs_user())
        with ExitStack() as stack:
            if not type(self)._registry_patched:
                stack.enter_context(self.enter_registry_test_mode())
            self.env.flush_all()
            said = worker._drain(account.id)
            self.env.invalidate_all()
        return said

    @contextmanager
    def trap_wakes(self):
        """Commit hooks run in here; yield `[(account id, model, method)]` woken.

        Test cursors drop the hooks that real ones run after a commit. Hooks of
        the test's own transaction run when the block is left.
        """
        woken, commit = [], TestCursor.commit
        cr = self.env.cr
        cr.postcommit.clear()

        def committing(cursor):
            hooks = list(cursor.postcommit._funcs)
            commit(cursor)
            for hook in hooks:
                hook()

        def wake(account, model_name, method):
            woken.append((account.id, model_name, method))

        Account = self.registry["oda.connector.account"]
        with (
            patch.object(Account, "_wake", wake),
            patch.object(TestCursor, "commit", committing),
            patch.object(cr, "commit", cr.flush),
            patch.object(cr, "rollback", cr.clear),
        ):
            yield woken
            cr.flush()
            cr.postcommit.run()


class WireCase(WireMixin, TransactionCase):
    """Below HTTP, in the test's transaction."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_wire()
        cls.account = cls.make_account()


class HttpMixin(WireMixin):
    def headers_for(self, body):
        """Return the headers by which the provider proves itself."""
        return {SIGNATURE: sign(body, self.secret)}

    def push(self, body, path=None, method="POST", params=None, **headers):
        """Push as the provider does; return the `requests` response.

        :param body: bytes, or a dict sent as JSON
        :param path: default: the address of the class's account
        :param headers: `Content_Type="text/xml"`; None leaves a header out
        """
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **self.headers_for(body)}
        sent.update({name.replace("_", "-"): v for name, v in headers.items()})
        return self.url_open(
            path or f"/oda/in/{self.connector}/{self.key}",
            data=body,
            headers={name: v for name, v in sent.items() if v is not None},
            method=method,
            params=params,
        )

    def wire(self, head, body=b"", close=True):
        """Send bytes as they are; return the raw answer.

        :param str head: request line and headers, `\\n` between them, without
            Host and Cookie
        :param close: say that nothing more comes (half-close)
        """
        with self.allow_requests():
            lines = head.strip().splitlines() + [
                f"Host: 127.0.0.1:{self.http_port()}",
                f"Cookie: {TEST_CURSOR_COOKIE_NAME}={self.http_request_key}",
                "Connection: close",
            ]
            raw = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
            with socket.create_connection(("127.0.0.1", self.http_port()), 10) as s:
                s.sendall(raw)
                if close:
                    s.shutdown(socket.SHUT_WR)
                parts = []
                while part := s.recv(65536):
                    parts.append(part)
        return b"".join(parts)

    def rows(self, account=None):
        account = account or self.account
        self.env.invalidate_all()
        return self.env["oda.inbound"].search(
            [("account_id", "=", account.id)], order="id"
        )

    def refusals(self):
        self.env.invalidate_all()
        return self.env["oda.refusal"].search([], order="id") - self.refused_before


class InboundCase(HttpMixin, HttpCase):
    """Pushes over HTTP that are rolled back with the test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_wire()
        cls.account = cls.make_account()
        cls.refused_before = cls.env["oda.refusal"].search([])


class CommittedCase(HttpMixin, HttpCase):
    """Real commits, real cursors, real threads; removes what it made.

    `self.env` is of no use for reading what was committed: its snapshot is old.
    Use `self.fresh()`.
    """

    registry_test_mode = False
    key = "committed-key"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The loader of the tests holds the registry; requests must get at it.
        for patcher in (
            patch.object(Registry, "_lock", DummyRLock()),
            patch.object(cls.registry, "_db_readonly", None),  # there is no replica
            patch.object(cls.registry, "setup_signaling"),
            patch.object(cls.registry, "check_signaling", return_value=cls.registry),
        ):
            cls.startClassPatcher(patcher)
        cls.set_up_wire()
        with cls.fresh() as env:
            cls.account_id = cls.make_account(env).id
        cls.addClassCleanup(cls._remove)
        cls.account = cls.env["oda.connector.account"].browse(cls.account_id)

    def setUp(self):
        super().setUp()
        self._clear()
        self.addCleanup(self._clear)

    @classmethod
    @contextmanager
    def fresh(cls, uid=SUPERUSER_ID):
        """A cursor of its own, committed at the end."""
        with cls.registry.cursor() as cr:
            yield api.Environment(cr, uid, {})

    @classmethod
    def _clear(cls):
        with cls.fresh() as env:
            for table in ("oda_inbound", "oda_outbound"):
                # pylint: disable=sql-injection  # constants above
                env.cr.execute(
                    f"DELETE FROM {table} WHERE account_id = %s", (cls.account_id,)
                )
            env.cr.execute(
                "DELETE FROM queue_job WHERE identity_key LIKE %s",
                (f"oda.%:{cls.account_id}",),
            )
            env.cr.execute(
                "DELETE FROM oda_refusal WHERE connector = %s", (cls.connector,)
            )

    @classmethod
    def _remove(cls):
        cls._clear()
        with cls.fresh() as env:
            env["oda.connector.account"].browse(cls.account_id).unlink()
            # The journal takes back nothing, not even the test's own facts.
            env.cr.execute("ALTER TABLE oda_event DISABLE TRIGGER USER")
            env.cr.execute(
                "DELETE FROM oda_event WHERE res_model = 'oda.connector.account' "
                "AND res_id = %s",
                (cls.account_id,),
            )
            env.cr.execute("ALTER TABLE oda_event ENABLE TRIGGER USER")

    def jobs(self, model="oda.inbound"):
        """States of the jobs that work the account, oldest first."""
        with self.fresh() as env:
            env.cr.execute(
                "SELECT state FROM queue_job WHERE identity_key = %s ORDER BY id",
                (f"{model}:{self.account_id}",),
            )
            return [state for (state,) in env.cr.fetchall()]

    def states(self, model="oda.inbound"):
        """States of the account's rows, oldest first."""
        with self.fresh() as env:
            rows = env[model].search([("account_id", "=", self.account_id)], order="id")
            return rows.mapped("state")

    def drain(self, model="oda.inbound"):
        with self.fresh() as env:
            worker = env[model].with_user(env.ref("oda_base.user_connector"))
            return worker._drain(self.account_id)
