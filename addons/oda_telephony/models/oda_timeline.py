# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from odoo import api, models
from odoo.fields import Domain


class OdaTimeline(models.AbstractModel):
    """Calls in the timeline, with what can be heard of them."""

    _inherit = "oda.timeline"

    @api.model
    def _oda_timeline_sources(self):
        sources = super()._oda_timeline_sources()
        if self.env["oda.call"].has_access("read"):
            sources["call"] = {
                "label": self.env._("Calls"),
                "icon": "fa-phone",
                "read": self._oda_timeline_calls,
            }
        return sources

    @api.model
    def _oda_timeline_calls(self, scope, before, limit):
        calls = self.env["oda.call"]
        labels = {
            name: dict(calls._fields[name]._description_selection(self.env))
            for name in ("direction", "outcome")
        }
        rows = self._oda_timeline_read(
            calls,
            self._oda_timeline_of(scope) & Domain("merged_into_id", "=", False),
            "started_at",
            "call",
            before,
            limit,
            ("direction", "outcome", "duration", "user_id", "e164"),
        )
        heard = self._oda_timeline_recordings([row["id"] for row in rows])
        for row in rows:
            told = [labels[name].get(row[name]) for name in ("direction", "outcome")]
            row["title"] = " · ".join(filter(None, told)) or self.env._("Call")
            row["model"], row["res_id"] = calls._name, row["id"]
            row["data"] = {
                "direction": row["direction"],
                "outcome": row["outcome"],
                "duration": row["duration"] or 0,
                "recording": heard.get(row["id"], False),
            }
        return rows

    @api.model
    def _oda_timeline_recordings(self, call_ids):
        """``{call id: {"id", "state", "duration"}}``, only what the user may hear."""
        recordings = self.env["oda.recording"]
        user = self.env.user
        hears = user.has_group("oda_base.group_consultant") or user.has_group(
            "oda_base.group_supervisor"
        )
        if not call_ids or not hears or not recordings.has_access("read"):
            return {}
        found = recordings.search_fetch(
            [("call_id", "in", call_ids)], ["call_id", "state", "duration"], order="id"
        )
        return {
            one.call_id.id: {
                "id": one.id,
                "state": one.state or "pending",
                "duration": one.duration or 0,
            }
            for one in found
        }
