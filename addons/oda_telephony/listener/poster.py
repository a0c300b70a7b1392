# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""From the spool to Odoo: in order, signed, until Odoo says that it has it."""

import email.utils
import http.client
import json
import logging
import ssl
import threading
import time
from urllib.parse import urlsplit

from ..drivers.asterisk_names import Habits
from ..drivers.asterisk_push import HEADER, body, signature
from .backoff import Backoff

_logger = logging.getLogger("listener.odoo")

STATE_EVERY = 20.0  # seconds between two words on how we do
#: answers that no repeating will change
FINAL = (400, 413, 422)
MAX_ANSWER = 64 * 1024


class Trouble(Exception):
    """Not taken, try again; holds words for a person."""


class Poster(threading.Thread):
    """One connection, kept open. A push of unknown fate is simply sent again: it has
    the same key, and Odoo keeps one row a key."""

    def __init__(self, config, spool, link, ari, stop):
        super().__init__(name="odoo", daemon=True)
        self.config, self.spool, self.stop = config, spool, stop
        self.link, self.ari = link, ari
        self.words = ""
        self._parts = urlsplit(config.inbound)
        self._connection = None
        self._skew = 0.0  # of Odoo's clock against ours
        self._state_at, self._told = 0.0, None
        self._tidy_at = time.monotonic() + 600

    def run(self):
        backoff = Backoff(0.3, 30.0)
        while not self.stop.is_set():
            try:
                self._tell_state()
                self._post_waiting()
                backoff.reset()
                self.words = ""
                self.spool.arrived.wait(0.5)
            except Trouble as trouble:
                if str(trouble) != self.words:
                    _logger.warning("Odoo does not take it: %s", trouble)
                self.words = str(trouble)
                self.stop.wait(backoff.next())
            if time.monotonic() > self._tidy_at:
                self._tidy_at = time.monotonic() + 3600
                self.spool.tidy()
        self._close()

    def _post_waiting(self):
        self.spool.arrived.clear()
        while not self.stop.is_set():
            waiting = self.spool.first()
            if not waiting:
                return
            for number, key, fields, at in waiting:
                raw = body(fields, key, time.time() - at)
                status, words = self._send("", raw)
                if status in FINAL:
                    _logger.error("Odoo refused for good: %s", words)
                    self.spool.refuse(number, words)
                elif status == 200:
                    self.spool.remove(number)
                else:
                    raise Trouble(_why(status, words))
                if self.stop.is_set():
                    return
            self._tell_state()

    # -- how we do ---------------------------------------------------------------------

    def _tell_state(self):
        """Say how we do, each 20 s or when it changes; learn the account's habits."""
        now = (self.link.connected, self.link.words, self.ari.words)
        if time.monotonic() < self._state_at and now == self._told:
            return
        waiting, refused = self.spool.counts()
        facts = {
            "connected": self.link.connected,
            "words": self.link.words or self.ari.words,
            "heard": max(0.0, time.time() - self.link.heard),
            "version": self.link.version,
            "waiting": waiting,
            "refused": refused,
        }
        status, words = self._send("/state", json.dumps(facts).encode())
        if status != 200:
            raise Trouble(_why(status, words))
        self._state_at, self._told = time.monotonic() + STATE_EVERY, now
        try:
            habits = Habits.of(json.loads(words)["habits"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # an Odoo of another version: what we know stays
        if habits != self.link.tracker.habits:
            self.link.inbox.put(habits)

    # -- HTTP --------------------------------------------------------------------------

    def _send(self, tail, raw):
        """Post signed bytes; return (status, text of the answer)."""
        stamp = time.time() + self._skew
        headers = {
            "Content-Type": "application/json",
            HEADER: signature(self.config.secret, raw, stamp),
        }
        for fresh in (self._connection is None, True):
            if fresh:
                self._connect()
            try:
                self._connection.request("POST", self._parts.path + tail, raw, headers)
                answer = self._connection.getresponse()
                text = answer.read(MAX_ANSWER).decode("utf-8", "replace")
            except (OSError, http.client.HTTPException) as error:
                self._close()
                if fresh:
                    raise Trouble(_name(error)) from None
                continue  # kept open too long: once more on a new one
            self._learn(answer.getheader("Date"))
            if answer.will_close:
                self._close()
            return answer.status, text
        raise Trouble("no answer")

    def _connect(self):
        self._close()
        host, port = self._parts.hostname, self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.config.ca_file or None)
            make = http.client.HTTPSConnection
            self._connection = make(host, port, timeout=20, context=context)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=20)

    def _close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _learn(self, date):
        """Take Odoo's clock for the signature's moment: ours may be wrong."""
        try:
            moment = email.utils.parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            return
        skew = moment - time.time()
        self._skew = skew if abs(skew) > 5 else 0.0


def _name(error):
    return getattr(error, "strerror", None) or type(error).__name__


def _why(status, words):
    """What an answer means for the operator."""
    hint = {
        401: "the secret differs from the channel's",
        403: "the secret differs from the channel's",
        404: "no such channel: look at the key, and that it is switched on",
    }.get(status, words[:200])
    return f"HTTP {status}: {hint}"
