# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A real Asterisk, the listener and Odoo: what is on the card is what was.

The truth is Asterisk's own record of calls (CDR); faults are real ones, kill -9.
"""

import io
import time
import urllib.request
import wave

import pytest
import websocket

from tests.helpers.exchange import DIRECT, LOOKUP, QUEUE, SECRET, Exchange


@pytest.fixture(scope="module")
def running(system, tmp_path_factory):
    from oda_tools import asterisk

    try:
        root = asterisk.ensure()
    except asterisk.Missing as missing:
        # said aloud: -ra and the gate both print why
        pytest.skip(f"no Asterisk: {missing}")
    system.psql(
        "INSERT INTO ir_config_parameter (key, value) VALUES "
        "('oda_telephony.first_fetch_delay', '1') ON CONFLICT (key) "
        "DO UPDATE SET value = '1'"
    )
    with Exchange(system, tmp_path_factory.mktemp("exchange"), root) as exchange:
        yield exchange


@pytest.fixture
def exchange(running):
    running.everybody_answers()
    return running


def dialled(exchange, callid):
    """Phones that the record has, with what became of each."""
    rows = [row for row in exchange.record(callid) if "@agents" in row["dstchannel"]]
    return {
        row["dstchannel"].partition("/")[2].partition("@")[0]: row["disposition"]
        for row in rows
    }


def seconds(exchange, callid):
    rows = exchange.record(callid)
    return max(float(r["end"]) for r in rows) - min(float(r["start"]) for r in rows)


def test_answered_in_a_queue_with_its_recording(exchange):
    exchange.set(DOES_702="away")
    callid = exchange.ring(QUEUE)
    exchange.wait_leg(callid, "701=talking")
    time.sleep(1.5)
    exchange.hang_up(callid)
    direction, outcome, source, duration = exchange.settled(callid)
    assert (direction, outcome, source) == ("in", "answered", "history")
    assert exchange.legs(callid) == "701=done 702=lost"
    assert dialled(exchange, callid) == {"701": "ANSWERED", "702": "NO ANSWER"}
    assert abs(duration - seconds(exchange, callid)) <= 1
    number = exchange.system.wait_for(
        "SELECT max(r.id) FROM oda_recording r JOIN oda_call c ON c.id = r.call_id "
        f"WHERE c.callid = '{callid}' AND r.state = 'stored'",
        bool,
        30,
    )
    sound = _listen(exchange, number)
    with wave.open(io.BytesIO(sound)) as played:
        assert played.getnframes() > played.getframerate() / 2, "half a second at least"


def _listen(exchange, number):
    """Fetch a recording as the supervisor's browser does, from the middle too."""
    opener = exchange.session("supervisor.elena", "supervisor.elena")
    address = f"{exchange.system.url}/oda/recording/{number}"
    with opener.open(address, timeout=20) as answer:
        whole = answer.read()
    part = urllib.request.Request(address, headers={"Range": "bytes=44-99"})
    with opener.open(part, timeout=20) as answer:
        assert answer.status == 206
        assert answer.read() == whole[44:100]
    return whole


def test_missed_in_a_queue(exchange):
    exchange.set(DOES_701="away", DOES_702="away", PATIENCE=3)
    callid = exchange.ring(QUEUE)
    exchange.wait_leg(callid, "702=ringing")
    direction, outcome, source, _duration = exchange.settled(callid)
    exchange.set(PATIENCE=8)
    assert (direction, outcome, source) == ("in", "missed", "history")
    assert exchange.legs(callid) == "701=no_answer 702=no_answer"
    assert set(dialled(exchange, callid).values()) == {"NO ANSWER"}
    assert not exchange.system.psql(
        "SELECT r.id FROM oda_recording r JOIN oda_call c ON c.id = r.call_id "
        f"WHERE c.callid = '{callid}'"
    ), "nobody spoke"


