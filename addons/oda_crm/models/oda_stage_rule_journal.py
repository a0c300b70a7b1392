# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models

from .. import rulegrid

CHANGE = "rule.change"
_BEFORE = "oda_rules_before"
_UNDOES = "oda_rules_undoes"
# kinds whose target is a record
_RECORDS = {"task": "activity_type_id", "instrument": "instrument_id"}


class OdaStageRule(models.Model):
    """Whatever changes the rules of a flow, by whichever way: one event a transaction
    in the journal, with before and after, and one message to the browsers."""

    _inherit = "oda.stage.rule"

    @api.model_create_multi
    def create(self, vals_list):
        self._oda_changing({vals.get("team_id") for vals in vals_list})
        return super().create(vals_list)

    def write(self, vals):
        # sudo: flows of rules; what may be written is checked by write itself
        self._oda_changing({*self.sudo().team_id.ids, vals.get("team_id")})
        return super().write(vals)

    def unlink(self):
        # sudo: as in write
        self._oda_changing(self.sudo().team_id.ids)
        return super().unlink()

    @api.model
    def _oda_cells(self, team_id):
        """Return the active rules of a flow as `rulegrid.Cell`, in order."""
        # sudo: one set of rules, whoever looks; callers check rights
        rules = self.sudo().search([("team_id", "=", team_id)])
        stages = self.env["crm.team"].browse(team_id)._oda_stages().ids
        cells = [
            rulegrid.Cell(
                rule.id,
                rule.stage_id.id,
                rule.kind,
                rule._plan_name(),
                rule.mandatory,
                rule.strict,
                rule.condition or "",
            )
            for rule in rules
        ]
        return rulegrid.ordered(cells, stages)

    @api.model
    def _oda_changing(self, team_ids):
        """Keep what the transaction found, and tell what it left when it commits.

        Two who change the rules of one flow take turns: the second is repeated, and
        sees what the first has done.
        """
        if not self.env.registry.ready:
            return
        data = self.env.cr.precommit.data
        if _BEFORE not in data:
            data[_BEFORE] = {}
            # sudo: whoever changed the rules, the journal is written
            self.env.cr.precommit.add(self.sudo().browse()._oda_changed)
        before = data[_BEFORE]
        ids = {one for one in team_ids if isinstance(one, int)} - before.keys()
        teams = self.env["crm.team"].browse(sorted(ids)).exists()
        if teams:
            # sudo: the claims are nobody's; touching one is how we queue up
            self.env["oda.claim"].sudo()._claim(*(f"rules:{one}" for one in teams.ids))
        for team in teams:
            before[team.id] = self._oda_cells(team.id)

    @api.model
    def _oda_changed(self):
        """Write the events of what changed since `_oda_changing`; none, no event."""
        data = self.env.cr.precommit.data
        before, undoes = data.pop(_BEFORE, {}), data.pop(_UNDOES, {})
        changed = []
        for team in self.env["crm.team"].browse(before).exists():
            was, now = before[team.id], self._oda_cells(team.id)
            if rulegrid.facts(was) == rulegrid.facts(now):
                continue
            changed.append(team.id)
            self.env["oda.event"]._log(
                CHANGE,
                team,
                changes=self._oda_change_words(team, was, now),
                before=rulegrid.told(was),
                after=rulegrid.told(now),
                undoes=undoes.get(team.id, False),
            )
        if changed:
            self.env["crm.team"]._oda_tell_flows(changed)

    # === IN WORDS ===#

    @api.model
    def _oda_draft(self, team, cell):
        """Return a rule that is not saved, to ask what it means."""
        vals = {
            "team_id": team.id,
            "stage_id": cell.stage,
            "kind": cell.kind,
            "mandatory": cell.mandatory,
            "strict": cell.strict,
            "condition": cell.condition or False,
            "active": True,
            **self._oda_target(cell),
        }
        return self.new(vals)

    @api.model
    def _oda_target(self, cell):
        """Return the values that say what a cell asks for."""
        if cell.kind in _RECORDS:
            name = _RECORDS[cell.kind]
            record = self.env[self._fields[name].comodel_name].browse(_whole(cell.what))
            return {name: record.exists().id}
        prefix = "lead_properties." if cell.kind == "property" else ""
        return {"path": prefix + cell.what}

    @api.model
    def _oda_change_words(self, team, before, after):
        """Return the difference of two grids, a sentence a change."""
        # sudo: names of stages and targets; callers check rights
        rules = self.sudo()
        names = {one.id: one.name for one in team.sudo()._oda_stages()}  # sudo: names

        def said(change):
            cell = change.cell
            return {
                "what": rules._oda_draft(team, cell).label or cell.what,
                "stage": names.get(cell.stage, "—"),
                "was": names.get(change.was.stage, "—") if change.was else "",
            }

        words = {
            "added": self.env._("Asked from now on: %(what)s (%(stage)s)"),
            "removed": self.env._("Asked no more: %(what)s (%(stage)s)"),
            "moved": self.env._("Moved: %(what)s (%(was)s → %(stage)s)"),
            "changed": self.env._("Asked otherwise: %(what)s (%(stage)s)"),
            "reordered": self.env._("In another order: %(stage)s"),
        }
        return [
            words[change.verb] % said(change)
            for change in rulegrid.difference(before, after)
        ]


def _whole(text):
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else ()
