# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The listener's parts by themselves; all of it with a real Asterisk is in
tests/system/test_asterisk.py."""

import json
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

from odoo.tests.common import BaseCase, tagged

from ..drivers import asterisk_push
from ..drivers.asterisk_names import Habits
from ..listener import ari as ari_module
from ..listener import link as link_module
from ..listener import poster as poster_module
from ..listener.backoff import Backoff
from ..listener.cdr_tail import CdrTail
from ..listener.config import Config, ConfigError, load
from ..listener.link import Link
from ..listener.poster import Poster
from ..listener.spool import KEEP, Busy, Spool

ADDON = Path(__file__).resolve().parents[1]
SECRET = "a-secret-of-the-tests"
LINE = (
    '"{0}","{0};2","PJSIP/trunk-0000000a","PJSIP/701-0000000b","37369123456",'
    '"37322200100","from-trunk","ANSWERED",1795305806.9,1795305808.0,1795305812.1\n'
)


class ListenerCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def spool(self):
        spool = Spool(str(self.folder / "spool"))
        self.addCleanup(spool.close)
        return spool

    def config(self, **values):
        base = {
            "odoo_url": "http://127.0.0.1:1",
            "key": "k",
            "secret": SECRET,
            "ami_host": "127.0.0.1",
            "ami_port": 1,
            "ami_tls": False,
            "ami_ca": "",
            "ami_user": "oda",
            "ami_secret": "ami",
            "ari_url": "",
            "ari_user": "",
            "ari_secret": "",
            "ari_app": "oda",
            "ari_stand_back": 300.0,
            "ca_file": "",
            "cdr_file": "",
            "spool": "",
        }
        return Config(**{**base, **values})


@tagged("post_install", "-at_install")
class TestSpool(ListenerCase):
    def test_first_in_first_out_and_a_key_once(self):
        spool = self.spool()
        spool.put([("k1", "call:1", {"a": 1}, 5.0), ("k2", "call:1", {"a": 2}, 6.0)])
        spool.put([("k1", "call:1", {"a": 3}, 7.0)])
        rows = spool.first()
        self.assertEqual([(key, f) for _n, key, f, _at in rows], [
            ("k1", {"a": 1}), ("k2", {"a": 2}),
        ])  # fmt: skip
        spool.remove(rows[0][0])
        spool.refuse(rows[1][0], "no")
        self.assertEqual(spool.counts(), (0, 1))

    def test_of_presence_only_the_last_word(self):
        spool = self.spool()
        for number in range(5):
            spool.put([(f"k{number}", "presence:701", {"n": number}, 1.0)])
        self.assertEqual([f for _n, _k, f, _at in spool.first()], [{"n": 4}])

    def test_all_or_nothing(self):
        spool = self.spool()
        with self.assertRaises(TypeError):
            spool.put([("k", "call:1", {}, 1.0)], calls=[("c", object())])
        self.assertEqual(spool.counts(), (0, 0))
        spool.put([("k", "call:1", {}, 1.0)], facts={"cdr": [1, 2]})
        self.assertEqual(spool.fact("cdr"), [1, 2])

    def test_killed_process_leaves_what_it_committed(self):
        """A child is killed in the middle of writing; what is there is whole."""
        code = (
            "import sys, types; bare = types.ModuleType('oda_telephony');"
            f"bare.__path__ = [{str(ADDON)!r}]; sys.modules['oda_telephony'] = bare;"
            "from oda_telephony.listener.spool import Spool;"
            f"spool = Spool({str(self.folder / 'spool')!r}); print(1, flush=True);"
            "[spool.put([(f'{k}{n}', 'c', {}, 1.0) for k in 'ab'], facts={'last': n})"
            " for n in range(10**6)]"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE
        ) as child:
            child.stdout.readline()
            time.sleep(0.5)
            child.kill()
        spool = self.spool()
        keys = [key for _n, key, _f, _at in spool.first(10**6)]
        last = spool.fact("last")
        self.assertGreater(last, 0)
        self.assertEqual(len(keys), 2 * (last + 1))

    def test_one_listener_a_spool(self):
        self.spool()
        with self.assertRaises(Busy):
            Spool(str(self.folder / "spool"))

    def test_nothing_is_kept_for_ever(self):
        spool = self.spool()
        now = time.time()
        spool.put([("old", "c", {}, now - KEEP - 1), ("new", "c", {}, now)])
        spool.tidy(now)
        self.assertEqual([key for _n, key, *_rest in spool.first()], ["new"])

    def test_only_its_owner_reads_it(self):
        self.spool()
        self.assertEqual((self.folder / "spool").stat().st_mode & 0o077, 0)


@tagged("post_install", "-at_install")
class TestCdrTail(ListenerCase):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "oda.csv"

    def append(self, *names, tail=""):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("".join(map(LINE.format, names)) + tail)

    def names(self, tail):
        return [row.linkedid for row in tail.news()]

    def test_what_was_before_us_is_not_told(self):
        self.append("old")
        tail = CdrTail(str(self.file))
        self.assertEqual(self.names(tail), [])
        self.append("new", tail='"half')
        self.assertEqual(self.names(tail), ["new"])
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(LINE.format("x")[1:])
        self.assertEqual(self.names(tail), ["halfx"], "once its line is whole")

    def test_goes_on_after_a_restart_and_a_rotation(self):
        tail = CdrTail(str(self.file))
        self.assertEqual(self.names(tail), [], "not written yet")
        self.append("one")
        self.assertEqual(self.names(tail), ["one"])
        self.append("two")
        tail = CdrTail(str(self.file), json.loads(json.dumps(tail.position)))
        self.assertEqual(self.names(tail), ["two"])
        self.append("three")
        self.file.rename(f"{self.file}.1")
        self.append("four")
        self.assertEqual(self.names(tail), ["three", "four"])
        self.file.write_text("")
        self.assertEqual(self.names(tail), [])
        self.append("five")
        self.assertEqual(self.names(tail), ["five"])


@tagged("post_install", "-at_install")
class TestConfig(ListenerCase):
    INI = """