def test_blind_transfer(exchange):
    callid = exchange.ring(DIRECT)
    exchange.wait_leg(callid, "701=talking")
    exchange.at_the_phone(
        "BlindTransfer",
        Channel=exchange.channel("701@agents"),
        Context="inside",
        Exten="702",
    )
    exchange.wait_leg(callid, "702=talking")
    exchange.hang_up(callid)
    assert exchange.settled(callid)[:3] == ("in", "answered", "history")
    assert exchange.legs(callid) == "701=done 702=done"
    who = exchange.system.psql(
        "SELECT u.login FROM oda_call c JOIN oda_pbx_user u ON u.user_id = c.user_id "
        f"AND u.account_id = c.account_id WHERE c.callid = '{callid}'"
    )
    assert who == "701", "who answered first has answered"
    assert dialled(exchange, callid) == {"701": "ANSWERED", "702": "ANSWERED"}


def test_attended_transfer(exchange):
    """Colleagues talk first, of which nothing is told; then the client joins."""
    callid = exchange.ring(DIRECT)
    exchange.wait_leg(callid, "701=talking")
    inner = exchange.call_inside("701", "702")
    deadline = time.monotonic() + 10
    while not exchange.talks("702"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert exchange.legs(callid) == "701=talking"
    exchange.at_the_phone(
        "Bridge",
        Channel1=exchange.channel(f"{DIRECT}@from-trunk", half=2),
        Channel2=exchange.channel("702@agents"),
    )
    exchange.wait_leg(callid, "702=talking")
    exchange.hang_up(callid)
    assert exchange.settled(callid)[:3] == ("in", "answered", "history")
    assert exchange.legs(callid) == "701=done 702=done"
    assert dialled(exchange, callid) == {"701": "ANSWERED", "702": "ANSWERED"}
    count = "SELECT count(*) FROM oda_call WHERE callid = "
    assert exchange.system.psql(f"{count}'{inner}'") == "0"


def test_the_dialplan_asks_who_calls(exchange):
    """The adviser's phone rings first, and alone."""
    admin = exchange.admin()
    line = admin("oda.pbx.user", "search_read", [("login", "=", "702")], ["user_id"])[0]
    person = admin("res.partner", "search", [("phone", "=", "+373 69 777 702")])
    if not person:
        person = [
            admin(
                "res.partner",
                "create",
                {"name": "Sandu Ciobanu", "phone": "+373 69 777 702"},
            )
        ]
    admin("res.partner", "write", person, {"oda_adviser_id": line["user_id"][0]})
    callid = exchange.ring(LOOKUP, "37369777702")
    exchange.wait_leg(callid, "702=talking")
    assert exchange.legs(callid) == "702=talking"
    shown = {one["connected"]["name"] for one in exchange.ari("GET", "/channels")}
    assert "Sandu Ciobanu" in shown
    exchange.hang_up(callid)
    exchange.settled(callid)


def test_click_to_dial_is_this_very_call(exchange):
    """The outbox rings the consultant; the call that comes has the message's uuid."""
    system, callid = exchange.system, f"click-{int(time.time())}"
    row = system.psql(
        "INSERT INTO oda_outbound (uuid, account_id, company_id, connector, verb, "
        "payload, state, attempts, asked, created_at) SELECT "
        f"'{callid}', id, company_id, connector, 'dial', "
        f'\'{{"phone": "37369123456", "login": "701", "uuid": "{callid}"}}\', '
        "'pending', 0, 0, now() AT TIME ZONE 'UTC' FROM oda_connector_account "
        f"WHERE id = {exchange.account} RETURNING id"
    )
    exchange.admin()("oda.outbound", "action_ask_again", [int(row.split()[0])])
    exchange.wait_leg(callid, "701=talking")
    time.sleep(1)
    exchange.hang_up(callid)
    assert exchange.settled(callid)[:3] == ("out", "answered", "history")
    phone = system.psql(f"SELECT e164 FROM oda_call WHERE callid = '{callid}'")
    assert phone == "+37369123456"
    assert system.psql(f"SELECT state FROM oda_outbound WHERE uuid = '{callid}'") == (
        "done"
    )


def test_listener_killed_while_somebody_talks(exchange):
    """The call ends while nobody listens: Asterisk's record tells it afterwards."""
    callid = exchange.ring(DIRECT)
    exchange.wait_leg(callid, "701=talking")
    exchange.listener.kill9()
    exchange.hang_up(callid)
    time.sleep(1)
    missed = exchange.ring(DIRECT, "37369000111")  # begins and ends unheard
    time.sleep(1.8)
    exchange.hang_up(missed)
    exchange.listener.start()
    for one in (callid, missed):
        assert exchange.settled(one)[:3] == ("in", "answered", "history")
        assert exchange.legs(one) == "701=done"
        duration = exchange.settled(one)[3]
        assert abs(duration - seconds(exchange, one)) <= 1


def test_asterisk_killed_while_somebody_talks(exchange):
    """Of such a call there is no record: what was heard has to do."""
    callid = exchange.ring(DIRECT)
    exchange.wait_leg(callid, "701=talking")
    exchange.asterisk.kill9()
    exchange.asterisk.start()
    exchange.system.wait_for(
        f"SELECT state FROM oda_call WHERE callid = '{callid}'",
        lambda state: state in ("ended_pending", "ended"),
    )
    exchange.everybody_answers()
    after = exchange.ring(DIRECT, "37369000222")
    exchange.wait_leg(after, "701=talking")
    exchange.hang_up(after)
    assert exchange.settled(after)[:3] == ("in", "answered", "history")
    assert not exchange.record(callid)
    assert exchange.legs(callid) == "701=done"
    assert exchange.settled(callid, 40)[:2] == ("in", "answered")


def test_odoo_killed_for_a_while(exchange):
    """What happens meanwhile is kept on disk, also over a kill of the listener."""
    system = exchange.system
    system.expect_log(
        "odoo.addons.queue_job.jobrunner.runner",
        "Re-queued dead job",
        "the job of a killed server is found by its released lock and run again",
    )
    callid = exchange.ring(DIRECT)
    exchange.wait_leg(callid, "701=talking")
    system.odoo.kill9()
    exchange.hang_up(callid)
    exchange.set(DOES_701="away")
    missed = exchange.ring(DIRECT, "37369000333")
    time.sleep(2)
    exchange.hang_up(missed)
    time.sleep(2)
    exchange.listener.kill9()
    exchange.listener.start()
    system.start()
    assert exchange.settled(callid, 60)[:3] == ("in", "answered", "history")
    assert exchange.settled(missed, 60)[:3] == ("in", "missed", "history")
    assert exchange.legs(missed) == "701=no_answer"
    late = system.psql(
        "SELECT extract(epoch FROM ended_at - started_at) < 10 FROM oda_call "
        f"WHERE callid = '{missed}'"
    )
    assert late == "t", "it ended when it ended, not when we heard of it"


def test_ari_socket_taken_by_another(exchange):
    """We stand back instead of fighting for it, and take it again later."""
    address = exchange.asterisk.ari_url.replace("http", "ws", 1) + "/events"
    other = websocket.create_connection(
        f"{address}?app=oda&api_key=oda:{SECRET}", timeout=10
    )
    log = exchange.listener.log_path
    try:
        _wait_words(log, "standing back")
        time.sleep(1.5)
        assert log.read_text().count("standing back") == 1, "we do not fight"
        callid = exchange.ring(DIRECT)
        exchange.wait_leg(callid, "701=talking")
        exchange.hang_up(callid)
        assert exchange.settled(callid)[:3] == ("in", "answered", "history")
    finally:
        other.close()


def test_secrets_are_nowhere(exchange):
    """Not on the command line, not in the environment, not in the log."""
    listener = exchange.listener
    with open(f"/proc/{listener.pid}/cmdline", "rb") as file:
        assert SECRET.encode() not in file.read()
    with open(f"/proc/{listener.pid}/environ", "rb") as file:
        assert SECRET.encode() not in file.read()
    assert SECRET not in listener.log_path.read_text()


def _wait_words(path, words, limit=10):
    deadline = time.monotonic() + limit
    while words not in path.read_text():
        assert time.monotonic() < deadline, f"{words!r} is not in {path.name}"
        time.sleep(0.1)
