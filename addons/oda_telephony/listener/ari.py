# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""ARI's socket: recordings that are made through ARI are told here, and only here.

One socket an application: when another listener takes it, Asterisk says
ApplicationReplaced and closes ours. Coming back at once would take it from the other,
and so on for ever: we stand back, and AMI goes on.
"""

import base64
import json
import logging
import threading
import time
from urllib.parse import quote, urlsplit

import websocket

from .backoff import Backoff

_logger = logging.getLogger("listener.ari")


class Replaced(Exception):
    """Somebody else uses our application now."""


class Ari(threading.Thread):
    """:ivar str words: what is wrong, '' when nothing is or ARI is not used"""

    def __init__(self, config, link, stop):
        super().__init__(name="ari", daemon=True)
        self.config, self.link, self.stop = config, link, stop
        self.words = ""
        self.replaced = 0

    def run(self):
        if not self.config.ari_url:
            return
        backoff = Backoff(1.0, 60.0)
        while not self.stop.is_set():
            try:
                self._listen(backoff)
            except Replaced:
                self.replaced += 1
                self.words = "another listener uses ARI's application: standing back"
                _logger.warning("%s", self.words)
                self.stop.wait(self.config.ari_stand_back)
            except (OSError, ValueError, websocket.WebSocketException) as error:
                self.words = f"ARI: {type(error).__name__}"
                _logger.info("%s", self.words)
                self.stop.wait(backoff.next())

    def _listen(self, backoff):
        parts = urlsplit(self.config.ari_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        app = quote(self.config.ari_app, safe="")
        address = f"{scheme}://{parts.netloc}{parts.path}/events"
        user = f"{self.config.ari_user}:{self.config.ari_secret}".encode()
        sock = websocket.create_connection(
            f"{address}?app={app}&subscribeAll=true",
            # in a header: the query would be in Asterisk's log
            header=[f"Authorization: Basic {base64.b64encode(user).decode()}"],
            timeout=5,
            http_no_proxy=["*"],
        )
        try:
            self.words = ""
            backoff.reset()
            last = time.monotonic()
            while not self.stop.is_set():
                try:
                    text = sock.recv()
                except websocket.WebSocketTimeoutException:
                    if time.monotonic() - last > 60:
                        raise OSError("silent") from None
                    sock.ping()
                    continue
                last = time.monotonic()
                if text:
                    self._event(json.loads(text))
        finally:
            sock.close()

    def _event(self, event):
        kind = event.get("type") if isinstance(event, dict) else None
        if kind == "ApplicationReplaced":
            raise Replaced
        if kind == "RecordingFinished":
            recording = event.get("recording") or {}
            side, _colon, channel = str(recording.get("target_uri")).partition(":")
            if side == "channel" and recording.get("name"):
                self.link.recorded(channel, str(recording["name"])[:200])
