# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A real Asterisk with its listener, pushing to the served Odoo, and people in it."""

import base64
import contextlib
import csv
import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

from oda_tools.asterisk import Asterisk
from oda_tools.listener import Listener

KEY, SECRET = "demo", "demo-asterisk-secret"
QUEUE, DIRECT, LOOKUP = "37322200100", "37322200101", "37322200102"
PEOPLE = ("DOES_701", "DOES_702", "DOES_703")


class Exchange:
    """:param system: a `System`: served Odoo with demo data
    :param Path folder: for everything of Asterisk's and the listener's
    """

    def __init__(self, system, folder, root):
        self.system = system
        self.asterisk = Asterisk(folder / "asterisk", SECRET, root)
        self.listener = Listener(
            folder / "listener", self.asterisk, system.url, SECRET, stand_back=3
        )
        self._ids = iter(range(1, 1000))
        self._run = f"{int(time.time()) % 10**6}"

    def __enter__(self):
        admin = self.admin()
        account = admin("oda.connector.account", "search", [("key", "=", KEY)])
        self.account = admin(
            "oda.connector.account",
            "search",
            [("connector", "=", "asterisk"), ("id", "in", account)],
        )[0]
        admin(
            "oda.connector.account",
            "write",
            [self.account],
            {
                "ari_url": self.asterisk.ari_url,
                "ast_recordings": str(self.asterisk.recordings),
            },
        )
        action = admin("oda.connector.account", "action_contact_token", [self.account])
        self.asterisk.configure(
            f"{self.system.url}/oda/in/asterisk/{KEY}/contact",
            action["params"]["message"],
        ).start()
        self.listener.start()
        self.wait_connected()
        return self

    def __exit__(self, *_error):
        self.listener.stop()
        self.asterisk.stop()
        # nobody is to dial over an exchange that is not there any more
        self.admin()(
            "oda.connector.account", "write", [self.account], {"ari_url": False}
        )

    def session(self, login="admin", password="admin"):
        """Log somebody in; returns an opener whose requests are theirs."""
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
        )
        who = {"db": self.system.db, "login": login, "password": password}
        self._rpc(opener, "/web/session/authenticate", who)
        return opener

    def admin(self):
        """Return a function that calls a model's public method as the administrator."""
        opener = self.session()

        def call(model, method, *args, **kwargs):
            what = {"model": model, "method": method, "args": args, "kwargs": kwargs}
            return self._rpc(opener, f"/web/dataset/call_kw/{model}/{method}", what)

        return call

    def _rpc(self, opener, path, params):
        request = urllib.request.Request(
            self.system.url + path,
            json.dumps({"jsonrpc": "2.0", "params": params}).encode(),
            {"Content-Type": "application/json"},
        )
        with opener.open(request, timeout=30) as answer:
            said = json.load(answer)
        assert "error" not in said, said["error"]
        return said.get("result")

    # -- the outside world ---------------------------------------------------------

    def ari(self, method, path, body=None, **query):
        url = f"{self.asterisk.ari_url}{path}?{urllib.parse.urlencode(query)}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(url, data, method=method)
        user = base64.b64encode(f"oda:{SECRET}".encode()).decode()
        request.add_header("Authorization", f"Basic {user}")
        request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            raw = answer.read()
        return json.loads(raw) if raw[:1] in (b"{", b"[") else None

    def set(self, **values):
        """Say what people do: DOES_701="away", RINGS=1 ..."""
        for name, value in values.items():
            self.ari("POST", "/asterisk/variable", variable=name, value=value)

    def everybody_answers(self):
        self.set(**dict.fromkeys(PEOPLE, "answer"), RINGS=1, TALKS=30, CLIENT="answer")

    def ring(self, did, number="37369123456"):
        """Call one of our numbers from outside; returns the call's id."""
        callid = f"t{self._run}-{next(self._ids)}"
        self.ari(
            "POST",
            "/channels",
            endpoint=f"Local/{did}@from-trunk",
            context="caller",
            extension="s",
            priority=1,
            callerId=f'"Client" <{number}>',
            timeout=60,
            channelId=callid,
        )
        return callid

    def hang_up(self, callid):
        with contextlib.suppress(urllib.error.HTTPError):
            self.ari("DELETE", f"/channels/{callid}")

    def call_inside(self, login, other):
        """A person calls a colleague; returns the id of that call."""
        callid = f"in{self._run}-{next(self._ids)}"
        self.ari(
            "POST",
            "/channels",
            endpoint=f"Local/{login}@agents/n",
            context="inside",
            extension=other,
            priority=1,
            callerId=login,
            timeout=30,
            channelId=callid,
        )
        return callid

    def channel(self, name, half=1):
        """Full name of the channel `Local/<name>` that is in a call now."""
        names = [one["name"] for one in self.ari("GET", "/channels")]
        return next(
            one
            for one in names
            if one.startswith(f"Local/{name}-") and one.endswith(f";{half}")
        )

    def talks(self, login):
        """Whether a person's phone has been picked up."""
        return any(
            one["state"] == "Up"
            for one in self.ari("GET", "/channels")
            if one["name"].startswith(f"Local/{login}@agents-")
            and one["name"].endswith(";1")
        )

    def at_the_phone(self, name, **fields):
        """Do what a person does at the phone (a transfer), by the manager interface."""
        lines = [("Action", "Login"), ("Username", "oda"), ("Secret", SECRET)]
        lines += [("Events", "off"), ("", ""), ("Action", name), *fields.items()]
        lines += [("ActionID", "do"), ("", "")]
        text = "".join(f"{key}: {value}\r\n" if key else "\r\n" for key, value in lines)
        where = ("127.0.0.1", self.asterisk.ami_port)
        with socket.create_connection(where, timeout=5) as sock:
            sock.sendall(text.encode())
            said = ""
            while "ActionID: do" not in said:
                said += sock.recv(4096).decode()
        assert "Response: Success" in said.rpartition("\r\n\r\nResponse")[2] or (
            "Success" in said
        ), said

    # -- what came of it -----------------------------------------------------------

    def legs(self, callid):
        """login=state of each phone, in the order of logins, as text."""
        return self.system.psql(
            "SELECT string_agg(l.login || '=' || l.state, ' ' ORDER BY l.login) "
            "FROM oda_call_leg l JOIN oda_call c ON c.id = l.call_id "
            f"WHERE c.callid = '{callid}'"
        )

    def wait_leg(self, callid, leg, seconds=15):
        deadline = time.monotonic() + seconds
        while leg not in self.legs(callid).split():
            assert time.monotonic() < deadline, (leg, self.legs(callid), self.last())
            time.sleep(0.1)

    def settled(self, callid, seconds=20):
        """Wait for the exchange's own word: (direction, outcome, source, duration)."""
        found = self.system.wait_for(
            "SELECT direction, outcome, outcome_source, duration FROM oda_call "
            f"WHERE callid = '{callid}'",
            lambda text: "|history|" in text,
            seconds,
        )
        direction, outcome, source, duration = found.split("|")
        return direction, outcome, source, int(duration)

    def record(self, callid):
        """Asterisk's rows of a call: dicts of its columns."""
        columns = "linkedid uniqueid channel dstchannel src dst context disposition"
        columns = [*columns.split(), "start", "answer", "end"]
        with open(self.asterisk.cdr_file, encoding="utf-8") as file:
            rows = [dict(zip(columns, row, strict=True)) for row in csv.reader(file)]
        return [row for row in rows if row["linkedid"] == callid]

    def wait_connected(self, seconds=30):
        self.system.wait_for(
            "SELECT count(*) FROM oda_pbx_listener WHERE connected AND told_at > "
            "(now() AT TIME ZONE 'UTC') - interval '3 s'",
            "1",
            seconds,
        )

    def last(self):
        return self.listener.last_lines()
