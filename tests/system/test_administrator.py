# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""An administrator sets up a flow; a colleague's open browser works by it at once.

A flow with two stages, a field, an instrument and rules are made in the web client;
the server is not started again and nobody logs in again.
"""

import pytest

from tests.helpers.login import login
from tests.helpers.webclient import call, choose, create, save, shot

FLOW = "Incubator de afaceri"
FIRST, LAST = "Înscris la incubator", "Rezident al incubatorului"
INSTRUMENT = "Spațiu în incubator"
PROPERTY = "Suprafața dorită"
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

    # The flow, of its own stages, one after another.
    admin.goto("/odoo/action-sales_team.crm_team_action_config/new")
    admin.locator("[name=name] input").first.fill(FLOW)
    admin.click(".o_notebook .nav-link[name=oda_moves]")
    admin.locator("[name=oda_own_stages] input").check()
    admin.locator("[name=oda_ordered] input").check()
    shot(admin, artifacts, "admin-1-flow")
    save(admin)
    flow = int(system.psql(f"SELECT id FROM crm_team WHERE name->>'ro_RO' = '{FLOW}'"))
    user = int(system.psql("SELECT id FROM res_users WHERE login = 'consultant.ana'"))
    call(admin, "crm.team", "write", [flow], {"member_ids": [[4, user]]})

    # Its two stages.
    for name in (FIRST, LAST):
        admin.goto("/odoo/action-oda_crm.action_oda_stage/new")
        admin.locator(".o_form_view [name=name] input").first.fill(name)
        choose(admin, "team_ids", FLOW, ".o_form_view")
        shot(admin, artifacts, f"admin-2-stage-{1 + (name == LAST)}")
        save(admin)

    # A field of the flow, and an instrument to advise on.
    definition = [{"name": "space", "string": PROPERTY, "type": "integer"}]
    values = {"lead_properties_definition": definition}
    call(admin, "crm.team", "write", [flow], values)
    admin.goto("/odoo/action-oda_crm.action_oda_instrument/new")
    admin.locator(".o_form_view [name=name] input").first.fill(INSTRUMENT)
    choose(admin, "group_id", "Programe", ".o_form_view")
    choose(admin, "team_ids", FLOW, ".o_form_view")
    shot(admin, artifacts, "admin-3-instrument")
    save(admin)

    # What has to be there before a consultation goes on: the instrument, the field.
    admin.goto("/odoo/action-oda_crm.action_oda_stage_rule/new")
    choose(admin, "team_id", FLOW, ".o_form_view")
    choose(admin, "stage_id", FIRST, ".o_form_view")
    kind = admin.locator(".o_form_view [name=kind]")
    kind.locator("input, select").first.click()
    admin.locator(".o_select_menu_item, option", has_text="Instrument").first.click()
    choose(admin, "instrument_id", INSTRUMENT, ".o_form_view")
    shot(admin, artifacts, "admin-4-rule")
    save(admin)
    first = system.psql(f"SELECT id FROM crm_stage WHERE name->>'ro_RO' = '{FIRST}'")
    rule = {"team_id": flow, "stage_id": int(first), "kind": "property"}
    create(admin, "oda.stage.rule", path="lead_properties.space", sequence=20, **rule)

    # The consultant, in the browser that was open all the time.
    flows(ana)
    ana.locator(".o_kanban_record", has_text=FLOW).first.click()
    ana.wait_for_selector(".o_kanban_group")
    names = ana.locator(".o_kanban_group .o_column_title").all_inner_texts()
    assert [name.strip() for name in names] == [FIRST, LAST]
    shot(ana, artifacts, "admin-5-consultant-kanban")
    partner = int(system.psql("SELECT id FROM res_partner WHERE name = 'Natalia Borș'"))
    lead = create(
        ana,
        "crm.lead",
        name="Loc pentru laboratorul de cofetărie",
        type="opportunity",
        team_id=flow,
        partner_id=partner,
        user_id=user,
    )
    ana.goto(f"/odoo/crm.lead/{lead}")
    line = ana.locator(".o_oda_to_go_on")
    line.wait_for()
    asked = line.locator("button[data-name]").all_inner_texts()
    assert len(asked) == 2
    assert INSTRUMENT in asked[0]
    assert PROPERTY in asked[1]
    assert LAST in line.inner_text()
    shot(ana, artifacts, "admin-6-consultant-card")
    ana.locator(".o_statusbar_status button:visible", has_text=LAST).click()
    ana.wait_for_selector(".o_oda_stage_dialog")
    assert INSTRUMENT in ana.inner_text(".o_oda_stage_dialog")
    shot(ana, artifacts, "admin-7-consultant-refused")
    ana.keyboard.press("Escape")
    ana.wait_for_selector(".modal", state="detached")

    # Advised on, answered, moved.
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
    line.wait_for()
    assert line.locator("button[data-name]").count() == 1, "only the field is left"
    call(ana, "crm.lead", "write", [lead], {"lead_properties": {"space": 40}})
    ana.reload()
    ana.click(".o_oda_move_on")
    system.wait_for(
        "SELECT s.name->>'ro_RO' FROM crm_lead l JOIN crm_stage s ON s.id = l.stage_id "
        f"WHERE l.id = {lead}",
        LAST,
    )
    shot(ana, artifacts, "admin-9-consultant-moved")


def flows(page):
    page.goto("/odoo/action-sales_team.crm_team_action_pipeline")
    page.wait_for_selector(".o_kanban_record:not(.o_kanban_ghost)")
