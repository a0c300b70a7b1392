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
    # an Asterisk: these extend what is above
    oda_connector_account_asterisk,
    oda_pbx_listener,
    oda_call_asterisk,
    oda_recording_asterisk,
    oda_event_asterisk,
    oda_health,
)
