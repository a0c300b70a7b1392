# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What the PBX double tells a CRM, scenario by scenario and fault by fault."""

import re

import pytest

QUICK = {"answer_after": 0.05, "by": "ana", "hangup_after": 0.05}
HISTORY_TIME = re.compile(r"\d{8}T\d{6}Z")


def told(crm, until, count):
    """Wait until ``count`` pushes have come, then return their short forms."""
    until(lambda: len(crm.pushes()) >= count)
    return crm.told()


def test_answered_call_has_the_fields_of_the_wire(sandbox, crm, until):
    callid = sandbox.call(to="ana", auto={**QUICK, "talk": 124})
    assert told(crm, until, 4) == [
        "INCOMING ana",
        "ACCEPTED ana",
        "COMPLETED ana",
        "history Success ana",
    ]
    ring, accepted, completed, history = crm.pushes()
    common = {"callid": callid, "phone": "37369123456", "user": "ana"}
    secret = {"crm_token": "demo-moldcell-secret"}
    assert ring == {
        "cmd": "event",
        "type": "INCOMING",
        **common,
        "ext": "701",
        "diversion": "37322200100",
        "direction": "in",
        **secret,
    }
    assert accepted == {
        "cmd": "event",
        "type": "ACCEPTED",
        **common,
        "ext": "701",
        "direction": "in",
        **secret,
    }
    assert completed == {
        "cmd": "event",
        "type": "COMPLETED",
        **common,
        "direction": "in",
        **secret,
    }
    assert HISTORY_TIME.fullmatch(history.pop("start"))
    assert 0 <= int(history.pop("wait")) < 9
    assert history == {
        "cmd": "history",
        "type": "in",
        "status": "Success",
        **common,
        "ext": "701",
        "diversion": "37322200100",
        "duration": "124",
        "link": f"{sandbox.url}/records/{callid}.mp3",
        **secret,
    }
    assert {row["path"] for row in crm.got} == {"/oda/in/moldcell/demo"}
    assert {row["kind"] for row in crm.got} == {"application/x-www-form-urlencoded"}


def test_lookup_while_ringing(sandbox, crm, until):
    crm.contact = {"contact_name": "Ion Popescu", "responsible": "ion"}
    callid = sandbox.call(to="ana")
    (ask,) = until(lambda: crm.pushes("contact"))
    assert ask == {
        "cmd": "contact",
        "phone": "37369123456",
        "callid": callid,
        "diversion": "37322200100",
        "crm_token": "demo-moldcell-secret",
    }
    call = until(lambda: _with_contact(sandbox, callid))
    assert call["contact"] == {
        "ok": True,
        "name": "Ion Popescu",
        "responsible": "ion",
    }
    assert [leg["user"] for leg in call["legs"]] == ["ana"], "told where to ring: stays"


def _with_contact(sandbox, callid):
    call = sandbox.state_of(callid)
    return call if call["contact"] else None


@pytest.mark.parametrize(
    ("responsible", "rings"),
    [
        ("ion", "ion"),
        ("703", "maria"),
        ("ion@demo.pbx.moldcell.md", "ion"),
        ("nobody", "ana"),
        (None, "ana"),
    ],
)
def test_answer_of_the_lookup_routes(sandbox, crm, until, responsible, rings):
    crm.contact = {"responsible": responsible} if responsible else {}
    sandbox.call()
    assert told(crm, until, 1) == [f"INCOMING {rings}"]
    assert crm.got[0]["fields"]["cmd"] == "contact", "asked before anything rings"


def test_responsible_away_falls_back_to_the_department(sandbox, crm, until):
    sandbox.settings(fallback_after=0.1)
    crm.contact = {"responsible": "maria"}
    sandbox.call()
    assert told(crm, until, 4) == [
        "INCOMING maria",
        "CANCELLED maria",
        "INCOMING ana",
        "INCOMING ion",
    ]


def test_responsible_on_do_not_disturb(sandbox, crm, until):
    sandbox.tenant("set_dnd", user="ion", state="true")
    crm.contact = {"responsible": "ion"}
    sandbox.call()
    assert told(crm, until, 2) == ["INCOMING ana", "INCOMING maria"]
    assert crm.pushes()[0]["groupRealName"] == "Call centru"


