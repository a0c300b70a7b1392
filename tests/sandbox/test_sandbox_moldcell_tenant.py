# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The tenant's command address and its recordings."""

import csv
import io
import re
from datetime import datetime, timedelta, timezone

import pytest
import requests

QUICK = {"answer_after": 0.05, "by": "ana", "hangup_after": 0.05}


def ended(sandbox, until, **order):
    """Run a call to its end and return its view."""
    order.setdefault("to", "ana")
    order.setdefault("auto", {**QUICK, "talk": 30})
    callid = sandbox.call(**order)
    until(lambda: sandbox.state_of(callid)["state"] == "ended")
    return sandbox.state_of(callid)


def test_accounts_and_groups(sandbox):
    accounts = sandbox.tenant("accounts").json()
    assert [row["name"] for row in accounts] == [
        "ana",
        "ion",
        "maria",
        "vasile",
        "elena",
    ]
    assert {"name", "realName", "ext", "telnum", "email"} == set(accounts[0])
    (group,) = sandbox.tenant("groups", method="get").json()
    assert group["realName"] == "Call centru"
    assert sandbox.tenant("groups", user="elena").json() == []


@pytest.mark.parametrize(
    ("params", "status", "error"),
    [
        ({"cmd": "accounts", "token": ""}, 401, "Invalid token"),
        ({"cmd": "accounts", "token": "demo"}, 401, "Invalid token"),
        ({"cmd": "x"}, 400, "Invalid parameters: [cmd]"),
        (
            {"cmd": "subscribtionstatus", "user": "ana"},
            400,
            "Invalid parameters: [cmd]",
        ),
        (
            {"cmd": "makeCall", "user": "ana", "phone": "+37369123456"},
            400,
            "Invalid parameters: [phone]",
        ),
        (
            {"cmd": "makeCall", "user": "x", "phone": "37369123456"},
            400,
            "Invalid parameters: [user]",
        ),
        ({"cmd": "history"}, 400, "Invalid parameters: [period]"),
        ({"cmd": "history", "period": "x"}, 400, "Invalid parameters: [period]"),
        (
            {"cmd": "history", "start": "2026", "end": "20261121T000000Z"},
            400,
            "Invalid parameters: [start]",
        ),
        (
            {"cmd": "history", "period": "today", "type": "x"},
            400,
            "Invalid parameters: [type]",
        ),
        (
            {"cmd": "history", "period": "today", "limit": "0"},
            400,
            "Invalid parameters: [limit]",
        ),
        (
            {"cmd": "subscribeOnCalls", "user": "ana"},
            400,
            "Invalid parameters: [status]",
        ),
        (
            {"cmd": "set_dnd", "user": "ana", "state": "1"},
            400,
            "Invalid parameters: [state]",
        ),
    ],
)
def test_errors(sandbox, params, status, error):
    answer = sandbox.tenant(**params)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_subscription_and_do_not_disturb(sandbox):
    group = sandbox.tenant("groups").json()[0]["id"]
    who = {"user": "ana", "group_id": group}
    assert sandbox.tenant("subscriptionStatus", **who).json() == {"status": "on"}
    assert sandbox.tenant("subscribeOnCalls", status="off", **who).text == "OK"
    assert sandbox.tenant("subscriptionStatus", **who).json() == {"status": "off"}
    assert sandbox.tenant("get_dnd", user="ana").json() == {"state": False}
    assert sandbox.tenant("set_dnd", user="701", state="true").text == "OK"
    assert sandbox.tenant("get_dnd", user="ana").json() == {"state": True}


def test_wrong_tenant_slow_and_failing(sandbox):
    sandbox.settings(tenant_host="demo.pbx.moldcell.md")
    answer = sandbox.tenant("accounts")
    assert answer.status_code == 301
    sandbox.settings(tenant_host="", tenant_slow=0.4)
    assert sandbox.tenant("accounts").elapsed > timedelta(seconds=0.4)
    sandbox.settings(tenant_slow=0, tenant_status=503)
    assert sandbox.tenant("accounts").status_code == 503


@pytest.mark.parametrize(
    "bad",
    [
        {"nothing": 1},
        {"recording_delay": "soon"},
        {"recording_delay": -1},
        {"records_expired": 1},
        {"tenant_status": 200},
        {"makecall_answer": "x"},
        {"history_delay": True},
    ],
)
def test_bad_settings_change_nothing(sandbox, bad):
    before = sandbox.get("/api/moldcell/settings").json()
    sandbox.post("/api/moldcell/settings", {"ring_timeout": 3, **bad}, expect=400)
    assert sandbox.get("/api/moldcell/settings").json() == before


def test_make_call_answers(sandbox, until):
    ids = []
    for shape in ("text", "object", "empty", "other"):
        sandbox.settings(makecall_answer=shape)
        answer = sandbox.tenant("makeCall", user="702", phone="37369123456")
        assert answer.status_code == 200
        calls = sandbox.get("/api/moldcell/calls").json()
        ids.append(calls[-1]["callid"])
        if shape == "text":
            assert answer.text == ids[-1]
            assert re.fullmatch(r"[\w.:-]{1,128}", answer.text)
        elif shape == "object":
            assert answer.json() == {"CallID": ids[-1]}
        elif shape == "empty":
            assert answer.text == ""
        else:
            assert answer.text not in ids
        assert calls[-1]["user"] == "ion"


