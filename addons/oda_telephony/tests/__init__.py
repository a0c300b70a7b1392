# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    test_adversary,
    test_call_instruments,
    test_call,
    test_callstate,
    test_callstate_order,
    test_card,
    test_dial,
    test_endpoint,
    test_exchange_machine,
    test_merge_fuzz,
    test_moldcell_parse,
    test_reconcile,
    test_recording,
    test_rights,
    test_timeline,
    test_screens,
)