@pytest.mark.parametrize("answer", [[1, 2], "text", {"responsible": 7}])
def test_odd_lookup_answers_do_not_stop_the_call(sandbox, crm, until, answer):
    crm.contact = answer
    sandbox.call()
    assert told(crm, until, 1) == ["INCOMING ana"]


def test_slow_lookup_does_not_stop_the_call(sandbox, crm, until):
    sandbox.settings(contact_budget=0.2)
    crm.delay = 0.6
    callid = sandbox.call()
    until(lambda: sandbox.state_of(callid)["state"] == "ringing")
    log = sandbox.get("/api/moldcell/pushes").json()
    assert log[0]["what"] == "contact"
    assert log[0]["state"] == "failed"
    assert "fără răspuns" in log[0]["error"]
    assert sandbox.state_of(callid)["contact"]["ok"] is False


def test_missed_by_client(sandbox, crm, until):
    sandbox.call(to="ana", auto={"client_hangup_after": 0.05})
    assert told(crm, until, 3) == [
        "INCOMING ana",
        "CANCELLED ana",
        "history Missed ana",
    ]
    history = crm.pushes("history")[0]
    assert history["duration"] == "0"
    assert "link" not in history


def test_missed_when_nobody_answers(sandbox, crm, until):
    sandbox.settings(ring_timeout=0.1)
    sandbox.call(to="ana")
    assert told(crm, until, 3)[-1] == "history Missed ana"


def test_missed_as_seen_live(sandbox, crm, until):
    sandbox.call(to="ana", faults=["missed_pbx"], auto={"client_hangup_after": 0.05})
    assert told(crm, until, 3)[-1] == "history missed pbx"
    history = crm.pushes("history")[0]
    assert history["missedStatus"] == "2"
    assert history["group"].startswith("g_")
    assert "ext" not in history


@pytest.mark.parametrize("order", [{"to": "group:callcentre"}, {"faults": ["losers"]}])
def test_department_rings_all_and_has_losers(sandbox, crm, until, order):
    sandbox.call(**order, auto={**QUICK, "by": "maria"})
    assert told(crm, until, 8) == [
        "INCOMING ana",
        "INCOMING ion",
        "INCOMING maria",
        "ACCEPTED maria",
        "CANCELLED ana",
        "CANCELLED ion",
        "COMPLETED maria",
        "history Success maria",
    ]
    assert crm.pushes()[0]["groupRealName"] == "Call centru"


def test_missed_department_names_the_group(sandbox, crm, until):
    sandbox.call(to="group:callcentre", auto={"client_hangup_after": 0.05})
    told(crm, until, 7)
    history = crm.pushes("history")[0]
    assert history["user"] == f"{history['group']}@demo.pbx.moldcell.md"


def test_members_who_left_the_queue_do_not_ring(sandbox, crm, until):
    assert sandbox.tenant("subscribeOnCalls", user="ana", status="off").text == "OK"
    sandbox.call(to="group:callcentre")
    assert told(crm, until, 2) == ["INCOMING ion", "INCOMING maria"]


def test_transfer(sandbox, crm, until):
    first = sandbox.call(to="ana")
    told(crm, until, 1)
    sandbox.act(first, "answer", by="ana")
    second = sandbox.act(first, "transfer", to="ion")["second_callid"]
    # The person at the page knows the first id only: it leads to the live leg.
    sandbox.act(first, "answer")
    sandbox.act(first, "hangup")
    pushes = told(crm, until, 9)
    # The first call's history comes while the second goes on: no fixed place.
    assert [item for item in pushes if item != "history Success ana"] == [
        "INCOMING ana",
        "ACCEPTED ana",
        "TRANSFERRED ion",
        "COMPLETED ana",
        "INCOMING ion",
        "ACCEPTED ion",
        "COMPLETED ion",
        "history Success ion",
    ]
    moved = next(push for push in crm.pushes() if push.get("type") == "TRANSFERRED")
    assert (moved["callid"], moved["second_callid"]) == (first, second)
    ids = {push["user"]: push["callid"] for push in crm.pushes("history")}
    assert ids == {"ana": first, "ion": second}


