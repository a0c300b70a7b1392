# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import os
import threading
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.oda_telephony import routing
from odoo.addons.oda_telephony.afterwards import Afterwards
from odoo.addons.oda_telephony.routing import Case, Facts, Line, Phone, Rule, Talk

PLAIN = {"deadline": None, "database": None, "derandomize": True}
NOW = datetime(2026, 11, 23, 10, 0)
ANA, ION, EVA = 1, 2, 3
PHONES = {ANA: (Phone("ana"),), ION: (Phone("ion"),), EVA: (Phone("eva"),)}


def facts(**values):
    base = dict(
        now=NOW, people=1, working=True, adviser=(ANA, (Phone("ana"),)), phones=PHONES
    )
    return Facts(**{**base, "talks": (), "cases": (), **values})


class TestRouting(BaseCase):
    """The first rule with somebody who can be reached; each step says why."""

    def decide(self, *rules, **values):
        return routing.decide(rules, facts(**values))

    def test_first_reachable_wins(self):
        found = self.decide(Rule(1, "adviser"), Rule(2, "owner"), cases=(Case(9, ION),))
        self.assertEqual((found.login, found.user_id, found.rule_id), ("ana", ANA, 1))
        self.assertEqual([step.verdict for step in found.steps], ["sent"])

    def test_on_leave_goes_to_the_owner(self):
        away = {ANA: ((NOW - timedelta(hours=1), NOW + timedelta(hours=1)),)}
        found = self.decide(
            Rule(1, "adviser"), Rule(2, "owner"), cases=(Case(9, ION),), away=away
        )
        self.assertEqual(found.login, "ion")
        self.assertEqual(
            [(step.verdict, step.user_id) for step in found.steps],
            [("absent", ANA), ("sent", ION)],
        )

    def test_each_reason_to_pass_over(self):
        for presence in routing.SHUT:
            phones = {**PHONES, ANA: (Phone("ana", presence, NOW),)}
            found = self.decide(Rule(1, "person", user_id=ANA), phones=phones)
            self.assertIsNone(found.login)
            self.assertEqual(found.steps[0].verdict, presence)
        for values, verdict in (
            ({"gone": frozenset({ANA})}, "gone"),
            ({"phones": {}}, "no_login"),
            ({"day_off": True}, "holiday"),
        ):
            found = self.decide(Rule(1, "person", user_id=ANA), **values)
            self.assertIsNone(found.login)
            self.assertEqual(found.steps[0].verdict, verdict)

    def test_second_phone_when_the_first_is_off(self):
        phones = {ANA: (Phone("a1", "offline"), Phone("a2", "available"))}
        self.assertEqual(
            self.decide(Rule(1, "person", user_id=ANA), phones=phones).login, "a2"
        )

    def test_busy_for_hours_is_a_lost_word(self):
        phones = {ANA: (Phone("ana", "busy", NOW - timedelta(hours=3)),)}
        self.assertEqual(
            self.decide(Rule(1, "person", user_id=ANA), phones=phones).login, "ana"
        )

    def test_rule_for_closed_hours_rings_on_a_holiday_too(self):
        rule = Rule(1, "person", user_id=ANA, hours="closed")
        self.assertEqual(self.decide(rule, day_off=True, working=False).login, "ana")
        self.assertEqual(self.decide(rule, working=True).steps[0].verdict, "hours")
        self.assertEqual(self.decide(rule, working=None).steps[0].verdict, "hours")

    def test_only_a_talk_with_open_questions(self):
        rule = Rule(1, "last_speaker", questions=True, days=30)
        old, new = NOW - timedelta(days=60), NOW - timedelta(days=2)
        for talks, login in (
            ((Talk(ANA, new, False),), None),
            ((Talk(ANA, old, True),), None),
            ((Talk(ANA, new, False), Talk(ION, new, True)), "ion"),
        ):
            found = self.decide(rule, talks=talks)
            self.assertEqual(found.login, login)
        self.assertEqual(
            self.decide(rule, talks=(Talk(ANA, new),)).steps[0].verdict, "no_questions"
        )

    def test_several_people_and_strangers(self):
        members = Rule(2, "members", members=(ANA, ION))
        for people, verdict in ((0, "stranger"), (2, "several")):
            found = self.decide(
                Rule(1, "adviser"), members, people=people, adviser=None, turn=1
            )
            self.assertEqual(found.steps[0].verdict, verdict)
            self.assertEqual(found.login, "ion", "nobody guessed: who is on duty")

    def test_line_language_and_extension(self):
        line = Line(7, "ru_RU", (EVA,), ION)
        rule = Rule(1, "members", lines=frozenset({7}), langs=frozenset({"ru_RU"}))
        self.assertEqual(self.decide(rule, line=line).login, "eva")
        self.assertEqual(self.decide(rule).steps[0].verdict, "line")
        self.assertEqual(
            self.decide(rule, line=line, lang="ro_RO").steps[0].verdict, "lang"
        )
        found = self.decide(rule, Rule(2, "extension", extension="700"))
        self.assertEqual((found.login, found.user_id), ("700", 0))
        found = self.decide(Rule(1, "nobody"), Rule(2, "adviser"))
        self.assertEqual((found.login, found.rule_id), (None, 1))
        self.assertEqual(
            self.decide(Rule(1, "lead"), line=line).login, "ion", "of the number"
        )

    def test_a_person_is_judged_once(self):
        found = self.decide(
            Rule(1, "adviser"),
            Rule(2, "last_speaker"),
            talks=(Talk(ANA, NOW), Talk(ION, NOW)),
            gone=frozenset({ANA}),
        )
        self.assertEqual(
            [(step.user_id, step.verdict) for step in found.steps],
            [(ANA, "gone"), (ION, "sent")],
        )

    def test_whom_nobody_advises_is_settled_at_once(self):
        """Most people of a large register: a second statement would cost each."""
        rules = (Rule(1, "adviser"), Rule(2, "last_speaker"), Rule(3, "owner"))
        few = facts(adviser=(0, ()), talks=None, cases=None, phones=None)
        found = routing.decide(rules, few)
        self.assertIsNone(found.login)
        self.assertEqual([step.verdict for step in found.steps], ["no_candidate"] * 3)
        with self.assertRaises(routing.MoreFacts):
            routing.decide((*rules, Rule(4, "lead")), few)

    def test_default_rules_need_nothing_more_at_first(self):
        rules = (Rule(1, "adviser"), Rule(2, "last_speaker"), Rule(3, "owner"))
        self.assertEqual(routing.needs(rules), frozenset())
        few = facts(talks=None, cases=None, phones=None)
        self.assertEqual(routing.decide(rules, few).login, "ana")
        with self.assertRaises(routing.MoreFacts):
            routing.decide(rules, few._replace(adviser=(ANA, ())))
        self.assertTrue(routing.needs((Rule(1, "owner"), *rules)))

    rules_strategy = st.lists(
        st.builds(
            Rule,
            id=st.integers(1, 9),
            kind=st.sampled_from(routing.KINDS),
            lines=st.sets(st.integers(1, 2)).map(frozenset),
            langs=st.sets(st.sampled_from(["ro_RO", "ru_RU"])).map(frozenset),
            hours=st.sampled_from(["any", "open", "closed"]),
            user_id=st.integers(0, 4),
            extension=st.sampled_from(["", "700"]),
            questions=st.booleans(),
            days=st.integers(0, 3),
            members=st.lists(st.integers(1, 4)).map(tuple),
        ),
        max_size=6,
    )
    facts_strategy = st.builds(
        Facts,
        now=st.just(NOW),
        people=st.integers(0, 3),
        line=st.none() | st.builds(Line, id=st.integers(1, 2), members=st.just((1, 2))),
        lang=st.sampled_from(["", "ro_RO"]),
        working=st.sampled_from([True, False, None]),
        adviser=st.just((1, (Phone("u1"),))),
        talks=st.lists(
            st.builds(Talk, st.integers(1, 4), st.just(NOW), st.booleans())
        ).map(tuple),
        cases=st.lists(st.builds(Case, st.just(1), st.integers(0, 4))).map(tuple),
        phones=st.dictionaries(
            st.integers(1, 4),
            st.lists(
                st.builds(Phone, st.sampled_from("abcd"), st.sampled_from(["", "dnd"])),
                min_size=1,
            ).map(tuple),
        ),
        gone=st.sets(st.integers(1, 4)).map(frozenset),
        away=st.dictionaries(
            st.integers(1, 4), st.just(((NOW, NOW + timedelta(hours=1)),))
        ),
        day_off=st.booleans(),
        turn=st.integers(0, 2**32),
    )

    @settings(max_examples=300, **PLAIN)
    @given(rules_strategy, facts_strategy)
    def test_whoever_is_named_can_be_reached(self, rules, known):
        found = routing.decide(rules, known)
        self.assertEqual(found, routing.decide(rules, known), "the same again")
        if found.user_id:
            self.assertNotIn(found.user_id, known.gone)
            self.assertNotIn(found.user_id, known.away)
            phones = known.phones[found.user_id]
            good = {one.login for one in phones if one.presence not in routing.SHUT}
            self.assertIn(found.login, good)
            self.assertEqual(found.steps[-1].verdict, "sent")
        sent = [one for one in found.steps if one.verdict in ("sent", "nobody")]
        self.assertLessEqual(len(sent), 1)


