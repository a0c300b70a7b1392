# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
from collections import defaultdict
from datetime import UTC

from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.oda_base.worktime import NoWorkingTime

from .. import stale

MANY = 1_000  # new states after which the statistics are brought up to date
LISTED = 50  # consultations named in one message; the rest are counted
# The last real step of a consultation: stage, task done, session, message out. Each
# is one probe of an index; the cheap ones, which most consultations fail, come first.
LAST_STEP = """
    GREATEST(
        l.create_date, l.date_last_stage_update,
        (SELECT max(a.oda_done_at) FROM mail_activity a
          WHERE a.res_model = 'crm.lead' AND a.res_id = l.id
            AND a.oda_outcome = 'done'),
        (SELECT max(s.create_date) FROM oda_consultation_session s
          WHERE s.lead_id = l.id),
        (SELECT max(m.date) FROM mail_message m
          WHERE m.model = 'crm.lead' AND m.res_id = l.id
            AND m.message_type IN ('comment', 'email_outgoing')
            AND m.subtype_id = %(comment)s
            AND EXISTS (SELECT FROM res_users u
                         WHERE u.partner_id = m.author_id AND NOT u.share))
    )
"""
# One statement finds who is due: every open consultation under its most exact rule,
# standing still since that rule's moment, and not reminded of too lately.
DUE = f"""
    WITH rule AS (
        SELECT * FROM unnest(%(rules)s::int[], %(stages)s::int[], %(teams)s::int[],
                             %(companies)s::int[], %(cutoffs)s::timestamp[])
            AS rule(id, stage_id, team_id, company_id, cutoff))
    SELECT l.id, r.id, COALESCE(t.reminders, 0), l.user_id, l.team_id, x.at
      FROM crm_lead l
      JOIN LATERAL (
            SELECT r.id, r.cutoff FROM rule r
             WHERE (r.stage_id = 0 OR r.stage_id = l.stage_id)
               AND (r.team_id = 0 OR r.team_id = l.team_id)
               AND (r.company_id = 0 OR r.company_id = l.company_id)
             ORDER BY (r.stage_id <> 0) DESC, (r.team_id <> 0) DESC,
                      (r.company_id <> 0) DESC, r.id
             LIMIT 1) r ON TRUE
      LEFT JOIN oda_stale t ON t.lead_id = l.id
     CROSS JOIN LATERAL (SELECT {LAST_STEP} AS at) x
     WHERE l.active AND l.type = 'opportunity' AND l.won_status = 'pending'
       AND l.create_date <= r.cutoff
       AND (l.date_last_stage_update IS NULL OR l.date_last_stage_update <= r.cutoff)
       AND (t.next_at IS NULL OR t.next_at <= %(now)s)
       AND x.at <= r.cutoff
"""
# Who made a step or was closed is no longer stale.
RESET = f"""
    DELETE FROM oda_stale t USING crm_lead l
     WHERE l.id = t.lead_id
       AND (NOT (l.active AND l.type = 'opportunity' AND l.won_status = 'pending')
            OR {LAST_STEP} > t.step_at)
 RETURNING t.lead_id
"""
KEEP = """
    INSERT INTO oda_stale (lead_id, rule_id, reminders, level, step_at, next_at)
    SELECT * FROM unnest(%(leads)s::int[], %(rules)s::int[], %(reminders)s::int[],
                         %(levels)s::int[], %(steps)s::timestamp[],
                         %(nexts)s::timestamp[])
    ON CONFLICT (lead_id) DO UPDATE
       SET rule_id = EXCLUDED.rule_id, reminders = EXCLUDED.reminders,
           level = EXCLUDED.level, step_at = EXCLUDED.step_at,
           next_at = EXCLUDED.next_at
"""
MARK = """
    UPDATE crm_lead l SET oda_stale_level = t.level FROM oda_stale t
     WHERE t.lead_id = l.id AND l.oda_stale_level IS DISTINCT FROM t.level
"""
UNMARK = "UPDATE crm_lead SET oda_stale_level = 0 WHERE id = ANY(%s)"


