# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""A consultant's whole day, at a desk and on a phone.

In the morning a consultation without a next step; the day's own page, from which a
task is closed; one's consultations, a flow at a time; a card that wants to go on; a
session; a task and what follows it; somebody who walks in; somebody who is looked up
by phone. Each step leaves a screenshot in tests/artifacts.
"""

import pytest

from tests.helpers.login import login
from tests.helpers.webclient import call, choose, create, save, shot

NEXT_STEP = ".o_oda_next_step_dialog"
REFUSED = ".o_oda_stage_dialog"
REFUSAL = ".o_notification"
ADVICE = "Are nevoie de un cuptor nou; i s-au explicat condițiile programului."
RESULT = "Trimite oferta furnizorului până vineri, apoi completăm cererea."
PROMISED = "De trimis lista actelor"
SENT = "Lista actelor a plecat prin e-mail, confirmată la telefon."
# (login, width, height, phone): different people, so that no day meets the other
DAYS = {
    "desk": ("consultant.ana", 1440, 900, "+373 69 555 101"),
    "phone": ("consultant.ion", 360, 740, "+373 69 555 202"),
}


@pytest.fixture(params=DAYS)
def day(request, new_page, system, artifacts):
    system.expect_log(
        "odoo.http",
        "„.*” (nu poate trece încă la|cere un rezultat de cel puțin)",
        "the consultant is refused, in words, what is not ready",
    )
    # Cards that earlier tests left open would lie over a telephone's whole screen.
    system.wait_for("SELECT count(*) FROM oda_inbound WHERE state = 'new'", "0")
    system.psql("UPDATE oda_call_leg SET closed = true")
    return Day(request.param, new_page, system, artifacts)


class Day:
    """One person's browser, and what was made for the day."""

    def __init__(self, name, new_page, system, artifacts):
        self.name, self.system, self.artifacts = name, system, artifacts
        self.person, width, height, self.phone = DAYS[name]
        self.small = width < 500
        self.new_page = lambda: new_page(
            viewport={"width": width, "height": height},
            has_touch=self.small,
            is_mobile=self.small,
            locale="ro-RO",
            timezone_id="Europe/Chisinau",
        )
        self.who = f"Ileana Zamfir ({name})"
        self.case = f"Patiserie la Soroca ({name})"
        self.orphan = f"Fără pas următor ({name})"
        self.shots = 0

    def shot(self, what):
        self.shots += 1
        shot(self.page, self.artifacts, f"day-{self.name}-{self.shots:02}-{what}")

    def number(self, table, **where):
        wanted = " AND ".join(f"{name} = '{value}'" for name, value in where.items())
        return int(self.system.psql(f"SELECT id FROM {table} WHERE {wanted}"))

    def ref(self, name, module="oda_crm"):
        return int(
            self.system.psql(
                "SELECT res_id FROM ir_model_data "
                f"WHERE module = '{module}' AND name = '{name}'"
            )
        )

    def where_it_stands(self):
        return (
            "SELECT d.name FROM crm_lead l JOIN ir_model_data d "
            "ON d.model = 'crm.stage' AND d.res_id = l.stage_id "
            f"WHERE l.id = {self.lead}"
        )

    def open_tasks(self, lead):
        return self.system.psql(
            "SELECT count(*) FROM mail_activity WHERE active AND "
            f"res_model = 'crm.lead' AND res_id = {lead}"
        )

    def prepare(self):
        """Two consultations of one's own; SQL takes the task of one away."""
        page = login(self.new_page(), self.person)
        self.partner = create(page, "res.partner", name=self.who, phone=self.phone)
        opened = {"type": "opportunity", "team_id": self.ref("flow_ads")}
        user = self.number("res_users", login=self.person)
        opened |= {"partner_id": self.partner, "user_id": user}
        self.lead = create(page, "crm.lead", name=self.case, **opened)
        moved = {"stage_id": self.ref("stage_ads_contacted")}
        call(page, "crm.lead", "write", [self.lead], moved)
        self.lost = create(page, "crm.lead", name=self.orphan, **opened)
        create(
            page,
            "mail.activity",
            res_model_id=int(
                self.system.psql("SELECT id FROM ir_model WHERE model = 'crm.lead'")
            ),
            res_id=self.lead,
            activity_type_id=self.ref("mail_activity_data_todo", "mail"),
            summary=PROMISED,
            user_id=user,
            oda_due_at=self.system.psql(
                "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
            ),
        )
        page.context.close()
        on_it = f"res_model = 'crm.lead' AND res_id = {self.lost}"
        self.system.psql(f"DELETE FROM mail_activity WHERE {on_it}")
        self.system.psql(
            f"UPDATE crm_lead SET oda_next_step_missing = true WHERE id = {self.lost}"
        )


