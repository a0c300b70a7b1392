# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Asterisk: events of its manager interface into ours, call by call.

:class:`Tracker` groups channels by Linkedid, tells what a person's phone does, and
when nothing is left of a call, its history out of Asterisk's own record (CDR). It has
no socket, file or clock: messages and moments (seconds since 1970) are given.

Every piece of news has a key made of what it says, so that a second listener, a
repeated record or a reading of the state after a crash says nothing twice.
"""

from dataclasses import dataclass

from .asterisk_calls import Call, Channel
from .asterisk_history import DIAL_STATUS, event_of, history_of, outcome_of_cause
from .asterisk_names import Habits
from .asterisk_push import fields_of, key_of, number
from .events import CallEvent

__all__ = ["Habits", "News", "Tracker"]

#: seconds after the last channel: rows of the record are on their way
SETTLE = 1.0
#: without a single row by then the record is not kept (or died with Asterisk)
NO_RECORD = 10.0
#: how long a call that is over is remembered, for rows that are written in batches
KEEP = 3600.0
MAX_CALLS = 5000

#: variable that click to dial sets on the first channel: whom it is for
DIALLED = "ODA_DIAL"
RECORDING = "MIXMONITOR_FILENAME"


def _caller(message):
    given = number(message.get("CallerIDNum", ""))
    return "" if given == "<unknown>" else given


@dataclass(frozen=True)
class News:
    """Something to tell: our event, its key, and when it happened."""

    event: CallEvent
    key: str
    at: float


class Tracker:
    """All calls of one exchange that are not settled yet.

    :ivar dict calls: Linkedid -> Call
    :ivar set touched: ids whose Call has changed since somebody emptied the set
    """

    def __init__(self, habits=None):
        self.habits = habits or Habits()
        self.calls = {}
        self.touched = set()
        self._where = {}  # Uniqueid -> Linkedid
        self._news = []

    def restore(self, calls):
        """Take up calls that another process has kept (`Call.load`)."""
        for call in calls:
            self.calls[call.id] = call
            self._where.update(dict.fromkeys(call.channels, call.id))

    # -- what comes in -----------------------------------------------------------------

    def feed(self, message, now):
        """Return the News of one message of the manager interface."""
        handler = getattr(self, f"_on_{message.event.lower()}", None)
        if handler and message.event.isalnum():
            self._place(message, "", now)
            self._place(message, "Dest", now)
            handler(message, now)
        return self._taken()

    def resync(self, messages, now):
        """Return the News that lie in the channels that live now.

        :param messages: all CoreShowChannel events of one answer
        """
        living = {one.get("Uniqueid") for one in messages}
        for uid in [uid for uid in self._where if uid not in living]:
            self._gone(uid, now)
        for one in messages:
            self._on_newchannel(one, now)
            self._on_newstate(one, now)
        return self._taken()

    def record(self, row, now):
        """Take a row of Asterisk's record; :meth:`tick` tells what it comes to."""
        call = self.calls.get(row.linkedid)
        if call is None:
            call = self._open(row.linkedid, row.start)
            call.over = call.seen = now
        if row.key not in call.rows:
            call.rows[row.key] = row
            call.seen = now
            self.touched.add(call.id)

    def tick(self, now):
        """Return the histories that are due; forget what is long settled."""
        for call in list(self.calls.values()):
            if call.over is None or call.channels:
                continue
            quiet = now - max(call.over, call.seen)
            if quiet >= SETTLE and (call.rows or quiet >= NO_RECORD):
                self._tell_history(call, now)
            if quiet >= KEEP:
                self._forget(call.id)
        return self._taken()

    # -- channels ----------------------------------------------------------------------

    def _place(self, message, side, now):
        """Follow a channel whose Linkedid has changed: two calls became one."""
        uid, home = message.get(f"{side}Uniqueid"), message.get(f"{side}Linkedid")
        was = self._where.get(uid)
        if not was or not home or was == home:
            return
        old = self.calls[was]
        channel = old.channels.pop(uid)
        call = self._open(home, now)
        call.channels[uid] = channel
        self._where[uid] = home
        self.touched.update((was, home))
        if channel.login and channel.up and call.direction == "in":
            self._joined(call, channel, now)
        if not old.channels:
            self._over(old, now)

    def _joined(self, call, channel, now):
        """A talk among colleagues became this call's: it was passed on."""
        if channel.login not in call.talks:
            self._tell(call, "transferred", now, channel)
            self._answered(call, channel, now)

    def _on_newchannel(self, m, now):
        uid, home, name = m.get("Uniqueid"), m.get("Linkedid"), m.get("Channel", "")
        if not uid or not home or uid in self._where:
            return
        if home not in self.calls and not self._room():
            return
        context, exten = m.get("Context", ""), m.get("Exten", "")
        habits = self.habits
        first = uid.partition(";")[0] == home.partition(";")[0]
        outside = habits.outside(name, context if first else "")
        login = None if outside else habits.login(name)
        channel = Channel(uid, name, login, outside, exten)
        call = self._open(home, now)
        call.over = None
        call.channels[uid] = channel
        self._where[uid] = home
        self.touched.add(home)
        if outside and name not in call.outsiders:
            call.outsiders = [*call.outsiders, name][:20]
        if first and outside and not call.direction:
            call.direction = "in"
            call.phone = _caller(m)
            call.did = number(exten) if exten not in ("s", "") else ""
        elif first and channel.login:
            call.caller = channel.login

    def _on_newcallerid(self, m, now):
        call, channel = self._channel(m)
        if call and channel.outside and call.direction == "in" and not call.phone:
            call.phone = _caller(m)
            self.touched.add(call.id)

    def _channel(self, m, side=""):
        uid = m.get(f"{side}Uniqueid")
        call = self.calls.get(self._where.get(uid))
        return (call, call.channels[uid]) if call else (None, None)

    def _on_newstate(self, m, now):
        call, channel = self._channel(m)
        if call:
            call.seen = now
            state = m.get("ChannelStateDesc", "")
            if state == "Ringing":
                self._rings(call, channel, now)
            elif state == "Up":
                self._up(call, channel, now)

    def _on_dialstate(self, m, now):
        call, channel = self._channel(m, "Dest")
        if call and m.get("DialStatus") in ("RINGING", "PROGRESS"):
            self._rings(call, channel, now)

    def _on_dialbegin(self, m, now):
        call, channel = self._channel(m, "Dest")
        if not call or not channel.outside or call.direction == "in":
            return
        who = self._channel(m)[1]
        login = (who.login if who else None) or call.caller
        if not login:
            return
        call.direction, call.caller = "out", login
        asked = m.get("DialString", "").partition("@")[0].rpartition("/")[2]
        numbers = (call.dialled, number(asked), number(who.exten if who else ""))
        usable = (n for n in numbers if n.isdecimal() and len(n) > 2)
        call.phone = next(usable, call.phone)
        call.status = ""
        self.touched.add(call.id)
        self._tell(call, "outgoing", now, login=login)

    def _dials(self, call, channel, dialled, now):
        """Click to dial: the person's own phone rings first."""
        if channel.login and dialled.isdecimal():
            call.direction, call.caller = "out", channel.login
            call.dialled = call.phone = dialled
            self.touched.add(call.id)
            self._tell(call, "outgoing", now, login=channel.login)

    def _on_dialend(self, m, now):
        call, channel = self._channel(m, "Dest")
        if call and call.direction == "out" and channel.outside:
            call.status = DIAL_STATUS.get(m.get("DialStatus"), call.status)
            self.touched.add(call.id)
        if call and m.get("DialStatus") == "ANSWER":
            self._up(call, channel, now)

    def _on_rename(self, m, now):
        call, channel = self._channel(m)
        if call:
            channel.name = m.get("Newname", channel.name)
            self.touched.add(call.id)

    def _on_hangup(self, m, now):
        call, channel = self._channel(m)
        if call:
            if channel.outside and call.direction == "out" and not call.talks:
                call.status = outcome_of_cause(m.get("Cause")) or call.status
            self._gone(channel.uid, now)

    def _gone(self, uid, now):
        call = self.calls[self._where.pop(uid)]
        channel = call.channels.pop(uid)
        call.seen = now
        self.touched.add(call.id)
        if channel.login and call.direction == "in":
            if channel.up:
                self._ended(call, channel.login, channel.name, now)
            elif channel.told:
                self._tell(call, "leg_ended", now, channel)
        if not call.channels:
            self._over(call, now)

    # -- what people's phones do -------------------------------------------------------

    def _rings(self, call, channel, now):
        if channel.ringing or channel.up or not channel.login:
            return
        channel.ringing = True
        self.touched.add(call.id)
        if call.direction == "in":
            channel.told = True
            if call.transferring and channel.login not in call.talks:
                call.transferring = False
                self._tell(call, "transferred", now, channel)
            self._tell(call, "ringing", now, channel)

    def _up(self, call, channel, now):
        if channel.up:
            return
        channel.up = True
        self.touched.add(call.id)
        if call.direction == "in" and channel.login:
            if not channel.told:
                self._rings_at_once(call, channel, now)
            self._answered(call, channel, now)
        elif call.direction == "out" and channel.outside and call.caller:
            call.talks.setdefault(call.caller, [now, None])
            self._tell(call, "answered", now, login=call.caller)

    def _rings_at_once(self, call, channel, now):
        """A phone that answers by itself never rang; a transfer to it is one still."""
        channel.told = True
        if call.transferring and channel.login not in call.talks:
            call.transferring = False
            self._tell(call, "transferred", now, channel)

    def _answered(self, call, channel, now):
        call.talks.setdefault(channel.login, [now, None])[1] = None
        self._tell(call, "answered", now, channel)

    def _ended(self, call, login, name, now):
        others = [c for c in call.channels.values() if c.login == login and c.up]
        if not others and login in call.talks:
            call.talks[login][1] = now
            self._tell(call, "ended", now, Channel("", name, login))

    # -- queues, transfers, recordings -------------------------------------------------

    def _on_queuecallerjoin(self, m, now):
        call, _channel = self._channel(m)
        if call and m.get("Queue"):
            call.group = m["Queue"][:64]
            self.touched.add(call.id)

    def _on_blindtransfer(self, m, now):
        if m.get("Result", "Success") == "Success":
            for side in ("Transferer", "Transferee"):
                call, _channel = self._channel(m, side)
                if call:
                    call.transferring = True
                    self.touched.add(call.id)

    def _on_attendedtransfer(self, m, now):
        call, _channel = self._channel(m, "OrigTransferer")
        if call and m.get("Result", "Success") == "Success":
            call.transferring = True
            self.touched.add(call.id)

    def _on_varset(self, m, now):
        call, channel = self._channel(m)
        value = m.get("Value", "")
        if call and m.get("Variable") == RECORDING:
            name = self.habits.recording(value)
            if name and name not in call.recordings and len(call.recordings) < 20:
                call.recordings.append(name)
                self.touched.add(call.id)
        elif call and m.get("Variable") == DIALLED and not call.direction:
            self._dials(call, channel, number(value), now)

    def _on_odarecording(self, m, now):
        """ARI has finished a recording; it comes with the listener, not with AMI."""
        call, _channel = self._channel(m)
        name = m.get("Name", "")
        if call and name and name not in call.recordings and len(call.recordings) < 20:
            call.recordings.append(name)
            self.touched.add(call.id)

    # -- the end -----------------------------------------------------------------------

    def _over(self, call, now):
        if call.over is None:
            call.over = now
            self.touched.add(call.id)
            if call.direction:
                self._tell(call, "ended", now)

    def _tell_history(self, call, now):
        """Tell what the call came to, and phones that nobody was listening to."""
        told = history_of(call, self.habits)
        if told is None or key_of(fields_of(told.event)) == call.history:
            return
        call.history = key_of(fields_of(told.event))
        self.touched.add(call.id)
        for kind, login, name, at in told.legs:
            self._tell(call, kind, at, Channel("", name, login))
        for event in (told.event, *told.more):
            self._news.append(News(event, key_of(fields_of(event)), now))

    # -- telling -----------------------------------------------------------------------

    def _tell(self, call, kind, at, channel=None, login=None):
        event = event_of(call, kind, channel.login if channel else login)
        name = channel.name if channel else ""
        meaning = {"kind": kind, "callid": call.id, "user": event.user or ""}
        key = key_of(meaning, name)
        if key not in call.told:
            call.told.append(key)
            self._news.append(News(event, key, at))

    def _taken(self):
        news, self._news = self._news, []
        return news

    def _open(self, callid, now):
        if callid not in self.calls:
            self.calls[callid] = Call(callid, started=now, seen=now)
            self.touched.add(callid)
        return self.calls[callid]

    def _room(self):
        """True when one more call can be kept; the longest settled go for it.

        Should a row of one that went still come, it is told anew, under its old keys.
        """
        if len(self.calls) < MAX_CALLS:
            return True
        settled = [c for c in self.calls.values() if c.over and not c.channels]
        settled.sort(key=lambda call: call.over)
        for call in settled[: len(settled) // 2 + 1]:
            self._forget(call.id)
        return bool(settled)

    def _forget(self, callid):
        del self.calls[callid]
        self.touched.add(callid)
