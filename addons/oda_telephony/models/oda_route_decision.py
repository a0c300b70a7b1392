# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
import json

from odoo import SUPERUSER_ID, api, fields, models, modules
from odoo.modules.registry import Registry
from odoo.tools import format_date

from odoo.addons.oda_base.transaction import in_own_transaction

from ..afterwards import Afterwards

_KEEP = """
INSERT INTO oda_route_decision
    (account_id, company_id, callid, asked_at, user_id, login, rule_id, steps,
     reconstructed)
VALUES %s
ON CONFLICT (account_id, callid) DO UPDATE
   SET asked_at = EXCLUDED.asked_at, user_id = EXCLUDED.user_id,
       login = EXCLUDED.login, rule_id = EXCLUDED.rule_id, steps = EXCLUDED.steps,
       reconstructed = EXCLUDED.reconstructed
 WHERE NOT EXCLUDED.reconstructed
"""
# A rule may have been removed since: the word of it stays in the steps.
_ROW = """(%s, %s, %s, %s, (SELECT id FROM res_users WHERE id = %s), %s,
          (SELECT id FROM oda_route_rule WHERE id = %s), %s, %s)"""
# Why somebody is the adviser is not needed to answer, only to explain.
_SPOKE = """
SELECT q.place, (SELECT s.started_at FROM oda_consultation_session s
                  WHERE s.partner_id = q.partner_id AND s.user_id = q.user_id
                    AND s.started_at <= q.asked_at + interval '1 day'
                  ORDER BY s.started_at DESC LIMIT 1),
       EXISTS(SELECT FROM crm_lead l
               WHERE l.partner_id = q.partner_id AND l.user_id = q.user_id
                 AND l.active AND l.type = 'opportunity' AND l.won_status = 'pending')
  FROM unnest(%s::int[], %s::int[], %s::int[], %s::timestamp[])
       AS q(place, partner_id, user_id, asked_at)
"""


def _write(dbname, rows):
    def keep(env):
        env["oda.route.decision"]._keep(rows)

    in_own_transaction(Registry(dbname), SUPERUSER_ID, keep)


#: Decisions on their way to the database: the exchange has its answer by then. Seldom
#: enough that hardly any other question waits for the thread that writes them.
_journal = Afterwards(_write, delay=1.0)


