# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a real Asterisk 22 said during calls (corpus/asterisk_*.jsonl), told again."""

import json
import random
from pathlib import Path
from unittest.mock import patch

from odoo.tests.common import BaseCase, tagged

from .. import callstate
from ..drivers import asterisk
from ..drivers import asterisk_cdr as cdr
from ..drivers.ami import Message
from ..drivers.asterisk import Habits, Tracker
from ..drivers.asterisk_calls import Call
from ..drivers.asterisk_history import outcome_of_cause

CORPUS = Path(__file__).parent / "corpus"
HABITS = Habits(
    persons="Local/XXX@agents", trunks="Local/*@to-trunk", contexts="from-trunk"
)
START = 1_795_300_000.0


def said(name):
    """[(seconds, Message)] of a recorded talk with the manager interface."""
    lines = (CORPUS / f"asterisk_{name}.jsonl").read_text("utf-8").splitlines()
    return [(START + at, Message(m)) for at, m in map(json.loads, lines)]


class World:
    """A tracker and what it told, as Odoo would keep it: one of a key."""

    def __init__(self, habits=HABITS):
        self.tracker, self.news, self.rows = Tracker(habits), {}, []
        self.now = START

    def hear(self, messages):
        for at, message in messages:
            self.now = max(self.now, at)
            if message.event == "Cdr":
                row = cdr.row_of_message(message)
                self.rows += [row] if row else []
                if row:
                    self.tracker.record(row, self.now)
            self._keep(self.tracker.feed(message, self.now))
        return self

    def end(self, later=30):
        for _second in range(later):
            self.now += 1
            self._keep(self.tracker.tick(self.now))
        return self

    def _keep(self, news):
        for one in news:
            self.news.setdefault(one.key, one)

    def state(self, prefix):
        """What our state machine makes of the call whose id begins so."""
        state = None
        for one in self.news.values():
            if one.event.callid.startswith(prefix):
                at = cdr.moment(one.at)
                state, _effects = callstate.apply(state, one.event, at)
        return state

    def legs(self, prefix):
        return {
            u: leg.state for u, leg in self.state(prefix).legs.items() if leg.person
        }


