# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import os
import tempfile
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests.common import BaseCase

from odoo.addons.oda_base import sealing, settings

from .net_servers import examples

NEW, OLD = "n" * 40, "o" * 40
AAD = "oda.account:7:token"


class SealingCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.patch(os, "environ", {**os.environ})
        os.environ.pop(sealing.KEY_FILE_VARIABLE, None)

    def keys(self, *keys):
        section = settings.parse_section({"secret_key": ",".join(keys)})
        return patch.object(settings, "oda_section", lambda: section)


class TestSealing(SealingCase):
    @examples
    @given(st.text(), st.text(min_size=1), st.text(min_size=1))
    def test_round_trip_only_in_its_place(self, secret, place, elsewhere):
        with self.keys(NEW):
            token = sealing.seal(secret, place)
            self.assertEqual(sealing.unseal(token, place), secret)
            if place != elsewhere:
                with self.assertRaises(sealing.SealBroken):
                    sealing.unseal(token, elsewhere)

    def test_token_hides_and_varies(self):
        with self.keys(NEW):
            tokens = {sealing.seal("demo-moldcell-secret", AAD) for _i in range(20)}
        self.assertEqual(len(tokens), 20)
        self.assertFalse([token for token in tokens if "moldcell" in token])

    def test_every_altered_character_is_noticed(self):
        with self.keys(NEW):
            token = sealing.seal("secret", AAD)
            for index, old in enumerate(token):
                new = "A" if old != "A" else "B"
                with self.assertRaises(sealing.SealBroken):
                    sealing.unseal(token[:index] + new + token[index + 1 :], AAD)

    def test_roll_over(self):
        with self.keys(OLD):
            token = sealing.seal("secret", AAD)
            self.assertFalse(sealing.needs_reseal(token))
        with self.keys(NEW, OLD):
            self.assertEqual(sealing.unseal(token, AAD), "secret")
            self.assertTrue(sealing.needs_reseal(token))
            fresh = sealing.reseal(token, AAD)
            self.assertFalse(sealing.needs_reseal(fresh))
        with self.keys(NEW):
            self.assertEqual(sealing.unseal(fresh, AAD), "secret")
            with self.assertRaisesRegex(sealing.SealBroken, "no longer configured"):
                sealing.unseal(token, AAD)

    def test_reseal_does_not_move_a_secret(self):
        with self.keys(NEW):
            token = sealing.seal("secret", AAD)
            with self.assertRaises(sealing.SealBroken):
                sealing.reseal(token, "oda.account:8:token")

    def test_no_key(self):
        with self.keys(), self.assertRaisesRegex(sealing.SealingKeyMissing, "openssl"):
            sealing.seal("secret", AAD)

    def test_short_key_is_refused_without_showing_it(self):
        with self.keys(NEW, "hunter2"):
            with self.assertRaises(sealing.SealingKeyMissing) as caught:
                sealing.seal("secret", AAD)
        self.assertNotIn("hunter2", str(caught.exception))

    def test_aad_is_required(self):
        with self.keys(NEW), self.assertRaises(ValueError):
            sealing.seal("secret", "")

    def test_looks_sealed(self):
        with self.keys(NEW):
            self.assertTrue(sealing.looks_sealed(sealing.seal("", AAD)))
        for value in (None, False, "", "oda1.", "plain", "oda1.0011223344556677.AAAA"):
            self.assertFalse(sealing.looks_sealed(value), value)

    def test_key_file_goes_before_the_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".key") as handle:
            handle.write(f"# the new one\n{NEW}\n{OLD}\n")
            handle.flush()
            with patch.dict(os.environ, {sealing.KEY_FILE_VARIABLE: handle.name}):
                with self.keys("c" * 40):
                    token = sealing.seal("secret", AAD)
        with self.keys(NEW):
            self.assertEqual(sealing.unseal(token, AAD), "secret")

    def test_key_file_unreadable(self):
        with (
            patch.dict(os.environ, {sealing.KEY_FILE_VARIABLE: "/nowhere/at/all"}),
            self.assertRaisesRegex(sealing.SealingKeyMissing, "Cannot read"),
        ):
            sealing.seal("secret", AAD)


class TestSettings(BaseCase):
    # pylint: disable-next=method-required-super  # not a model
    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as handle:
            handle.write(text)
            handle.flush()
            return settings.read_section(handle.name)

    def test_defaults(self):
        for section in (self.read("[options]\n"), settings.read_section(None)):
            self.assertEqual(section["environment"], "production")
            self.assertEqual(section["secret_key"], "")
            self.assertEqual(section["sandbox_hosts"], [])

    def test_sandbox(self):
        section = self.read(
            "[oda]\nenvironment = Sandbox ; here\nsecret_key = a%b=, c\n"
            "sandbox_hosts = 127.0.0.1:8070, LOCALHOST:8071\n"
        )
        self.assertEqual(section["environment"], "sandbox")
        self.assertEqual(section["secret_key"], "a%b=, c")
        self.assertEqual(section["sandbox_hosts"], ["127.0.0.1:8070", "localhost:8071"])

    def test_production_opens_nothing(self):
        section = self.read("[oda]\nsandbox_hosts = 127.0.0.1:8070\n")
        self.assertEqual(section["sandbox_hosts"], [])

    def test_a_mistyped_environment_is_production(self):
        with self.assertLogs(settings.__name__, "ERROR"):
            section = self.read(
                "[oda]\nenvironment = sandbx\nsandbox_hosts = 127.0.0.1:1\n"
            )
        self.assertEqual(section["environment"], "production")
        self.assertEqual(section["sandbox_hosts"], [])

    def test_printing_shows_no_key(self):
        section = settings.parse_section({"secret_key": "hunter2"})
        self.assertNotIn("hunter2", f"{section} {section!r}")
        self.assertEqual(section["secret_key"], "hunter2")

    def test_running_server(self):
        settings.oda_section.cache_clear()
        self.addCleanup(settings.oda_section.cache_clear)
        self.assertIn(settings.oda_section()["environment"], settings.ENVIRONMENTS)


class TestSigning(SealingCase):
    @examples
    @given(st.text(), st.text(), st.text(min_size=1), st.text(min_size=1))
    def test_only_this_text_for_this_purpose(self, text, other, purpose, elsewhere):
        with self.keys(NEW):
            signature = sealing.sign(text, purpose)
            self.assertTrue(sealing.is_signed(text, signature, purpose))
            self.assertRegex(signature, r"\A[A-Za-z0-9_-]{43}\Z")
            same = (other, elsewhere) == (text, purpose)
            self.assertEqual(sealing.is_signed(other, signature, elsewhere), same)

    def test_what_the_old_key_signed_holds_until_it_goes(self):
        with self.keys(OLD):
            signature = sealing.sign("7", "purpose")
        with self.keys(NEW, OLD):
            self.assertTrue(sealing.is_signed("7", signature, "purpose"))
            self.assertNotEqual(sealing.sign("7", "purpose"), signature)
        with self.keys(NEW):
            self.assertFalse(sealing.is_signed("7", signature, "purpose"))

    def test_any_text_is_no_signature(self):
        with self.keys(NEW):
            for wrong in ("", "x" * 43, "\u0219" * 43, None, 7):
                self.assertFalse(sealing.is_signed("7", wrong, "purpose"))

    def test_no_key(self):
        with self.keys(), self.assertRaises(sealing.SealingKeyMissing):
            sealing.sign("7", "purpose")
