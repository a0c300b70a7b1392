# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import test_find_or_open, test_names, test_session, test_rights
from . import test_layout_pure, test_card_layout, test_new_field
