# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Logged-in agents: one in Chromium, the others as websocket clients."""

import contextlib
import http.cookiejar
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.request

import websocket

from oda_tools import paths
from oda_tools.console import Stop

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

#: Notes when a card is seen: after the next frame, so when it was painted.
_WATCH = """
window.benchCards = [];
const seen = new Set();
new MutationObserver(() => {
    for (const card of document.querySelectorAll(".o_oda_call_pop[data-call-id]")) {
        if (!seen.has(card.dataset.callId) && card.checkVisibility()) {
            seen.add(card.dataset.callId);
            requestAnimationFrame(() => window.benchCards.push({
                id: card.dataset.callId, text: card.innerText,
                at: performance.timeOrigin + performance.now(),
            }));
        }
    }
}).observe(document.body, {childList: true, subtree: true});
"""
_CLOCK = "performance.timeOrigin + performance.now()"


@contextlib.contextmanager
def proxy(runtime, server):
    """The address that a browser uses for a prefork server."""
    port = runtime.free_port()
    argv = [sys.executable, "-m", "tests.bench.proxy"]
    argv += map(str, (port, server.port, server.gevent_port))
    process = subprocess.Popen(argv, cwd=paths.ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(lambda: _answers(url + "/web/health"), 20, "the proxy")
        yield url
    finally:
        process.terminate()
        process.wait()


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _wait(ready, seconds, what):
    limit = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > limit:
            raise Stop(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


def session(url, db, login):
    """Log in; the session's cookie as a header."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)
    )
    params = {"db": db, "login": login, "password": login}
    body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
    request = urllib.request.Request(
        url + "/web/session/authenticate", body, {"Content-Type": "application/json"}
    )
    with opener.open(request, timeout=30) as answer:
        if not json.load(answer).get("result", {}).get("uid"):
            raise Stop(f"{login} could not log in")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


class Listener:
    """An agent whose screen we do not see: a websocket that is read all the time.

    :ivar list heard: news about calls, as they came
    """

    def __init__(self, url, db, login):
        self.heard = []
        self.failed = None
        self._socket = websocket.create_connection(
            url.replace("http", "ws") + "/websocket?version=bench",
            cookie=session(url, db, login),
            origin=url,
            timeout=None,
        )
        subscribe = {"event_name": "subscribe", "data": {"channels": [], "last": 0}}
        self._socket.send(json.dumps(subscribe))
        self._open = True
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            while text := self._socket.recv():
                self.heard += [
                    one["message"]["payload"]
                    for one in json.loads(text)
                    if one["message"]["type"] == "oda_telephony.call"
                ]
        except (OSError, ValueError, websocket.WebSocketException) as error:
            self.failed = error if self._open else None

    def close(self):
        self._open = False
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._socket.close()


@contextlib.contextmanager
def listeners(url, db, logins):
    """Agents with their websocket open."""
    with contextlib.ExitStack() as stack:
        found = []
        for login in logins:
            one = Listener(url, db, login)
            stack.callback(one.close)
            found.append(one)
        yield found


class Screen:
    """The agent whose screen is watched: a page of Chromium."""

    def __init__(self, page, url, login):
        self.page = page
        page.goto(url + "/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", login)
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for_selector(".o_main_navbar")
        page.wait_for_timeout(3000)  # the web client fetches on; its websocket opens
        page.evaluate(f"() => {{ {_WATCH} }}")
        self._shown = 0
        self._offset = 0

    def align(self):
        """Learn how far the page's clock is from ours; returns the doubt, in s."""
        best = 1
        for _time in range(8):
            before = time.time()
            theirs = self.page.evaluate(_CLOCK) / 1000
            after = time.time()
            if after - before < best:
                best = after - before
                self._offset = theirs - (before + after) / 2
        return best / 2

    def wait_card(self, seconds=15):
        """Wait for the next card; (our time when it was painted, its text)."""
        self._shown += 1
        self.page.wait_for_function(
            f"window.benchCards.length >= {self._shown}",
            timeout=seconds * 1000,
            polling=50,
        )
        card = self.page.evaluate(f"window.benchCards[{self._shown - 1}]")
        return card["at"] / 1000 - self._offset, card["text"]

    def wait_no_card(self, seconds=15):
        self.page.wait_for_selector(
            ".o_oda_call_pop", state="detached", timeout=seconds * 1000
        )


@contextlib.contextmanager
def screen(url, login):
    """A Screen in a Chromium of its own."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((path for name in names if (path := shutil.which(name))), None)
    if not program:
        raise Stop("Chromium was not found.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            page = chromium.new_page(viewport={"width": 1366, "height": 768})
            yield Screen(page, url, login)
        finally:
            chromium.close()
