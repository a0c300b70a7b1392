# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import Counter
from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oda_crm import myday

from .oda_call_card import CARD_AGE

MISSED_AGE = timedelta(days=7)  # an older missed call is nobody's day any more
LISTED = 200  # calls of one adviser that a click lists
LIVE_MAX = 20  # cards of one person at once
#: an answered call with the same person since, in either direction
_NO_ANSWER_SINCE = """NOT EXISTS (
    SELECT FROM oda_call later
     WHERE later.partner_id = %(partner)s AND later.started_at > %(started)s
       AND later.outcome = 'answered' AND later.merged_into_id IS NULL)"""


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
        """My beneficiaries who called in vain, and with whom nobody has talked since.

        One entry a beneficiary, with the first of those calls; one statement.
        """
        mine = Domain("partner_id.oda_adviser_id", "=", self.env.uid) | Domain(
            "lead_id.user_id", "=", self.env.uid
        )
        query = self._oda_missed_query(mine, day)
        table = SQL.identifier(query.table)
        query.groupby = SQL("%s.partner_id", table)
        query.order = SQL("2, 1")
        query.limit = limit or 1
        rows = self.env.execute_query(
            query.select(
                SQL("%s.partner_id", table),
                SQL("min(%s.started_at)", table),
                SQL("max(%s.id)", table),
                SQL("max(%s.lead_id)", table),
                SQL("count(*)"),
                SQL("count(*) OVER ()"),
            )
        )
        entries = [
            {
                "id": partner_id,
                "at": started,
                "title": self.env._("Missed calls: %s", count),
                "partner_id": partner_id,
                "lead_id": lead_id,
                "model": "oda.call",
                "res_id": call_id,
                "open": "action_open_card",
            }
            for partner_id, started, call_id, lead_id, count, _total in rows
        ]
        return entries[:limit], rows[0][-1] if rows else 0

    @api.model
    def _oda_missed_query(self, domain, day):
        """Missed calls of people with whom nobody has talked since, in one's sight."""
        calls = self.env["oda.call"]
        query = calls._search(
            Domain("started_at", ">", day.now - MISSED_AGE)
            & Domain("direction", "=", "in")
            & Domain("outcome", "=", "missed")
            & Domain("merged_into_id", "=", False)
            & Domain("partner_id", "!=", False)
            & domain
        )
        table = SQL.identifier(query.table)
        query.add_where(
            SQL(
                _NO_ANSWER_SINCE,
                partner=SQL("%s.partner_id", table),
                started=SQL("%s.started_at", table),
            )
        )
        return query

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
        if not self.env["oda.call"].has_access("read"):
            return risks
        query = self._oda_missed_query(Domain.TRUE, day)
        table = SQL.identifier(query.table)
        adviser = SQL(
            "(SELECT p.oda_adviser_id FROM res_partner p WHERE p.id = %s.partner_id)",
            table,
        )
        latest = (table, table, LISTED)
        query.groupby = SQL("1")
        rows = self.env.execute_query(
            query.select(
                SQL("COALESCE(%s, 0)", adviser),
                SQL("count(DISTINCT %s.partner_id)", table),
                SQL("(array_agg(%s.id ORDER BY %s.id DESC))[1:%s]", *latest),
            )
        )
        risks.insert(
            1,
            {
                "key": "missed",
                "label": self.env._("Missed, not called back"),
                "icon": "fa-phone",
                "counts": Counter({who: count for who, count, _ids in rows}),
                "model": "oda.call",
                # "Nobody has talked since" is nothing a search can say.
                "domain": [("id", "in", [one for row in rows for one in row[2]])],
                "user_field": "partner_id.oda_adviser_id",
            },
        )
        return risks
