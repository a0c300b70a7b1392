# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Somebody rings at night: in the morning it is a task, then a talk, then done."""

import json
import urllib.request

import pytest

from tests.helpers.login import login
from tests.helpers.webclient import call, create, shot

NUMBER, E164 = "+373 78 333 222", "+37378333222"
WIDTHS = {1440: 900, 1024: 768, 360: 740}
NEWS = ".o_notification:has-text('333 222')"


def post(system, path, body=None):
    request = urllib.request.Request(
        system.sandbox_url + path,
        json.dumps(body or {}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def hours(new_page, system):
    """Says on which weekdays the house is open, around the clock; puts it back."""
    desk = login(new_page(), "admin")
    mine = call(desk, "res.company", "search_read", [], ["resource_calendar_id"])[0]
    week = create(desk, "resource.calendar", name="Test", tz="UTC", company_id=False)
    call(desk, "res.company", "write", [mine["id"]], {"resource_calendar_id": week})

    def open_on(days):
        lines = [
            [
                0,
                0,
                {
                    "name": "-",
                    "dayofweek": str(day),
                    "day_period": "morning",
                    "hour_from": 0,
                    "hour_to": 24,
                },
            ]
            for day in days
        ]
        values = {"attendance_ids": [[5, 0, 0], *lines]}
        call(desk, "resource.calendar", "write", [week], values)
        for name in ("cron_callbacks_mend", "cron_callbacks"):
            number = system.psql(
                f"SELECT res_id FROM ir_model_data WHERE name = '{name}'"
            )
            call(desk, "ir.cron", "method_direct_trigger", [int(number)])

    yield open_on
    before = mine["resource_calendar_id"][0]
    call(desk, "res.company", "write", [mine["id"]], {"resource_calendar_id": before})


def test_night_caller_becomes_a_morning_task(hours, new_page, system, artifacts):
    def row(columns):
        return f"SELECT {columns} FROM oda_callback WHERE e164 = '{E164}'"

    today = int(system.psql("SELECT extract(isodow FROM now())::int - 1"))
    hours([(today + 3) % 7])  # night: three days till the next opening
    for times in ("1", "2"):
        post(
            system,
            "/api/moldcell/call",
            {"from": NUMBER, "to": "ion", "auto": {"client_hangup_after": 4}},
        )
        system.wait_for(row("missed_count"), times, seconds=60)
    assert system.psql(row("state, out_of_hours, notified_at IS NULL")) == "open|t|t"
    tasks = (
        "SELECT count(*) FROM mail_activity a JOIN oda_callback c "
        f"ON c.activity_id = a.id WHERE c.e164 = '{E164}' AND a.active"
    )
    assert system.psql(tasks) == "1", "one task however often they ring"

    person = system.psql(
        "SELECT u.login FROM oda_callback c JOIN res_users u ON u.id = c.user_id "
        f"WHERE c.e164 = '{E164}'"
    )
    desk = login(new_page(viewport={"width": 1440, "height": 900}), person)
    hours(range(7))  # it is morning
    system.wait_for(row("notified_at IS NOT NULL"), "t")
    desk.wait_for_selector(NEWS)
    shot(desk, artifacts, "callback-1-news")
    desk.click(f"{NEWS} .o_notification_buttons button")
    desk.wait_for_selector(".o_form_view button[name=action_call]")
    shot(desk, artifacts, "callback-2-form")
    for width, height in WIDTHS.items():
        desk.set_viewport_size({"width": width, "height": height})
        desk.goto("/odoo/oda-callbacks")
        desk.wait_for_selector(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)")
        shot(desk, artifacts, f"callback-3-list-{width}")

    post(
        system,
        "/api/moldcell/call",
        {
            "scenario": "outgoing",
            "from": NUMBER,
            "to": "ion",
            "auto": {"answer_after": 1, "hangup_after": 2, "talk": 30},
        },
    )
    system.wait_for(row("state"), "done", seconds=60)
    assert system.psql(row("in_time, call_id IS NOT NULL, minutes >= 0")) == "t|t|t"
    assert system.psql(tasks) == "0", "the talk has closed the task"
    assert system.psql(row("reason LIKE '%333%'")) == "t", "with the call as result"
    desk.goto("/odoo/oda-callbacks")
    desk.wait_for_selector(".o_list_view, .o_kanban_view")
    shot(desk, artifacts, "callback-4-nobody-waits")
    assert desk.locator(f".o_content >> text={NUMBER}").count() == 0


def test_decision_is_written_once_the_exchange_has_its_answer(system):
    asked = {"from": "+37369123456", "auto": {"client_hangup_after": 4}}
    callid = post(system, "/api/moldcell/call", asked)["callid"]
    found = system.wait_for(
        "SELECT reconstructed, jsonb_array_length(steps) > 0 FROM oda_route_decision "
        f"WHERE callid = '{callid}'",
        bool,
    )
    assert found == "f|t", "as it was taken, with the rules that were asked"