def test_day(day):
    day.prepare()
    day.page = page = login(day.new_page(), day.person)

    # In the morning: what has no next step is asked about, and cannot be put away.
    page.wait_for_selector(NEXT_STEP)
    assert day.orphan in page.inner_text(NEXT_STEP)
    day.shot("orphan")
    page.keyboard.press("Escape")
    assert page.is_visible(NEXT_STEP)
    plan(page, "De cerut extrasul de la registru")
    page.wait_for_selector(NEXT_STEP, state="detached")
    assert day.open_tasks(day.lost) == "1"

    # The day begins with what is to be done; a task is closed from there.
    page.wait_for_selector(".o_oda_day_lane[data-lane=today]")
    assert page.url.endswith("/my-day")
    promised = page.locator(".o_oda_day_entry", has_text=PROMISED)
    promised.wait_for()
    assert day.case in promised.inner_text()
    day.shot("my-day")
    promised.locator("[name=day_done]").click()
    page.fill(".modal textarea", SENT)
    page.click(".modal-footer .btn-primary >> nth=0")
    promised.wait_for(state="detached")
    assert day.open_tasks(day.lead) == "1"
    day.shot("my-day-after")

    # One's consultations, a flow at a time: the one looked at is remembered.
    page.goto("/odoo/action-crm.action_your_pipeline")
    chips = page.locator(".o_oda_flow_chips button")
    chips.first.wait_for()
    other = chips.filter(has_not_text="Reclamă").first
    name = other.inner_text().rsplit(None, 1)[0]
    other.click()
    page.wait_for_selector(f".o_oda_flow_chips .active >> text={name}")
    page.goto("/odoo/action-crm.action_your_pipeline")
    page.wait_for_selector(f".o_oda_flow_chips .active >> text={name}")
    assert page.locator(".o_kanban_group").count() <= 6, "columns of one flow"
    day.shot("my-consultations")

    # The kanban of one's flow, and on it the card.
    page.goto("/odoo/action-sales_team.crm_team_action_pipeline")
    page.locator(".o_kanban_record", has_text="Reclamă").first.click()
    card = page.locator(".o_kanban_record", has_text=day.case)
    card.wait_for()
    columns = page.locator(".o_kanban_group")
    assert columns.count() == 6, "the flow's own stages, and no others"
    card.scroll_into_view_if_needed()
    assert "Localitate" in card.locator(".o_oda_short").inner_text(), "what is missing"
    day.shot("kanban")
    card.get_by_text(day.case).click()

    # To go on: said before anything is refused; refused in words; filled in; moved.
    line = page.locator(".o_oda_to_go_on")
    line.wait_for()
    assert line.locator("button[data-name]").count() == 2
    day.shot("card")
    move_on(page, day)
    page.wait_for_selector(REFUSED)
    assert page.locator(f"{REFUSED} li").count() == 2
    assert day.system.psql(day.where_it_stands()) == "stage_ads_contacted"
    day.shot("refused")
    page.click(".modal-footer .btn-primary")
    form = ".modal .o_form_view"
    page.wait_for_selector(f"{form} [name=oda_locality_id] input")
    choose(page, "oda_locality_id", "Soroca", form)
    choose(page, "oda_activity_class_id", "Fabricarea pâinii", form)
    day.shot("fill-in")
    page.click(".modal .o_form_button_save")
    page.wait_for_selector(".modal", state="detached")
    day.system.wait_for(day.where_it_stands(), "stage_ads_needs")
    day.shot("moved")

    # A session, by the button on the card.
    press(page, day, "action_oda_new_session")
    text = page.locator(".o_oda_draft_text textarea")
    text.fill(ADVICE)
    tick = page.locator("[data-kind=tick] input[type=checkbox]").first
    tick.check()
    day.system.wait_for(
        "SELECT s.content, count(a.id) FROM oda_consultation_session s "
        "LEFT JOIN oda_instrument_answer a ON a.session_id = s.id "
        f"WHERE s.lead_id = {day.lead} GROUP BY s.id",
        f"{ADVICE}|1",
    )
    day.shot("session")
    page.click("[name=action_oda_end]")
    day.system.wait_for(
        "SELECT count(*) FROM oda_consultation_session "
        f"WHERE lead_id = {day.lead} AND ended_at IS NOT NULL",
        "1",
    )
    page.click("[name=action_oda_open_case]")
    page.wait_for_selector(".o_oda_next_step")

    # The task: no result of one word; what was written stays, and is written on.
    page.click("[name=next_step_done]")
    result = page.locator(".modal textarea")
    result.fill("ok")
    page.click(".modal-footer .btn-primary >> nth=0", force=True)
    page.locator(REFUSAL).first.wait_for()
    assert day.open_tasks(day.lead) == "1"
    assert result.input_value() == "ok"
    day.shot("result-refused")
    result.fill(RESULT)
    page.click(".modal-footer .btn-primary >> nth=0")

    # It was the last one: what comes next?
    page.wait_for_selector(NEXT_STEP)
    assert day.case in page.inner_text(NEXT_STEP)
    day.shot("next-step")
    plan(page, "De verificat oferta furnizorului")
    page.wait_for_selector(NEXT_STEP, state="detached")
    assert day.open_tasks(day.lead) == "1"
    page.wait_for_selector(".o_oda_next_step >> text=De verificat oferta")

    # All of it in one line of time.
    page.click(".o_notebook .nav-link >> text=Istoric")
    page.wait_for_selector(".o_oda_timeline_entry[data-kind=session]")
    story = page.inner_text(".o_oda_timeline")
    assert ADVICE in story
    assert RESULT in story
    page.locator(".o_oda_timeline").scroll_into_view_if_needed()
    day.shot("timeline")


