# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    base_partner_merge,
    ir_module_module,
    oda_instrument_group,
    oda_instrument,
    oda_instrument_option,
    oda_instrument_version,
    oda_instrument_answer,
    oda_consultation_session,
    oda_consultation_session_text,
    oda_consultation_session_form,
    oda_consultation_session_answers,
    crm_lead,
    crm_lead_form,
    res_partner,
    res_partner_form,
)
