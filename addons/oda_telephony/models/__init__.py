# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    oda_connector_account,
    oda_pbx_user,
    oda_call,
    oda_call_processing,
    oda_call_merge,
    oda_call_card,
    oda_call_instruments,
    oda_call_leg,
    oda_recording,
    oda_event,
    res_partner,
    crm_lead,
    oda_timeline,
    oda_my_day,
)