class OdaRouteDecision(models.Model):
    """Whom a call was sent to, and why: as it was decided while the phone rang.

    Kept by the exchange's id of the call, which has no row yet when it is asked.
    """

    _name = "oda.route.decision"
    _description = "Routing Decision"
    _log_access = False
    _order = "asked_at desc, id desc"
    _rec_name = "words"

    account_id = fields.Many2one(
        "oda.connector.account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, ondelete="cascade")
    callid = fields.Char(string="Call id", required=True, readonly=True)
    asked_at = fields.Datetime(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Sent to", readonly=True, index="btree_not_null"
    )
    login = fields.Char(readonly=True)
    rule_id = fields.Many2one(
        "oda.route.rule", readonly=True, index="btree_not_null", ondelete="set null"
    )
    steps = fields.Json(readonly=True)
    reconstructed = fields.Boolean(
        readonly=True,
        help="The decision itself was lost with the process that took it: this is "
        "what the rules said when the call was over.",
    )
    words = fields.Char(string="Why", compute="_compute_words")

    _call_uniq = models.Constraint("UNIQUE(account_id, callid)", "One decision a call.")
    _account_idx = models.Index("(account_id, asked_at DESC)")
    _asked_idx = models.Index("(asked_at DESC, id DESC)")

    # === KEEPING ===#

    @api.model
    def _note(self, account, callid, decision, partner_id=None, reconstructed=False):
        """Have a decision kept, without making who asked wait for it."""
        if not callid:
            return
        row = (
            account.id,
            account.company_id,
            callid,
            fields.Datetime.now(),
            decision,
            partner_id,
            reconstructed,
        )
        if reconstructed or modules.module.current_test:
            self._keep([row])  # nobody waits, or the test's transaction is the world
        else:
            _journal.put(self.env.cr.dbname, row)

    @api.model
    def _keep(self, rows):
        """Write decisions as `_note` made them; of one call the last counts."""
        last = {(row[0], row[2]): row for row in rows}
        rows = list(last.values())
        self.env.flush_all()
        spoke = self._why_adviser(rows)
        self.env.cr.execute_values(
            _KEEP,
            [
                (
                    account_id,
                    company_id,
                    callid,
                    asked_at,
                    decision.user_id or None,
                    decision.login,
                    decision.rule_id or None,
                    json.dumps(_as_json(decision, spoke.get(place))),
                    reconstructed,
                )
                for place, (
                    account_id,
                    company_id,
                    callid,
                    asked_at,
                    decision,
                    _partner_id,
                    reconstructed,
                ) in enumerate(rows)
            ],
            template=_ROW,
        )
        self.invalidate_model(flush=False)

    @api.model
    def _why_adviser(self, rows):
        """Return `{place: (moment of the last talk, has the consultation)}`."""
        asked = [
            (place, row[5], row[4].user_id, row[3])
            for place, row in enumerate(rows)
            if row[5] and row[4].steps and row[4].steps[-1].kind == "adviser"
        ]
        if not asked:
            return {}
        self.env.cr.execute(
            _SPOKE, [list(column) for column in zip(*asked, strict=True)]
        )
        return {place: (at, owns) for place, at, owns in self.env.cr.fetchall()}

    # === WORDS ===#

    @api.depends("steps", "user_id", "reconstructed")
    @api.depends_context("lang", "tz")
    def _compute_words(self):
        for decision in self:
            decision.words = decision._sentence()

    def _sentence(self, to_me=None):
        """Return the decision in one line.

        :param to_me: the user who reads it where their own phone rings
        """
        self.ensure_one()
        steps = self.steps or []
        names = self._names({step["user"] for step in steps if step.get("user")})
        passed, last = steps, None
        if steps and steps[-1]["verdict"] in ("sent", "extension", "nobody"):
            passed, last = steps[:-1], steps[-1]
        parts = [self._why_not(step, names) for step in passed if step.get("user")]
        parts.append(self._why(last, names, steps, to_me))
        words = ", ".join(dict.fromkeys(filter(None, parts)))
        if self.reconstructed:
            words = self.env._("%s (reconstructed)", words)
        return words

    @api.model
    def _names(self, user_ids):
        # sudo: names of colleagues, also of who has left
        users = self.env["res.users"].sudo().browse(user_ids).exists()
        return {user.id: user.name for user in users}

    def _why_not(self, step, names):
        """Return why a person was passed over."""
        name = names.get(step["user"]) or self.env._("somebody")
        return {
            "gone": self.env._("%s has left", name),
            "no_login": self.env._("%s has no phone at this exchange", name),
            "absent": self.env._("%s is on leave", name),
            "holiday": self.env._("it is a public holiday"),
            "dnd": self.env._("%s takes no calls now", name),
            "busy": self.env._("%s is talking", name),
            "offline": self.env._("the phone of %s is off", name),
        }.get(step["verdict"], "")

    def _why(self, last, names, steps, to_me=None):
        """Return whom the call went to, and why."""
        if last is None or last["verdict"] == "nobody":
            verdicts = {step["verdict"] for step in steps}
            if "several" in verdicts:
                return self.env._("several people have this number: nobody was named")
            if "stranger" in verdicts:
                return self.env._("new client: nobody was named")
            return self.env._("nobody was named: the exchange goes by its own plan")
        if last["verdict"] == "extension":
            return self.env._("sent to %s", last["about"])
        why = self._reason(last)
        if to_me and last["user"] == to_me.id:
            return self.env._("sent to you: %s", why)
        name = names.get(last["user"]) or self.env._("somebody")
        return self.env._("sent to %(name)s: %(why)s", name=name, why=why)

    def _reason(self, step):
        if step.get("at"):
            at = fields.Datetime.context_timestamp(
                self, fields.Datetime.to_datetime(step["at"])
            )
            day = format_date(self.env, at.date(), date_format="d MMMM yyyy")
            return self.env._("spoke with them on %s", day)
        if step["kind"] == "adviser" and not step.get("owns"):
            return self.env._("is their adviser")
        return {
            "adviser": self.env._("has the open consultation"),
            "owner": self.env._("has the open consultation"),
            "lead": self.env._("leads the flow"),
            "person": self.env._("named by a rule"),
            "members": self.env._("on duty on this number"),
        }.get(step["kind"], "")

    @api.model
    def _preview(self, account, decision, partner_id=None):
        """Return a decision that is only looked at, never kept."""
        now = fields.Datetime.now()
        row = (account.id, account.company_id, "", now, decision, partner_id, False)
        steps = _as_json(decision, self._why_adviser([row]).get(0))
        return self.new({"steps": steps, "asked_at": now})

    def _lines(self):
        """Return [(rule, what came of it)] in words, in the order of the rules."""
        self.ensure_one()
        steps = self.steps or []
        names = self._names({step["user"] for step in steps if step.get("user")})
        # sudo: names of rules, also of those of other companies
        rules = (
            self.env["oda.route.rule"].sudo().browse([step["rule"] for step in steps])
        )
        labels = {rule.id: rule.name for rule in rules.exists()}
        return [
            (labels.get(step["rule"], ""), self._verdict(step, names)) for step in steps
        ]

    def _verdict(self, step, names):
        if step["verdict"] in ("sent", "extension", "nobody"):
            return self._why(step, names, [step])
        if step.get("user"):
            return self._why_not(step, names)
        return {
            "line": self.env._("another number was dialled"),
            "lang": self.env._("another language"),
            "hours": self.env._("not at this hour"),
            "stranger": self.env._("nobody is known by this number"),
            "several": self.env._("several people have this number"),
            "no_candidate": self.env._("there is nobody such"),
            "no_questions": self.env._("no talk left open questions, or too long ago"),
        }.get(step["verdict"], "")

    # === READING ===#

    @api.model
    def _of_calls(self, calls):
        """Return `{call id: decision}` of these calls; one query for all."""
        keys = {(call.account_id.id, call.callid): call.id for call in calls}
        if not keys:
            return {}
        found = self.search(
            [
                ("account_id", "in", calls.account_id.ids),
                ("callid", "in", [callid for _account, callid in keys]),
            ]
        )
        return {
            keys[one.account_id.id, one.callid]: one
            for one in found
            if (one.account_id.id, one.callid) in keys
        }


def _as_json(decision, spoke):
    """Return the steps of a decision as JSON-able dicts, without what says nothing.

    :param spoke: (moment of the last talk or None, has the consultation) of an adviser
    """
    steps = []
    for step in decision.steps:
        row = {"rule": step.rule_id, "kind": step.kind, "verdict": step.verdict}
        if step.user_id:
            row["user"] = step.user_id
        if step.at:
            row["at"] = fields.Datetime.to_string(step.at)
        if step.about:
            row["about"] = step.about
        steps.append(row)
    if spoke and steps:
        at, owns = spoke
        if at:
            steps[-1]["at"] = fields.Datetime.to_string(at)
        steps[-1]["owns"] = owns
    return steps
