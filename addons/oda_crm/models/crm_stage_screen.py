# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError

CHANGE = "stage.change"
_BEFORE = "oda_stages_before"
_TOLD = frozenset({"name", "sequence", "team_ids", "fold", "is_won", "requirements"})


class CrmStage(models.Model):
    """What the screen "Which stages does the flow have?" shows and does."""

    _inherit = "crm.stage"

    sequence = fields.Integer(default=lambda self: self._oda_default_sequence())
    oda_open_count = fields.Integer(
        string="Open consultations", compute="_compute_oda_open_count"
    )

    @api.model
    def _oda_default_sequence(self):
        """A new stage is the last one, in a list that shows its place, too."""
        # sudo: the place of all stages, seen or not
        return self.sudo().search([], order="sequence desc", limit=1).sequence + 10

    def _compute_oda_open_count(self):
        leads = self.env["crm.lead"]
        found = leads._read_group(
            leads._oda_open_domain() & fields.Domain("stage_id", "in", self.ids),
            ["stage_id"],
            ["__count"],
        )
        counts = {stage.id: count for stage, count in found}
        for stage in self:
            stage.oda_open_count = counts.get(stage._origin.id, 0)

    # === CRUD ===#

    @api.model_create_multi
    def create(self, vals_list):
        self._oda_stages_changing()
        stages = super().create(vals_list)
        self._oda_tell_teams(stages.team_ids)
        return stages

    def write(self, vals):
        if _TOLD.isdisjoint(vals):
            return super().write(vals)
        self._oda_stages_changing()
        teams = self.team_ids
        if "team_ids" in vals:
            return self._oda_write_flows(vals, teams)
        done = super().write(vals)
        self._oda_tell_teams(teams)
        return done

    def _oda_write_flows(self, vals, teams):
        before = {stage: stage.team_ids for stage in self}
        done = super().write(vals)
        for stage, flows in before.items():
            others = flows or teams.search([("id", "not in", stage.team_ids.ids)])
            if stage.team_ids and (gone := others - stage.team_ids):
                stage._oda_refuse_if_open(
                    self.env._(
                        "“%(stage)s” cannot be taken from the flow: %(count)s open "
                        "consultations stand in it. Move them to another stage first."
                    ),
                    gone,
                )
        self._oda_tell_teams(teams | self.team_ids)
        return done

    def unlink(self):
        """Rules of the stage go with it: by the ORM, so that the journal hears."""
        self._oda_stages_changing()
        teams = self.team_ids
        self.check_access("unlink")
        self._unlink_if_nobody_is_there()
        # sudo: who may delete a stage, as was just checked, may not know of its rules
        rules = self.env["oda.stage.rule"].sudo().with_context(active_test=False)
        rules.search([("stage_id", "in", self.ids)]).unlink()
        done = super().unlink()
        self._oda_tell_teams(teams)
        return done

    @api.ondelete(at_uninstall=False)
    def _unlink_if_nobody_is_there(self):
        for stage in self:
            stage._oda_refuse_if_open(
                self.env._(
                    "“%(stage)s” cannot be deleted: %(count)s open consultations stand "
                    "in it. Move them to another stage first."
                )
            )
            # sudo: core keeps the stage of closed ones, too, seen or not
            leads = self.env["crm.lead"].sudo().with_context(active_test=False)
            if closed := leads.search_count([("stage_id", "=", stage.id)]):
                raise UserError(
                    self.env._(
                        "“%(stage)s” cannot be deleted: %(count)s consultations ended "
                        "in it, and reports count them there. Fold it instead, or "
                        "take it from the flow.",
                        stage=stage.name,
                        count=closed,
                    )
                )

    def _oda_refuse_if_open(self, words, flows=None):
        """Refuse, with a way to the consultations that are in the way."""
        self.ensure_one()
        leads = self.env["crm.lead"]
        domain = leads._oda_open_domain() & fields.Domain("stage_id", "=", self.id)
        if flows is not None:
            domain &= fields.Domain("team_id", "in", flows.ids)
        # sudo: those one may not see stand there all the same
        count = leads.sudo().search_count(domain)
        if not count:
            return
        raise RedirectWarning(
            words % {"stage": self.name, "count": count},
            {
                "type": "ir.actions.act_window",
                "name": self.env._("Consultations in “%s”", self.name),
                "res_model": "crm.lead",
                "views": [(False, "list"), (False, "form")],
                "domain": list(domain),
            },
            self.env._("Show them"),
        )

    # === BUTTONS ===#

    def action_oda_earlier(self):
        """Swap places with the stage before it; a drag does the same."""
        return self._oda_swap(-1)

    def action_oda_later(self):
        return self._oda_swap(1)

    def _oda_swap(self, step):
        self.ensure_one()
        self.check_access("write")
        flow = self.team_ids[:1]
        stages = flow._oda_stages() if flow else self.search([("team_ids", "=", False)])
        at = stages.ids.index(self.id)
        to = at + step
        if not 0 <= to < len(stages):
            return True
        order = list(stages.ids)
        order[at], order[to] = order[to], order[at]
        places = sorted(stages.mapped("sequence"))
        for above in range(1, len(places)):  # equal ones would stay as they are
            places[above] = max(places[above], places[above - 1] + 1)
        for stage_id, sequence in zip(order, places, strict=True):
            stage = self.browse(stage_id)
            if stage.sequence != sequence:
                stage.sequence = sequence
        return True

    # === THE JOURNAL AND OPEN BROWSERS ===#

    @api.model
    def _oda_tell_teams(self, teams):
        """Shared stages are told to all flows."""
        self.env["crm.team"]._oda_tell_flows(teams.ids)

    @api.model
    def _oda_raw_stages(self):
        # sudo: the journal tells of all of them
        stages = self.sudo().with_context(lang=None)
        stages = stages.search([])  # pylint: disable=no-search-all  # some dozens
        return {
            str(one.id): {
                "name": one.name,
                "sequence": one.sequence,
                "flows": sorted(one.team_ids.ids),
                "fold": one.fold,
                "won": one.is_won,
                "requirements": one.requirements or "",
            }
            for one in stages
        }

    @api.model
    def _oda_stages_changing(self):
        if not self.env.registry.ready:
            return
        precommit = self.env.cr.precommit
        if _BEFORE not in precommit.data:
            precommit.data[_BEFORE] = self._oda_raw_stages()
            precommit.add(self.browse()._oda_stages_changed)

    @api.model
    def _oda_stages_changed(self):
        before = self.env.cr.precommit.data.pop(_BEFORE, None)
        after = self._oda_raw_stages()
        if before is None or before == after:
            return
        keys = sorted(before.keys() | after.keys(), key=int)
        changed = [key for key in keys if before.get(key) != after.get(key)]
        self.env["oda.event"]._log(
            CHANGE,
            changes=[
                self._oda_stage_words(before.get(k), after.get(k)) for k in changed
            ],
            before={key: before[key] for key in changed if key in before},
            after={key: after[key] for key in changed if key in after},
        )

    @api.model
    def _oda_stage_words(self, before, after):
        if before is None:
            return self.env._("New stage: %s", after["name"])
        if after is None:
            return self.env._("Deleted stage: %s", before["name"])
        if before["name"] != after["name"]:
            return self.env._(
                "Renamed: %(before)s → %(after)s",
                before=before["name"],
                after=after["name"],
            )
        return self.env._("Changed stage: %s", after["name"])
