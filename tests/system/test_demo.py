# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What somebody who runs the suite for the first time finds in it."""

OURS = "JOIN ir_model_data d ON d.module = 'oda_crm' AND d.name LIKE 'demo\\_%' AND"
LEADS = f"FROM crm_lead l {OURS} d.model = 'crm.lead' AND d.res_id = l.id"


def test_beneficiaries(system):
    ours = f"FROM res_partner p {OURS} d.model = 'res.partner' AND d.res_id = p.id"
    assert system.psql(f"SELECT count(*) {ours}") == "40"
    phones = f"SELECT count(*) {ours} WHERE phone NOT LIKE '+373 %' OR phone IS NULL"
    assert system.psql(phones) == "0"
    assert int(system.psql(f"SELECT count(*) {ours} WHERE is_company")) >= 10
    assert int(system.psql(f"SELECT count(*) {ours} WHERE lang = 'ru_RU'")) >= 5
    consents = f"SELECT count(DISTINCT p.id) {ours} JOIN oda_consent c "
    assert int(system.psql(consents + "ON c.partner_id = p.id")) >= 30


def test_consultations_in_every_state(system):
    assert system.psql(f"SELECT count(*) {LEADS}") == "60"
    states = system.psql(
        "SELECT t.oda_kind, count(*) FILTER (WHERE won_status = 'pending') > 0, "
        "count(*) FILTER (WHERE won_status = 'won') > 0, "
        "count(*) FILTER (WHERE won_status = 'lost') > 0 "
        f"{LEADS} JOIN crm_team t ON t.id = l.team_id GROUP BY 1 ORDER BY 1"
    )
    assert states.split() == ["ads|t|t|t", "cold|t|t|t", "department|t|t|t"]
    empty = system.psql(
        "SELECT s.name->>'en_US' FROM crm_stage s "
        "JOIN crm_stage_crm_team_rel r ON r.crm_stage_id = s.id "
        "JOIN ir_model_data x ON x.model = 'crm.team' AND x.res_id = r.crm_team_id "
        "AND x.module = 'oda_crm' "
        f"WHERE NOT EXISTS (SELECT 1 {LEADS} WHERE l.stage_id = s.id)"
    )
    assert empty == "", "a stage of a ready flow is empty"


def test_nothing_is_owed_but_what_is_shown(system):
    """No demo person meets a dialog at the first login; late and stale are there."""
    missing = f"SELECT count(*) {LEADS} WHERE oda_next_step_missing"
    assert system.psql(missing) == "0"
    stale = f"SELECT count(DISTINCT oda_stale_level) {LEADS} WHERE oda_stale_level > 0"
    assert int(system.psql(stale)) >= 2
    late = "oda_due_at < now() AT TIME ZONE 'UTC' AND a.active"
    overdue = (
        f"SELECT count(*) {LEADS} JOIN mail_activity a ON a.res_model = 'crm.lead' "
        f"AND a.res_id = l.id AND {late}"
    )
    assert int(system.psql(overdue)) >= 5
    nobodys = f"SELECT count(*) {LEADS} WHERE user_id IS NULL"
    assert int(system.psql(nobodys)) >= 3


def test_nobody_from_odoos_own_demo(system):
    foreign = (
        "SELECT {0}.id FROM {0} JOIN ir_model_data d ON d.model = '{1}' "
        "AND d.res_id = {0}.id WHERE d.module NOT LIKE 'oda\\_%' AND {0}.active"
    )
    assert system.psql(foreign.format("crm_lead", "crm.lead")) == ""
    assert system.psql(foreign.format("event_event", "event.event")) == ""
    people = system.psql(
        "SELECT p.name FROM res_partner p JOIN ir_model_data d ON d.res_id = p.id "
        "AND d.model = 'res.partner' AND d.module NOT LIKE 'oda\\_%' WHERE p.active "
        "AND NOT EXISTS (SELECT 1 FROM res_users u WHERE u.partner_id = p.id) "
        "AND NOT EXISTS (SELECT 1 FROM res_company c WHERE c.partner_id = p.id)"
    )
    assert people == ""
