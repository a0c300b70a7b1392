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
    """The whole numbers among what somebody sent that can be ids."""
    if not isinstance(values, list | tuple | set):
        return []
    return [one for one in values if type(one) is int and 0 < one < 2**31]


def given(model, names, vals, new=False):
    """The fields among ``names`` that a person gives a record by hand.

    For what the system alone sets. Of a new record the defaults of the context count
    as well, which anybody can send.

    :param set names: of fields
    :return set: those given; none for the superuser
    """
    if model.env.su:
        return set()
    context = model.env.context if new else {}
    return {name for name in names if name in vals or context.get(f"default_{name}")}
