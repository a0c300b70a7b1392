# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo.tests import HttpCase, tagged

from odoo.addons.oda_crm import unsubscribe

from .test_programme import ProgrammeCase


@tagged("-at_install", "post_install")
class TestUnsubscribe(ProgrammeCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.person = self.people[0]
        self.path = "/oda/unsubscribe/" + unsubscribe.token(
            self.person.id, "news", self.programme.id
        )

    def follower(self):
        self.followers.invalidate_recordset()
        return self.followers[0].sudo()

    def test_looking_changes_nothing(self):
        answer = self.url_open(self.path)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("PARE 1+1", answer.text)
        self.assertIn('method="post"', answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn(self.person.name, answer.text, "the address may be passed on")
        self.assertFalse(self.follower().unsubscribed_at)

    def test_pressing_ends_this_programme(self):
        other = self.env["oda.programme"].create({"name": "Start", "code": "ST"})
        second = self.follow(self.person, programme=other)
        # as mail programs press: RFC 8058
        answer = self.url_open(self.path, data={"List-Unsubscribe": "One-Click"})
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(self.follower().unsubscribed_at)
        self.assertFalse(second.unsubscribed_at)
        self.assertFalse(self.person._oda_refused("news"))
        again = self.url_open(self.path, data={"x": "1"})
        self.assertEqual(again.status_code, 200, "twice is once")

    def test_a_letter_to_a_card_that_was_merged(self):
        """What they say to an old letter is said for the card they have now."""
        path = self.path
        for name in ("Merged once", "Merged twice"):
            kept = self.env["res.partner"].create({"name": name, "lang": "en_US"})
            self.env["base.partner.merge.automatic.wizard"]._merge(
                (self.person | kept).ids, kept, extra_checks=False
            )
            self.assertFalse(self.person.exists())
            self.person = kept
        self.assertEqual(self.url_open(path).status_code, 200)
        self.assertEqual(self.url_open(path, data={"everything": "1"}).status_code, 200)
        self.env.invalidate_all()
        self.assertEqual(self.person._oda_refused("news"), self.person)

    def test_pressing_for_all(self):
        other = self.env["oda.programme"].create({"name": "Start", "code": "ST"})
        second = self.follow(self.person, programme=other)
        answer = self.url_open(self.path, data={"everything": "1"})
        self.assertEqual(answer.status_code, 200)
        self.env.invalidate_all()
        self.assertTrue(self.follower().unsubscribed_at)
        self.assertTrue(second.unsubscribed_at)
        self.assertEqual(self.person._oda_refused("news"), self.person)
        self.assertFalse(self.followers[1].unsubscribed_at, "others are left alone")
        self.url_open(self.path, data={"everything": "1"})

    def test_wrong_addresses(self):
        other = unsubscribe.token(self.people[1].id, "news", self.programme.id)
        forged = self.path.rsplit("-", 1)[0] + "-" + other.rsplit("-", 1)[1]
        for path in (
            self.path[:-1],
            self.path + "x",
            forged,
            "/oda/unsubscribe/1-news-1",
            "/oda/unsubscribe/" + unsubscribe.token(2**31 - 1, "news", 0),
            "/oda/unsubscribe/%00%27%3Cscript%3E",
        ):
            for data in (None, {"everything": "1"}):
                with self.subTest(path=path, data=data):
                    answer = self.url_open(path, data=data)
                    self.assertEqual(answer.status_code, 404)
                    self.assertNotIn("Traceback", answer.text)
                    self.assertNotIn("<script>", answer.text)
        self.assertFalse(self.followers.filtered("unsubscribed_at"))

    def test_in_their_language(self):
        self.env["res.lang"]._activate_lang("ro_RO")
        self.person.lang = "ro_RO"
        answer = self.url_open(self.path, headers={"Accept-Language": "en"})
        self.assertIn('lang="ro-RO"', answer.text)
        answer = self.url_open(self.path[:-1], headers={"Accept-Language": "xx-YY"})
        self.assertEqual(answer.status_code, 404)

    def test_html_in_the_name(self):
        self.programme.sudo().name = "<script>alert(1)</script>"
        answer = self.url_open(self.path)
        self.assertNotIn("<script>", answer.text)
        self.assertIn("&lt;script&gt;", answer.text)
