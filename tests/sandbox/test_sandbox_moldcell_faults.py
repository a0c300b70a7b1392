# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What an exchange and the way to it can do wrong: played on demand."""

import csv
import io
import time
from datetime import datetime

import pytest

QUICK = {"answer_after": 0.05, "by": "ana", "hangup_after": 0.05, "talk": 30}


def pushes(sandbox, what=""):
    found = sandbox.get("/api/moldcell/pushes").json()
    return [push for push in found if push["what"].startswith(what)]


def rows(sandbox):
    text = sandbox.tenant("history", period="today").text
    return {row[0]: row for row in csv.reader(io.StringIO(text))}


def ended(sandbox, until, **order):
    callid = sandbox.call(to="ana", auto=QUICK, **order)
    until(lambda: sandbox.state_of(callid)["state"] == "ended")
    return callid


def test_an_outage_loses_pushes_and_the_history_has_the_call(sandbox, crm, until):
    sandbox.settings(outage=True)
    callid = ended(sandbox, until)
    until(lambda: pushes(sandbox, "history"))
    assert sandbox.tenant("history", period="today").status_code == 503
    events = [push for push in pushes(sandbox) if push["fields"]["cmd"] != "contact"]
    assert {push["state"] for push in events} == {"lost"}
    sandbox.settings(outage=False)
    assert callid in rows(sandbox)


@pytest.mark.parametrize("skew", [420, -900])
def test_a_wrong_clock_is_wrong_everywhere(sandbox, crm, until, skew):
    sandbox.settings(clock_skew=skew)
    callid = ended(sandbox, until)
    told = datetime.fromisoformat(rows(sandbox)[callid][5]).timestamp()
    assert abs(told - time.time() - skew) < 30
    push = until(lambda: pushes(sandbox, "history Success"))
    start = datetime.strptime(push[0]["fields"]["start"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert abs(start.timestamp() - told) < 2


def test_late_pushes(sandbox, crm, until):
    sandbox.settings(push_late=0.5)
    began = time.monotonic()
    ended(sandbox, until, faults=["late"])
    until(lambda: pushes(sandbox, "event INCOMING")[0]["state"] == "sent")
    assert time.monotonic() - began > 0.5


def test_partial_pushes(sandbox, crm, until):
    callid = ended(sandbox, until, faults=["partial"])
    told = until(lambda: pushes(sandbox, "history Success"))
    fields = told[0]["fields"]
    assert fields["callid"] == callid
    assert not {"wait", "start", "diversion", "direction"} & fields.keys()


def test_two_accounts_on_one_tenant(sandbox, crm, until):
    ended(sandbox, until, key="second")
    until(lambda: pushes(sandbox, "history Success"))
    assert {push["key"] for push in pushes(sandbox)} == {"second"}


def test_the_clients_mark(sandbox, crm, until):
    callid = ended(sandbox, until)
    path = f"/api/moldcell/calls/{callid}/rate"
    sandbox.post(path, {"rating": 9}, expect=400)
    sandbox.post(path, {"rating": 4})
    (push,) = until(lambda: pushes(sandbox, "rating"))
    assert push["fields"]["rating"] == "4"
    assert rows(sandbox)[callid][9] == "4"
