# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""An administrator sets up a flow; a colleague's open browser works by it at once.

A flow with its people and stages, a field, an instrument and rules are made by clicking
in the web client; the colleague's open card changes without a reload, the server is not
started again and nobody logs in again.
"""

import pytest

from tests.helpers.login import login
from tests.helpers.webclient import choose, create, save, shot

FLOW = "Incubator de afaceri"
FIRST, LAST = "Înscris la incubator", "Rezident al incubatorului"
INSTRUMENT = "Spațiu în incubator"
FIELD = "Suprafața dorită"
WIDTH, HEIGHT = 1440, 900


@pytest.fixture
def desks(new_page):
    """The administrator's browser and the consultant's, both open all the time."""
    where = {"locale": "ro-RO", "timezone_id": "Europe/Chisinau"}
    size = {"width": WIDTH, "height": HEIGHT}
    return (
        login(new_page(viewport=size, **where), "admin.andrei"),
        login(new_page(viewport=size, **where), "consultant.ana"),
    )


def test_new_flow_works_in_an_open_browser(desks, system, artifacts):
    system.expect_log(
        "odoo.http",
        f"„.*” nu poate trece încă la „{LAST}”",
        "the new rule refuses the consultant at once",
    )
    admin, ana = desks
    flows(ana)
    assert not ana.get_by_text(FLOW).count()

    make_flow(admin, system, artifacts)
    make_stages(admin, artifacts)

    # The consultant opens a consultation of the flow, and leaves it open.
    flows(ana)
    ana.locator(".o_kanban_record", has_text=FLOW).first.click()
    ana.wait_for_selector(".o_kanban_group")
    names = ana.locator(".o_kanban_group .o_column_title").all_inner_texts()
    assert [name.strip() for name in names] == [FIRST, LAST]
    shot(ana, artifacts, "admin-5-consultant-kanban")
    lead = open_card(ana, system)
    line = ana.locator(".o_oda_to_go_on")
    line.get_by_text(LAST).wait_for()
    assert not asked(line)

    # A field: the open card has it without a reload. An instrument to advise on.
    ana.evaluate("window.notReloaded = true")
    make_field(admin, artifacts)
    field = ana.locator(".o_oda_group .o_field_widget[name^='x_oda_suprafata']")
    field.wait_for()
    make_instrument(admin, artifacts)

    # The rules, in the grid; the line of the open card follows each change.
    open_grid(admin)
    pick(admin, INSTRUMENT)
    cell(admin, INSTRUMENT).locator(".o_oda_cell_add").click()
    number = cell(admin, FIELD).locator("input")
    number.fill("2")
    number.press("Tab")
    cell(admin, FIELD).locator(".o_oda_cell_more").click()
    admin.locator(".o_oda_cell_popover [name=strict]").check()
    admin.keyboard.press("Escape")
    words = admin.locator(".o_oda_rules_card .badge")
    words.nth(1).wait_for()
    assert INSTRUMENT in words.nth(0).inner_text()
    assert FIELD in words.nth(1).inner_text()
    admin.locator(".o_oda_rules_held strong", has_text="1").wait_for()
    shot(admin, artifacts, "admin-4-grid")
    save_grid(admin)
    line.locator("button[data-name]").nth(1).wait_for()
    assert [INSTRUMENT in asked(line)[0], FIELD in asked(line)[1]] == [True, True]
    shot(ana, artifacts, "admin-6-consultant-card")

    # One more, and taken back again.
    more = system.psql(
        "SELECT coalesce(field_description->>'ro_RO', field_description->>'en_US') "
        "FROM ir_model_fields WHERE model = 'crm.lead' AND name = 'referred'"
    )
    pick(admin, more)
    cell(admin, more).locator(".o_oda_cell_add").click()
    save_grid(admin)
    line.locator("button[data-name]").nth(2).wait_for()
    admin.click(".o_oda_rules_undo")
    line.locator("button[data-name]").nth(2).wait_for(state="detached")
    assert len(asked(line)) == 2
    assert ana.evaluate("window.notReloaded"), "the consultant's page was loaded anew"

    # It binds: refused, advised on, answered, moved.
    ana.locator(".o_statusbar_status button:visible", has_text=LAST).click()
    ana.wait_for_selector(".o_oda_stage_dialog")
    assert INSTRUMENT in ana.inner_text(".o_oda_stage_dialog")
    shot(ana, artifacts, "admin-7-consultant-refused")
    ana.keyboard.press("Escape")
    ana.wait_for_selector(".modal", state="detached")
    ana.click("[name=action_oda_new_session]")
    ana.fill("input[type=search]", INSTRUMENT)
    ana.locator(".o_oda_instrument", has_text=INSTRUMENT).locator("input").check()
    ana.fill(".o_oda_draft_text textarea", "Vrea 40 m² cu ventilație.")
    system.wait_for(
        "SELECT count(*) FROM oda_instrument_answer a JOIN oda_consultation_session s "
        f"ON s.id = a.session_id WHERE s.lead_id = {lead}",
        "1",
    )
    shot(ana, artifacts, "admin-8-consultant-session")
    ana.click("[name=action_oda_open_case]")
    line.locator("button[data-name]").first.wait_for()
    assert len(asked(line)) == 1, "only the field is left"
    line.locator("button[data-name]").first.click()
    field.locator("input").fill("40")
    field.locator("input").press("Tab")
    save(ana)
    ana.click(".o_oda_move_on")
    system.wait_for(
        "SELECT s.name->>'ro_RO' FROM crm_lead l JOIN crm_stage s ON s.id = l.stage_id "
        f"WHERE l.id = {lead}",
        LAST,
    )
    shot(ana, artifacts, "admin-9-consultant-moved")


# -- the administrator -----------------------------------------------------------------


def make_flow(admin, system, artifacts):
    """A flow of its own stages, one after another, with the consultant in it."""
    admin.goto("/odoo/action-sales_team.crm_team_action_config/new")
    admin.locator("[name=name] input").first.fill(FLOW)
    person = system.psql(
        "SELECT p.name FROM res_users u JOIN res_partner p ON p.id = u.partner_id "
        "WHERE u.login = 'consultant.ana'"
    )
    admin.click(".o_notebook .nav-link[name=members_users]")
    admin.locator("[name=member_ids] .o-kanban-button-new").click()
    dialog = admin.locator(".modal")
    dialog.locator(".o_searchview_input").fill(person)
    dialog.locator(".o_searchview_input").press("Enter")
    dialog.locator(".o_facet_value").first.wait_for()
    found = dialog.locator(".o_data_row", has_text=person)
    found.locator(".o_data_cell").first.click()
    admin.wait_for_selector(".modal", state="detached")
    admin.locator("[name=member_ids] .o_kanban_record", has_text=person).wait_for()
    admin.click(".o_notebook .nav-link[name=oda_moves]")
    admin.locator("[name=oda_own_stages] input").check()
    admin.locator("[name=oda_ordered] input").check()
    shot(admin, artifacts, "admin-1-flow")
    save(admin)


def make_stages(admin, artifacts):
    """Its two stages, by the button of the grid that has none yet."""
    admin.goto("/odoo/oda-stage-rules")
    admin.select_option(".o_oda_rules select[name=flow]", label=FLOW)
    admin.click(".o_oda_rules p .btn-primary")
    admin.wait_for_selector(".o_list_view")
    for name in (FIRST, LAST):
        admin.click(".o_list_button_add:visible")
        row = admin.locator(".o_selected_row")
        row.locator("[name=name] input").fill(name)
        row.locator("[name=team_ids] .o_tag", has_text=FLOW).wait_for()
        admin.locator(
            ".o_list_button_save:visible, .o_form_button_save:visible"
        ).click()
        admin.locator(".o_selected_row").wait_for(state="detached")
    shot(admin, artifacts, "admin-2-stages")


def make_field(admin, artifacts):
    """A field of the consultation, by the screen of what the card shows."""
    admin.goto("/odoo/oda-card")
    admin.get_by_role("button", name="Câmp nou").click()
    form = ".modal .o_form_view"
    admin.fill(f"{form} [name=label_ro] input", FIELD)
    kind = admin.locator(f"{form} [name=kind]").locator("input, select").first
    kind.click()
    admin.locator(".o_select_menu_item", has_text="Număr întreg").first.click()
    shot(admin, artifacts, "admin-3-field")
    admin.click(".modal [name=action_make]")
    admin.wait_for_selector(".modal", state="detached")


def make_instrument(admin, artifacts):
    admin.goto("/odoo/action-oda_crm.action_oda_instrument/new")
    admin.locator(".o_form_view [name=name] input").first.fill(INSTRUMENT)
    choose(admin, "group_id", "Programe", ".o_form_view")
    choose(admin, "team_ids", FLOW, ".o_form_view")
    shot(admin, artifacts, "admin-3-instrument")
    save(admin)


def open_grid(admin):
    """The grid of the flow: this browser remembers which was looked at last."""
    admin.goto("/odoo/oda-stage-rules")
    chosen = admin.locator(".o_oda_rules select[name=flow]")
    chosen.wait_for()
    assert chosen.evaluate("one => one.selectedOptions[0].label") == FLOW


def pick(admin, label):
    """Find something to ask for, and have a row for it."""
    if row(admin, label).count():
        return
    box = admin.locator(".o_oda_rules_picker input").first
    box.click()
    box.fill(label)
    # the list is whole until what was typed has narrowed it
    first = admin.locator(".o_select_menu_item >> nth=0").filter(has_text=label)
    first.wait_for()
    first.click()
    row(admin, label).wait_for()


def row(admin, label):
    return admin.locator(".o_oda_rules tr[data-row]", has_text=label).first


def cell(admin, label, stage=FIRST):
    heads = admin.locator(".o_oda_rules th[data-stage-head]")
    id_ = heads.filter(has_text=stage).get_attribute("data-stage-head")
    return row(admin, label).locator(f"td[data-stage='{id_}']")


def save_grid(admin):
    admin.click(".o_oda_rules_save")
    admin.locator(".o_oda_rules_save[disabled]").wait_for()


# -- the consultant --------------------------------------------------------------------


def flows(page):
    page.goto("/odoo/action-sales_team.crm_team_action_pipeline")
    page.wait_for_selector(".o_kanban_record:not(.o_kanban_ghost)")


def open_card(ana, system):
    """A consultation of the flow, opened; its id."""
    flow = system.psql(f"SELECT id FROM crm_team WHERE name->>'ro_RO' = '{FLOW}'")
    user = system.psql("SELECT id FROM res_users WHERE login = 'consultant.ana'")
    partner = system.psql("SELECT id FROM res_partner WHERE name = 'Natalia Borș'")
    lead = create(
        ana,
        "crm.lead",
        name="Loc pentru laboratorul de cofetărie",
        type="opportunity",
        team_id=int(flow),
        partner_id=int(partner),
        user_id=int(user),
    )
    ana.goto(f"/odoo/crm.lead/{lead}")
    return lead


def asked(line):
    """What the line under the status bar asks for, in order."""
    return line.locator("button[data-name]").all_inner_texts()
