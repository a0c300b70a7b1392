# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import test_find_or_open, test_names, test_session, test_rights
from . import test_rights_plain, test_right_matrix, test_right_change, test_right_scope
from . import test_export_guard
from . import test_importing_plain, test_import, test_import_committed
