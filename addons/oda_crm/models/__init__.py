# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    ir_module_module,
    oda_consultation_session,
    crm_lead,
    res_partner,
    oda_locality,
    oda_activity_class,
    oda_consent,
    oda_timeline,
    oda_timeline_sources,
    res_partner_card,
    res_partner_consent,
    res_partner_duplicates,
    res_partner_search,
    res_partner_timeline,
    crm_lead_timeline,
    base_partner_merge,
)
