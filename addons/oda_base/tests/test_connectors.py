# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import dataclasses

from odoo.tests.common import BaseCase

from odoo.addons.oda_base import connectors
from odoo.addons.oda_base.connectors import (
    Account,
    Driver,
    Envelope,
    Malformed,
    Push,
    PushRefused,
    Unauthenticated,
)

ACCOUNT = Account(1, "bare", "key", "secret", 1)
PUSH = Push("POST", {}, {}, "", b"")


class TestBareDriver(BaseCase):
    """A hook that nobody has written refuses."""

    def test_refuses_by_default(self):
        driver = Driver()
        with self.assertRaises(Unauthenticated):
            driver.authenticate(PUSH, ACCOUNT)
        with self.assertRaises(Malformed):
            driver.identify(PUSH)
        self.assertIsNone(driver.answer(None, ACCOUNT, Envelope("1")))
        self.assertEqual(driver.send(ACCOUNT, {}).state, "failed")
        self.assertEqual(driver.resolve(ACCOUNT, {}).state, "unknown")
        self.assertEqual(driver.methods, ("POST",))
        self.assertEqual(driver.processor, "")

    def test_values_cannot_be_changed(self):
        for value in (ACCOUNT, PUSH, Envelope("1"), connectors.Delivery("done")):
            name = dataclasses.fields(value)[0].name
            with self.assertRaises(dataclasses.FrozenInstanceError):
                setattr(value, name, "x")

    def test_an_account_does_not_print_its_secret(self):
        self.assertNotIn("secret-value", repr(Account(1, "c", "k", "secret-value", 1)))

    def test_each_refusal_has_a_status_and_a_reason(self):
        refusals = PushRefused.__subclasses__()
        self.assertEqual(
            {refusal.status for refusal in refusals},
            {400, 401, 403, 404, 405, 413, 503},
        )
        self.assertEqual(len({r.reason for r in refusals}), len(refusals))
        self.assertEqual(str(Unauthenticated()), "unauthenticated")
        self.assertEqual(str(Unauthenticated("in words")), "in words")

    def test_register(self):
        before = dict(connectors._drivers)
        self.addCleanup(connectors._drivers.update, before)
        self.addCleanup(connectors._drivers.clear)

        @connectors.register
        class Bare(Driver):
            name = "bare"

        self.assertIsInstance(connectors.driver_of("bare"), Bare)
        self.assertIsNone(connectors.driver_of("nobody"))
        self.assertIsNone(connectors.driver_of(""))


class TestStoredBody(BaseCase):
    """What is kept of a push does not hold the account's secret."""

    def test_every_spelling_goes(self):
        account = dataclasses.replace(ACCOUNT, secret="a b/ü-secret")
        for body in (
            b"cmd=event&crm_token=a+b%2F%C3%BC-secret&x=1",
            b"cmd=event&crm_token=a%20b%2F%C3%BC-secret&x=1",
            '{"crm_token": "a b/ü-secret", "x": 1}'.encode(),
            b'{"crm_token": "a b/\\u00fc-secret", "x": 1}',
        ):
            with self.subTest(body=body):
                push = dataclasses.replace(PUSH, body=body)
                kept = Driver().storable_body(push, account)
                self.assertNotIn(b"secret", kept)
                self.assertIn(b"***", kept)

    def test_nothing_else_changes(self):
        push = dataclasses.replace(PUSH, body=bytes(range(256)))
        self.assertEqual(Driver().storable_body(push, ACCOUNT), push.body)
        unset = dataclasses.replace(ACCOUNT, secret="")
        self.assertEqual(Driver().storable_body(push, unset), push.body)
