# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    oda_connector_account,
    oda_inbound,
    oda_inbound_intake,
    oda_refusal,
    oda_outbound,
    oda_event,
    oda_phone,
    oda_phone_bulk,
    oda_claim,
    res_partner,
    base_partner_merge,
    resource_calendar_leaves,
    oda_day,
    oda_worktime,
    oda_health,
)