class OdaStale(models.Model):
    """Which consultations stand still, and who has been reminded of it.

    Rows are written by the hourly sweep, in SQL; a real step removes them.
    """

    _name = "oda.stale"
    _description = "Stale Consultation"
    _log_access = False
    _order = "next_at, id"
    _rec_name = "lead_id"

    lead_id = fields.Many2one(
        "crm.lead", required=True, readonly=True, ondelete="cascade"
    )
    rule_id = fields.Many2one(
        "oda.stale.rule", readonly=True, ondelete="cascade", index="btree_not_null"
    )
    reminders = fields.Integer(readonly=True)
    level = fields.Integer(readonly=True)
    step_at = fields.Datetime(string="Last step", readonly=True)
    next_at = fields.Datetime(string="Next reminder", readonly=True)

    _lead_uniq = models.UniqueIndex("(lead_id)", "One state a consultation.")

    @api.model
    def _cron_sweep(self):
        """Remind of what stands still; hourly, in working time only."""
        now = fields.Datetime.now()
        self._oda_reset()
        if self.env["oda.worktime"]._is_working(now):
            self._oda_sweep(now)

    @api.model
    def _oda_reset(self):
        """Forget those that made a step or were closed meanwhile."""
        self._oda_flush()
        self.env.cr.execute(RESET, {"comment": self._oda_comment()})
        self._oda_unmark([row[0] for row in self.env.cr.fetchall()])

    @api.model
    def _oda_sweep(self, now):
        """Find the due ones, note and mark them, tell people.

        :param datetime now: naive UTC
        :return int: how many consultations were reminded of
        """
        rules, moments = self._oda_moments(now)
        if not moments:
            return 0
        self._oda_flush()
        self.env.cr.execute(
            DUE,
            {
                "now": now,
                "comment": self._oda_comment(),
                "rules": rules.ids,
                "stages": [rule.stage_id.id or 0 for rule in rules],
                "teams": [rule.team_id.id or 0 for rule in rules],
                "companies": [rule.company_id.id or 0 for rule in rules],
                "cutoffs": [
                    moments[rule.id].cutoff.replace(tzinfo=None) for rule in rules
                ],
            },
        )
        due = self.env.cr.fetchall()
        rows, told = [], defaultdict(list)
        climb = {rule.id: rule.climb_after for rule in rules}
        for lead_id, rule_id, reminders, user_id, team_id, step_at in due:
            level = stale.level(reminders + 1, climb[rule_id])
            next_at = moments[rule_id].next_at.replace(tzinfo=None)
            rows.append((lead_id, rule_id, reminders + 1, level, step_at, next_at))
            told[(level, user_id, team_id)].append(lead_id)
        if rows:
            names = ("leads", "rules", "reminders", "levels", "steps", "nexts")
            columns = map(list, zip(*rows, strict=True))
            self.env.cr.execute(KEEP, dict(zip(names, columns, strict=True)))
            if len(rows) > MANY:
                # the planner believes a table empty until it is told
                self.env.cr.execute("ANALYZE oda_stale")
            self.env.cr.execute(MARK)
            self.env["crm.lead"].invalidate_model(["oda_stale_level"], flush=False)
            self.invalidate_model(flush=False)
            self._oda_tell(told)
        return len(rows)

    @api.model
    def _oda_moments(self, now):
        """``(rules that can be judged, {rule id: stale.Moments})``."""
        moments = {}
        rules = self.env["oda.stale.rule"].search([("active", "=", True)])
        for rule in rules:
            company = rule.company_id or self.env.company
            calendar = self.env["oda.worktime"].with_company(company)
            try:
                found = stale.moments(
                    rule._oda_plain(),
                    calendar._working_calendar(),
                    now.replace(tzinfo=UTC),
                )
            except NoWorkingTime:
                found = None
            if found:
                moments[rule.id] = found
        return rules.filtered(lambda rule: rule.id in moments), moments

    @api.model
    def _oda_tell(self, told):
        """One message a person, whatever the number of consultations.

        :param dict told: ``{(level, responsible id, flow id): [consultation id]}``
        """
        users = self.env["res.users"]
        head = self._oda_head()
        lists = defaultdict(lambda: defaultdict(list))
        for (level, user_id, team_id), lead_ids in told.items():
            responsible = users.browse(user_id or ())
            leader = self.env["crm.team"].browse(team_id or ()).user_id
            people = (responsible, leader, head)
            here = [user if user.active else None for user in people]
            for user in stale.told(level, *here):
                lists[user][level] += lead_ids
        for user, levels in lists.items():
            self._oda_tell_user(user, levels)

    @api.model
    def _oda_tell_user(self, user, levels):
        ids = [
            lead_id
            for level in sorted(levels, reverse=True)
            for lead_id in levels[level]
        ]
        env = self.with_context(lang=user.lang or self.env.lang).env
        lines = Markup().join(
            Markup('<li><a href="/mail/view?model=crm.lead&amp;res_id=%s">%s</a></li>')
            % (lead.id, lead.display_name)
            for lead in env["crm.lead"].browse(ids[:LISTED])
        )
        if len(ids) > LISTED:
            more = env._("and %s more", len(ids) - LISTED)
            lines += Markup("<li>%s</li>") % more
        env["mail.thread"].message_notify(
            partner_ids=user.partner_id.ids,
            subject=env._("Consultations that stand still: %s", len(ids)),
            body=Markup("<p>%s</p><ul>%s</ul>")
            % (
                env._(
                    "Nothing has happened here for too long. A stage move, a task "
                    "done, a session or a message stops the reminders."
                ),
                lines,
            ),
        )
        user._bus_send("oda_crm.stale", {"count": len(ids)})

    @api.model
    def _oda_head(self):
        heads = self.env.ref("oda_base.group_head").user_ids
        return heads.filtered("active").sorted("id")[:1]

    @api.model
    def _oda_unmark(self, lead_ids):
        if lead_ids:
            self.env.cr.execute(UNMARK, [lead_ids])
            leads = self.env["crm.lead"].browse(lead_ids)
            leads.invalidate_recordset(["oda_stale_level"], flush=False)
            self.invalidate_model(flush=False)

    @api.model
    def _oda_comment(self):
        return self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")

    @api.model
    def _oda_flush(self):
        for name in ("crm.lead", "mail.activity", "oda.consultation.session"):
            self.env[name].flush_model()
        self.env["mail.message"].flush_model()
