# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from .models.oda_event import drop_append_only


def post_init_hook(env):
    """Bring what already stands in the database under the addon's roof."""
    env["oda.phone"]._backfill()
    env["oda.day"]._seed()
    # Who has chosen hours of their own keeps them.
    _change_hours(env, "resource.resource_calendar_std", "oda_base.calendar_centre")


def uninstall_hook(env):
    """Take back what is not a model's: hours of companies, the journal's trigger."""
    _change_hours(env, "oda_base.calendar_centre", "resource.resource_calendar_std")
    drop_append_only(env.cr)


def _change_hours(env, old, new):
    """Give companies that keep the hours `old` the hours `new` (external ids)."""
    old = env.ref(old, raise_if_not_found=False)
    new = env.ref(new, raise_if_not_found=False)
    if old and new:
        companies = env["res.company"].search([("resource_calendar_id", "=", old.id)])
        companies.resource_calendar_id = new