def test_outgoing_by_click(sandbox, crm, until):
    sandbox.settings(out_answer=0.05)
    callid = sandbox.tenant("makeCall", user="ana", phone="37369123456").text
    assert told(crm, until, 2) == ["OUTGOING ana", "ACCEPTED ana"]
    assert crm.pushes()[0] == {
        "cmd": "event",
        "type": "OUTGOING",
        "callid": callid,
        "phone": "37369123456",
        "user": "ana",
        "telnum": "37322200101",
        "direction": "out",
        "crm_token": "demo-moldcell-secret",
    }
    sandbox.act(callid, "hangup")
    assert told(crm, until, 4)[-2:] == ["COMPLETED ana", "history Success ana"]
    assert crm.pushes("history")[0]["type"] == "out"
    assert not crm.pushes("contact")


@pytest.mark.parametrize("status", ["Busy", "NotAvailable", "NotFound", "NotAllowed"])
def test_outgoing_that_fails(sandbox, crm, until, status):
    callid = sandbox.call(scenario="outgoing", auto={"answer_after": 60})
    until(lambda: sandbox.state_of(callid)["state"] == "ringing")
    sandbox.act(callid, "client_hangup", status=status)
    assert told(crm, until, 3)[1:] == ["CANCELLED ana", f"history {status} ana"]


def test_two_calls_at_once(sandbox, crm, until):
    answer = sandbox.post(
        "/api/moldcell/call",
        {"from": "+37369123456", "to": "ana", "faults": ["two_parallel"]},
    )
    assert len(answer["also"]) == 1
    assert set(told(crm, until, 2)) == {"INCOMING ana", "INCOMING ion"}
    assert {push["callid"] for push in crm.pushes()} == {
        answer["callid"],
        answer["also"][0],
    }


def test_anonymous(sandbox, crm, until):
    sandbox.post("/api/moldcell/call", {"scenario": "anonymous"})
    told(crm, until, 1)
    assert crm.pushes()[0]["phone"] == "anonymous"


def test_internal(sandbox, crm, until):
    sandbox.call(faults=["internal"])
    told(crm, until, 1)
    push = crm.pushes()[0]
    assert (push["phone"], push["direction"], push["user"]) == (
        "701",
        "internal",
        "ion",
    )
    assert not crm.pushes("contact")


def test_out_of_order(sandbox, crm, until):
    sandbox.call(to="ana", faults=["out_of_order"], auto=QUICK)
    assert told(crm, until, 4) == [
        "ACCEPTED ana",
        "INCOMING ana",
        "history Success ana",
        "COMPLETED ana",
    ]


def test_out_of_order_keeps_nothing_back(sandbox, crm, until):
    sandbox.call(to="ana", faults=["out_of_order"], auto={"client_hangup_after": 0.05})
    assert told(crm, until, 3) == [
        "CANCELLED ana",
        "INCOMING ana",
        "history Missed ana",
    ]


def test_duplicates(sandbox, crm, until):
    sandbox.call(to="ana", faults=["duplicates"], auto=QUICK)
    pushes = told(crm, until, 8)
    assert pushes[0::2] == pushes[1::2]
    assert crm.pushes()[0] == crm.pushes()[1]


def test_race_sends_all_of_a_step(sandbox, crm, until):
    sandbox.call(to="group:callcentre", faults=["race"])
    assert set(told(crm, until, 3)) == {
        "INCOMING ana",
        "INCOMING ion",
        "INCOMING maria",
    }


@pytest.mark.parametrize(
    ("fault", "left"), [("lost_history", "event"), ("lost_events", "history")]
)
def test_losses(sandbox, crm, until, fault, left):
    sandbox.call(to="ana", faults=[fault], auto=QUICK)
    until(lambda: len(_log(sandbox)) == 5)
    until(lambda: all(row["state"] != "waiting" for row in _log(sandbox)))
    assert {push["cmd"] for push in crm.pushes()} == {left}
    assert sum(row["state"] == "lost" for row in _log(sandbox)) in (1, 3)


def _log(sandbox):
    return sandbox.get("/api/moldcell/pushes").json()


def test_json_bodies(sandbox, crm, until):
    sandbox.call(to="ana", faults=["json"], auto=QUICK)
    told(crm, until, 4)
    assert {row["kind"] for row in crm.got} == {"application/json"}


def test_wrong_token_is_retried_then_given_up(sandbox, crm, until):
    crm.statuses = [401] * 50
    sandbox.call(to="ana", faults=["wrong_token", "internal"])
    row = until(
        lambda: next((r for r in _log(sandbox) if r["state"] == "refused"), None)
    )
    assert (row["status"], row["attempts"]) == (401, 4)
    assert {push["crm_token"] for push in crm.pushes()} == {"wrong-token"}
    assert "wrong-token" not in str(row), "tokens stay out of the log"


