# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Work in a transaction of its own, with real commits and real races."""

from unittest.mock import Mock, patch

from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo import SUPERUSER_ID
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import transaction
from ..transaction import in_own_transaction
from .common import CommittedCase

KEY = "test:one of a kind"
NUMBER = "+37378000997"


@tagged("-at_install", "post_install")
class TestOwnTransaction(CommittedCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(transaction, "FIRST_PAUSE", 0))
        self.addCleanup(self.forget)

    def forget(self):
        with self.fresh() as env:
            env["oda.phone"].search([("e164", "=", NUMBER)]).partner_id.unlink()
            env["oda.claim"].search(
                [("key", "in", (KEY, f"phone:{NUMBER}", "test:2"))]
            ).unlink()

    def own(self, function, **options):
        return in_own_transaction(self.registry, SUPERUSER_ID, function, **options)

    def claims(self):
        with self.fresh() as env:
            return env["oda.claim"].search_count([("key", "=", KEY)])

    def test_commits_and_returns(self):
        seen = self.own(
            lambda env: (env["oda.claim"]._claim(KEY), env.uid, env.context["lang"]),
            context={"lang": "ro_RO"},
        )
        self.assertEqual(seen[1:], (SUPERUSER_ID, "ro_RO"))
        self.assertEqual(self.claims(), 1)

    def test_an_error_commits_nothing_and_is_not_repeated(self):
        calls = []

        def work(env):
            calls.append(env["oda.claim"]._claim(KEY))
            raise ValueError("no")

        with self.assertRaises(ValueError):
            self.own(work)
        self.assertEqual((len(calls), self.claims()), (1, 0))

    def test_repeated_on_a_new_snapshot(self):
        self.own(lambda env: env["oda.claim"]._claim(KEY))
        seen = []

        def work(env):
            seen.append(env["oda.claim"].search_count([("key", "=", "test:2")]))
            if len(seen) == 1:  # somebody is faster, after our snapshot
                self.own(lambda other: other["oda.claim"]._claim(KEY, "test:2"))
            env["oda.claim"]._claim(KEY)

        with self.assertNoLogs("odoo.sql_db", "ERROR"):
            self.own(work)
        self.assertEqual(seen, [0, 1], "the second look sees what the first made")

    def test_a_key_taken_meanwhile_is_looked_at_again(self):
        found = []

        def find_or_create(env):
            row = env["oda.claim"].search([("key", "=", KEY)])
            found.append(len(row))
            if len(found) == 1:
                self.own(lambda other: other["oda.claim"].create({"key": KEY}))
            return (row or env["oda.claim"].create({"key": KEY})).id

        with mute_logger("odoo.sql_db"):
            self.assertTrue(self.own(find_or_create))
        self.assertEqual((found, self.claims()), ([0, 1], 1))

    def test_the_last_try_raises(self):
        for error in (UniqueViolation, SerializationFailure):
            work = Mock(side_effect=error("again"))
            with self.assertRaises(error):
                self.own(work, tries=3)
            self.assertEqual(work.call_count, 3)

    def test_what_is_committed_is_not_repeated(self):
        """An error of a hook after the commit is not a lost race."""
        calls = []

        def hook():
            raise SerializationFailure("of something else")

        def work(env):
            calls.append(1)
            env.cr.postcommit.add(hook)

        with self.assertRaises(SerializationFailure):
            self.own(work)
        self.assertEqual(len(calls), 1)

    def test_a_person_saves_the_card_of_a_stranger_who_rings(self):
        """Both at once: the connector is repeated, and finds the person's card."""

        def by_hand(env):
            return env["res.partner"].create({"name": "By hand", "phone": NUMBER}).id

        seen, cards = [], []

        def connector(env):
            found = env["oda.phone"]._lookup(NUMBER)
            seen.append(len(found))
            if found:
                return found[0]
            if not cards:
                cards.append(self.own(by_hand))
            env["oda.claim"]._claim(f"phone:{NUMBER}")
            return env["res.partner"].create({"name": "Ring", "phone": NUMBER}).id

        self.assertEqual(self.own(connector), cards[0])
        self.assertEqual(seen, [0, 1])

    def test_the_person_gets_the_card_even_if_second(self):
        rung, tries = [], []

        def connector(env):
            env["oda.claim"]._claim(f"phone:{NUMBER}")
            return env["res.partner"].create({"name": "Ring", "phone": NUMBER}).id

        def by_hand(env):
            env["res.partner"].search_count([])  # the snapshot is taken
            tries.append(1)
            if not rung:
                rung.append(self.own(connector))
            return env["res.partner"].create({"name": "By hand", "phone": NUMBER}).id

        mine = self.own(by_hand)
        self.assertEqual(len(tries), 2)
        with self.fresh() as env:
            people = env["oda.phone"].search([("e164", "=", NUMBER)]).partner_id
            self.assertEqual(set(people.ids), {mine, rung[0]})

    def test_an_import_claims_nothing(self):
        with self.fresh() as env:
            before = env["oda.claim"].search_count([])
            people = env["res.partner"].create(
                [{"name": "Row", "phone": f"+373690{n:05}"} for n in range(60)]
            )
            self.assertEqual(env["oda.claim"].search_count([]), before)
            people.unlink()

    def test_old_claims_are_removed(self):
        with self.fresh() as env:
            env["oda.claim"]._claim(KEY, "test:2")
            env.cr.execute(
                "UPDATE oda_claim SET at = at - interval '25 hours' WHERE key = %s",
                (KEY,),
            )
        with self.fresh() as env:
            removed, more = env["oda.claim"]._gc_claims()
            self.assertGreaterEqual(removed, 1)
            self.assertFalse(more)
        with self.fresh() as env:
            keys = env["oda.claim"].search([("key", "=like", "test:%")])
            self.assertEqual(keys.mapped("key"), ["test:2"])
