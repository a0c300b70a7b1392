# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Lines of the server's log that are not our doing, each with its reason.

Everything else at WARNING or above, and any traceback, fails the gate. An entry names
the logger exactly and the message from its beginning, so that it cannot hide more than
it was made for. A line of our own addons cannot be allowed here: use ``mute_logger``
or ``assertLogs`` in the test that provokes it.
"""

# (logger, regular expression at the start of the message, reason)
ALLOWED = (
    (
        "py.warnings",
        r"\S*/PyPDF2/__init__\.py:\d+: DeprecationWarning: PyPDF2 is deprecated",
        "Odoo 19 still imports PyPDF2 when pypdf is also there",
    ),
    (
        "py.warnings",
        r"\S*/docutils/\S+:\d+: (Pending)?DeprecationWarning",
        "Odoo renders module descriptions with docutils' old settings",
    ),
    (
        "odoo.sql_db",
        r"bad query: b?['\"]\s*UPDATE \"discuss_channel_member\""
        r"[\s\S]*could not serialize access due to concurrent update",
        "two requests of one browser touch the same row of Discuss; Odoo logs the "
        "lost race and repeats the request",
    ),
)
