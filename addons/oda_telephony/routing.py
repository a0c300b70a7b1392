# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Whose phone should ring: ordered rules and facts in, a decision with its why out.

No database, no clock. A rule names candidates, conditions say when it counts; the
first candidate who can be reached gets the call. Every rule and every candidate that
was passed over leaves a :class:`Step`, so a decision explains itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

#: Whom a rule names. `adviser`: who spoke last, else who has the open consultation,
#: as the beneficiary's card keeps it; `members`: the people of the dialled number's
#: department or flow, in turn; `extension`: a group or short number of the exchange;
#: `nobody`: the exchange goes by its own plan.
KINDS = (
    "adviser",
    "last_speaker",
    "owner",
    "lead",
    "person",
    "members",
    "extension",
    "nobody",
)
#: kinds that look at one known beneficiary
OF_BENEFICIARY = frozenset({"adviser", "last_speaker", "owner", "lead"})
#: kind -> facts it cannot be judged without
NEEDS = {
    "adviser": frozenset(),
    "last_speaker": frozenset({"talks", "phones"}),
    "owner": frozenset({"cases", "phones"}),
    "lead": frozenset({"cases", "phones"}),
    "person": frozenset({"phones"}),
    "members": frozenset({"phones"}),
    "extension": frozenset(),
    "nobody": frozenset(),
}
#: presences that a call is not sent to
SHUT = ("dnd", "busy", "offline")
#: A phone said to be busy for so long has hung up, and the word of it was lost.
BUSY_STALE = timedelta(hours=2)


class MoreFacts(Exception):
    """A rule needs a fact that was not fetched: ask again with all of them."""


class Rule(NamedTuple):
    """One rule; empty conditions are met by every call.

    :ivar lines: ids of dialled numbers
    :ivar langs: languages of the beneficiary, `ro_RO`
    :ivar hours: 'any', 'open' or 'closed': is the house at work
    :ivar questions: only a talk that left open questions counts
    :ivar days: only a talk so many days ago at most counts; 0: any
    :ivar members: user ids, of a rule that names its own department or flow
    """

    id: int
    kind: str
    lines: frozenset = frozenset()
    langs: frozenset = frozenset()
    hours: str = "any"
    user_id: int = 0
    extension: str = ""
    questions: bool = False
    days: int = 0
    members: tuple = ()
    leader_id: int = 0


class Line(NamedTuple):
    """A number of ours that was dialled; `members` and `leader_id` are user ids."""

    id: int
    lang: str = ""
    members: tuple = ()
    leader_id: int = 0


class Phone(NamedTuple):
    """A login of a person at the exchange; `at`: naive UTC, of the presence."""

    login: str
    presence: str = ""
    at: datetime | None = None


class Talk(NamedTuple):
    """A talk with the beneficiary; `questions`: it left an open task or an advice."""

    user_id: int
    at: datetime
    questions: bool = False


class Case(NamedTuple):
    """An open consultation, its owner and the leader of its flow (ids or 0)."""

    id: int
    user_id: int = 0
    leader_id: int = 0


class Facts(NamedTuple):
    """What is known when the exchange asks. None: was not fetched.

    :ivar people: how many people have the number
    :ivar adviser: (user id, his phones) of the one beneficiary
    :ivar talks: latest first
    :ivar cases: the one worked last first
    :ivar phones: user id -> phones, of all who have one
    :ivar gone: users who do not work here any more
    :ivar away: user id -> ((from, to), ...): absences, naive UTC
    :ivar day_off: today is a public holiday
    :ivar turn: a number that differs from call to call
    """

    now: datetime
    people: int = 0
    line: Line | None = None
    lang: str = ""
    working: bool | None = None
    adviser: tuple | None = None
    talks: tuple | None = None
    cases: tuple | None = None
    phones: Mapping | None = None
    gone: frozenset = frozenset()
    away: Mapping = {}
    day_off: bool = False
    turn: int = 0


class Step(NamedTuple):
    """What came of one rule or one candidate.

    `verdict` of a rule: 'line', 'lang', 'hours' (conditions not met), 'stranger',
    'several' (whose number it is, is not known), 'no_candidate', 'no_questions';
    of a person: 'gone', 'no_login', 'absent', 'holiday' or one of :data:`SHUT`;
    at last: 'sent', 'extension' or 'nobody'. `at`: of the talk that spoke for them.
    """

    rule_id: int
    kind: str
    verdict: str
    user_id: int = 0
    at: datetime | None = None
    about: str = ""


class Decision(NamedTuple):
    """`login` None: the exchange goes by its own plan. `steps` in order."""

    login: str | None
    user_id: int
    rule_id: int
    steps: tuple


def counts(rule, line, working):
    """Return '' when the conditions known beforehand are met, else which is not."""
    if rule.lines and (line is None or line.id not in rule.lines):
        return "line"
    if rule.hours != "any" and working != (rule.hours == "open"):
        return "hours"
    return ""