class TestAfterwards(BaseCase):
    """What is written a moment later is written, and never waited for."""

    def test_rows_of_one_moment_go_together_by_key(self):
        done, come = [], threading.Event()

        def write(key, rows):
            done.append((key, rows))
            come.set()

        later = Afterwards(write, delay=0.05)
        for number in range(3):
            later.put("a", number)
        self.assertEqual(done, [], "nobody waited")
        self.assertTrue(come.wait(5))
        self.assertEqual(done, [("a", [0, 1, 2])])
        come.clear()
        later.put("b", 9)
        self.assertTrue(come.wait(5), "and again")

    def test_a_fault_loses_its_rows_only(self):
        done = []

        def write(key, rows):
            if key == "bad":
                raise ValueError("no")
            done.extend(rows)

        later = Afterwards(write, delay=60)
        later._pid = os.getpid()  # no thread: we flush
        later.put("bad", 1)
        later.put("good", 2)
        with self.assertLogs("odoo.addons.oda_telephony.afterwards", "ERROR"):
            later.flush()
        self.assertEqual(done, [2])

    def test_room_is_bounded(self):
        done = []
        later = Afterwards(lambda _key, rows: done.extend(rows), delay=60, room=5)
        later._pid = os.getpid()
        for number in range(20):
            later.put("k", number)
        later.flush()
        self.assertEqual(done, [15, 16, 17, 18, 19])
