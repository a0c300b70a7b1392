# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import zlib
from datetime import datetime
from functools import lru_cache

from odoo import api, fields, models

from odoo.addons.oda_base import phone as numbers

from .. import routing

# Sub-queries of one table each instead of joins: for so few rows it is planning that
# costs, and Odoo's pool discards prepared plans after each request. Of several people
# the one whose card was changed last gives the name.
_WHO_CALLS = """
SELECT COALESCE(NULLIF(p.name, ''), p.complete_name),
       COALESCE((SELECT c.name FROM res_partner c WHERE c.id = p.parent_id),
                p.company_name, ''),
       p.oda_is_new, p.id, p.lang, p.oda_adviser_id,
       (SELECT string_agg({phone}, E'\\n' ORDER BY u.id) FROM oda_pbx_user u
         WHERE u.account_id = %(account)s AND u.user_id = p.oda_adviser_id
           AND (SELECT r.active FROM res_users r WHERE r.id = u.user_id)){more}
  FROM res_partner p
 WHERE p.id = ANY(ARRAY(SELECT partner_id FROM oda_phone WHERE e164 = %(e164)s))
   AND p.active AND (p.company_id IS NULL OR p.company_id = %(company)s)
 ORDER BY p.write_date DESC NULLS LAST, p.id
 LIMIT 9
"""
# What rules may ask for besides, each one sub-query of the statement above.
_FACTS = {
    "phones": """(
    SELECT json_agg(json_build_array(u.user_id, {phone}, r.active) ORDER BY u.id)
      FROM oda_pbx_user u JOIN res_users r ON r.id = u.user_id
     WHERE u.account_id = %(account)s)""",
    "talks": """(
    SELECT json_agg(json_build_array(
             s.user_id, s.started_at,
             EXISTS(SELECT FROM mail_activity a WHERE a.res_model = 'crm.lead'
                       AND a.res_id = s.lead_id AND a.active)
             OR EXISTS(SELECT FROM oda_instrument_answer i WHERE i.session_id = s.id)))
      FROM (SELECT id, user_id, lead_id, started_at FROM oda_consultation_session
             WHERE partner_id = p.id AND user_id IS NOT NULL
               AND started_at < (now() AT TIME ZONE 'UTC') + interval '1 day'
             ORDER BY started_at DESC, id DESC LIMIT 30) s)""",
    "cases": """(
    SELECT json_agg(json_build_array(
             l.id, l.user_id,
             (SELECT t.user_id FROM crm_team t WHERE t.id = l.team_id)))
      FROM (SELECT id, user_id, team_id FROM crm_lead
             WHERE partner_id = p.id AND active AND type = 'opportunity'
               AND won_status = 'pending'
               AND (company_id IS NULL OR company_id = %(company)s)
             ORDER BY write_date DESC, id DESC LIMIT 5) l)""",
}
_PLAIN_PHONE = "u.login"
_PHONE = """concat_ws(E'\\t', u.login, COALESCE(u.presence, ''),
                    to_char(u.presence_at, 'YYYY-MM-DD HH24:MI:SS'))"""


@lru_cache(maxsize=64)
def _statement(facts, phone):
    """Return the one statement that fetches a caller with these facts, in order."""
    more = "".join(",\n" + _FACTS[name].format(phone=phone) for name in sorted(facts))
    return _WHO_CALLS.format(phone=phone, more=more)


@lru_cache(maxsize=4)
def _phones_statement(phone):
    return "SELECT " + _FACTS["phones"].format(phone=phone)


