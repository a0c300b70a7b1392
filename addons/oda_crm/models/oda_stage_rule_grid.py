# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.exceptions import AccessError, UserError

from .. import rulegrid
from .oda_stage_rule_journal import _UNDOES, CHANGE

#: changes looked through for the one to undo
_LOOKED_THROUGH = 100


class OdaStageRule(models.Model):
    """What the screen "What must be filled in at each stage?" asks and says."""

    _inherit = "oda.stage.rule"

    # === VERBS OF THE SCREEN ===#

    @api.model
    def get_grid(self, team_id=False):
        """Return the grid of a flow; without one, of the first flow.

        :returns: ``{flow: {id, name}, flows: [[id, name]], stages: [{id, name, won}],
            groups: [{key, name, card, items: [{kind, what, label}]}],
            rules: [{id, stage, kind, what, mandatory, strict, condition}],
            lost: [text], last: {id, who, at, changes} or False}``. `groups`:
            everything that may be asked, in the order of the card
        """
        self._oda_refuse_stranger()
        team = self._oda_flow(team_id)
        cells = self._oda_cells(team.id)
        return {
            "flow": {"id": team.id, "name": team.name},
            "flows": [[one.id, one.name] for one in self._oda_flows()],
            "stages": [
                {"id": one.id, "name": one.name, "won": one.is_won}
                for one in team._oda_stages()
            ],
            "groups": self._oda_askable(team, cells),
            "rules": rulegrid.told(cells),
            "lost": self._oda_lost(team),
            "last": self._oda_last_change(team),
        }

    @api.model
    def preview_grid(self, team_id, base, rules, lead_id=False):
        """Return what cards would say under rules that are not saved yet.

        :param list base: the rules that the screen began with
        :param list rules: those it shows now
        :param lead_id: a consultation of the flow, to be judged as well
        :returns: ``{changes: [text], empty: {stage: [item]}, real: False or {stage,
            name, items}, held: {count, exact}}``; item: ``{kind, label, order,
            mandatory}``. `held`: open consultations that would need more than now
            for their next move; not exact: at most so many
        """
        self._oda_refuse_stranger()
        team = self._oda_flow(team_id)
        cells, drafts = self._oda_drafts(team, rules)
        base = self._oda_parsed(team, base)
        preview = self._oda_preview(team, cells, drafts)
        # sudo: an invented card, there is nobody's data on it
        empty = self.env["crm.lead"].sudo()
        empty = empty.new({"type": "opportunity", "team_id": team.id})
        answers = preview.answers(empty)
        lead = self._oda_real(team, lead_id)
        return {
            "changes": self._oda_change_words(team, base, cells),
            "empty": {
                stage: preview.items(stage, answers) for stage in preview.stages[:-1]
            },
            "real": bool(lead)
            and {
                "stage": lead.stage_id.id,
                "name": lead.display_name,
                "items": preview.items(lead.stage_id.id, preview.answers(lead)),
            },
            "held": self._oda_held(team, self._oda_cells(team.id), preview),
        }

    @api.model
    def save_grid(self, team_id, base, rules):
        """Make the rules of a flow these, in one transaction; or tell of a conflict.

        :param list base: the rules that the screen began with
        :param list rules: those it shows now
        :returns: ``{grid}``; when somebody has changed them since ``{grid, conflict:
            {who, at, changes: [text], merged: rules}}``, and nothing is saved
        """
        self._oda_refuse_stranger()
        team = self._oda_flow(team_id)
        base = self._oda_parsed(team, base)
        self._oda_changing(team.ids)
        now = self._oda_cells(team.id)
        if rulegrid.facts(base) != rulegrid.facts(now):
            mine = self._oda_parsed(team, rules)
            last = self._oda_last_change(team) or {}
            return {
                "grid": self.get_grid(team.id),
                "conflict": {
                    "who": last.get("who", ""),
                    "at": last.get("at", ""),
                    "changes": self._oda_change_words(team, base, now),
                    "merged": rulegrid.told(rulegrid.rebase(base, mine, now)),
                },
            }
        cells, _drafts = self._oda_drafts(team, rules)
        self._oda_apply(team, cells)
        self._oda_changed()
        return {"grid": self.get_grid(team.id)}

    @api.model
    def undo_grid(self, team_id, event_id):
        """Take a change back that still stands; return the grid as `save_grid`.

        What cannot come back, because its stage or field is gone, is in `skipped`.
        """
        self._oda_refuse_stranger()
        team = self._oda_flow(team_id)
        self._oda_changing(team.ids)
        # sudo: the journal is the auditors'; the rules in it are the administrators'
        event = self.env["oda.event"].sudo()
        event = event.search(
            [
                ("id", "=", event_id if type(event_id) is int else 0),
                ("code", "=", CHANGE),
                ("res_model", "=", team._name),
                ("res_id", "=", team.id),
            ]
        )
        if not event:
            raise UserError(self.env._("There is no such change."))
        after = rulegrid.parse(event.details["after"])
        if rulegrid.facts(after) != rulegrid.facts(self._oda_cells(team.id)):
            raise UserError(
                self.env._("This was changed again since: undo the later change first.")
            )
        wanted, skipped = [], []
        stages = set(team._oda_stages().ids)
        for cell in rulegrid.parse(event.details["before"]):
            draft = self._oda_draft(team, cell)
            if cell.stage in stages and draft._hook("type")():
                wanted.append(cell)
            else:
                skipped.append(draft.label or cell.what)
        self.env.cr.precommit.data[_UNDOES] = {team.id: event.id}
        self._oda_apply(team, wanted)
        self._oda_changed()
        return {"grid": self.get_grid(team.id), "skipped": skipped}

    # === READING WHAT WAS SENT ===#

    @api.model
    def _oda_refuse_stranger(self):
        if not (self.env.su or self.env.user.has_group("oda_base.group_admin")):
            raise AccessError(
                self.env._("What the stages ask for is decided by administrators.")
            )

    @api.model
    def _oda_flows(self):
        flows = self.env["crm.team"].search([("use_opportunities", "=", True)])
        # ours before the teams that other addons bring
        return flows.sorted(lambda flow: not flow.oda_own_stages)

    @api.model
    def _oda_flow(self, team_id):
        """Return a flow that this administrator may see, or the first one."""
        if team_id is False or team_id is None:
            return self._oda_flows()[:1] or self.env["crm.team"].search([], limit=1)
        known = type(team_id) is int and 0 < team_id < 2**31
        team = known and self.env["crm.team"].search([("id", "=", team_id)])
        if not team:
            raise UserError(self.env._("This flow is no longer there."))
        return team

    @api.model
    def _oda_parsed(self, team, told):
        """Return cells as a browser sent them, in order; refuse nonsense in words."""
        try:
            cells = rulegrid.parse(told)
        except ValueError as error:
            raise UserError(
                self.env._(
                    "These rules cannot be read: reload the page. A flow has at most "
                    "%s rules.",
                    rulegrid.MOST_CELLS,
                )
            ) from error
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        if not kinds.keys() >= {cell.kind for cell in cells}:
            raise UserError(self.env._("Something of an unknown kind is asked for."))
        return rulegrid.ordered(cells, team._oda_stages().ids)

    @api.model
    def _oda_drafts(self, team, told):
        """Return `(cells, unsaved rules)`; refuse in words what cannot be."""
        cells = self._oda_parsed(team, told)
        if again := rulegrid.twice(cells):
            label = self._oda_draft(team, again).label or again.what
            stage = self.env["crm.stage"].browse(again.stage)
            raise UserError(
                self.env._(
                    "“%(what)s” is asked twice at “%(stage)s”: take one away.",
                    what=label,
                    stage=stage.exists().name or "—",
                )
            )
        drafts = [self._oda_draft(team, cell) for cell in cells]
        for draft in drafts:
            if not draft.stage_id.exists():
                raise UserError(
                    self.env._("A stage was deleted meanwhile: reload the page.")
                )
            draft._check_stage()
            draft._check_target()
            draft._check_condition()
        return cells, drafts

    # === SAVING ===#

    @api.model
    def _oda_apply(self, team, cells):
        """Write, make and remove rules of a flow until they are these cells."""
        rules = self.with_context(active_test=False).search([("team_id", "=", team.id)])
        free = {rule.id: rule for rule in rules}
        made = []
        for cell, number in zip(cells, rulegrid.numbers(cells), strict=True):
            vals = {
                "stage_id": cell.stage,
                "sequence": 10 * number,
                "mandatory": cell.mandatory,
                "strict": cell.strict,
                "condition": cell.condition or False,
                "active": True,
            }
            rule = free.pop(cell.id, None)
            if rule and (rule.kind, rule._plan_name()) == (cell.kind, cell.what):
                raw = rule._convert_to_write({name: rule[name] for name in vals})
                changed = {name: one for name, one in vals.items() if raw[name] != one}
                if changed:
                    rule.write(changed)
                continue
            if rule:
                free[rule.id] = rule
            made.append(
                {
                    **vals,
                    "team_id": team.id,
                    "kind": cell.kind,
                    **self._oda_target(cell),
                }
            )
        # What is switched off already is no cell, and stays in "All rules".
        gone = self.union(*free.values()).filtered("active") if free else self.browse()
        gone.unlink()
        self.create(made)

    # === UNDO ===#

    @api.model
    def _oda_last_change(self, team):
        """Return the last change of a flow's rules that was not undone, or False."""
        # sudo: the journal is the auditors'; the rules in it are the administrators'
        events = self.env["oda.event"].sudo()
        undone = set()
        for event in events.search(
            [
                ("code", "=", CHANGE),
                ("res_model", "=", team._name),
                ("res_id", "=", team.id),
            ],
            limit=_LOOKED_THROUGH,
        ):
            if undoes := event.details.get("undoes"):
                undone.add(undoes)
            elif event.id not in undone:
                return {
                    "id": event.id,
                    "who": event.user_id.name,
                    "at": event.at.isoformat(sep=" ", timespec="seconds"),
                    "changes": event.details["changes"],
                }
        return False

    @api.model
    def _oda_lost(self, team):
        """Return what was asked by rules whose field is gone, for people to read."""
        broken = self.with_context(active_test=False).search(
            [("team_id", "=", team.id), ("broken", "=", True)]
        )
        return [
            f"{rule.stage_id.name}: {rule.label or rule.path or '—'}" for rule in broken
        ]
