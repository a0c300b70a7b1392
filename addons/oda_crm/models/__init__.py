# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    base_partner_merge,
    ir_module_module,
    oda_consultation_session,
    crm_lead,
    res_partner,
    oda_stage_rule,
    oda_stage_rule_answers,
    crm_team_rules,
    crm_stage_rules,
    crm_lead_flow,
    crm_lead_refusals,
    crm_lead_rules,
    crm_lead_to_go_on,
    res_partner_rules,
    ir_model_fields,
    mail_activity_type,
)
