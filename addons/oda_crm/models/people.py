# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
def is_system(env):
    """True for the superuser and the connectors, False for users who log in.

    Bans on the way of working bind people only; the system is never refused, what
    it leaves undone is repaired.
    """
    if env.su:
        return True
    connector = env["ir.model.data"]._xmlid_to_res_id("oda_base.user_connector")
    return env.uid == connector


def whole(values):
    """The whole numbers among what somebody sent: ids, at most."""
    return [one for one in values if type(one) is int]
