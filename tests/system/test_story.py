# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The story of the house: somebody calls, and their card is on the screen.

The outside world is the sandbox's own page, the consultant a real browser. Each
step leaves a screenshot in tests/artifacts.
"""

import json
import time
import urllib.request

import pytest

from tests.helpers.login import login

POP = ".o_oda_call_pop"
NOTE = f"{POP} textarea[name=note]"
WIDTHS = {1440: 900, 1024: 768, 360: 740}


@pytest.fixture(autouse=True)
def fresh_world(system):
    """A quiet exchange whose recordings are there at once, and no open cards."""
    post(system, "/api/moldcell/reset")
    time.sleep(1)  # what was on its way arrives
    system.wait_for("SELECT count(*) FROM oda_inbound WHERE state = 'new'", "0")
    system.psql("UPDATE oda_call_leg SET closed = true")
    post(system, "/api/moldcell/settings", {"recording_delay": 2, "history_delay": 0.2})
    system.psql(
        "INSERT INTO ir_config_parameter (key, value) VALUES "
        "('oda_telephony.first_fetch_delay', '1') ON CONFLICT (key) "
        "DO UPDATE SET value = '1'"
    )


def post(system, path, body=None):
    request = urllib.request.Request(
        system.sandbox_url + path,
        json.dumps(body or {}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def last_call(system):
    with urllib.request.urlopen(system.sandbox_url + "/api/moldcell/calls") as answer:
        calls = json.load(answer)
    calls = calls["calls"] if isinstance(calls, dict) else calls
    return max(calls, key=lambda call: call["started"])["callid"]


def ring_from_page(new_page, system, number):
    """Type the number into the sandbox's page and press the button there."""
    outside = new_page(base_url=system.sandbox_url)
    outside.goto("/")
    outside.fill("input[name=from]", number)
    outside.click("form button[type=submit]")
    return outside


def act(system, callid, verb, **body):
    return post(system, f"/api/moldcell/calls/{callid}/{verb}", body)


def shot(page, artifacts, name):
    page.wait_for_timeout(400)
    page.screenshot(path=artifacts / f"{name}.png")


def test_known_caller_opens_the_card(new_page, system, artifacts):
    desk = login(new_page(viewport={"width": 1440, "height": 900}), "consultant.ana")
    outside = ring_from_page(new_page, system, "+373 69 123 456")
    pop = desk.wait_for_selector(POP)
    words = pop.inner_text()
    assert "Ion Munteanu" in words
    assert "Brutăria Nord" in words
    assert "Ana Rusu" in words, "who spoke last"
    assert "PARE 1+1" in words, "what was asked"
    assert "Extindere brutărie" in words, "the open consultation"
    shot(desk, artifacts, "story-1-ringing")
    shot(outside, artifacts, "story-0-outside-world")
    callid = last_call(system)

    act(system, callid, "answer", by="ana")
    desk.wait_for_selector(NOTE)
    desk.fill(NOTE, "Întreabă de programul 373; are deja extrasul.")
    system.wait_for(
        "SELECT count(*) FROM oda_consultation_session "
        "WHERE content = 'Întreabă de programul 373; are deja extrasul.'",
        "1",
    )
    shot(desk, artifacts, "story-2-talking")

    # A reload in the middle of the talk: the card and the text are there again.
    desk.reload()
    desk.wait_for_selector(NOTE)
    assert desk.input_value(NOTE).startswith("Întreabă de programul 373")

    act(system, callid, "hangup")
    desk.wait_for_selector(f"{POP} audio", state="attached", timeout=40_000)
    shot(desk, artifacts, "story-3-result")
    seconds = desk.evaluate(
        """async () => {
            const audio = document.querySelector('.o_oda_call_pop audio');
            audio.muted = true;
            await audio.play();
            await new Promise((done) => setTimeout(done, 700));
            const at = audio.currentTime;
            audio.pause();
            return [at, audio.duration];
        }"""
    )
    assert seconds[0] > 0, "the recording plays"
    assert seconds[1] >= 1

    desk.click(f"{POP} [name=open_card]")
    who = ".o_form_view .o_field_widget[name=partner_id] input"
    desk.wait_for_selector(who)
    assert "Ion Munteanu" in desk.input_value(who)
    shot(desk, artifacts, "story-4-card")
    desk.click(f"{POP} [name=finish]")
    desk.wait_for_selector(POP, state="detached")
    row = system.psql(
        "SELECT c.outcome, p.name, r.state, s.ended_at IS NOT NULL FROM oda_call c "
        "JOIN res_partner p ON p.id = c.partner_id "
        "JOIN oda_recording r ON r.call_id = c.id "
        "JOIN oda_call_leg g ON g.call_id = c.id AND g.login = 'ana' "
        "JOIN oda_consultation_session s ON s.id = g.session_id "
        f"WHERE c.callid = '{callid}'"
    )
    assert row == "answered|Ion Munteanu|stored|t"


