# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oda_crm import myday
from odoo.addons.oda_crm.models.oda_my_day import COUNT_MAX

from .oda_call_card import CARD_AGE

LIVE_MAX = 20  # cards of one person at once


class OdaMyDay(models.AbstractModel):
    """Calls of the day: those on the line, those missed, how many at what hour."""

    _inherit = "oda.my.day"

    @api.model
    def _oda_my_day_sources(self):
        sources = super()._oda_my_day_sources()
        if self.env["oda.call"].has_access("read"):
            sources["ring"] = {
                "lane": myday.NOW,
                "rank": 10,
                "label": self.env._("Calls"),
                "icon": "fa-volume-control-phone",
                "read": self._oda_my_day_live,
            }
        if self.env["oda.callback"].has_access("read"):
            sources["missed"] = {
                "lane": myday.RISK,
                "rank": 20,
                "label": self.env._("Missed, not called back"),
                "icon": "fa-phone",
                "read": self._oda_my_day_missed,
            }
        return sources

    # === LANES ===#

    @api.model
    def _oda_my_day_live(self, day, limit):
        """Calls whose card is open: they ring, talk, or wait for their result."""
        legs = self.env["oda.call.leg"].search_fetch(
            [
                ("user_id", "=", self.env.uid),
                ("closed", "=", False),
                ("state", "in", ("ringing", "talking", "done")),
                ("call_id.started_at", ">", day.now - CARD_AGE),
            ],
            ["call_id", "state"],
            order="id desc",
            limit=LIVE_MAX,
        )
        words = {
            "ringing": self.env._("Rings"),
            "talking": self.env._("Talks"),
            "result": self.env._("Write the result"),
        }
        entries = {}
        for call in legs.call_id:
            state = call._state_for(self.env.user)
            if state not in words or call.merged_into_id:
                continue
            entries[call.id] = {
                "id": call.id,
                "at": call.started_at,
                "title": f"{words[state]}: {call.phone_display or ''}",
                "partner_id": call.partner_id.id,
                "lead_id": call.lead_id.id,
                "model": call._name,
                "res_id": call.id,
                "open": "action_open_card",
            }
        return list(entries.values())[:limit], len(entries)

    @api.model
    def _oda_my_day_missed(self, day, limit):
        """My beneficiaries who called in vain and whom a colleague is to call back.

        Calls I owe myself are tasks of mine, and stand where tasks do.
        """
        rows = self.env["oda.callback"]
        domain = (
            Domain("state", "=", "open")
            & Domain("user_id", "!=", self.env.uid)
            & (
                Domain("partner_id.oda_adviser_id", "=", self.env.uid)
                | Domain("lead_id.user_id", "=", self.env.uid)
            )
        )
        found = rows.search(domain, order="first_missed_at, id", limit=limit or 1)
        total = len(found)
        if not limit or total == limit:
            total = rows.search_count(domain, limit=COUNT_MAX)
        entries = [
            {
                "id": one.id,
                "at": one.first_missed_at,
                "title": self._oda_missed_words(one),
                "partner_id": one.partner_id.id,
                "lead_id": one.lead_id.id,
                "model": one._name,
                "res_id": one.id,
                "open": "action_open_card",
            }
            for one in found
        ]
        return entries[:limit], total

    @api.model
    def _oda_missed_words(self, row):
        if row.user_id:
            return self.env._(
                "Missed calls: %(count)s; %(user)s calls back",
                count=row.missed_count,
                user=row.user_id.name,
            )
        return self.env._("Missed calls: %s", row.missed_count)

    # === THE TEAM ===#

    @api.model
    def _oda_my_day_heat_kinds(self):
        kinds = super()._oda_my_day_heat_kinds()
        if self.env["oda.call"].has_access("read"):
            answered = [("outcome", "=", "answered"), ("merged_into_id", "=", False)]
            kinds["calls"] = {
                "label": self.env._("Calls answered"),
                "model": "oda.call",
                "domain": answered,
                "at": "started_at",
                "user_field": "user_id",
            }
        return kinds

    @api.model
    def _oda_my_day_heat(self, day):
        rows = super()._oda_my_day_heat(day)
        calls = self.env["oda.call"]
        if not calls.has_access("read"):
            return rows
        query = calls._search(
            Domain("started_at", ">=", day.start)
            & Domain("started_at", "<", day.end)
            & Domain("merged_into_id", "=", False)
            & Domain("user_id", "!=", False)
            & Domain("outcome", "=", "answered")
        )
        user = SQL.identifier(query.table, "user_id")
        hour = self._oda_my_day_hour_sql(SQL.identifier(query.table, "started_at"), day)
        query.groupby = SQL("1, 2")
        return rows + self.env.execute_query(
            query.select(user, hour, SQL("'calls'"), SQL("count(*)"))
        )

    @api.model
    def _oda_my_day_risks(self, day):
        risks = super()._oda_my_day_risks(day)
        if not self.env["oda.callback"].has_access("read"):
            return risks
        now = fields.Datetime.to_string(day.now)
        late = Domain("state", "=", "open") & Domain("due_at", "<", now)
        owed = self.env["oda.callback"]._read_group(late, ["user_id"], ["__count"])
        risks.insert(
            1,
            {
                "key": "missed",
                "label": self.env._("Missed, not called back"),
                "icon": "fa-phone",
                "counts": Counter({user.id or 0: count for user, count in owed}),
                "model": "oda.callback",
                "domain": list(late),
                "user_field": "user_id",
            },
        )
        return risks