[odoo]
url = https://crm.example.md/
key = k
secret_file = {folder}/secret
[ami]
user = oda
secret_file = {folder}/secret
[record]
cdr_file = /var/log/asterisk/cdr-custom/oda.csv
[listener]
spool = /var/lib/oda-asterisk
"""

    def load(self, text=None, mode=0o600, secret=SECRET, environ=None):
        file = self.folder / "secret"
        file.write_text(secret)
        file.chmod(mode)
        ini = self.folder / "listener.ini"
        ini.write_text((text or self.INI).format(folder=self.folder))
        return load(str(ini), environ or {})

    def test_good(self):
        config = self.load()
        self.assertEqual(config.secret, SECRET)
        self.assertEqual(config.inbound, "https://crm.example.md/oda/in/asterisk/k")
        self.assertNotIn(SECRET, repr(config))
        environ = {"ODA_ASTERISK_SECRET": "from the environment"}
        self.assertEqual(self.load(environ=environ).secret, "from the environment")

    def test_what_is_wrong_is_said_in_words(self):
        for values, words in (
            ({"mode": 0o644}, "open to every user"),
            ({"secret": "a\nb"}, "one line"),
            ({"secret": ""}, "one line"),
            ({"text": self.INI.replace("key = k", "")}, "key is missing"),
            ({"text": self.INI.replace("https://", "https://me:pw@")}, "password"),
            ({"text": self.INI.replace("user = oda", "user=o\nport=x")}, "no port"),
            ({"text": "nonsense"}, "no ini file"),
        ):
            with self.assertRaisesRegex(ConfigError, words) as caught:
                self.load(**values)
            self.assertNotIn(SECRET, str(caught.exception))
        with self.assertRaises(ConfigError):
            load("/nonexistent")

    def test_backoff(self):
        backoff = Backoff(1.0, 30.0)
        waits = [backoff.next() for _try in range(12)]
        self.assertLess(waits[0], 1.01)
        self.assertTrue(all(15 <= wait <= 30 for wait in waits[-4:]))
        self.assertGreater(len(set(waits[-4:])), 1, "not in step with others")


class _Odoo(BaseHTTPRequestHandler):
    """Answers by the server's script: a status, or None to hang up."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/state"):
            status, answer = 200, b'{"habits": {"persons": "SIP/X"}}'
        else:
            self.server.got.append((raw, self.headers[asterisk_push.HEADER]))
            status = self.server.script.pop(0) if self.server.script else 200
            answer = b"{}"
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        if self.server.date:
            self.send_header("X-Other", "1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.server.date)

    def log_message(self, *_args):
        pass


class _Still:
    """A link, and an ARI, that have nothing to say."""

    connected, words, heard, version = True, "", 0.0, "22"

    def __init__(self):
        self.inbox, self.tracker, self.habits = queue.SimpleQueue(), self, Habits()


@tagged("post_install", "-at_install")
class TestPoster(ListenerCase):
    def setUp(self):
        super().setUp()
        self.odoo = ThreadingHTTPServer(("127.0.0.1", 0), _Odoo)
        self.odoo.got, self.odoo.script, self.odoo.date = [], [], 0
        threading.Thread(target=self.odoo.serve_forever, daemon=True).start()
        self.addCleanup(self.odoo.server_close)
        self.addCleanup(self.odoo.shutdown)
        self.stop = threading.Event()
        self.box = self.spool()

    def start(self):
        config = self.config(odoo_url=f"http://127.0.0.1:{self.odoo.server_port}")
        self.link = _Still()
        poster = Poster(config, self.box, self.link, _Still(), self.stop)
        self.enterContext(patch.object(poster_module.Backoff, "next", lambda _s: 0.02))
        poster.start()

        def end():
            self.stop.set()
            poster.join(5)

        self.addCleanup(end)
        return poster

    def wait(self, true):
        limit = time.monotonic() + 5
        while not true():
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)

    def put(self, *keys):
        now = time.time()
        self.box.put([(k * 32, "call:1", {"callid": k}, now - 7) for k in keys])

    def calls(self):
        return [json.loads(raw)["callid"] for raw, _signature in self.odoo.got]

    def test_in_order_until_taken_and_signed(self):
        self.odoo.script = [503, None, 200, 500, 200]
        self.put("a", "b")
        with self.assertLogs("listener.odoo", "WARNING"):
            self.start()
            self.wait(lambda: self.box.counts() == (0, 0))
        self.assertEqual(self.calls(), ["a", "a", "a", "b", "b"])
        for raw, signature in self.odoo.got:
            why = asterisk_push.verify(SECRET, signature, raw, time.time())
            self.assertEqual(why, "")
            self.assertAlmostEqual(json.loads(raw)["age"], 7, delta=2)

    def test_poison_is_put_aside(self):
        self.odoo.script = [400, 200]
        self.put("a", "b")
        with self.assertLogs("listener.odoo", "ERROR"):
            self.start()
            self.wait(lambda: self.box.counts() == (0, 1))
        self.assertEqual(self.calls(), ["a", "b"])

    def test_wrong_secret_waits_and_says_so(self):
        self.odoo.script = [401] * 10_000
        self.put("a")
        with self.assertLogs("listener.odoo", "WARNING") as logs:
            poster = self.start()
            self.wait(lambda: "secret" in poster.words)
        self.assertEqual(self.box.counts(), (1, 0))
        self.assertEqual(len(logs.output), 1, "said once")
        self.assertNotIn(SECRET, str(logs.output))

    def test_odoos_clock_is_the_one_that_counts(self):
        self.odoo.date = 7200
        self.put("a")
        self.start()
        self.wait(lambda: self.box.counts() == (0, 0))
        self.put("b")
        self.wait(lambda: len(self.odoo.got) == 2)
        raw, signature = self.odoo.got[1]
        at = time.time() + 7200
        self.assertEqual(asterisk_push.verify(SECRET, signature, raw, at), "")

    def test_habits_of_the_account_are_learnt(self):
        self.start()
        self.assertEqual(self.link.inbox.get(timeout=5).persons, "SIP/X")


