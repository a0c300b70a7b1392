# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).

from .models.oda_locality_load import EDITION

NAMED = ("ir.ui.menu", "ir.actions.act_window", "crm.stage", "mail.message.subtype")
BATCH = 50_000


def post_init_hook(env):
    """Consultations that were there before the addon: who advises, what comes next.

    Set-based, as the night does it; the tasks that are missing are planned by the
    nightly job, which is woken at once: nobody waits behind a flag until the morning.
    """
    env.cr.execute(
        "SELECT DISTINCT partner_id FROM crm_lead "
        "WHERE user_id IS NOT NULL AND partner_id IS NOT NULL"
    )
    ids = [row[0] for row in env.cr.fetchall()]
    for start in range(0, len(ids), BATCH):
        env["res.partner"].browse(ids[start : start + BATCH])._oda_refresh_adviser()
    env["crm.lead"]._oda_flag_again()
    if env["crm.lead"].search_count([("oda_next_step_missing", "=", True)], limit=1):
        env.ref("oda_crm.cron_repair_next_steps")._trigger()


def uninstall_hook(env):
    """Give core's menus their own names back."""
    for xmlid, name in (
        ("crm.crm_menu_root", "CRM"),
        ("crm.menu_crm_opportunities", "My Pipeline"),
        ("crm.crm_menu_sales", "Sales"),
        ("crm.crm_lead_menu_my_activities", "My Activities"),
        ("crm.sales_team_menu_team_pipeline", "Teams"),
        ("crm.crm_team_config", "Sales Teams"),
        ("crm.menu_crm_config_opportunity", "Opportunities"),
        ("crm.menu_crm_config_lead", "Pipeline"),
        ("crm.menu_crm_lost_reason", "Lost Reasons"),
        ("crm.crm_opportunity_report_menu", "Pipeline"),
        ("crm.crm_activity_report_menu", "Activities"),
        ("crm.res_partner_menu_customer", "Customers"),
        ("crm.crm_lead_action_pipeline", "Pipeline"),
        ("crm.crm_lead_opportunities", "Opportunities"),
        ("crm.crm_lead_action_my_activities", "My Activities"),
        ("crm.crm_opportunity_report_action", "Pipeline Analysis"),
        ("crm.crm_activity_report_action", "Activities"),
        ("crm.crm_lost_reason_action", "Lost Reasons"),
        ("sales_team.crm_team_action_pipeline", "Teams"),
        ("sales_team.crm_team_action_config", "Sales Teams"),
        ("crm.crm_case_form_view_salesteams_opportunity", "Opportunities"),
        ("crm.crm_lead_action_team_overdue_opportunity", "Overdue Opportunities"),
        ("crm.action_opportunity_form", "New Opportunity"),
        ("crm.action_report_crm_opportunity_salesteam", "Pipeline Analysis"),
        ("crm.crm_activity_report_action_team", "Pipeline Activities"),
        ("crm.crm_lead_lost_action", "Mark Lost"),
        ("crm.action_merge_opportunities", "Merge"),
        ("sales_team.crm_team_action_sales", "Sales Teams"),
        ("sales_team.crm_team_member_action", "Teams Members"),
        ("crm.mt_lead_create", "Opportunity Created"),
        ("crm.mt_lead_won", "Opportunity Won"),
        ("crm.mt_lead_lost", "Opportunity Lost"),
        ("crm.mt_lead_restored", "Opportunity Restored"),
        ("crm.mt_salesteam_lead", "Opportunity Created"),
        ("crm.mt_salesteam_lead_stage", "Opportunity Stage Changed"),
        ("crm.mt_salesteam_lead_won", "Opportunity Won"),
        ("crm.mt_salesteam_lead_lost", "Opportunity Lost"),
        ("crm.mt_salesteam_lead_restored", "Opportunity Restored"),
    ):
        record = env.ref(xmlid, raise_if_not_found=False)
        if record:
            record.name = name
    for name, words in (
        ("create", "Lead/Opportunity created"),
        ("won", "Opportunity won"),
        ("lost", "Opportunity lost"),
        ("restored", "Opportunity restored"),
    ):
        if record := env.ref(f"crm.mt_lead_{name}", raise_if_not_found=False):
            record.description = words
    if action := env.ref("crm.action_crm_send_mass_convert", raise_if_not_found=False):
        action.binding_model_id = env.ref("crm.model_crm_lead")
    if action := env.ref("contacts.action_contacts", raise_if_not_found=False):
        action.context = "{'default_is_company': True}"
    if menu := env.ref("crm.res_partner_menu_customer", raise_if_not_found=False):
        menu.action = env.ref("base.action_partner_form")
    for name in ("crm_menu_forecast", "crm_opportunity_report_menu_lead"):
        if menu := env.ref(f"crm.{name}", raise_if_not_found=False):
            menu.active = True
    _keep_flows_in_use(env)
    env["ir.config_parameter"].search([("key", "=", EDITION)]).unlink()
    # Their tables go with the addon; they would hold back what they point to.
    env.cr.execute(
        "DELETE FROM oda_instrument_answer; "
        "DELETE FROM oda_consultation_session_text; "
        "DELETE FROM oda_consultation_session"
    )
    for addon in ("crm", "sales_team"):
        records = env["ir.model.data"].search(
            [
                ("module", "=", addon),
                ("model", "in", NAMED),
            ]
        )
        names = [f"{addon}.{record.name}" for record in records]
        env["ir.module.module"]._oda_load_names(addon, names)


def _keep_flows_in_use(env):
    """Leave flows and stages that consultations stand in: they are people's own now."""
    leads = env["crm.lead"].with_context(active_test=False)
    stages = env["crm.stage"].union(
        *(one[0] for one in leads._read_group([], ["stage_id"]))
    )
    teams = env["crm.team"].union(
        *(one[0] for one in leads._read_group([], ["team_id"]))
    )
    flows = teams | stages.team_ids
    for records in (stages, flows, flows.alias_id):
        env["ir.model.data"].search(
            [
                ("module", "=", "oda_crm"),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
            ]
        ).unlink()