class OdaCall(models.Model):
    """The question of a ringing phone: who is it, and whose phone should ring?"""

    _inherit = "oda.call"

    @api.model
    def _answer_contact(self, account, query):
        """Return `(name, login)` for a call that rings; '' and None where unsure.

        :param account: `connectors.Account` of the exchange that asks
        :param query: `drivers.events.ContactQuery`

        One indexed statement, nothing written: the exchange holds a live call. Only
        when the adviser cannot be reached a second one finds who else. Several people
        on one number: their count, and nobody of theirs is guessed. The decision is
        noted a moment after the answer.
        """
        e164 = numbers.parse(query.phone).e164
        people, decision = self._route(account, e164, query.did, query.callid)
        partner_id = people[0][3] if len(people) == 1 else None
        self.env["oda.route.decision"]._note(
            account, query.callid, decision, partner_id
        )
        return self._caller_name(people), decision.login

    @api.model
    def _caller_name(self, people):
        if not people:
            return ""
        name, company, is_new, *_rest = people[0]
        if len(people) > 1:
            companies = {row[1] for row in people if row[1]}
            if len(companies) == 1 and all(row[1] for row in people):
                return f"{companies.pop()} ({len(people)})"
            return f"{name} + {len(people) - 1}"
        if is_new:
            return ""
        return f"{name} — {company}" if company else name

    # === FACTS ===#

    @api.model
    def _route(self, account, e164, did, callid, now=None):
        """Return `(rows of the people with the number, routing.Decision)`.

        :param now: naive UTC; by default the present
        """
        Rule = self.env["oda.route.rule"]
        plan = Rule._plan(account.company_id)
        now = now or fields.Datetime.now()
        line = None
        if plan.lines and did:
            line = plan.lines.get(self.env["oda.line"]._key(did))
        working, day_off = Rule._hours_at(account.company_id, now)
        facts = routing.Facts(
            now=now,
            line=line,
            working=working,
            away=Rule._absences(),
            day_off=day_off,
            turn=zlib.crc32((callid or "").encode()),
        )
        wanted = routing.needs(plan.rules, line, working)
        people, facts = self._fetch_facts(account, e164, wanted, facts)
        try:
            return people, routing.decide(plan.rules, facts)
        except routing.MoreFacts:
            wanted = routing.all_needs(plan.rules) | {"phones"}
            people, facts = self._fetch_facts(account, e164, wanted, facts)
            return people, routing.decide(plan.rules, facts)

    @api.model
    def _fetch_facts(self, account, e164, wanted, facts):
        phone = _PHONE if self._presence_known() else _PLAIN_PHONE
        people = []
        if e164:
            at = {"e164": e164, "account": account.id, "company": account.company_id}
            # pylint: disable-next=sql-injection  # of constant texts of this file
            self.env.cr.execute(_statement(frozenset(wanted), phone), at)
            people = self.env.cr.fetchall()
        found = dict.fromkeys(wanted)
        if people:
            found = dict(zip(sorted(wanted), people[0][7:], strict=True))
        elif "phones" in wanted:
            self.env.cr.execute(_phones_statement(phone), {"account": account.id})
            found["phones"] = self.env.cr.fetchone()[0]
        facts = facts._replace(people=len(people), **self._plain_facts(found))
        if len(people) == 1:
            _name, _company, _new, _id, lang, adviser, phones = people[0][:7]
            facts = facts._replace(
                lang=lang or "",
                adviser=(
                    adviser or 0,
                    tuple(map(_to_phone, (phones or "").split("\n"))),
                )
                if phones
                else (adviser or 0, ()),
            )
        return people, facts

    @api.model
    def _plain_facts(self, found):
        """Return the fields of `routing.Facts` for what the statement fetched."""
        plain = {}
        if "talks" in found:
            plain["talks"] = tuple(
                routing.Talk(user_id, datetime.fromisoformat(at), bool(questions))
                for user_id, at, questions in found["talks"] or ()
            )
        if "cases" in found:
            plain["cases"] = tuple(
                routing.Case(lead_id, user_id or 0, leader_id or 0)
                for lead_id, user_id, leader_id in found["cases"] or ()
            )
        if "phones" in found:
            phones, gone = {}, set()
            for user_id, words, active in found["phones"] or ():
                phones.setdefault(user_id, []).append(_to_phone(words))
                if not active:
                    gone.add(user_id)
            plain.update(phones=phones, gone=frozenset(gone))
        return plain

    @api.model
    def _presence_known(self):
        """Return whether the exchange's logins say who is busy."""
        return {"presence", "presence_at"} <= self.env["oda.pbx.user"]._fields.keys()


def _to_phone(words):
    login, *rest = words.split("\t")
    presence, at = (*rest, "", "")[:2]
    return routing.Phone(login, presence, datetime.fromisoformat(at) if at else None)