class _Exchange:
    """Speaks AMI to one listener at a time; each connection plays a script."""

    def __init__(self, *scripts):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked, self.connections = [], 0
        threading.Thread(target=self._run, args=(scripts,), daemon=True).start()

    def _run(self, scripts):
        for script in scripts:
            try:
                sock, _where = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with closing(sock):
                sock.sendall(b"Asterisk Call Manager/11.0.0\r\n")
                self._read(sock)
                for part in script:
                    if callable(part):
                        part()
                    else:
                        sock.sendall(part.replace(b"\n", b"\r\n"))
                    time.sleep(0.05)

    def _read(self, sock):
        text = b""
        while b"\r\n\r\n" not in text:
            text += sock.recv(4096)
        self.asked.append(text)


WELCOME = b"Response: Success\nActionID: oda-login\n\n"
REFUSED = b"Response: Error\nActionID: oda-login\nMessage: Authentication failed\n\n"
NOBODY = b"Event: CoreShowChannelsComplete\nActionID: oda-sync\n\n"
RINGS = b"""Event: Newchannel
Channel: PJSIP/trunk-00000001
Uniqueid: 1.1
Linkedid: 1.1
Context: from-trunk
Exten: 37322200100
CallerIDNum: 37369123456

Event: Newchannel
Channel: PJSIP/701-00000002
Uniqueid: 1.2
Linkedid: 1.1

Event: Newstate
ChannelStateDesc: Ringing
Uniqueid: 1.2
Linkedid: 1.1

"""


