# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import oda_consultation_session, crm_lead, res_partner
