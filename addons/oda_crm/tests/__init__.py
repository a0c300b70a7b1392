# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from . import test_find_or_open, test_names, test_session, test_rights
from . import test_segments_plain, test_segment, test_event_seats, test_cold_list
from . import test_programme, test_news_committed, test_unsubscribe
