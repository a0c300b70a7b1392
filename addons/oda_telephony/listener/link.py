# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The line to Asterisk's manager interface: kept up, and read into the spool."""

import itertools
import logging
import queue
import socket
import ssl
import threading
import time

from ..drivers.ami import Message, Reader, action
from ..drivers.asterisk import Habits, Tracker
from ..drivers.asterisk_calls import Call
from ..drivers.asterisk_cdr import row_of_message
from ..drivers.asterisk_presence import PresenceBook
from ..drivers.asterisk_push import fields_of
from .backoff import Backoff
from .cdr_tail import CdrTail

_logger = logging.getLogger("listener.ami")

QUIET = 15.0  # seconds without a word, then we ask whether anybody is there
DEAD = 40.0
SYNC = "oda-sync"
DEVICES = "oda-devices"


class Refused(Exception):
    """Asterisk does not let us in."""


class Link(threading.Thread):
    """Owns the tracker: nobody else touches it.

    :ivar bool connected: logged in and in step with the channels that live
    :ivar str words: why not, for a person
    :ivar float heard: when Asterisk last said something
    """

    def __init__(self, config, spool, stop):
        super().__init__(name="ami", daemon=True)
        self.config, self.spool, self.stop = config, spool, stop
        self.connected, self.words, self.heard = False, "not tried yet", 0.0
        self.version = ""
        self.inbox = queue.SimpleQueue()  # messages from the other threads
        self.tracker = Tracker(Habits.of(spool.fact("habits")))
        self.tracker.restore(_loaded(spool.calls()))
        self.presences = PresenceBook(self.tracker.habits)
        self._cdr = CdrTail(config.cdr_file, spool.fact("cdr"))
        self._numbers = itertools.count(1)

    def run(self):
        backoff = Backoff()
        while not self.stop.is_set():
            try:
                with self._connection() as sock:
                    self._listen(sock, backoff)
            except Refused as error:
                self.words = str(error)
                backoff.tries = max(backoff.tries, 6)  # a setting is wrong: no hurry
            except (OSError, ValueError) as error:
                self.words = f"{self.config.ami_host}:{self.config.ami_port}: " + (
                    getattr(error, "strerror", None) or type(error).__name__
                )
            self.connected = False
            _logger.info("not connected: %s", self.words)
            limit = time.monotonic() + backoff.next()
            while time.monotonic() < limit and not self.stop.is_set():
                self._work([])  # records are read on
                self.stop.wait(0.5)

    # -- the socket --------------------------------------------------------------------

    def _connection(self):
        where = (self.config.ami_host, self.config.ami_port)
        sock = socket.create_connection(where, timeout=10)
        if self.config.ami_tls:
            context = ssl.create_default_context(cafile=self.config.ami_ca or None)
            sock = context.wrap_socket(sock, server_hostname=self.config.ami_host)
        return sock

    def _listen(self, sock, backoff):
        reader, held, snapshot = Reader(), [], []
        sock.settimeout(0.5)
        sock.sendall(
            action(
                "Login",
                ActionID="oda-login",
                Username=self.config.ami_user,
                Secret=self.config.ami_secret,
                Events="on",
            )
        )
        last, asked = time.monotonic(), False
        while not self.stop.is_set():
            messages = self._received(sock, reader)
            now = time.monotonic()
            if messages:
                last, asked, self.heard = now, False, time.time()
            elif now - last > DEAD:
                raise OSError("silent")
            elif now - last > QUIET and not asked:
                asked = True
                sock.sendall(action("Ping", ActionID=f"oda-{next(self._numbers)}"))
            for message in messages:
                self._answer(sock, message, snapshot)
            # Until the snapshot is whole live events wait: what hangs up while it is
            # being told must not be taken for alive.
            if not self.connected:
                held += messages
                if not any(m.event == "CoreShowChannelsComplete" for m in messages):
                    continue
                self._synced(snapshot)
                backoff.reset()
                messages, held = held, []
            self._work(messages)

    @staticmethod
    def _received(sock, reader):
        try:
            data = sock.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return []
        if not data:
            raise OSError("closed by Asterisk")
        return reader.feed(data)

    def _answer(self, sock, message, snapshot):
        """Take the answers to what we have asked."""
        asked = message.get("ActionID", "")
        if asked == "oda-login":
            if message.get("Response") != "Success":
                raise Refused(
                    "Asterisk refuses the login: look at the user and secret in "
                    "manager.conf, and at its permit lines."
                )
            sock.sendall(action("CoreSettings", ActionID="oda-settings"))
            sock.sendall(action("DeviceStateList", ActionID=DEVICES))
            sock.sendall(action("CoreShowChannels", ActionID=SYNC))
        elif asked == "oda-settings":
            self.version = message.get("AsteriskVersion", "")[:64]
        elif message.event == "CoreShowChannel" and asked == SYNC:
            snapshot.append(message)

    def _synced(self, snapshot):
        self.connected, self.words = True, ""
        _logger.info("connected, %d channels", len(snapshot))
        self._keep(self.tracker.resync(snapshot, time.time()))

    # -- news --------------------------------------------------------------------------

    def _work(self, messages):
        """Feed messages, and what the record and the other threads have."""
        now, news = time.time(), []
        while not self.inbox.empty():
            messages = [*messages, self.inbox.get()]
        presences = []
        for message in messages:
            if isinstance(message, Habits):
                self._change(message)
                continue
            if message.event == "Cdr" and not self.config.cdr_file:
                row = row_of_message(message)
                if row:
                    self.tracker.record(row, now)
            news += self.tracker.feed(message, now)
            presences += self.presences.feed(message)
        before = self._cdr.position
        if self.config.cdr_file:
            for row in self._cdr.news():
                self.tracker.record(row, now)
        news += self.tracker.tick(now)
        self._keep(news, presences, moved=self._cdr.position != before)

    def _change(self, habits):
        self.tracker.habits = self.presences.habits = habits
        self.spool.put(facts={"habits": vars(habits)})

    def _keep(self, news, presences=(), moved=False):
        """One transaction for all that a batch of messages changes."""
        touched, self.tracker.touched = self.tracker.touched, set()
        if not (news or presences or touched or moved):
            return
        rows = [
            (one.key, f"call:{one.event.callid}", fields_of(one.event), one.at)
            for one in news
        ]
        now = time.time()
        for login, presence in presences:
            key = f"{next(self._numbers):08x}{int(now * 1000):016x}"
            fields = {"kind": "presence", "login": login, "presence": presence}
            rows.append((key, f"presence:{login}", fields, now))
        calls = self.tracker.calls
        self.spool.put(
            rows,
            [(one, calls[one].dump()) for one in touched if one in calls],
            [one for one in touched if one not in calls],
            {"cdr": self._cdr.position} if moved else None,
        )

    def recorded(self, channel, name):
        """ARI has finished a recording of a channel. From another thread."""
        fields = {"Event": "OdaRecording", "Uniqueid": channel, "Name": name}
        self.inbox.put(Message(fields))


def _loaded(states):
    for state in states:
        try:
            yield Call.load(state)
        except ValueError:
            _logger.warning("a call kept by another version is left out")
