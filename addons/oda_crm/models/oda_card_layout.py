# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import hashlib
import json

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import format_datetime

from .. import layout

CHANGE = "layout.change"
_BEFORE = "oda_layout_before"
_UNDOES = "oda_layout_undoes"

# All of it in one statement: some ten groups and a few dozen fields.
_RAW = """
SELECT g.key, g.name, g.sequence, g.folded, g.active,
       ARRAY(SELECT r.team_id FROM oda_card_group_team_rel r
              WHERE r.group_id = g.id ORDER BY 1),
       COALESCE((SELECT json_agg(json_build_object(
                  'model', f.model, 'name', f.name, 'type', f.ttype,
                  'label', f.field_description, 'sequence', c.sequence,
                  'form', c.on_form, 'kanban', c.on_kanban, 'width', c.width,
                  'active', c.active) ORDER BY c.sequence, c.id)
           FROM oda_card_field c JOIN ir_model_fields f ON f.id = c.field_id
          WHERE c.group_id = g.id), '[]')
  FROM oda_card_group g ORDER BY g.sequence, g.id
"""
_RAW_NAMES = ("key", "name", "sequence", "folded", "active", "flows", "fields")


class OdaCardLayout(models.AbstractModel):
    """What groups and fields of the card share: a change of either is one event in
    the journal, one message to the browsers, and can be undone."""

    _name = "oda.card.layout"
    _description = "Card Layout"

    # === READING ===#

    @api.model
    def _oda_raw(self):
        """Return the layout as it is stored, hidden parts and all languages too.

        :return: list of dicts, JSON-able; see `_RAW_NAMES`
        """
        self.env["oda.card.group"].flush_model()
        self.env["oda.card.field"].flush_model()
        self.env["ir.model.fields"].flush_model(["name", "field_description"])
        self.env.cr.execute(_RAW)
        return [
            dict(zip(_RAW_NAMES, row, strict=True)) for row in self.env.cr.fetchall()
        ]

    @api.model
    def _oda_version(self):
        """Return what tells one layout from another: equal layouts, equal versions.

        Read from the database each time (one statement): a worker that has missed
        a signal cannot serve an old card under a new version.
        """
        raw = json.dumps(self._oda_raw(), sort_keys=True)
        return hashlib.sha256(raw.encode()).hexdigest()[:16]

    @api.model
    def _oda_layout(self):
        """Return the layout of the cards in the user's language, for `layout.py`.

        Fields that do not exist (any more) are left out.
        """
        lang, lead = self.env.lang or "en_US", self.env["crm.lead"]

        def said(words):
            return words.get(lang) or words.get("en_US") or next(iter(words.values()))

        groups = []
        for group in self._oda_raw():
            if not group["active"]:
                continue
            fields = []
            for field in group["fields"]:
                name = field["name"]
                if field["model"] != lead._name:
                    name = layout.bridge_name(name)
                if field["active"] and name in lead._fields:
                    fields.append(dict(field, name=name, label=said(field["label"])))
            groups.append(dict(group, name=said(group["name"]), fields=fields))
        return groups

    # === CHANGING ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._oda_changing()
        return super().create(vals_list)

    def write(self, vals):
        self._oda_changing()
        return super().write(vals)

    def unlink(self):
        self._oda_changing()
        return super().unlink()

    @api.model
    def _oda_changing(self):
        """Keep what the transaction found, and tell what it left when it commits."""
        precommit = self.env.cr.precommit
        if _BEFORE not in precommit.data and self.env.registry.ready:
            precommit.data[_BEFORE] = self._oda_raw()
            precommit.add(self.browse()._oda_changed)
            # What is counted over all groups (room in the kanban) holds only when two
            # who change the layout at once meet: the second is repeated.
            # sudo: the claims are nobody's
            self.env["oda.claim"].sudo()._claim("layout")

    @api.model
    def _oda_changed(self):
        data = self.env.cr.precommit.data
        before, after = data.pop(_BEFORE, None), self._oda_raw()
        undoes = data.pop(_UNDOES, False)
        if before is None or before == after:
            return
        self.env["oda.event"]._log(
            CHANGE, before=_brief(before), after=_brief(after), undoes=undoes
        )
        self._oda_tell()

    @api.model
    def _oda_tell(self):
        """Have every worker and every open browser forget the views they keep."""
        self.env.registry.clear_cache("templates")
        # sudo: everybody who works in the house hears of it, whoever changed it
        people = self.env.ref("base.group_user").sudo()
        people._bus_send("oda.layout", {"version": self._oda_version()})

    @api.model
    def _oda_check_room(self):
        """Refuse more fields on a kanban card than it has room for."""
        flows = self.env["crm.team"].search([("active", "in", (True, False))])
        crowded = layout.too_many(self._oda_layout(), flows.ids)
        for flow, labels in crowded.items():
            name = flows.browse(flow).name if flow else self.env._("no flow")
            raise UserError(
                self.env._(
                    "The kanban card of “%(flow)s” has room for %(room)s fields, and "
                    "these would stand on it: %(labels)s. Take one off first.",
                    flow=name,
                    room=layout.ON_KANBAN,
                    labels=", ".join(labels),
                )
            )

    # === UNDO ===#

    @api.model
    def _oda_may_change(self):
        if not (self.env.su or self.env.user.has_group("oda_base.group_admin")):
            raise AccessError(
                self.env._("What the card shows is decided by administrators.")
            )

    def action_undo_last(self):
        """Take the last change back that was not taken back yet, whatever is chosen."""
        self._oda_may_change()
        # sudo: the journal is the auditors'; the layout in it is the administrators'
        events = self.env["oda.event"].sudo()
        undone = set()
        for event in events.search([("code", "=", CHANGE)], limit=100):
            if undoes := event.details.get("undoes"):
                undone.add(undoes)
            elif event.id not in undone:
                self._oda_changing()
                self.env.cr.precommit.data[_UNDOES] = event.id
                self._oda_restore(event.details["before"])
                return self._oda_undone(event)
        raise UserError(self.env._("There is no change to undo."))

    @api.model
    def _oda_undone(self, event):
        """Say whose change was taken back: somebody may have been faster."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Undone: the change that %(who)s made on %(at)s.",
                    who=event.user_id.name,
                    at=format_datetime(self.env, event.at),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _oda_restore(self, raw):
        """Make the layout what `_brief` told of it; what is gone meanwhile is skipped.

        :param list raw: groups of the journal
        """
        Group = self.env["oda.card.group"].with_context(active_test=False, lang=None)
        Field = self.env["oda.card.field"].with_context(active_test=False)
        groups = {group.key: group for group in Group.search([])}
        # First off all kanban cards: on the way there may be too many.
        Field.search([("on_kanban", "=", True)]).write({"on_kanban": False})
        for told in raw:
            flows = self.env["crm.team"].browse(told["flows"]).exists()
            vals = {
                "name": told["name"].get("en_US") or next(iter(told["name"].values())),
                "sequence": told["sequence"],
                "folded": told["folded"],
                # Without its flows it would stand in all of them.
                "active": told["active"] and bool(flows or not told["flows"]),
                "team_ids": [(6, 0, flows.ids)],
            }
            if group := groups.pop(told["key"], None):
                group.write(vals)
            else:
                group = Group.create({"key": told["key"], **vals})
            langs = {code for code, _name in self.env["res.lang"].get_installed()}
            group.update_field_translations(
                "name", {k: v for k, v in told["name"].items() if k in langs}
            )
            group._oda_restore_fields(told["fields"])
        Group.union(*groups.values()).unlink()


def _brief(raw):
    """Return a layout for the journal: fields as `model.name`, with the labels of
    those that administrators added, which they may rename."""
    return [
        dict(group, fields=[_brief_field(field) for field in group["fields"]])
        for group in raw
    ]


def _brief_field(field):
    told = {
        "field": f"{field['model']}.{field['name']}",
        "sequence": field["sequence"],
        "form": field["form"],
        "kanban": field["kanban"],
        "width": field["width"],
        "active": field["active"],
    }
    if field["name"].startswith(layout.PREFIX):
        told["label"] = field["label"]
    return told
