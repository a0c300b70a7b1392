# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Doors of the server's paid helpers: which are shut, and what they leave on screen."""

from ast import literal_eval

#: a name that can never exist (RFC 2606): see data/oda_outside_hosts.xml
SHUT = "closed.invalid"
#: helper -> system parameter with its address
DOORS = {
    "enrich": "enrich.endpoint",
    "mine": "reveal.endpoint",
    "sms": "sms.endpoint",
    "autocomplete": "iap.partner_autocomplete.endpoint",
}
_BUTTONS = {"enrich": ("iap_enrich",), "mine": ("action_generate_leads",)}
_WIDGETS = ("field_partner_autocomplete", "res_partner_many2one")


def strip(arch, shut, sms_actions=()):
    """Take what belongs to shut helpers out of a view; change ``arch`` in place.

    :param arch: etree element of a combined view
    :param shut: names of helpers (keys of `DOORS`) whose address leads nowhere
    :param sms_actions: ids of the actions that open the SMS composer
    """
    names = {name for helper in shut for name in _BUTTONS.get(helper, ())}
    if "sms" in shut:
        names.update(str(one) for one in sms_actions)
    for button in arch.xpath("//button[@name]"):
        if button.get("name") in names:
            _remove(button)
    if "autocomplete" in shut:
        for field in arch.xpath("//field[@widget]"):
            if field.get("widget") in _WIDGETS:
                del field.attrib["widget"]
    if "sms" in shut:
        for field in arch.xpath("//field[@widget='phone']"):
            _set_option(field, "enable_sms", False)


def _remove(node):
    """Remove a node, not the text behind it."""
    if node.tail:
        previous = node.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + node.tail
        else:
            parent = node.getparent()
            parent.text = (parent.text or "") + node.tail
    node.getparent().remove(node)


def _set_option(field, name, value):
    try:
        options = literal_eval(_python(field.get("options") or "{}"))
    except (ValueError, SyntaxError):
        return  # not a plain dictionary: somebody else's, left alone
    if isinstance(options, dict):
        field.set("options", repr({**options, name: value}))


def _python(text):
    """Options are written like Python or like JSON; literals of both are read."""
    for json, python in (("true", "True"), ("false", "False"), ("null", "None")):
        text = text.replace(json, python)
    return text
