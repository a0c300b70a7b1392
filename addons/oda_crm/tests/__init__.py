# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import (
    test_find_or_open,
    test_names,
    test_session,
    test_session_doors,
    test_rights,
    test_rules_pure,
    test_stage_rule,
    test_results,
    test_duetime,
    test_tasks,
    test_tasks_http,
)