def needs(rules, line=None, working=None):
    """Return the names of the facts to fetch for a call at once.

    While the adviser is the first whom a rule names, most calls are settled by the
    beneficiary's own row: then nothing more is fetched until it is asked for.
    """
    rules = [rule for rule in rules if not counts(rule, line, working)]
    if rules and rules[0].kind == "adviser" and not rules[0].langs:
        return frozenset()
    return all_needs(rules)


def all_needs(rules):
    """Return the names of all facts that these rules may need."""
    return frozenset().union(*(NEEDS[rule.kind] for rule in rules))


def decide(rules, facts):
    """Return the :class:`Decision` of ordered rules.

    :raise MoreFacts: a rule cannot be judged by what was fetched
    """
    steps, seen = [], set()
    for rule in rules:
        refused = _refused(rule, facts)
        if refused:
            steps.append(Step(rule.id, rule.kind, refused))
            continue
        if rule.kind == "nobody":
            steps.append(Step(rule.id, rule.kind, "nobody"))
            return Decision(None, 0, rule.id, tuple(steps))
        if rule.kind == "extension":
            steps.append(Step(rule.id, rule.kind, "extension", about=rule.extension))
            return Decision(rule.extension or None, 0, rule.id, tuple(steps))
        candidates = _candidates(rule, facts)
        if not candidates:
            why = "no_candidate"
            if rule.kind == "last_speaker" and rule.questions and facts.talks:
                why = "no_questions"
            steps.append(Step(rule.id, rule.kind, why))
        for user_id, at in candidates:
            if user_id in seen:
                continue  # an earlier rule named the same person
            phone, why = _phone(rule, user_id, facts)
            steps.append(Step(rule.id, rule.kind, why, user_id, at))
            if phone:
                return Decision(phone.login, user_id, rule.id, tuple(steps))
            if why != "holiday":
                seen.add(user_id)
    return Decision(None, 0, 0, tuple(steps))


def _refused(rule, facts):
    if why := counts(rule, facts.line, facts.working):
        return why
    if rule.langs:
        lang = facts.lang or (facts.line.lang if facts.line else "")
        if lang not in rule.langs:
            return "lang"
    if rule.kind in OF_BENEFICIARY and facts.people != 1:
        return "several" if facts.people else "stranger"
    return ""


def _candidates(rule, facts):
    """Return [(user id, moment of the talk or None)] in order, each person once."""
    if rule.kind == "adviser":
        user_id = facts.adviser[0] if facts.adviser else 0
        found = [(user_id, None)]
    elif rule.kind == "person":
        found = [(rule.user_id, None)]
    elif rule.kind == "members":
        people = rule.members or (facts.line.members if facts.line else ())
        turn = facts.turn % len(people) if people else 0
        found = [(user_id, None) for user_id in (*people[turn:], *people[:turn])]
    elif rule.kind == "last_speaker":
        talks = () if facts.talks is None and _unknown_to_us(facts) else facts.talks
        if talks is None:
            raise MoreFacts("talks")
        found = [(talk.user_id, talk.at) for talk in talks if _says(rule, talk, facts)]
    else:
        cases = facts.cases
        if cases is None and rule.kind == "owner" and _unknown_to_us(facts):
            cases = ()
        if cases is None:
            raise MoreFacts("cases")
        found = [
            (case.user_id if rule.kind == "owner" else case.leader_id, None)
            for case in cases
        ]
        if rule.kind == "lead" and not any(user_id for user_id, _at in found):
            found = [(facts.line.leader_id if facts.line else 0, None)]
    once = {}
    for user_id, at in found:
        if user_id:
            once.setdefault(user_id, at)
    return list(once.items())


def _unknown_to_us(facts):
    """Nobody advises them: who spoke last would, else who has their consultation.

    Most people of a large register: they are settled without a second statement.
    """
    return facts.adviser is not None and not facts.adviser[0]


def _says(rule, talk, facts):
    """Does this talk speak for whoever held it?"""
    if rule.questions and not talk.questions:
        return False
    return not rule.days or facts.now - talk.at <= timedelta(days=rule.days)


def _phone(rule, user_id, facts):
    """Return (the phone to ring or None, the verdict on this person)."""
    if facts.phones is None and rule.kind == "adviser":
        phones = facts.adviser[1]
        if not phones:
            raise MoreFacts("phones")  # left, or has none here: which, is to be said
    elif facts.phones is None:
        raise MoreFacts("phones")
    else:
        phones = facts.phones.get(user_id, ())
    if user_id in facts.gone:
        return None, "gone"
    if not phones:
        return None, "no_login"
    if any(a <= facts.now < b for a, b in facts.away.get(user_id, ())):
        return None, "absent"
    if facts.day_off and rule.hours != "closed":
        return None, "holiday"
    shut = ""
    for phone in phones:
        presence = _presence(phone, facts.now)
        if presence not in SHUT:
            return phone, "sent"
        shut = shut or presence
    return None, shut


def _presence(phone, now):
    if phone.presence == "busy" and phone.at and now - phone.at > BUSY_STALE:
        return "unknown"
    return phone.presence
