# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The sandbox of outside services: starting it, and ringing from the command line."""

import json
import os
import re
import time
import urllib.error
import urllib.request

from oda_tools import asterisk, paths
from oda_tools.console import Stop, say


def exists():
    """Whether this clone has the sandbox (a server-only checkout may not)."""
    return (paths.ROOT / "sandbox" / "__main__.py").exists()


def start(runtime):
    """Start it beside the served Odoo; returns a Process, not yet ready."""
    odoo = f"http://127.0.0.1:{paths.http_port()}"
    return runtime.start_sandbox(paths.sandbox_port(), odoo)


def call():
    """Ring as an outside caller (FROM=+37369123456) and say what came of it."""
    number = os.environ.get("FROM", "").strip()
    if not re.fullmatch(r"\+?[\d ()-]{3,20}", number):
        raise Stop("Who calls? For example: make call FROM=+37369123456")
    if os.environ.get("VIA") == "asterisk":
        say(f"{number} is calling (call {asterisk.call(number)}): its agents answer.")
        return 0
    placed = _ask("/api/moldcell/call", {"from": number})
    callid = placed.get("callid")
    say(f"{number} is calling (call {callid}).")
    # a moment for the exchange to ask Odoo who that is and to ring somebody
    time.sleep(1)
    known = {view.get("callid"): view for view in _ask("/api/moldcell/calls")}
    for line in _words(known.get(callid, {})):
        say(line)
    say(f"Answer it in the sandbox: http://127.0.0.1:{paths.sandbox_port()}.")
    say(f"The card opens in Odoo: http://127.0.0.1:{paths.http_port()}.")
    return 0


def _words(view):
    """What became of a call, line by line."""
    if view.get("did"):
        yield f"Dialled number: {view['did']}."
    contact = view.get("contact")
    if isinstance(contact, dict) and contact:
        who = contact.get("name") or "nobody it knows"
        whose = contact.get("responsible")
        yield f"Odoo says it is {who}{f', consultant {whose}' if whose else ''}."
    if view.get("state"):
        whom = f" at {view['user']}" if view.get("user") else ""
        yield f"Now: {view['state']}{whom}."


def _ask(path, data=None):
    """The sandbox's answer to a GET, or to a POST of ``data``."""
    port = paths.sandbox_port()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if data is not None:
        request.data = json.dumps(data).encode()
        request.add_header("Content-Type", "application/json")
    # straight to loopback, whatever proxy the environment names
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace").strip()[:500]
        raise Stop(f"The sandbox refused ({error.code}): {said}") from None
    except ValueError:
        raise Stop(f"What answers on port {port} is not the sandbox.") from None
    except OSError:
        raise Stop(
            f"Nothing answers on port {port}: the sandbox runs while make run does. "
            "Start make run in another terminal; when it uses another port, give the "
            "same ODA_SANDBOX_PORT here."
        ) from None
