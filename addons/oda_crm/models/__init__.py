# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    base_partner_merge,
    ir_module_module,
    oda_consultation_session,
    oda_event,
    crm_lead,
    res_partner,
)