def test_walk_in(day):
    """A card by hand: who is known is named; who is looked up by phone is found."""
    day.page = page = login(day.new_page(), day.person)
    page.goto("/odoo/action-contacts.action_contacts/new")
    page.wait_for_selector(".o_form_view [name=name] input, [name=name] textarea")
    page.get_by_label("Persoană").check()
    known = "069123456"  # Ion Munteanu of the demo data, as people write it
    page.fill(".o_form_view [name=phone] input", known)
    page.keyboard.press("Tab")
    warning = page.locator(".o_oda_duplicates")
    warning.wait_for()
    assert "Ion Munteanu" in warning.inner_text()
    day.shot("duplicate")
    number = day.phone.replace("555", "556")
    page.fill(".o_form_view [name=phone] input", number)
    page.keyboard.press("Tab")
    warning.wait_for(state="detached")
    name = f"Sofia Rotaru ({day.name})"
    page.locator(".o_form_view [name=name] :is(input, textarea)").first.fill(name)
    choose(page, "oda_locality_id", "Soroca", ".o_form_view")
    day.shot("walk-in")
    save(page)
    assert day.system.psql(
        "SELECT n.e164 FROM oda_phone n JOIN res_partner p ON p.id = n.partner_id "
        f"WHERE p.name = '{name}'"
    ) == number.replace(" ", "")

    page.goto("/odoo/action-contacts.action_contacts")
    if day.small:
        page.click(".o_control_panel button:has(.fa-search)")
    local = "0" + number.replace(" ", "").removeprefix("+373")
    page.fill(".o_searchview_input", local)
    # Enter means something once what it would search by is on the screen.
    page.locator(".o_searchview_autocomplete .focus").first.wait_for()
    page.keyboard.press("Enter")
    page.locator(".o_facet_value").wait_for()
    found = page.locator(".o_kanban_record:not(.o_kanban_ghost), .o_data_row")
    page.wait_for_function(
        "() => document.querySelectorAll("
        "'.o_kanban_record:not(.o_kanban_ghost), .o_data_row').length === 1"
    )
    assert name in found.inner_text()
    day.shot("found-by-phone")


def plan(page, what):
    """Answer the dialog: what comes next, tomorrow morning."""
    page.fill(f"{NEXT_STEP} input[name=summary]", what)
    page.locator(f"{NEXT_STEP} button[aria-pressed]").last.click()
    page.click(".modal [name=plan]")


def move_on(page, day):
    """Press the next stage in the status bar."""
    stages = page.locator(".o_statusbar_status button:visible")
    if day.small:
        stages.first.click()
        stages = page.locator(".o-dropdown-item:visible")
    stages.filter(has_text="Necesități").click()


def press(page, day, name):
    """Press a button of the header; on a phone they are in a menu."""
    button = page.locator(f"[name={name}]:visible")
    if not button.count():
        page.locator(".o_statusbar_buttons .dropdown-toggle:visible").last.click()
    button.first.click()