@tagged("post_install", "-at_install")
class TestLink(ListenerCase):
    def run_link(self, exchange, until, **values):
        self.addCleanup(exchange.socket.close)
        stop, spool = threading.Event(), self.spool()
        config = self.config(ami_port=exchange.port, **values)
        link = Link(config, spool, stop)
        self.enterContext(patch.object(link_module.Backoff, "next", lambda _s: 0.05))
        link.start()
        limit = time.monotonic() + 10
        while not until(link, spool):
            self.assertLess(time.monotonic(), limit, [link.words, spool.first()])
            time.sleep(0.02)
        stop.set()
        link.join(5)
        self.assertFalse(link.is_alive())
        return link, [fields for _n, _k, fields, _at in spool.first(1000)]

    def test_a_call_and_a_broken_line(self):
        """Cut in the middle of a call; back, the channels are gone: it is over."""
        exchange = _Exchange(
            [WELCOME, NOBODY, RINGS], [WELCOME, NOBODY, lambda: time.sleep(5)]
        )

        def over(_link, spool):
            return any(f["kind"] == "ended" for _n, _k, f, _a in spool.first())

        link, told = self.run_link(exchange, over)
        self.assertEqual(
            [(f["kind"], f.get("user")) for f in told],
            [("ringing", "701"), ("leg_ended", "701"), ("ended", None)],
        )
        self.assertEqual(exchange.connections, 2)
        self.assertNotIn("ami", link.words)

    def test_what_hangs_up_during_the_snapshot_is_not_taken_for_alive(self):
        shown = RINGS.replace(b"Newchannel", b"CoreShowChannel").replace(
            b"\nUniqueid", b"\nActionID: oda-sync\nUniqueid"
        )
        gone = b"Event: Hangup\nUniqueid: 1.%d\nLinkedid: 1.1\nCause: 16\n\n"
        exchange = _Exchange(
            [
                WELCOME,
                shown.split(b"Event: Newstate")[0],
                gone % 2 + gone % 1,
                NOBODY,
                lambda: time.sleep(5),
            ]
        )

        def synced(link, spool):
            return link.connected and any(
                f["kind"] == "ended" for _n, _k, f, _a in spool.first()
            )

        link, _told = self.run_link(exchange, synced)
        self.assertFalse([c for c in link.tracker.calls.values() if c.channels])

    def test_a_refused_login_is_said_without_the_secret(self):
        exchange = _Exchange([REFUSED], [REFUSED], [REFUSED])
        link, _told = self.run_link(
            exchange, lambda link, _spool: "refuses the login" in link.words
        )
        self.assertFalse(link.connected)
        self.assertNotIn("ami", link.words.split())

    def test_records_are_read_while_the_line_is_down(self):
        file = self.folder / "oda.csv"
        exchange = _Exchange()
        exchange.socket.close()

        def told(link, spool):
            if link._cdr.position != [None, None] and not file.exists():
                file.write_text(LINE.format("c9"))
            return any(f["kind"] == "history" for _n, _k, f, _a in spool.first())

        _link, news = self.run_link(exchange, told, cdr_file=str(file))
        history = [fields for fields in news if fields["kind"] == "history"]
        self.assertEqual(history[0]["status"], "answered")
        self.assertEqual(history[0]["user"], "701")


@tagged("post_install", "-at_install")
class TestAriSocket(ListenerCase):
    def test_only_what_concerns_us(self):
        told = []
        link = _Still()
        link.recorded = lambda channel, name: told.append((channel, name))
        ari = ari_module.Ari(self.config(ari_url="http://x"), link, threading.Event())
        done = {"type": "RecordingFinished"}
        for event in (
            {**done, "recording": {"name": "r1", "target_uri": "channel:1.1"}},
            {**done, "recording": {"name": "r2", "target_uri": "bridge:b"}},
            {**done, "recording": {"target_uri": "channel:1.1"}},
            {**done, "recording": None},
            done,
            {"type": "ChannelCreated"},
            [],
            None,
            "x",
        ):
            ari._event(event)
        self.assertEqual(told, [("1.1", "r1")])
        with self.assertRaises(ari_module.Replaced):
            ari._event({"type": "ApplicationReplaced"})

    def test_without_an_address_there_is_nothing_to_do(self):
        ari = ari_module.Ari(self.config(), _Still(), threading.Event())
        ari.run()
        self.assertEqual(ari.words, "")
