# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .. import layout, rulegrid
from ..rules import Rule
from .oda_card_field import _MACHINE

#: consultations judged one by one for the count; above it, the count is an upper bound
JUDGED = 1000
_NUMBERS = frozenset({"integer", "float", "monetary"})


class _Preview(NamedTuple):
    """Rules that are not saved, ready to judge: `plain[i]` is `cells[i]`."""

    env: object
    stages: tuple
    cells: list
    plain: list
    labels: list
    deeds: frozenset

    def answers(self, leads):
        """Return the indexes of the answered cells: of one card, or `{id: indexes}`."""
        found = self.env["oda.stage.rule"]._answers(leads, self.plain)
        return found if len(leads) != 1 else found[leads.id]

    def items(self, stage, answered):
        """Return what a card at a stage says is missing for the next one."""
        order = rulegrid.numbers(self.cells)
        return [
            {
                "kind": self.cells[index].kind,
                "label": self.labels[index],
                "order": order[index],
                "mandatory": self.cells[index].mandatory,
            }
            for index in rulegrid.due(self.cells, self.stages, stage, self.deeds)
            if index not in answered and stage != self.stages[-1]
        ]


class OdaStageRule(models.Model):
    """Judging cards by rules that are not saved yet, and all that may be asked."""

    _inherit = "oda.stage.rule"

    @api.model
    def _oda_preview(self, team, cells, drafts):
        plain = [
            Rule(
                id=index,
                stage=cell.stage,
                kind=cell.kind,
                name=cell.what,
                type=draft._hook("type")(),
                mandatory=cell.mandatory,
                strict=cell.strict,
                condition=draft._condition(),
            )
            for index, (cell, draft) in enumerate(zip(cells, drafts, strict=True))
        ]
        return _Preview(
            self.env,
            tuple(team._oda_stages().ids),
            cells,
            plain,
            [
                draft.label or cell.what
                for cell, draft in zip(cells, drafts, strict=True)
            ],
            self._DEEDS,
        )

    @api.model
    def _oda_real(self, team, lead_id):
        """Return the consultation to judge, by the rights of who looks."""
        leads = self.env["crm.lead"]
        if not lead_id:
            return leads
        known = type(lead_id) is int and 0 < lead_id < 2**31
        lead = known and leads.search([("id", "=", lead_id), ("team_id", "=", team.id)])
        if not lead:
            raise UserError(
                self.env._("This consultation is not in the flow any more.")
            )
        return lead

    # === HOW MANY WOULD BE HELD BACK ===#

    @api.model
    def _oda_held(self, team, before, preview):
        """Return `{count, exact}` of the open consultations that would need more.

        Those that could have an open answer are found in one statement; up to
        `JUDGED` of them are judged as the card judges, more are only counted.
        """
        more = rulegrid.more_asked(preview.stages, before, preview.cells, preview.deeds)
        leads = self.env["crm.lead"]
        parts = [
            Domain("stage_id", "=", stage)
            & Domain.OR(self._oda_maybe_open(preview.plain[one]) for one in demands)
            for stage, demands in more.items()
        ]
        if not parts:
            return {"count": 0, "exact": True}
        domain = (
            leads._oda_open_domain()
            & Domain("team_id", "=", team.id)
            & Domain.OR(parts)
        )
        found = leads.search(domain, limit=JUDGED + 1)
        if len(found) > JUDGED:
            return {"count": leads.search_count(domain), "exact": False}
        answers = preview.answers(found)
        if len(found) == 1:
            answers = {found.id: answers}
        held = [
            lead for lead in found if set(more[lead.stage_id.id]) - answers[lead.id]
        ]
        return {"count": len(held), "exact": True}

    @api.model
    def _oda_maybe_open(self, rule):
        """Return the domain of consultations that may lack the answer to a rule.

        Wider than the truth where a domain cannot tell; never narrower, but for a
        text of spaces only.
        """
        asked = rule.condition or Domain.TRUE
        hook = getattr(self, f"_maybe_open_{rule.kind}", None)
        return asked & hook(rule) if hook else asked

    @api.model
    def _maybe_open_field(self, rule):
        owner, _dot, name = rule.name.rpartition(".")
        field = self.env["res.partner" if owner else "crm.lead"]._fields[name]
        nobody = Domain(owner, "=", False) if owner else Domain.FALSE
        if rule.type in _NUMBERS | {"boolean"} and not rule.strict:
            return nobody
        if not (field.store or field.search):
            return Domain.TRUE
        return nobody | Domain(rule.name, "=", False)

    # === ALL THAT MAY BE ASKED ===#

    @api.model
    def _oda_askable(self, team, cells):
        """Return everything a stage may ask for, in the order of the card.

        :returns: ``[{key, name, card, items: [{kind, what, label}]}]``; `card`: it is
            asked on the card of this flow, so that the screen shows it from the start
        """
        fields_ = self._oda_askable_fields()
        groups = []
        for group in layout.shown_in(
            self.env["oda.card.layout"]._oda_layout(), team.id
        ):
            items = []
            for one in layout.form_fields(group):
                name = one["name"]
                if one["model"] != "crm.lead":
                    name = "partner_id." + name.removeprefix(layout.BRIDGE)
                if label := fields_.pop(name, None):
                    items.append({"kind": "field", "what": name, "label": label})
            if items:
                groups.append(_group(group["key"], group["name"], items, card=True))
        # sudo: the flow's questions, as its cards show them
        questions = [
            {"kind": "property", "what": one["name"], "label": one.get("string") or "—"}
            for one in team.sudo().lead_properties_definition or ()
            if one.get("type") != "separator"
        ]
        groups.append(
            _group(
                "properties", self.env._("Questions of the flow"), questions, card=True
            )
        )
        types = self.env["mail.activity.type"].search(
            [("res_model", "in", (False, "crm.lead"))]
        )
        tasks = [_item("task", one) for one in types]
        groups.append(_group("tasks", self.env._("Tasks"), tasks))
        instruments = self.env["oda.instrument"].search(
            ["|", ("team_ids", "=", False), ("team_ids", "in", team.ids)]
        )
        advice = [_item("instrument", one) for one in instruments]
        groups.append(_group("instruments", self.env._("Instruments"), advice))
        for key, name, owner in (
            ("lead", self.env._("Of the consultation, not on the card"), False),
            ("partner", self.env._("Of the beneficiary, not on the card"), True),
        ):
            rest = [
                {"kind": "field", "what": what, "label": label}
                for what, label in sorted(fields_.items(), key=lambda one: one[1])
                if what.startswith("partner_id.") == owner
            ]
            groups.append(_group(key, name, rest))
        known = {(one["kind"], one["what"]) for g in groups for one in g["items"]}
        others = [
            {
                "kind": cell.kind,
                "what": cell.what,
                "label": self._oda_draft(team, cell).label or cell.what,
            }
            for cell in cells
            if (cell.kind, cell.what) not in known
        ]
        groups.append(_group("others", self.env._("Others"), others))
        return [group for group in groups if group["items"]]

    @api.model
    def _oda_askable_fields(self):
        """Return `{path: label}` of the fields people fill in, this person may see."""
        found = {}
        for model, owner in (("crm.lead", ""), ("res.partner", "partner_id.")):
            told = self.env[model].fields_get(attributes=["string", "type"])
            for name, one in told.items():
                if name.startswith((*_MACHINE, layout.BRIDGE)):
                    continue
                asked = self._asked_type(owner + name)
                if asked in layout.SHOWN and asked != "properties":
                    label = one["string"]
                    if owner:
                        label = self.env._("%s (beneficiary)", label)
                    found[owner + name] = label
        return found


def _group(key, name, items, card=False):
    return {"key": key, "name": name, "card": card, "items": items}


def _item(kind, record):
    return {"kind": kind, "what": str(record.id), "label": record.display_name}