def test_history_csv(sandbox, until):
    talk = ended(sandbox, until, faults=["lost_history", "lost_events"])
    missed = ended(sandbox, until, auto={"client_hangup_after": 0.05})
    answer = sandbox.tenant("history", method="get", period="today")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.text.count("\r\n") == 2
    first, second = csv.reader(io.StringIO(answer.text))
    start, wait = first.pop(5), first.pop(5)
    assert 0 <= int(wait) < 9
    assert first == [
        talk["callid"],
        "in",
        "37369123456",
        "ana",
        "37322200100",
        "30",
        talk["link"],
    ]
    moment = datetime.fromisoformat(start)
    assert moment.utcoffset() in (timedelta(hours=2), timedelta(hours=3))
    assert abs(moment.timestamp() - talk["started"]) <= 1
    assert second[:2] == [missed["callid"], "missed"]
    assert second[7:] == ["0", ""]


def test_history_filters(sandbox, until):
    ended(sandbox, until)
    missed = ended(sandbox, until, auto={"client_hangup_after": 0.05})
    live = sandbox.call(to="ana")
    rows = _history(sandbox, period="today", type="missed")
    assert [row[0] for row in rows] == [missed["callid"]]
    assert _history(sandbox, period="today", type="out") == []
    assert _history(sandbox, period="yesterday") == []
    last = _history(sandbox, period="this_month", limit=1)
    assert [row[0] for row in last] == [missed["callid"]]
    stamp = "%Y%m%dT%H%M%SZ"
    now = datetime.now(timezone.utc)
    around = {
        "start": (now - timedelta(minutes=5)).strftime(stamp),
        "end": (now + timedelta(minutes=5)).strftime(stamp),
    }
    rows = _history(sandbox, **around)
    assert len(rows) == 2
    assert live not in [row[0] for row in rows]


def _history(sandbox, **params):
    return list(csv.reader(io.StringIO(sandbox.tenant("history", **params).text)))


def mp3_seconds(data):
    """Length of an MPEG-2 layer III stream, counted frame by frame to its end."""
    rates = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    at = frames = 0
    while at + 4 <= len(data):
        head = int.from_bytes(data[at : at + 4], "big")
        assert head >> 21 == 0x7FF, "frame sync"
        assert head >> 19 & 3 == 2, "MPEG version 2"
        assert head >> 17 & 3 == 1, "layer III"
        assert head >> 10 & 3 == 2, "16 kHz"
        assert head >> 6 & 3 == 3, "mono"
        rate = rates[head >> 12 & 15]
        assert rate == 24
        at += 72 * rate * 1000 // 16000 + (head >> 9 & 1)
        frames += 1
    assert at == len(data), "ends with a whole frame"
    return frames * 576 / 16000


def test_recording_is_an_mp3_as_long_as_the_talk(sandbox, until):
    call = ended(sandbox, until)
    answer = requests.get(call["link"], timeout=10)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert mp3_seconds(answer.content) == pytest.approx(30, abs=0.3)
    assert requests.get(call["link"], timeout=10).content == answer.content


def test_recording_ranges(sandbox, until):
    link = ended(sandbox, until)["link"]
    whole = requests.get(link, timeout=10).content
    size = len(whole)
    for header, body in [
        ("bytes=0-99", whole[:100]),
        ("bytes=100-", whole[100:]),
        ("bytes=-50", whole[-50:]),
        (f"bytes=10-{size + 5}", whole[10:]),
    ]:
        answer = requests.get(link, headers={"Range": header}, timeout=10)
        assert (answer.status_code, answer.content) == (206, body)
        assert answer.headers["Content-Range"].endswith(f"/{size}")
    for header in (f"bytes={size}-", "bytes=9-3", "bytes=-0"):
        answer = requests.get(link, headers={"Range": header}, timeout=10)
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    answer = requests.get(link, headers={"Range": "lines=1-2"}, timeout=10)
    assert (answer.status_code, answer.content) == (200, whole)
    head = requests.head(link, timeout=10)
    assert head.headers["Content-Length"] == str(size)


def test_recording_appears_later_and_expires(sandbox, until):
    sandbox.settings(recording_delay=0.5, recording_late=60)
    link = ended(sandbox, until)["link"]
    assert requests.get(link, timeout=10).status_code == 404
    until(lambda: requests.get(link, timeout=10).status_code == 200)
    late = ended(sandbox, until, faults=["recording_late"])["link"]
    sandbox.settings(recording_delay=0)
    assert requests.get(late, timeout=10).status_code == 404
    sandbox.settings(records_expired=True)
    assert requests.get(link, timeout=10).status_code == 404
    assert sandbox.get("/records/none.mp3").status_code == 404


def test_what_odoo_asked_is_kept_without_its_token(sandbox, until):
    sandbox.tenant("makeCall", user="ana", phone="+37369123456")
    sandbox.get("/records/none.mp3", headers={"Range": "bytes=0-1"})
    rows = sandbox.get("/api/moldcell/requests").json()
    assert [row.pop("at") > 0 for row in rows] == [True, True]
    assert rows == [
        {
            "cmd": "makeCall",
            "details": {"user": "ana", "phone": "+37369123456"},
            "status": 400,
        },
        {
            "cmd": "record",
            "details": {"callid": "none", "range": "bytes=0-1"},
            "status": 404,
        },
    ]


def test_recording_that_is_a_web_page(sandbox, until):
    link = ended(sandbox, until, faults=["recording_html"])["link"]
    answer = requests.get(link, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_no_recording_without_a_talk(sandbox, until):
    call = ended(sandbox, until, auto={"client_hangup_after": 0.05})
    assert call["link"] == ""
    assert sandbox.get(f"/records/{call['callid']}.mp3").status_code == 404