@tagged("post_install", "-at_install")
class TestTracker(BaseCase):
    def test_queue(self):
        world = World().hear(said("queue")).end()
        state = world.state("q-")
        self.assertEqual((state.direction, state.outcome), ("in", "answered"))
        self.assertEqual(state.answered_by, "701")
        self.assertEqual(world.legs("q-"), {"701": "done", "702": "lost"})
        self.assertEqual((state.phone, state.did), ("37369123456", "37322200100"))
        self.assertEqual((state.group, state.group_name), ("g_support", "support"))
        self.assertEqual(state.outcome_source, "history")
        self.assertEqual((state.wait, state.duration), (1, 5))
        self.assertTrue(state.record_url.startswith("ari:stored/q-"))
        missed = world.state("m-")
        self.assertEqual(missed.outcome, "missed")
        self.assertEqual(world.legs("m-"), {"701": "no_answer", "702": "no_answer"})
        self.assertIsNone(missed.record_url, "nobody spoke")

    def test_blind_transfer(self):
        world = World().hear(said("blind")).end()
        state = world.state("b-")
        self.assertEqual((state.outcome, state.answered_by), ("answered", "701"))
        self.assertEqual(world.legs("b-"), {"701": "done", "702": "done"})
        kinds = [n.event.kind for n in world.news.values() if n.event.user == "702"]
        self.assertEqual(kinds[:3], ["transferred", "ringing", "answered"])

    def test_attended_transfer(self):
        """The talk between colleagues is nobody's business until the client joins."""
        heard = said("att")
        half = [one for one in heard if one[0] < START + 6]
        world = World().hear(half)
        self.assertEqual({n.event.user for n in world.news.values()}, {"701"})
        world = World().hear(heard).end()
        self.assertEqual(world.legs("at-"), {"701": "done", "702": "done"})
        self.assertIsNone(world.state("in-"), "no call of its own")
        told = [n.event.kind for n in world.news.values() if n.event.user == "702"]
        self.assertEqual(told[:2], ["transferred", "answered"])

    def test_outgoing(self):
        world = World().hear(said("out")).end()
        state = world.state("o-")
        self.assertEqual((state.direction, state.outcome), ("out", "answered"))
        self.assertEqual((state.answered_by, state.phone), ("701", "37369123456"))
        self.assertEqual(state.wait, 2, "until the client answered, not the clicker")
        self.assertEqual(world.state("ob-").outcome, "busy")
        nobody = world.state("on-")
        self.assertEqual((nobody.outcome, nobody.phone), ("cancelled", "37369123456"))

    def test_record_alone(self):
        """Nobody was listening: the rows of the record tell the same call."""
        for name, prefixes in (("queue", ("q-", "m-")), ("blind", ("b-",))):
            heard = World().hear(said(name)).end()
            alone = World()
            for row in heard.rows:
                alone.tracker.record(row, START)
            alone.end()
            for prefix in prefixes:
                one, two = heard.state(prefix), alone.state(prefix)
                for fact in ("outcome", "direction", "answered_by", "phone", "did"):
                    self.assertEqual(getattr(one, fact), getattr(two, fact), fact)
                self.assertEqual(one.duration, two.duration)
                self.assertEqual(heard.legs(prefix), alone.legs(prefix))

    def test_killed_at_any_message(self):
        """The listener goes on from what it kept; what it missed meanwhile is lost to
        it, but not to the record. The end is the same."""
        heard = said("queue")
        whole = World().hear(heard).end()
        for cut in range(0, len(heard), 4):
            for lost in (0, 7):
                world = World().hear(heard[:cut])
                kept = json.loads(
                    json.dumps([c.dump() for c in world.tracker.calls.values()])
                )
                world.tracker = Tracker(HABITS)
                world.tracker.restore(map(Call.load, kept))
                gap = heard[cut : cut + lost]
                for _at, message in gap:
                    row = message.event == "Cdr" and cdr.row_of_message(message)
                    if row:
                        world.tracker.record(row, world.now)
                living = _living(heard[: cut + lost])
                world._keep(world.tracker.resync(living, world.now))
                world.hear(heard[cut + lost :]).end()
                for prefix in ("q-", "m-"):
                    one, two = whole.state(prefix), world.state(prefix)
                    self.assertEqual(one.outcome, two.outcome, (cut, lost))
                    self.assertEqual(one.answered_by, two.answered_by, (cut, lost))
                    self.assertEqual(
                        whole.legs(prefix), world.legs(prefix), (cut, lost)
                    )

    def test_asterisk_dies_in_a_call(self):
        """No record will come: what was heard has to do, and the call is over."""
        heard = [one for one in said("blind") if one[0] < START + 3]
        world = World().hear(heard)
        self.assertEqual(world.state("b-").state, "talking")
        world._keep(world.tracker.resync([], world.now))
        world.end()
        state = world.state("b-")
        self.assertEqual((state.state, state.outcome), ("ended", "answered"))
        self.assertEqual(state.answered_by, "701")

    def test_order_and_repetition(self):
        """Messages twice, or two neighbours the other way round: nothing worse than
        a detail, and the record's word stands."""
        heard = said("queue")
        for seed in range(30):
            chance = random.Random(seed)
            mixed = []
            for one in heard:
                mixed.append(one)
                if chance.random() < 0.2:
                    mixed.append(one)
            for place in range(len(mixed) - 1):
                if chance.random() < 0.1:
                    mixed[place : place + 2] = mixed[place : place + 2][::-1]
            world = World().hear(mixed).end()
            self.assertEqual(world.state("q-").outcome, "answered", seed)
            self.assertEqual(world.state("q-").answered_by, "701", seed)
            self.assertEqual(world.state("m-").outcome, "missed", seed)

    def test_nothing_is_told_twice_and_all_is_forgotten(self):
        world = World().hear(said("queue")).end()
        keys = len(world.news)
        world.hear(said("queue")).end()
        self.assertEqual(len(world.news), keys)
        world.end(3700)
        self.assertFalse(world.tracker.calls)
        self.assertFalse(world.tracker._where)

    def test_messages_without_sense(self):
        chance = random.Random(5)
        fields = ["Uniqueid", "Linkedid", "Channel", "DestUniqueid", "DestLinkedid"]
        fields += ["ChannelStateDesc", "Context", "Exten", "DialStatus", "Variable"]
        kinds = ["Newchannel", "Newstate", "DialBegin", "DialEnd", "Hangup", "VarSet"]
        kinds += ["BlindTransfer", "Rename", "QueueCallerJoin", "__class__", "on_x"]
        names = [
            "Local/701@agents-00000001;1",
            "x@from-trunk-1",
            "",
            "1.1",
            "1.2",
            "Up",
        ]
        world = World()
        for _message in range(3000):
            message = Message(Event=chance.choice(kinds))
            for name in chance.sample(fields, 6):
                message[name] = chance.choice([*names, "from-trunk", "Ringing"])
            world.hear([(world.now + 0.1, message)])
        world._keep(world.tracker.resync([], world.now))
        world.end()

    def test_a_recording_made_by_ari(self):
        heard = [one for one in said("blind") if one[1].event != "VarSet"]
        world = World().hear([one for one in heard if one[0] < START + 2])
        (uid,) = [
            uid
            for uid, call in world.tracker._where.items()
            if world.tracker.calls[call].channels[uid].outside
        ]
        fields = {"Event": "OdaRecording", "Uniqueid": uid, "Name": "by-ari"}
        world.hear([(world.now, Message(fields))])
        world.hear([one for one in heard if one[0] >= START + 2]).end()
        self.assertEqual(world.state("b-").record_url, "ari:stored/by-ari")

    def test_a_rush_of_calls_finds_room(self):
        world = World()
        with patch.object(asterisk, "MAX_CALLS", 40):
            for number in range(500):
                fields = {"Event": "Newchannel", "Uniqueid": f"{number}.1"}
                fields |= {"Linkedid": f"{number}.1", "Context": "from-trunk"}
                fields |= {"Channel": f"X/{number}-00000001", "Exten": "1"}
                world.hear([(world.now + 1, Message(fields))])
                world.hear([(world.now, Message(fields, Event="Hangup"))])
        self.assertLessEqual(len(world.tracker.calls), 40)
        over = [n for n in world.news.values() if n.event.kind == "ended"]
        self.assertEqual(len(over), 500, "none is left out")

    def test_causes(self):
        self.assertEqual(outcome_of_cause("17"), "busy")
        self.assertEqual(outcome_of_cause("1"), "failed")
        self.assertIsNone(outcome_of_cause("200"))
        self.assertIsNone(outcome_of_cause("x"))


def _living(messages):
    """CoreShowChannel events of the channels that live after these messages."""
    channels = {}
    for _at, message in messages:
        uid = message.get("Uniqueid")
        if message.event == "Newchannel":
            channels[uid] = Message(message)
        elif message.event == "Newstate" and uid in channels:
            channels[uid]["ChannelStateDesc"] = message["ChannelStateDesc"]
        elif message.event == "Hangup":
            channels.pop(uid, None)
    return list(channels.values())
