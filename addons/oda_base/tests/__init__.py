# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import test_plain, test_connectors, test_inbound_http, test_inbound_drain
from . import test_account, test_event, test_health, test_access, test_outbound
from . import test_inbound_committed, test_outbound_committed
