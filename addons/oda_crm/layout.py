# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a card shows, as plain values, and the pieces of view that draw it.

The layout is a list of groups, in order, as `oda.card.group._oda_layout()` gives it::

    {"key": "a1b2", "name": "Need", "folded": False, "flows": [3, 5],
     "fields": [{"name": "x_oda_budget", "label": "Budget", "type": "monetary",
                 "form": True, "kanban": True, "width": "half"}]}

No flows means: every flow. Nothing here reads the database.
"""

import json
import re
import unicodedata

from lxml import etree

#: fields a kanban card has room for, in one flow
ON_KANBAN = 4
#: fields administrators may add, of both models together
MOST_FIELDS = 200
#: choices of a list that is made with its field
MOST_OPTIONS = 200
#: letters of a label; longer ones break every list and form
LONGEST_LABEL = 60
#: beginning of the names of what administrators add
PREFIX = "x_oda_"
#: beginning of the names of a beneficiary's fields shown on the consultation
BRIDGE = "x_oda_p_"
# PostgreSQL cuts names at 63; ours leave room for the `_rel` of choices.
_LONGEST_NAME = 50

#: types that Odoo's own widgets draw well within a group
SHOWN = frozenset(
    "boolean char date datetime float html integer many2many many2one monetary "
    "properties selection text".split()
)
_WIDGETS = {"many2many": "many2many_tags", "html": "html"}
_WIDE = frozenset({"html", "properties", "text"})

# What XML 1.0 cannot carry, even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CYRILLIC = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяії",
        "a b v g d e e zh z i i k l m n o p r s t u f h c ch sh sch _ y _ e yu ya "
        "i i".split(),
        strict=True,
    )
)


def clean(text):
    """Return a text without what XML cannot carry and without outer spaces."""
    return _NOT_XML.sub("", text or "").strip()


def latin(text):
    """Return a label in small Latin letters and digits joined by `_`, or ''."""
    text = "".join(_CYRILLIC.get(letter, letter) for letter in text.lower())
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def technical_name(label, taken):
    """Return a free name for a new field, made of its label.

    :param str label: in any language
    :param taken: container of names that exist
    :return: `x_oda_...`, at most 50 characters, never a bridge's name
    """
    stem = (latin(label) or "field")[: _LONGEST_NAME - len(PREFIX) - 4].strip("_")
    name = PREFIX + stem
    if name.startswith(BRIDGE):
        name = f"{PREFIX}f_{stem}"
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def bridge_name(name):
    """Return the consultation's name of a beneficiary's field."""
    return (BRIDGE + name)[:63]


def shown_in(groups, flow):
    """Return the groups that a flow shows, in order.

    :param flow: id, or False: a consultation in no flow
    """
    return [g for g in groups if not g["flows"] or flow in g["flows"]]


def too_many(groups, flows):
    """Return `{flow: labels}` of the flows whose kanban card has no room.

    :param flows: ids of all flows; False (no flow) is added
    """
    crowded = {}
    for flow in [*flows, False]:
        labels = {
            field["name"]: field["label"]
            for group in shown_in(groups, flow)
            for field in group["fields"]
            if field["kanban"]
        }
        if len(labels) > ON_KANBAN:
            crowded[flow] = list(labels.values())
    return crowded


def condition(flows):
    """Return the `invisible` of what only some flows show, or None."""
    return f"team_id not in {sorted(flows)}" if flows else None


def _field(field, **more):
    node = etree.Element("field", name=field["name"], **more)
    if field["name"].startswith(BRIDGE):
        # Its own label is a copy; the beneficiary's is the one people rename.
        node.set("string", clean(field["label"]))
        # Without a beneficiary there is nobody whose data it could be.
        node.set("readonly", "not partner_id")
    if widget := _WIDGETS.get(field["type"]):
        node.set("widget", widget)
    return node


def form_fields(group):
    """Return the fields of a group that the form shows."""
    return [field for field in group["fields"] if field["form"]]


def form_nodes(groups):
    """Return the nodes of the form: the bar to jump with, then the groups.

    Each group is `div.o_oda_group > (widget, group > field*)`; one without a field
    for the form is left out. No groups: no nodes.
    """
    groups = [group for group in groups if form_fields(group)]
    if not groups:
        return []
    sections = [
        {"key": g["key"], "name": clean(g["name"]), "flows": sorted(g["flows"])}
        for g in groups
    ]
    bar = etree.Element("widget", name="oda_jump_bar")
    bar.set("sections", json.dumps(sections, ensure_ascii=False))
    bar.set("class", "o_oda_jump_bar_place")
    return [bar, *(_form_group(group) for group in groups)]


def _form_group(group):
    holder = etree.Element("div")
    holder.set("class", "o_oda_group")
    holder.set("data-oda-group", group["key"])
    if hidden := condition(group["flows"]):
        holder.set("invisible", hidden)
    head = etree.SubElement(holder, "widget", name="oda_card_group")
    head.set("title", clean(group["name"]))
    head.set("key", group["key"])
    head.set("folded", "1" if group["folded"] else "0")
    body = etree.SubElement(holder, "group")
    body.set("name", f"oda_group_{group['key']}")
    body.set("class", "o_oda_group_body")
    run = []
    for field in form_fields(group):
        if field["width"] == "full" or field["type"] in _WIDE:
            _columns(body, run)
            _wide(body, field)
            run = []
        else:
            run.append(field)
    _columns(body, run)
    return holder


def _columns(body, fields):
    """Add fields as two columns, read downwards: on a phone the order stays."""
    half = (len(fields) + 1) // 2
    for column in (fields[:half], fields[half:]):
        if column:
            etree.SubElement(body, "group").extend(map(_field, column))


def _wide(body, field):
    node = _field(field, colspan="2")
    if field["type"] == "properties":
        node.set("columns", "2")
        node.set("nolabel", "1")
    etree.SubElement(body, "group", col="2", colspan="2").append(node)


def kanban_nodes(groups):
    """Return the nodes of the kanban card: a line for each field, none when empty.

    A field of several groups stands once, shown in the flows of all of them.
    """
    flows, fields = {}, {}
    for group in groups:
        for field in group["fields"]:
            if not field["kanban"] or field["type"] == "properties":
                continue
            name = field["name"]
            fields.setdefault(name, field)
            everywhere = name in flows and flows[name] is None
            if everywhere or not group["flows"]:
                flows[name] = None
            else:
                flows[name] = flows.get(name, set()) | set(group["flows"])
    nodes = []
    for name, field in fields.items():
        line = etree.Element("div")
        line.set("class", "o_oda_card_line")
        hidden = condition(flows[name])
        empty = f"not {name}"
        line.set("invisible", f"({hidden}) or {empty}" if hidden else empty)
        label = etree.SubElement(line, "span")
        label.set("class", "text-muted me-1")
        label.text = clean(field["label"]) + ":"
        line.append(_field(field))
        nodes.append(line)
    return nodes


def property_flows(groups):
    """Return the flows whose questions stand in a group: None: all, [] : none."""
    found = set()
    for group in groups:
        if any(f["type"] == "properties" and f["form"] for f in group["fields"]):
            if not group["flows"]:
                return None
            found.update(group["flows"])
    return sorted(found)
