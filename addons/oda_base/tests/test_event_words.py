# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged

from odoo.addons.oda_base.models import oda_event_words


@tagged("-at_install", "post_install")
class TestEventWords(TransactionCase):
    def log(self, code, record=None, **details):
        return self.env["oda.event"]._log(code, record, **details)

    def test_a_sentence_and_what_it_is_about(self):
        partner = self.env["res.partner"].create({"name": "Ion"})
        event = self.log("inbound.replay", partner)
        self.assertEqual(event.words, "A received push was worked again")
        self.assertEqual(event.display_name, event.words)
        self.assertEqual(event.subject, "Contact")
        self.assertEqual(event.details_text, "")

    def test_names_of_fields_are_read_as_labels(self):
        partner = self.env["res.partner"].create({"name": "Ion"})
        event = self.log("inbound.replay", partner, fields=["email", "gone_since"])
        self.assertIn("(Fields: Email, gone_since)", event.words)
        self.assertEqual(event.details_text, "Fields: Email, gone_since")

    def test_what_nobody_described_is_still_shown(self):
        event = self.log("new.kind", how=["a", 1], when={"x": None})
        self.assertEqual(event.words, "new.kind (how: a, 1; when: {'x': None})")
        self.assertEqual(event.subject, "")

    def test_an_addon_that_is_gone(self):
        self.env.cr.execute(
            "INSERT INTO oda_event (code, at, res_model, res_id) "
            "VALUES ('a.b', now(), 'no.such.model', 1) RETURNING id"
        )
        event = self.env["oda.event"].browse(self.env.cr.fetchone())
        self.assertEqual((event.words, event.subject), ("a.b", "no.such.model"))

    def test_every_code_we_log_has_its_sentence(self):
        """The codes in the sources against the sentences: none is left a code."""
        installed = self.env["ir.module.module"].search(
            [("name", "=like", "oda_%"), ("state", "=", "installed")]
        )
        addons = Path(oda_event_words.__file__).parents[2]
        sentences = self.env["oda.event"]._sentences()
        logged = re.compile(r'\["oda\.event"\](?:\.sudo\(\))?\._log\(\s*"([\w.]+)"')
        for name in installed.mapped("name"):
            for file in (addons / name).glob("models/*.py"):
                for code in logged.findall(file.read_text(encoding="utf-8")):
                    self.assertIn(code, sentences, file.name)
