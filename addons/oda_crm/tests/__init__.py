# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import test_find_or_open, test_names, test_session, test_rights
from . import test_identity, test_beneficiary_card, test_consent
from . import test_duplicates, test_merge, test_name_search, test_timeline
