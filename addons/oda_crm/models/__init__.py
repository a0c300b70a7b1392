# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    base_partner_merge,
    ir_module_module,
    oda_consultation_session,
    crm_lead,
    res_partner,
    oda_card_layout,
    oda_card_group,
    oda_card_field,
    oda_card_option,
    oda_new_field,
    ir_model_fields_card,
    ir_http_layout,
    crm_team_layout,
    crm_lead_layout,
    crm_lead_words,
    res_partner_layout,
)