def test_retry_until_taken(sandbox, crm, until):
    crm.statuses = [503, 500]
    sandbox.call(faults=["internal"])
    row = until(lambda: next((r for r in _log(sandbox) if r["state"] == "sent"), None))
    assert row["attempts"] == 3
    assert [got["http"] for got in crm.got] == [503, 500, 200]


def test_slow_pushes(sandbox, crm, until):
    sandbox.settings(push_slow=1.5)
    callid = sandbox.call(to="ana", faults=["slow"])
    until(lambda: sandbox.state_of(callid)["state"] == "ringing")
    assert not crm.pushes()
    told(crm, until, 1)


@pytest.mark.parametrize(
    ("fault", "name", "value"),
    [
        ("login_host", "user", "ana@demo.pbx.moldcell.md"),
        ("plus", "phone", "+37369123456"),
        ("no_callid", "callid", None),
    ],
)
def test_other_shapes(sandbox, crm, until, fault, name, value):
    sandbox.call(to="ana", faults=[fault])
    told(crm, until, 1)
    assert crm.pushes()[0].get(name) == value


def test_link_to_the_metadata_address(sandbox, crm, until):
    sandbox.call(to="ana", faults=["link_metadata"], auto=QUICK)
    told(crm, until, 4)
    assert crm.pushes("history")[0]["link"].startswith("http://169.254.169.254/")


@pytest.mark.parametrize(
    "scenario", ["answered", "missed", "department", "transfer", "anonymous"]
)
def test_every_scenario_starts(sandbox, crm, until, scenario):
    sandbox.call(scenario=scenario)
    assert told(crm, until, 1)[0].startswith("INCOMING")


def test_transfer_scenario_runs_by_itself(sandbox, crm, until):
    auto = {
        "answer_after": 0.05,
        "transfer_after": 0.05,
        "transfer_answer_after": 0.05,
        "hangup_after": 0.05,
    }
    sandbox.call(scenario="transfer", auto=auto)
    told(crm, until, 9)
    assert [push["user"] for push in crm.pushes("history")] == ["ana", "ion"]


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ({}, "cifre"),
        ({"from": "abc"}, "cifre"),
        ({"from": 37369123456}, "cifre"),
        ({"from": "+37369123456", "to": "nimeni"}, "nimeni"),
        ({"from": "+37369123456", "to": ["ana"]}, "Nu există"),
        ({"from": "+37369123456", "faults": ["x"]}, "Defecțiune"),
        ({"from": "+37369123456", "faults": "x"}, "listă"),
        ({"from": "+37369123456", "scenario": "x"}, "Scenariu"),
        ({"from": "+37369123456", "auto": {"answer_after": -1}}, "secunde"),
        ({"from": "+37369123456", "auto": {"by": "x"}}, "auto.by"),
        ({"from": "+37369123456", "auto": {"x": 1}}, "necunoscut"),
        ({"from": "+37369123456", "auto": {"transfer_after": 1}}, "Nu există"),
        ({"from": "+37369123456", "color": "red"}, "color"),
        ({"from": "+37369123456", "did": "x"}, "cifre"),
        ({"scenario": "outgoing", "from": "+3736", "to": "800"}, "angajat"),
    ],
)
def test_bad_orders_are_refused_in_words(sandbox, order, word):
    answer = sandbox.post("/api/moldcell/call", order, expect=400)
    assert word in answer["error"]


def test_verbs_that_do_not_fit(sandbox, until):
    sandbox.post("/api/moldcell/calls/none/answer", {}, expect=404)
    callid = sandbox.call(to="ana")
    until(lambda: sandbox.state_of(callid)["state"] == "ringing")
    sandbox.act(callid, "answer", by="ion", expect=409)
    sandbox.act(callid, "answer", by="nimeni", expect=400)
    sandbox.act(callid, "transfer", to="ion", expect=409)
    sandbox.act(callid, "transfer", expect=400)
    sandbox.act(callid, "answer", by="ana")
    sandbox.act(callid, "answer", by="ana", expect=409)
    sandbox.act(callid, "transfer", to="ana", expect=400)
    sandbox.act(callid, "hangup")
    sandbox.act(callid, "hangup", expect=409)