def test_stranger_gets_a_card_and_a_consultation(new_page, system, artifacts):
    desk = login(new_page(viewport={"width": 1440, "height": 900}), "consultant.ion")
    callid = post(system, "/api/moldcell/call", {"from": "+37378111222", "to": "ion"})[
        "callid"
    ]
    desk.wait_for_selector(POP)
    shot(desk, artifacts, "story-5-stranger")
    act(system, callid, "answer", by="ion")
    desk.wait_for_selector(NOTE)
    desk.fill(f"{POP} input[name=partner_name]", "Tudor Vieru")
    desk.fill(f"{POP} input[name=partner_company]", "Livada SRL")
    desk.fill(NOTE, "Vrea să deschidă o livadă.")
    system.wait_for(
        "SELECT p.name, p.company_name, count(l.id) FROM res_partner p "
        "JOIN oda_phone n ON n.partner_id = p.id "
        "JOIN crm_lead l ON l.partner_id = p.id "
        "WHERE n.e164 = '+37378111222' GROUP BY 1, 2",
        "Tudor Vieru|Livada SRL|1",
    )
    shot(desk, artifacts, "story-6-stranger-named")
    act(system, callid, "hangup")
    desk.wait_for_selector(f"{POP} [name=finish]")
    desk.click(f"{POP} [name=finish]")
    desk.wait_for_selector(POP, state="detached")

    # Rings again: the same person, no second card.
    again = post(system, "/api/moldcell/call", {"from": "078111222", "to": "ion"})
    pop = desk.wait_for_selector(POP)
    assert "Tudor Vieru" in pop.inner_text()
    assert "livadă" in pop.inner_text()
    act(system, again["callid"], "client_hangup")
    desk.wait_for_selector(POP, state="detached")
    assert (
        system.psql("SELECT count(*) FROM oda_phone WHERE e164 = '+37378111222'") == "1"
    )


def test_department_rings_all_and_goes_when_one_answers(new_page, system):
    ana = login(new_page(), "consultant.ana")
    ion = login(new_page(), "consultant.ion")
    callid = post(
        system, "/api/moldcell/call", {"from": "+37379000111", "to": "group:callcentre"}
    )["callid"]
    ana.wait_for_selector(POP)
    ion.wait_for_selector(POP)
    act(system, callid, "answer", by="ion")
    ana.wait_for_selector(POP, state="detached")
    ion.wait_for_selector(NOTE)
    act(system, callid, "hangup")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_width(new_page, system, artifacts, width):
    """Nothing is cut off or scrolls sideways, and the buttons can be pressed."""
    small = width < 500
    page = new_page(
        viewport={"width": width, "height": WIDTHS[width]},
        has_touch=small,
        is_mobile=small,
    )
    login(page, "consultant.ana")
    callid = post(system, "/api/moldcell/call", {"from": "+37369123456", "to": "ana"})[
        "callid"
    ]
    page.wait_for_selector(POP)
    shot(page, artifacts, f"width-{width}-ringing")
    box = page.locator(POP).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    act(system, callid, "answer", by="ana")
    page.wait_for_selector(NOTE)
    page.fill(NOTE, "scurt")
    shot(page, artifacts, f"width-{width}-talking")
    act(system, callid, "hangup")
    page.wait_for_selector(f"{POP} [name=finish]")
    page.click(f"{POP} [name=finish]")
    page.wait_for_selector(POP, state="detached")


def test_supervisor_listens_consultant_only_to_own(new_page, system):
    post(
        system,
        "/api/moldcell/call",
        {
            "from": "+37379000111",
            "to": "ion",
            "auto": {"answer_after": 0.2, "by": "ion", "hangup_after": 1, "talk": 5},
        },
    )
    number = system.wait_for(
        "SELECT max(r.id) FROM oda_recording r JOIN oda_call c ON c.id = r.call_id "
        "JOIN oda_pbx_user u ON u.user_id = c.user_id AND u.login = 'ion' "
        "WHERE r.state = 'stored'",
        bool,
        seconds=60,
    )
    elena = login(new_page(), "supervisor.elena")
    assert elena.request.get(f"/oda/recording/{number}").status == 200
    ana = login(new_page(), "consultant.ana")
    assert ana.request.get(f"/oda/recording/{number}").status == 404
    assert (
        system.psql(
            f"SELECT count(*) FROM oda_event WHERE code = 'recording.listen' "
            f"AND res_id = {number}"
        )
        == "1"
    )
