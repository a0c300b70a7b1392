# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from .models.oda_event import drop_append_only


def post_init_hook(env):
    """Bring what already stands in the database under the addon's roof."""
    env["oda.phone"]._backfill()
    env["oda.day"]._seed()


def uninstall_hook(env):
    """The journal's trigger function is not a model's: remove it by hand."""
    drop_append_only(env.cr)
